"""What a graft takes, and what it does, from linear algebra written anew."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
from problems import random_objective

import skgoodmin.training.graft
import skgoodmin.training.scout
from skgoodmin.certificates import neuron_search
from skgoodmin.certificates.neuron_search import LayerView, Neuron
from skgoodmin.kernels.activations import ACTIVATIONS
from skgoodmin.objective.layout import ParameterLayout
from skgoodmin.training.graft import graft, graft_cost, layer_views
from skgoodmin.training.scout import find_unit, predicted_decrease, quadratic_model

# ---------------------------------------------------------------- what it takes


def _sizes_and_rows(sizes, n_rows):
    data = SimpleNamespace(n_rows=n_rows)
    return SimpleNamespace(layout=ParameterLayout(sizes), data=data, alpha=0.0)


def _multiplications(sizes, n_directions, every_layer):
    """Of a graft and of an evaluation, for one row of those that a graft looks at."""
    pairs = list(itertools.pairwise(sizes))
    forward = sum(i * o for i, o in pairs)
    weights = sum(i * o for i, o in pairs)  # the gradient by the weights
    inputs = sum(i * o for i, o in pairs[1:])  # and by the inputs of all but the first
    total, fits = forward, [0]
    hidden = range(1, len(sizes) - 1)
    for layer in hidden if every_layer else hidden[-1:]:
        n_inputs, n_units, n_outputs = sizes[layer - 1 : layer + 2]
        for _ in range(n_outputs):
            if n_directions > 1:
                total += n_inputs  # the gradient
                for _ in range(min(8, n_inputs)):  # to a subspace and back, twice
                    total += 4 * n_inputs
        if n_directions > 1:
            for _ in range(n_directions + n_directions // 2):  # and those near
                total += n_inputs  # z w
                for _ in range(n_outputs):
                    total += n_units + 1  # what it shares with the others
                    total += 3  # r phi and phi q phi
        # [values, 1, phi]^T Q [values, 1, phi]; of layers the largest.
        fits.append(n_outputs * (n_units + 2) ** 2)
    return total + max(fits), forward + weights + inputs


SHAPES = [
    (3, 5, 1),
    (20, 7, 1),
    (2, 30, 3),
    (9, 4, 6, 2),
    (1, 1, 1),
    (12, 10, 11, 5, 4),
]


@pytest.mark.parametrize("sizes", SHAPES)
@pytest.mark.parametrize("n_directions", [1, 2, 16])
@pytest.mark.parametrize("every_layer", [False, True])
@pytest.mark.parametrize("n_rows", [10, 4096, 8192, 40960])
def test_the_cost_is_a_count_of_multiplications(
    sizes, n_directions, every_layer, n_rows
):
    objective = _sizes_and_rows(sizes, n_rows)
    taken, evaluation = _multiplications(sizes, n_directions, every_layer)
    expected = min(n_rows, 4096) * taken / (n_rows * evaluation)
    found = graft_cost(objective, n_directions, every_layer)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    if not every_layer:
        assert graft_cost(objective, n_directions) == found


class Counted(np.ndarray):
    """Counts the multiplications that it takes part in."""

    total = 0

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **options):
        plain = [np.asarray(i) if isinstance(i, np.ndarray) else i for i in inputs]
        if out is not None:
            options["out"] = tuple(np.asarray(o) for o in out)
        result = getattr(ufunc, method)(*plain, **options)
        if method == "__call__" and ufunc is np.matmul:
            Counted.total += np.size(result) * plain[0].shape[-1]
        if method == "__call__" and ufunc in (np.multiply, np.square, np.divide):
            Counted.total += np.size(result)
        return result.view(Counted) if isinstance(result, np.ndarray) else result


class _Numpy:
    """numpy with an asarray that goes on counting."""

    asarray = staticmethod(np.asanyarray)

    def __getattr__(self, name):
        return getattr(np, name)


MEASURED = [(3, 5, 1), (20, 7, 1), (2, 30, 3), (9, 14, 6, 2), (40, 20, 10), (12, 50, 1)]


@pytest.mark.parametrize("sizes", MEASURED)
@pytest.mark.parametrize("every_layer", [False, True])
@pytest.mark.parametrize("n_directions", [1, 16])
def test_the_cost_is_what_was_counted(monkeypatch, sizes, every_layer, n_directions):
    monkeypatch.setattr(skgoodmin.training.graft, "np", _Numpy())
    monkeypatch.setattr(skgoodmin.training.scout, "np", _Numpy())
    monkeypatch.setattr(neuron_search, "np", _Numpy())
    (n_features, *hidden, n_outputs), n = sizes, 300
    objective, theta = random_objective(
        tuple(hidden), "tanh", n_outputs=n_outputs, n=n, n_features=n_features
    )
    rows = objective.data.block(0, n).view(Counted)
    first = SimpleNamespace(block=lambda: rows)
    known = {"data": SimpleNamespace(first=lambda n: first, n_rows=n)}
    known["activation"] = SimpleNamespace(
        function=np.tanh, derivative=lambda z: 1 - np.tanh(z) ** 2, free_scale=False
    )
    names = "layout", "alpha", "curvature", "data_loss"
    known |= {name: getattr(objective, name) for name in names}
    Counted.total = 0
    rng = np.random.RandomState(0)
    graft(SimpleNamespace(**known), theta, rng, n_directions, every_layer)
    _, evaluation = _multiplications(sizes, n_directions, every_layer)
    counted = Counted.total / (n * evaluation)
    estimate = graft_cost(objective, n_directions, every_layer)
    # The estimate leaves out what is linear in the units, and counts the quadratic
    # model once: a search makes it for the directions, for those near, and at the end.
    assert 1.0 < counted / estimate < (1.7 if n_directions == 1 else 2.4)


# ---------------------------------------------------------------- what it does


def _solved(features, residuals, curvature, decay, weights, fixed=()):
    """(weights, decrease) at the minimum of sum_k of the quadratic models of outputs.

    weights (n_features, n_outputs) are those now; ``fixed`` ones become 0.
    """
    new, decrease = np.zeros_like(weights), 0.0
    free = [i for i in range(len(weights)) if i not in fixed]
    for k, (r, q) in enumerate(zip(residuals, curvature, strict=True)):
        hessian = features.T @ np.diag(q) @ features + np.diag(decay)
        gradient = features.T @ r + decay * weights[:, k]
        step = -weights[:, k]  # for those that become 0
        there, here = np.ix_(free, free), np.ix_(free, list(fixed))
        right = gradient[free] + hessian[here] @ step[list(fixed)]
        step[free] = -np.linalg.solve(hessian[there], right)
        new[:, k] = weights[:, k] + step
        decrease -= gradient @ step + 0.5 * step @ hessian @ step
    new[list(fixed)] = 0.0
    return new, decrease


@pytest.fixture
def no_ridge(monkeypatch):
    monkeypatch.setattr(skgoodmin.training.scout, "RIDGE", 0.0)


def _forward(objective, theta):
    """(inputs, sums) of all layers, from the formulas."""
    coefs, intercepts = objective.layout.unpack(theta)
    values, sums = [objective.data.block()], []
    for weights, intercept in zip(coefs, intercepts, strict=True):
        sums.append(values[-1] @ weights + intercept)
        values.append(np.tanh(sums[-1]))
    return values[:-1], sums


@pytest.mark.parametrize("every_layer", [False, True])
@pytest.mark.parametrize("hidden", [(5,), (4, 3), (3, 4, 2)])
@pytest.mark.parametrize("loss", ["log_loss", "poly_hinge"])
def test_derivatives_come_down_the_network(hidden, every_layer, loss):
    objective, theta = random_objective(hidden, "tanh", loss, 3, weights=True)
    views = layer_views(objective, theta, every_layer)
    values, sums = _forward(objective, theta)
    assert len(views) == (len(hidden) if every_layer else 1)
    coefs, _ = objective.layout.unpack(theta)
    _, residuals = objective.data_loss(sums[-1])
    plain = objective.curvature(sums[-1])
    curvature = plain + 0.1 * plain.mean(axis=1, keepdims=True)
    for back, view in enumerate(views[::-1], 1):
        layer = len(hidden) - back
        np.testing.assert_allclose(view.z, values[layer], rtol=1e-12)
        np.testing.assert_allclose(view.values, values[layer + 1], rtol=1e-12)
        np.testing.assert_allclose(view.residuals, residuals, rtol=1e-9, atol=1e-15)
        np.testing.assert_allclose(view.curvature, curvature, rtol=1e-9, atol=1e-15)
        np.testing.assert_allclose(view.deviation, values[layer].std(axis=0))
        slope = (1 - np.tanh(sums[layer]) ** 2).T
        residuals = (coefs[layer + 1] @ residuals) * slope
        curvature = (coefs[layer + 1] ** 2 @ curvature) * slope**2
        curvature = curvature + 0.1 * curvature.mean(axis=1, keepdims=True)


def test_residuals_below_are_derivatives_of_the_loss():
    objective, theta = random_objective((4, 3), "tanh", "log_loss", alpha=0.0)
    view = layer_views(objective, theta, True)[0]
    _, sums = _forward(objective, theta)
    coefs, intercepts = objective.layout.unpack(theta)

    def loss(z):
        return objective.data_loss(np.tanh(z) @ coefs[2] + intercepts[2])[0]

    for unit in range(3):
        for row in (0, 7):
            step = np.zeros_like(sums[1])
            step[row, unit] = 1e-6
            numerical = (loss(sums[1] + step) - loss(sums[1] - step)) / 2e-6
            np.testing.assert_allclose(view.residuals[unit, row], numerical, atol=1e-9)


def test_a_search_looks_at_the_first_rows(monkeypatch):
    objective, theta = random_objective((4,), "tanh", n=50)
    whole = layer_views(objective, theta)[0]
    monkeypatch.setattr(skgoodmin.training.graft, "SEARCH_ROWS", 20)
    view = layer_views(objective, theta)[0]
    assert view.z.shape == (20, 3)
    # Their mean: beside alpha a sample has the weight of all rows.
    mean = whole.residuals[:, :20] / objective.shares[:20].sum()
    np.testing.assert_allclose(view.residuals, mean, rtol=1e-12)
    np.testing.assert_array_equal(view.z, objective.data.block(0, 20))


def test_the_quadratic_model_has_a_ridge_of_its_mean_diagonal():
    rng = np.random.RandomState(0)
    features, r, q = rng.normal(size=(9, 3)), rng.normal(size=9), rng.uniform(size=9)
    decay = np.array([0.3, 0.0, 0.7])
    hessian, gradient = quadratic_model(features, r, q, decay)
    plain = features.T @ np.diag(q) @ features + np.diag(decay)
    expected = plain + 0.02 * np.trace(plain) / 3 * np.eye(3)
    np.testing.assert_allclose(hessian, expected, rtol=1e-12)
    np.testing.assert_allclose(gradient, features.T @ r, rtol=1e-12)
    nothing, _ = quadratic_model(0 * features, r, q, 0 * decay)
    assert 0 < nothing[0, 0] < 1e-300 and np.isfinite(np.linalg.inv(nothing)).all()


def _view(n=30, n_inputs=3, n_units=4, n_outputs=2, seed=0):
    rng = np.random.RandomState(seed)
    z, values = rng.normal(size=(n, n_inputs)), np.tanh(rng.normal(size=(n, n_units)))
    residuals = rng.normal(size=(n_outputs, n)) / n
    curvature = rng.uniform(0.5, 2.0, size=(n_outputs, n)) / n
    return LayerView(z, values, residuals, curvature, z.std(axis=0))


def test_the_predicted_decrease_is_that_of_the_quadratic_model(no_ridge):
    view = _view()
    phi = np.tanh(view.z @ np.random.RandomState(1).normal(size=(3, 6)))
    old, nothing = np.column_stack([view.values, np.ones(30)]), np.zeros((6, 2))
    model = view.residuals, view.curvature
    _, before = _solved(old, *model, np.zeros(5), nothing[:5])
    expected = []
    for unit in phi.T:
        features = np.column_stack([old, unit])
        expected.append(_solved(features, *model, np.zeros(6), nothing)[1] - before)
    np.testing.assert_allclose(predicted_decrease(phi, view), expected, rtol=1e-8)


def test_a_unit_that_is_there_already_has_a_thousandth_of_its_spread(no_ridge):
    view = _view(n_outputs=1)
    phi = view.values[:, :1] + 1e-9 * view.z[:, :1]
    found = predicted_decrease(phi, view)
    features = np.column_stack([view.values, np.ones(30)])
    q, r = view.curvature[0], view.residuals[0]
    hessian = features.T @ (q[:, None] * features)
    left = r - q * (features @ np.linalg.solve(hessian, features.T @ r))
    spread = 1e-3 * q @ phi[:, 0] ** 2
    np.testing.assert_allclose(found, (left @ phi[:, 0]) ** 2 / (2 * spread), rtol=1e-5)
    assert np.isfinite(predicted_decrease(0 * phi, view)).all()


@pytest.mark.parametrize("n_directions", [2, 3, 8, 16])
@pytest.mark.parametrize("n_named", [1, 40])
def test_three_quarters_of_the_directions_are_named(monkeypatch, n_directions, n_named):
    view, tried, near = _view(), [], []
    named = 100.0 + np.arange(3.0 * n_named).reshape(3, n_named)

    def best(w, b, inside, function, score):
        tried.append((w, b, inside))
        return neuron_search.best_neurons(w, b, inside, function, score)

    def refine(neuron, given, function, score, rng, n_near):
        near.append((neuron, n_near, score(neuron.values[:, None])))
        assert given is view and function is ACTIVATIONS["tanh"].function
        return "refined"

    module = skgoodmin.training.scout
    monkeypatch.setattr(module, "named_directions", lambda view, rng: named)
    monkeypatch.setattr(module, "best_neurons", best)
    monkeypatch.setattr(module, "refined", refine)
    rng = np.random.RandomState(0)
    assert find_unit(view, ACTIVATIONS["tanh"], rng, n_directions) == "refined"
    ((w, b, inside),) = tried
    n_series = min(3 * n_directions // 4, n_named)
    np.testing.assert_array_equal(w[:, :n_series], named[:, :n_series])
    assert w.shape == (3, n_directions) and np.abs(w[:, n_series:]).max() < 100
    np.testing.assert_allclose(inside, view.z @ w, rtol=1e-12)
    # Through a random row each, the best of them refined by half as many.
    assert ((inside + b == 0).sum(axis=0) >= 1).all() and len({*b}) > 1
    ((neuron, n_near, score),) = near
    assert n_near == n_directions // 2
    decrease = predicted_decrease(np.tanh(inside + b), view)
    np.testing.assert_allclose([neuron.score, score[0]], decrease.max(), rtol=1e-9)


def test_the_control_grafts_a_random_unit(monkeypatch):
    def no_search(*_):
        raise AssertionError("searched")

    for name in ("named_directions", "best_neurons", "refined"):
        monkeypatch.setattr(skgoodmin.training.scout, name, no_search)
    view = _view()
    unit = find_unit(view, ACTIVATIONS["tanh"], np.random.RandomState(3), 1)
    expected = neuron_search.random_directions(view, np.random.RandomState(3), 1)
    np.testing.assert_array_equal(unit.w, expected[:, 0])
    np.testing.assert_allclose(unit.inside, view.z @ unit.w)
    np.testing.assert_allclose(unit.values, np.tanh(unit.inside + unit.b), rtol=1e-12)
    assert unit.score == 0 and (unit.inside + unit.b == 0).sum() == 1
    assert unit.w.shape == (3,) and np.ndim(unit.b) == 0


def test_what_is_searched_gains_more_than_what_is_random():
    gains = []
    for seed in range(30):
        view, rng = _view(100, 5, seed=seed), np.random.RandomState(seed)
        unit = find_unit(view, ACTIVATIONS["tanh"], rng, 16)
        own = predicted_decrease(unit.values[:, None], view)[0]
        assert unit.score == pytest.approx(own)
        alone = find_unit(view, ACTIVATIONS["tanh"], rng, 1)
        gains.append(unit.score / predicted_decrease(alone.values[:, None], view)[0])
    assert np.median(gains) > 3


def _put(monkeypatch, units):
    """The searches of a graft find these units, in turn."""
    units = iter(units)
    for search in ("find_unit", "missing_unit"):
        monkeypatch.setattr(skgoodmin.training.graft, search, lambda *_: next(units))


def _graft(monkeypatch, objective, theta, *units, every_layer=False):
    """theta with one of these units in it."""
    _put(monkeypatch, units)
    return graft(objective, theta, np.random.RandomState(0), 16, every_layer)


def _unit(view, seed, score=1.0, activation=np.tanh):
    rng = np.random.RandomState(seed)
    w, b = rng.normal(size=view.z.shape[1]), rng.normal()
    inside = view.z @ w
    return Neuron(w, b, inside, activation(inside + b), score)


OUTPUTS = [{"n_outputs": 1}, {"n_outputs": 3}]


@pytest.mark.parametrize("alpha", [0.0, 0.3])
@pytest.mark.parametrize("outputs", OUTPUTS, ids=str)
@pytest.mark.parametrize("hidden", [(4,), (3, 4)])
@pytest.mark.parametrize("seed", range(4))
def test_the_unit_that_costs_least_makes_room_at_the_minimum_of_the_model(
    monkeypatch, no_ridge, alpha, outputs, hidden, seed
):
    objective, theta = random_objective(
        hidden, "tanh", "log_loss", alpha=alpha, seed=seed, **outputs
    )
    (view,) = layer_views(objective, theta)
    unit, before = _unit(view, seed), theta.copy()
    grafted = _graft(monkeypatch, objective, theta, unit)
    np.testing.assert_array_equal(theta, before)
    coefs, intercepts = objective.layout.unpack(theta)
    features = np.column_stack([view.values, np.ones(len(view.z)), unit.values])
    n_outputs = outputs["n_outputs"]
    weights = np.vstack([coefs[-1], intercepts[-1], np.zeros(n_outputs)])
    decay = alpha * np.array([1.0] * 4 + [0.0, 1.0])
    model = view.residuals, view.curvature, decay, weights
    solved = [_solved(features, *model, [j]) for j in range(4)]
    j = int(np.argmax([decrease for _, decrease in solved]))
    new = solved[j][0]
    expected, expected_c = objective.layout.unpack(theta.copy())
    expected[-2][:, j], expected_c[-2][j] = unit.w, unit.b
    expected[-1][:] = new[:4]
    expected[-1][j], expected_c[-1][:] = new[5], new[4]
    expected = objective.layout.pack(expected, expected_c)
    np.testing.assert_allclose(grafted, expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("activation, free", [("relu", True), ("tanh", False)])
@pytest.mark.parametrize("dead", [False, True])
def test_a_unit_of_free_scale_is_as_long_as_the_others(
    monkeypatch, activation, free, dead
):
    objective, theta = random_objective((4,), activation)
    coefs, _ = objective.layout.unpack(theta)
    if dead:
        coefs[0][:] = 0.0
    length = np.linalg.norm(coefs[0], axis=0).mean()
    (view,) = layer_views(objective, theta)
    unit = _unit(view, 5, activation=objective.activation.function)
    grafted = _graft(monkeypatch, objective, theta, unit)
    (new, _), intercepts = objective.layout.unpack(grafted)
    (j,) = np.flatnonzero((new != coefs[0]).any(axis=0))
    scale = length / np.linalg.norm(unit.w) if free and not dead else 1.0
    np.testing.assert_allclose(new[:, j], scale * unit.w, rtol=1e-12)
    np.testing.assert_allclose(intercepts[0][j], scale * unit.b, rtol=1e-12)


def test_the_scale_of_a_unit_is_free_in_the_model_too(monkeypatch, no_ridge):
    objective, theta = random_objective((4,), "relu", "log_loss", alpha=0.0)
    (view,) = layer_views(objective, theta)
    unit = _unit(view, 5, activation=objective.activation.function)
    double = Neuron(2 * unit.w, 2 * unit.b, 2 * unit.inside, 2 * unit.values, 1.0)
    found = [_graft(monkeypatch, objective, theta, u) for u in (unit, double)]
    np.testing.assert_allclose(*found, rtol=1e-9)


@pytest.mark.parametrize(
    "scores, layer", [([1.0, 1.0, 1.0], 2), ([9.0, 1.0, 1.0], 0), ([3.0, 6.0, 0.5], 1),
                      ([4.1, 2.0, 1.9], 2), ([8.1, 2.0, 1.9], 0)]
)  # fmt: skip
def test_the_layer_with_the_largest_decrease_by_output_takes_the_unit(
    monkeypatch, scores, layer
):
    # The next layers have 4, 2 and 1 units.
    objective, theta = random_objective((3, 4, 2), "tanh", "log_loss")
    views = layer_views(objective, theta, True)
    units = [_unit(view, 0, score) for view, score in zip(views, scores, strict=True)]
    grafted = _graft(monkeypatch, objective, theta, *units, every_layer=True)
    old, new = (objective.layout.unpack(t)[0] for t in (theta, grafted))
    changed = [(a != b).any() for a, b in zip(old, new, strict=True)]
    assert changed == [i in (layer, layer + 1) for i in range(4)]
    assert (old[layer] != new[layer]).any(axis=0).sum() == 1


def test_the_control_chooses_a_random_layer():
    objective, theta = random_objective((3, 4, 2), "tanh", "log_loss")
    chosen = []
    for seed in range(40):
        grafted = graft(objective, theta, np.random.RandomState(seed), 1, True)
        pairs = zip(*(objective.layout.unpack(t)[0] for t in (theta, grafted)),
                    strict=True)  # fmt: skip
        chosen.append(min(i for i, (a, b) in enumerate(pairs) if (a != b).any()))
    assert {*chosen} == {0, 1, 2} and max(map(chosen.count, (0, 1, 2))) < 25


def test_features_too_large_to_be_squared():
    objective, theta = random_objective((3,), "identity")
    with np.errstate(all="ignore"), pytest.raises(np.linalg.LinAlgError):
        graft(objective, 1e200 * theta, np.random.RandomState(0), 16)
