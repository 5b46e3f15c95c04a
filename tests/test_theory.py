"""Known bad minima in closed form, with the numbers of the derivation.

The derivations use the sum of the losses and lambda = 1; the package uses the mean, so
sums are the mean times n here. Degree 3 throughout.
"""

import numpy as np
import pytest
from problems import tiny_objective

from skgoodmin.certificate import (
    Status,
    certify,
    data_loss,
    lower_bound,
    make_witness,
    raw_predictions,
)
from skgoodmin.objective import AugmentedObjective
from skgoodmin.scout import find_witness
from skgoodmin.solver import Exit, minimize

XOR = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
XOR_Y = np.array([-1, 1, 1, -1])


def _theta(objective, coefs, intercepts):
    return objective.layout.pack(
        [np.array(c, dtype=float).reshape(s) for c, s in zip(
            coefs, objective.layout.fans, strict=True)],
        [np.atleast_1d(np.array(c, dtype=float)) for c in intercepts],
    )  # fmt: skip


def _sums(objective, theta):
    """(sum of losses, gradient of the sum, residuals by row content)."""
    n = objective.data.weights.sum()
    value, gradient = objective.value_and_gradient(theta)
    _, residuals = data_loss(objective, raw_predictions(objective, theta))
    rows = [tuple(row) for row in objective.data.block()]
    return n * value, n * gradient, dict(zip(rows, n * residuals[0], strict=True))


def _by_neuron(objective, theta, w, b, a=0.0):
    """(J~, dJ~/da, dJ~/db, dJ~/dw) of the sums at lambda = 1, at the b given."""
    n = objective.data.weights.sum()
    neuron = np.concatenate([np.atleast_1d(w).astype(float), [b, a]])
    value, gradient = objective.evaluate(theta, neuron)
    by = n * gradient[len(theta) :]
    return n * value + a * a / 2, by[-1] + a, by[-2], by[:-2]


def _solution(objective, theta):
    return minimize(objective, theta, max_iter=100, max_fun=200, tol=1e-9)


def _xor(kind):
    objective = tiny_objective(XOR, XOR_Y, (2,))
    if kind == "dead":
        return objective, _theta(objective, [np.zeros((2, 2)), [1, 1]], [[-1, -1], [0]])
    return objective, _theta(objective, [[[1, -1], [1, -1]], [1, 1]], [[3, 3], [-6]])


def test_tc1_dead_relu():
    objective = tiny_objective([0, 1], [-1, 1], (1,))
    theta = _theta(objective, [[0], [1]], [[-1], [0]])
    value, gradient, r = _sums(objective, theta)
    assert value == 2 and not gradient.any()
    assert r == {(0.0,): 3.0, (1.0,): -3.0}
    best = _theta(objective, [[2], [1]], [[0], [-1]])
    assert _sums(objective, best)[0] == 0
    _, by_a, _, _ = _by_neuron(objective, theta, 1.0, 0.0)
    np.testing.assert_allclose(by_a, 3 * (1 - np.e), rtol=1e-14)
    np.testing.assert_allclose(by_a, -5.154845, rtol=1e-7)
    _, by_a, by_b, by_w = _by_neuron(objective, theta, 0.0, 0.0)
    assert by_a == 0 and by_b == 0 and not by_w.any()


@pytest.mark.parametrize("kind", ["dead", "affine"])
def test_tc3_xor_traps(kind):
    objective, theta = _xor(kind)
    value, gradient, r = _sums(objective, theta)
    assert value == 4 and not gradient.any()
    assert r == {(0, 0): 3, (0, 1): -3, (1, 0): -3, (1, 1): 3}
    _, by_a, _, _ = _by_neuron(objective, theta, [1, 1], 0.0)
    np.testing.assert_allclose(by_a, 8.857477326, rtol=1e-9)
    lower, _, _, _ = _by_neuron(objective, theta, [0.1, 0.1], 0.0, -0.0010841284351512)
    np.testing.assert_allclose(lower - 4, -1.7987346e-5, rtol=1e-6)
    rng = np.random.RandomState(0)
    near = [
        objective.value_and_gradient(theta + 1e-2 * rng.normal(size=len(theta)))[0]
        for _ in range(2000)
    ]
    assert 4 * min(near) >= 4 - 1e-12  # a local minimum, as far as sampling can tell


def test_tc3_global_minimum_raises_no_alarm():
    objective, _ = _xor("dead")
    best = _theta(objective, [np.ones((2, 2)), [2, -4]], [[0, -1], [-1]])
    assert _sums(objective, best)[0] == 0
    assert find_witness(objective, best, np.random.RandomState(0), 1.0) is None
    certificate = certify(objective, best, _solution(objective, best))
    assert certificate.status is Status.GLOBAL and certificate.gap == 0


def test_tc4_smooth_trap():
    objective = tiny_objective([-1, 0, 0, 1], [1, -1, -1, 1], (2,), "tanh")
    theta = _theta(objective, [[0, 0], [1, 1]], [[1, 1], [-2 * np.tanh(1)]])
    value, gradient, _ = _sums(objective, theta)
    np.testing.assert_allclose(value, 4, rtol=1e-14)
    assert np.abs(gradient).max() < 1e-13
    hessian = np.array(
        [
            (
                _sums(objective, theta + 1e-5 * e)[1]
                - _sums(objective, theta - 1e-5 * e)[1]
            )
            / 2e-5
            for e in np.eye(len(theta))
        ]
    )
    eigenvalues = np.linalg.eigvalsh((hessian + hessian.T) / 2)
    np.testing.assert_allclose(eigenvalues[:4], 0, atol=1e-5)
    np.testing.assert_allclose(
        eigenvalues[4:], [3.83820005, 8.07128279, 60.307397], rtol=1e-6
    )
    _, by_a, _, _ = _by_neuron(objective, theta, 1.0, 0.0)
    np.testing.assert_allclose(by_a, -3.258483809, rtol=1e-9)
    best = _theta(objective, [[4, 4], [-2, 2]], [[2, -2], [2.5]])
    assert _sums(objective, best)[0] == 0


def test_tc5_descent_to_infinity_of_the_constant_network():
    """J~ -> 0 with a -> 0 along the path, while the plain loss goes to 8."""
    objective = tiny_objective([0, 1], [-1, 1], ())
    layout = objective.layout
    assert 2 * objective.value_and_gradient(layout.pack([[[0.0]]], [[0.0]]))[0] == 2
    for k in range(1, 8):
        eps = 10.0**-k
        theta = layout.pack([[[0.0]]], [[-1 - eps]])
        w, a = np.log((2 + eps) / eps), 1e-3
        value, _, _, _ = _by_neuron(objective, theta, w, np.log(eps / a), a)
        assert value <= 0.5 * a * a + 1e-12
    loss = 2 * objective.value_and_gradient(theta)[0]
    np.testing.assert_allclose(loss, 8, rtol=1e-5)


def test_tc6_contradicting_duplicates():
    objective = tiny_objective([0, 0, 0, 1], [1, 1, -1, 1], ())
    bound = 4 * lower_bound(objective.data, objective.loss, False, 1)
    np.testing.assert_allclose(bound, 2.745166004061, rtol=1e-12)
    np.testing.assert_allclose(bound, 16 / (1 + np.sqrt(2)) ** 2, rtol=1e-14)
    gaps = []
    for seed in range(10):
        start = objective.layout.start(np.random.RandomState(seed))
        solution = minimize(objective, start, max_iter=500, max_fun=900, tol=1e-10)
        gaps.append(4 * solution.value - bound)
        # The same in J~, which has its minimum there with the neuron switched off.
        augmented = AugmentedObjective(objective, 0.25)
        start = np.concatenate([start, [1.0, 0.0, 0.0]])
        solution = minimize(augmented, start, max_iter=900, max_fun=2000, tol=1e-12)
        contribution = abs(solution.theta[-1]) * np.exp(solution.theta[-2])
        assert contribution < 1e-6 and solution.value * 4 - bound < 1e-12
    # One line search in ten gives up a little early, from rounding.
    assert np.median(gaps) <= 4e-15 and max(gaps) <= 2e-13
    f = objective.layout.unpack(solution.theta[:2])[1][0][0]
    np.testing.assert_allclose(f, 0.1715728752538, rtol=1e-6)


@pytest.mark.parametrize("trap", ["dead relu", "dead xor", "affine xor", "smooth"])
def test_witness_is_found_and_realised_at_bad_minima(trap):
    if trap == "dead relu":
        objective = tiny_objective([0, 1], [-1, 1], (1,))
        theta = _theta(objective, [[0], [1]], [[-1], [0]])
    elif trap == "smooth":
        objective = tiny_objective([-1, 0, 0, 1], [1, -1, -1, 1], (2,), "tanh")
        theta = _theta(objective, [[0, 0], [1, 1]], [[1, 1], [-2 * np.tanh(1)]])
    else:
        objective, theta = _xor(trap.split()[0])
    witness = find_witness(objective, theta, np.random.RandomState(0), 1.0)
    assert witness.decrease > 0.01
    neuron = np.concatenate([witness.coef, [witness.intercept], witness.amplitude])
    before, _ = objective.value_and_gradient(theta)
    after, _ = objective.evaluate(theta, neuron)
    after += 0.5 * witness.amplitude @ witness.amplitude
    assert before - after >= witness.decrease
    certificate = certify(objective, theta, _solution(objective, theta), witness)
    assert certificate.status is Status.ESCAPABLE
    assert "proven" in certificate.status.value


def test_a_zero_direction_is_no_witness_at_the_parity_saddle():
    objective, theta = _xor("dead")
    assert make_witness(objective, theta, np.zeros(2), 1.0) is None


def test_lower_bound_holds_for_any_theta():
    rng = np.random.RandomState(0)
    objective = tiny_objective(rng.randint(3, size=40), rng.choice([-1, 1], 40), (4,))
    bound = lower_bound(objective.data, objective.loss, False, 1)
    assert bound > 0
    for _ in range(200):
        theta = rng.normal(size=objective.n_parameters) * 10 ** rng.uniform(-2, 1)
        assert objective.value_and_gradient(theta)[0] >= bound


def test_stationary_points_end_at_once():
    objective, theta = _xor("dead")
    assert _solution(objective, theta).exit is Exit.CONVERGED
