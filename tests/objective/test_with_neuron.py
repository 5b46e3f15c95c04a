"""One special neuron per layer: gradient, identity, TC8, and what joint training does.

The oracle of value and gradient is plain numpy, written from the recursion of the
special neurons and not from a wider network.
"""

from dataclasses import replace

import numpy as np
import pytest
from problems import (
    bad_minimum,
    difference_step,
    five_point,
    random_objective,
    reference_activation,
    tiny_objective,
)

from skgoodmin import GoodMinimaClassifier
from skgoodmin.datasets import affine_trap, dead_relu, dead_xor, smooth_trap
from skgoodmin.kernels.activations import ACTIVATIONS
from skgoodmin.objective.canonical_rows import canonical_rows
from skgoodmin.objective.losses import LOSSES
from skgoodmin.objective.with_neuron import AugmentedObjective, PerLayerObjective
from skgoodmin.training import start as start_module
from skgoodmin.training.joint_training import train_joint
from skgoodmin.training.lbfgs import minimize
from skgoodmin.training.start import Budget

OUTPUTS = [{}, {"n_outputs": 3}, {"n_outputs": 3, "multilabel": True}]


def _point(augmented, seed=0, size=0.4):
    return size * np.random.RandomState(seed).normal(size=augmented.n_parameters)


def _by_recursion(augmented, parameters):
    """J~ from h_l = exp(w_l.x_(l-1) + v_(l-1) h_(l-1) + b_l), in plain numpy."""
    plain = augmented.plain
    coefs, intercepts = plain.layout.unpack(augmented.narrow(parameters))
    w, b, v = augmented.neuron(parameters)
    X = plain.data.block()
    x, h = (X.toarray() if plain.data.rows.sparse else X).astype(float), None
    act = reference_activation(plain.activation.name)
    for layer, (weights, c) in enumerate(zip(coefs[:-1], intercepts[:-1], strict=True)):
        seen = x if h is None else np.column_stack([x, h])
        z = x @ weights + c + (0 if h is None else h[:, None] * v[layer - 1][:-1])
        h, x = np.exp(seen @ w[layer] + b[layer]), act(z)
    raw = x @ coefs[-1] + intercepts[-1] + h[:, None] * v[-1]
    penalty = 0.5 * augmented.neuron_alpha * sum((a ** (2 * len(w))).sum() for a in v)
    decay = 0.5 * plain.alpha * sum((weights**2).sum() for weights in coefs)
    return plain.data_loss(raw)[0] + penalty + decay


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("outputs", OUTPUTS, ids=str)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_value_and_gradient(activation, loss, outputs, sparse):
    for hidden in ((5,), (4, 3), (3, 2, 4)):
        plain, _ = random_objective(
            hidden, activation, loss, sparse=sparse, weights=True, **outputs
        )
        augmented = PerLayerObjective(plain, 0.3)
        point = _point(augmented)
        value, gradient = augmented.value_and_gradient(point)
        np.testing.assert_allclose(value, _by_recursion(augmented, point), rtol=1e-12)
        step = difference_step(activation)
        numerical = five_point(
            lambda p, of=augmented: of.value_and_gradient(p)[0], point, step
        )
        assert np.abs(gradient - numerical).max() < 1e-6 * np.abs(gradient).max()


@pytest.mark.parametrize("trained", [False, True])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("outputs", OUTPUTS, ids=str)
@pytest.mark.parametrize("hidden", [(5,), (4, 3), (3, 2, 4)])
def test_identity(hidden, outputs, loss, trained):
    """v_l.dJ~/dv_l - dJ~/db_l = lambda L sum v_l^(2L), for each special neuron."""
    plain, theta = random_objective(hidden, "tanh", loss, **outputs)
    augmented = PerLayerObjective(plain, 0.3)
    point = _point(augmented, seed=1)
    if trained:
        start = augmented.widen(theta, np.random.RandomState(0))
        bounds = augmented.bounds(start)
        point = minimize(
            augmented, start, max_iter=30, max_fun=60, tol=1e-9, bounds=bounds
        ).theta
    _, gradient = augmented.value_and_gradient(point)
    _, b, v = augmented.neuron(point)
    _, by_b, by_v = augmented.neuron(gradient)
    for layer in range(len(b)):
        left = v[layer] @ by_v[layer] - by_b[layer]
        right = 0.3 * len(b) * (v[layer] ** (2 * len(b))).sum()
        assert abs(left - right) < 1e-12 * max(np.abs(gradient).max(), 1.0)


@pytest.mark.parametrize("outputs", OUTPUTS, ids=str)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("degree", [0, 3])
def test_identity_of_the_skip_neuron_at_trained_points(degree, loss, outputs):
    """a.dJ~/da less dJ~/dbeta, or the scale of a monomial, is lambda sum a^2."""
    plain, theta = random_objective((5,), "tanh", loss, **outputs)
    augmented = AugmentedObjective(plain, 0.3, degree)
    start = augmented.widen(theta, np.random.RandomState(0))
    point = minimize(augmented, start, max_iter=30, max_fun=60, tol=1e-9).theta
    _, gradient = augmented.value_and_gradient(point)
    n, k = plain.n_parameters, plain.layout.sizes[-1]
    inside, by_inside = point[n:-k], gradient[n:-k]
    scale = by_inside[-1] if degree == 0 else inside @ by_inside / degree
    left = point[-k:] @ gradient[-k:] - scale
    assert abs(left - 0.3 * point[-k:] @ point[-k:]) < 1e-12


def test_one_hidden_layer_is_the_skip_placement():
    """For L = 1 the penalty is lambda/2 a^2, and J~ the one of the skip neuron."""
    plain, theta = random_objective((5,), "relu", n_outputs=3)
    layered, skip = PerLayerObjective(plain, 0.7), AugmentedObjective(plain, 0.7)
    w, b, a = np.array([0.4, -0.2, 0.1]), 0.3, np.array([0.5, -1.0, 0.2])
    beta = b + skip.largest_exponent(w)[0]
    parameters = np.zeros(layered.n_parameters)
    parameters[layered.regular] = theta
    coefs, intercepts = layered.layout.unpack(parameters)
    coefs[0][:, -1], intercepts[0][-1], coefs[1][-1] = w, b, a
    np.testing.assert_allclose(
        layered.value_and_gradient(parameters)[0],
        skip.value_and_gradient(np.concatenate([theta, w, [beta], a]))[0],
        rtol=1e-13,
    )


def _dead_two_layers(power, neuron_alpha):
    """TC8: two dead relu layers on x = (0, 1), y = (-, +); w = 0.5 and b = 0 below."""
    objective = tiny_objective([0, 1], [-1, 1], (1, 1))
    # The derivation is for sums, the package takes the mean: lambda / 2 there.
    layered = PerLayerObjective(objective, neuron_alpha / 2, power)
    point = np.zeros(layered.n_parameters)
    coefs, intercepts = layered.layout.unpack(point)
    coefs[0][0, -1] = 0.5
    coefs[1][0, 0] = coefs[2][0, 0] = 1.0
    intercepts[0][0] = intercepts[1][0] = -1.0
    return layered, point, coefs, intercepts


def test_tc8_the_squared_norm_is_not_enough():
    """(a_1, a_2) has the form [[lambda, P], [P, lambda]] with P = 3 (1 - e^0.5)."""
    layered, point, coefs, _ = _dead_two_layers(2, 2.5)
    assert 2 * layered.value_and_gradient(point)[0] == 2
    h = 1e-4
    corners = []
    for a1, a2 in ((h, h), (h, -h), (-h, h), (-h, -h)):
        coefs[1][-1, -1], coefs[2][-1, 0] = a1, a2
        corners.append(2 * layered.value_and_gradient(point)[0])
    mixed = (corners[0] - corners[1] - corners[2] + corners[3]) / (4 * h * h)
    np.testing.assert_allclose(mixed, 3 * (1 - np.exp(0.5)), rtol=1e-5)
    np.testing.assert_allclose(mixed, -1.9461638121, rtol=1e-5)
    coefs[1][-1, -1] = coefs[2][-1, 0] = 0.0
    rng = np.random.RandomState(0)
    near = [
        layered.value_and_gradient(point + 1e-3 * rng.normal(size=len(point)))[0]
        for _ in range(4000)
    ]
    assert 2 * min(near) > 2  # a bad local minimum, as far as sampling can tell


def test_tc8_the_power_2l_is_enough():
    """At lambda = 100 J~ falls by 1.25e-2, theta kept and the neurons within 0.5."""
    layered, point, _, _ = _dead_two_layers(None, 100.0)
    reach = np.where(layered.regular, 0.0, 0.5)
    bounds = np.column_stack([point - reach, point + reach])
    rng, lowest = np.random.RandomState(0), 2.0
    for _ in range(5):
        start = point + 0.2 * reach * rng.normal(size=len(point))
        start = np.clip(start, *bounds.T)
        run = minimize(
            layered, start, max_iter=500, max_fun=999, tol=1e-9, bounds=bounds
        )
        lowest = min(lowest, 2 * run.value)
    assert 2 - lowest > 1.25e-2


@pytest.mark.parametrize("problem", [dead_relu, dead_xor, affine_trap, smooth_trap])
def test_a_step_goes_down_from_every_known_bad_minimum(problem):
    """The last special neuron of a chain is switched on against S; J~ falls."""
    objective, theta = bad_minimum(problem())
    _check_descent(objective, theta)


@pytest.mark.parametrize("hidden", [(1, 1), (2, 2, 2)])
def test_a_step_goes_down_from_dead_layers(hidden):
    """All rows collide in the first layer: only the chain tells them apart."""
    objective = tiny_objective([0, 1], [-1, 1], hidden)
    coefs, intercepts = objective.layout.unpack(np.zeros(objective.n_parameters))
    for c in intercepts[:-1]:
        c[:] = -1.0
    coefs[-1][:] = 1.0
    _check_descent(objective, objective.layout.pack(coefs, intercepts))


def _check_descent(objective, theta, tol=1e-13):
    before, gradient = objective.value_and_gradient(theta)
    assert np.abs(gradient).max() < tol
    layered = PerLayerObjective(objective, 1.0)
    best = before
    for seed in range(10):
        start = layered.widen(theta, np.random.RandomState(seed))
        assert layered.value_and_gradient(start)[0] == before
        coefs, _ = layered.layout.unpack(start)
        for size in (0.5, 0.2, 0.1):
            for coef in coefs[1:-1]:
                coef[-1, -1] = size
            slope = layered.neuron(layered.value_and_gradient(start)[1])[2][-1]
            for step in (1.0, 0.3, 0.1, 0.03, 0.01):
                coefs[-1][-1] = -step * slope
                best = min(best, layered.value_and_gradient(start)[0])
            coefs[-1][-1] = 0.0
    assert best < before - 1e-4


@pytest.mark.parametrize("multilabel", [False, True])
@pytest.mark.parametrize("degree", [0, 3])
def test_a_step_goes_down_with_several_outputs(degree, multilabel):
    """A dead relu layer and three outputs, skip and monomial and per layer."""
    plain, _ = random_objective(
        (4,), "relu", n_outputs=3, multilabel=multilabel, alpha=0.0, n=20
    )
    theta = np.zeros(plain.n_parameters)
    coefs, intercepts = plain.layout.unpack(theta)
    intercepts[0][:] = -1.0
    best = minimize(plain, theta, max_iter=500, max_fun=999, tol=1e-12)
    if degree == 0:
        _check_descent(plain, best.theta, tol=1e-8)
    _check_skip_descent(plain, best.theta, degree)


@pytest.mark.parametrize("degree", [0, 2, 4])
@pytest.mark.parametrize("problem", [dead_relu, dead_xor, affine_trap, smooth_trap])
def test_a_step_of_the_skip_neuron_goes_down(problem, degree):
    objective, theta = bad_minimum(problem())
    _check_skip_descent(objective, theta, degree)


def _check_skip_descent(objective, theta, degree):
    augmented, rng = (
        AugmentedObjective(objective, 1.0, degree),
        np.random.RandomState(0),
    )
    before, best = objective.value_and_gradient(theta)[0], np.inf
    n_outputs = objective.layout.sizes[-1]
    for _ in range(20):
        point = augmented.widen(theta, rng)
        value, gradient = augmented.value_and_gradient(point)
        assert value == before
        for step in (1.0, 0.3, 0.1, 0.03, 0.01):
            point[-n_outputs:] = -step * gradient[-n_outputs:]
            best = min(best, augmented.value_and_gradient(point)[0])
    assert best < before - 1e-4


def test_no_false_alarm_at_a_global_minimum():
    """At zero loss no special neuron, of any layer, lowers J~."""
    objective = tiny_objective([[0, 0], [0, 1], [1, 0], [1, 1]], [-1, 1, 1, -1], (2, 2))
    coefs = [np.ones((2, 2)), np.eye(2), np.array([[2.0], [-4.0]])]
    intercepts = [np.array([0.0, -1.0]), np.zeros(2), np.array([-1.0])]
    theta = objective.layout.pack(coefs, intercepts)
    assert objective.value_and_gradient(theta)[0] == 0
    rng = np.random.RandomState(0)
    for objective_ in (
        PerLayerObjective(objective, 1.0),
        AugmentedObjective(objective, 1.0),
        AugmentedObjective(objective, 1.0, 3),
    ):
        start = objective_.widen(theta, rng)
        value, gradient = objective_.value_and_gradient(start)
        assert value == 0 and not gradient.any()
        around = start + 1e-2 * rng.normal(size=(500, len(start)))
        assert min(objective_.value_and_gradient(p)[0] for p in around) >= 0


def test_joint_training_drops_the_neurons_and_reports_them():
    rng = np.random.RandomState(0)
    X, y = rng.normal(size=(60, 3)), rng.randint(3, size=60)
    model = GoodMinimaClassifier(
        (4, 3),
        "tanh",
        alpha=0,
        neuron_placement="per_layer",
        training="joint",
        max_iter=300,
        tol=1e-2,
        random_state=0,
    ).fit(X, y)
    assert [w.shape for w in model.neuron_coef_] == [(3,), (5,)]
    assert model.neuron_intercept_.shape == (2,)
    assert [v.shape for v in model.neuron_amplitude_] == [(4,), (3,)]
    assert model.certificate_.neuron_contribution > 0
    assert [coef.shape for coef in model.coefs_] == [(3, 4), (4, 3), (3, 3)]


def test_joint_training_stands_features_of_any_place():
    plain, theta = random_objective((4, 3), "tanh", alpha=0.0)
    data = plain.data
    far = canonical_rows(1e4 * data.block() + 1e6, data.labels, data.weights)
    plain = replace(plain, data=far)
    layered, theta = PerLayerObjective(plain, 1.0), 1e3 * theta
    start = layered.widen(theta, np.random.RandomState(0))
    for exponents in layered.exponents(start):
        assert abs(exponents.max()) < 1e-8
    assert layered.exponents(start)[0].min() < -1.0  # the rows are told apart
    assert layered.contribution(start) == 0
    value, gradient = layered.value_and_gradient(start)
    np.testing.assert_allclose(value, plain.value_and_gradient(theta)[0], rtol=1e-12)
    assert np.isfinite(gradient).all()
    solution, parameters = train_joint(
        layered, theta, np.random.RandomState(0), Budget(50, 200, 1e-6)
    )
    assert np.isfinite(parameters).all() and np.isfinite(solution.value)


def test_contribution_counts_what_the_neurons_add():
    plain, theta = random_objective((4, 3), "tanh", alpha=0.0)
    layered = PerLayerObjective(plain, 0.0)
    solution, parameters = train_joint(
        layered, theta, np.random.RandomState(0), Budget(50, 200, 1e-6)
    )
    assert np.isfinite(solution.value) and layered.contribution(parameters) > 0
    dropped = parameters.copy()
    dropped[layered.outgoing] = 0
    assert layered.contribution(dropped) == 0


def test_per_layer_needs_a_hidden_layer_and_an_exponential():
    X, y = [[0.0], [1.0]], [0, 1]
    with pytest.raises(ValueError, match="needs a hidden layer"):
        GoodMinimaClassifier((), neuron_placement="per_layer").fit(X, y)
    with pytest.raises(ValueError, match="special_neuron='exponential'"):
        GoodMinimaClassifier(
            (2,), neuron_placement="per_layer", special_neuron="monomial"
        ).fit(X, y)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_per_layer_escapes_graft_below_the_last_layer(monkeypatch):
    """And those of the skip neuron do not: what the grafts change is looked at."""
    changed, original = [], start_module.graft

    def spy(objective, theta, *args):
        grafted = original(objective, theta, *args)
        before, after = (objective.layout.unpack(t)[0] for t in (theta, grafted))
        layers = [(a != b).any() for a, b in zip(before, after, strict=True)]
        changed.append(int(np.argmax(layers)))
        return grafted

    monkeypatch.setattr(start_module, "graft", spy)
    rng = np.random.RandomState(0)
    X = rng.normal(size=(200, 2))
    y = (np.sin(3 * X[:, 0]) * X[:, 1] > 0).astype(int)
    model = GoodMinimaClassifier(
        (4, 4), "tanh", alpha=0, neuron_placement="per_layer", n_init=6, random_state=0
    ).fit(X, y)
    assert set(changed) == {0, 1} and model.history_["escape"].max() > 0
    changed.clear()
    model.set_params(neuron_placement="skip").fit(X, y)
    assert set(changed) == {1} and model.history_["escape"].max() > 0
