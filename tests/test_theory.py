"""Known bad minima in closed form, with the numbers of the derivation.

The derivations use the sum of the losses and lambda = 1; the package uses the mean, so
sums are the mean times n here. Degree 3 throughout.
"""

import runpy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from problems import bad_minimum, tiny_objective

from skgoodmin.certificates.certificate import Status
from skgoodmin.certificates.certify import Ending, certify
from skgoodmin.certificates.pointwise import pointwise_bound
from skgoodmin.certificates.witness import find_witness, make_witness
from skgoodmin.datasets import (
    affine_trap,
    constant_network,
    contradicting_duplicates,
    dead_relu,
    dead_xor,
    smooth_trap,
)
from skgoodmin.objective.predictions import Predictions
from skgoodmin.objective.with_neuron import AugmentedObjective
from skgoodmin.training.lbfgs import Exit, minimize


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
    _, residuals = objective.data_loss(Predictions(objective, theta).raw)
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


def _certified(objective, theta):
    ending = Ending(converged=_solution(objective, theta).exit is Exit.CONVERGED)
    rng = np.random.RandomState(0)
    return certify(Predictions(objective, theta), ending, rng)


def test_tc1_dead_relu():
    objective, theta = bad_minimum(dead_relu())
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


@pytest.mark.parametrize("problem", [dead_xor, affine_trap])
def test_tc3_xor_traps(problem):
    objective, theta = bad_minimum(problem())
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
    objective, _ = bad_minimum(dead_xor())
    best = _theta(objective, [np.ones((2, 2)), [2, -4]], [[0, -1], [-1]])
    assert _sums(objective, best)[0] == 0
    assert (
        find_witness(Predictions(objective, best), np.random.RandomState(0), 1.0)
        is None
    )
    certificate = _certified(objective, best)
    assert certificate.status is Status.GLOBAL and certificate.gap < 1e-30


def test_tc4_smooth_trap():
    objective, theta = bad_minimum(smooth_trap())
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
    objective, _ = bad_minimum(constant_network())
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
    problem = contradicting_duplicates()
    objective, _ = bad_minimum(problem)
    bound = 4 * pointwise_bound(objective).value
    np.testing.assert_allclose(bound, 2.745166004061, rtol=1e-12)
    np.testing.assert_allclose(bound, 4 * problem.best_value, rtol=1e-11)
    assert bound < 4 * problem.best_value
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
        assert contribution < 1e-6 and solution.value * 4 - bound < 1e-11
    # One line search in ten gives up a little early, from rounding.
    assert np.median(gaps) <= 1e-11 and 0 < min(gaps)
    f = objective.layout.unpack(solution.theta[:2])[1][0][0]
    np.testing.assert_allclose(f, 0.1715728752538, rtol=1e-6)


@pytest.mark.parametrize(
    "problem", [dead_relu, dead_xor, affine_trap, smooth_trap, constant_network]
)
def test_witness_is_found_and_realised_at_bad_minima(problem):
    objective, theta = bad_minimum(problem())
    witness = find_witness(Predictions(objective, theta), np.random.RandomState(0), 1.0)
    assert witness.decrease > 0.01
    neuron = np.concatenate([witness.coef, [witness.intercept], witness.amplitude])
    before, _ = objective.value_and_gradient(theta)
    after, _ = objective.evaluate(theta, neuron)
    after += 0.5 * witness.amplitude @ witness.amplitude
    assert before - after >= witness.decrease
    certificate = _certified(objective, theta)
    assert certificate.status is Status.IMPROVABLE
    assert "proven" in certificate.status.value and certificate.caveat == ""
    assert certificate.witness.decrease == witness.decrease
    is_linear = len(objective.layout.sizes) == 2
    way = "use hidden layers" if is_linear else "increase max_escapes"
    assert way in certificate.advice


def test_a_zero_direction_is_no_witness_at_the_parity_saddle():
    objective, theta = bad_minimum(dead_xor())
    assert make_witness(Predictions(objective, theta), np.zeros(2), 1.0) is None


def test_lower_bound_holds_for_any_theta():
    rng = np.random.RandomState(0)
    objective = tiny_objective(rng.randint(3, size=40), rng.choice([-1, 1], 40), (4,))
    bound = pointwise_bound(objective).value
    assert bound > 0
    for _ in range(200):
        theta = rng.normal(size=objective.n_parameters) * 10 ** rng.uniform(-2, 1)
        assert objective.value_and_gradient(theta)[0] >= bound


def test_stationary_points_end_at_once():
    objective, theta = bad_minimum(dead_xor())
    assert _solution(objective, theta).exit is Exit.CONVERGED


def test_every_bad_minimum_has_the_value_it_claims():
    for problem in (dead_relu, dead_xor, affine_trap, smooth_trap, constant_network):
        objective, theta = bad_minimum(problem())
        value, gradient = objective.value_and_gradient(theta)
        np.testing.assert_allclose(value, problem().bad_value, rtol=1e-14)
        by_intercept = gradient[objective.layout.n_weights :]
        assert np.abs(by_intercept).max() < 1e-13


@pytest.mark.slow
def test_theorem_sampled():
    """300 runs: those that converge with a bounded contribution have a gap of 0."""
    script = Path(__file__).parent.parent / "benchmarks" / "theorem.py"
    found = runpy.run_path(str(script))["count"](20)
    for name, (values, converged, drifting) in found.items():
        gradient, contribution, amplitude, gap = values.T
        assert len(values) == 100 and converged.sum() > 25 and drifting.sum() > 5
        assert (gradient[converged] < 1e-9).all() and gap[converged].max() < 1e-6
        # |gradient| < eps leaves lambda L sum v^(2L) <= eps (1 + sum |v|).
        power = 4 if name == "per layer" else 2
        assert amplitude[converged].max() ** power < 2e-9 * 2
        # Nor does the conclusion hang on where the border is drawn: without a neuron
        # that adds c to each prediction, a hinge of degree 3 is at most c^3 above 0.
        small = (gradient < 1e-9) & (contribution < 0.1)
        # The bound is rounded down.
        assert (gap <= contribution**3 + 1e-11)[small].all()
    assert sum(converged.sum() for _, converged, _ in found.values()) >= 100


def test_tc2_one_sided_relu_with_a_frozen_output_intercept():
    """Both rows positive, one beyond all units: dJ~/da = -3 e^(-2w + b) everywhere."""
    objective = tiny_objective([1, -2], [1, 1], (2,))
    theta = _theta(objective, [[1, 1], [1, 1]], [[0, 0], [0]])
    value, gradient, r = _sums(objective, theta)
    assert value == 1 and r == {(1.0,): 0.0, (-2.0,): -3.0}
    assert not gradient[:-1].any()  # all but the output intercept, which is frozen
    for w, b in ((0.5, 0.3), (-1.0, 0.0), (2.0, -1.0)):
        _, by_a, _, _ = _by_neuron(objective, theta, w, b)
        np.testing.assert_allclose(by_a, -3 * np.exp(-2 * w + b), rtol=1e-14)


def test_tc9_weight_decay_voids_the_guarantee():
    """Affine network on x = +-1: J has its minimum 8/27 at (2/3, 0), J~ goes below."""
    objective = replace(tiny_objective([-1, 1], [-1, 1], ()), alpha=0.5)
    best = minimize(objective, np.zeros(2), max_iter=500, max_fun=999, tol=1e-12)
    np.testing.assert_allclose(2 * best.value, 8 / 27, rtol=1e-12)
    np.testing.assert_allclose(best.theta, [2 / 3, 0], atol=1e-6)
    augmented = AugmentedObjective(objective, 0.5)
    start = np.concatenate([best.theta, [1.0, 0.0, 0.0]])
    bounds = np.tile([-np.inf, np.inf], (5, 1))
    bounds[3, 1] = 10.0
    below = minimize(augmented, start, max_iter=900, max_fun=2000, tol=1e-9,
                     bounds=bounds)  # fmt: skip
    assert below.value < 0.6 * best.value
    contribution = abs(below.theta[-1]) * np.exp(below.theta[-2])
    assert contribution > 0.1  # the neuron stays on: nothing is certified
