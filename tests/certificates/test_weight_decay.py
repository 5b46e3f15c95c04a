"""No proven bound is above an objective that a network has."""

import math
from dataclasses import replace

import numpy as np
import pytest
from dual_cases import SquaredHinge, exact_polar, loss_of, make_dual, rows
from numpy.testing import assert_allclose
from scipy.optimize import minimize
from scipy.sparse import csr_array
from sklearn.datasets import load_iris
from sklearn.preprocessing import scale

from skgoodmin import GoodMinimaClassifier, GoodMinimaRegressor
from skgoodmin.certificates import duality
from skgoodmin.certificates.amplitudes import optimal_amplitudes
from skgoodmin.certificates.duality import deep_bound, maximise, shallow_bound
from skgoodmin.certificates.effort import effort_of
from skgoodmin.certificates.polar import search
from skgoodmin.certificates.polar_bound import Points
from skgoodmin.certificates.problem import Problem
from skgoodmin.certificates.weight_decay import bounds
from skgoodmin.kernels.activations import ACTIVATIONS
from skgoodmin.objective.duals.hinge import HingeDual
from skgoodmin.objective.duals.logistic import LogisticDual
from skgoodmin.objective.duals.softmax import SoftmaxDual

RELU, TANH = ACTIVATIONS["relu"], ACTIVATIONS["tanh"]


def unpack(theta, sizes):
    coefs, intercepts, first = [], [], 0
    for m, n in zip(sizes[:-1], sizes[1:], strict=True):
        coefs.append(theta[first : first + m * n].reshape(m, n))
        intercepts.append(theta[first + m * n : first + m * n + n])
        first += m * n + n
    return coefs, intercepts


def forward(x, activation, coefs, intercepts):
    values, slopes = [x], []
    for w, b in zip(coefs[:-1], intercepts[:-1], strict=True):
        z = values[-1] @ w + b
        slope, value = activation.derivative(z), activation.function(z.copy())
        values.append(value)
        slopes.append(slope)
    return values, slopes, values[-1] @ coefs[-1] + intercepts[-1]


def train(dual, x, activation, alpha, hidden, seed, n_iterations=300):
    """L-BFGS in plain numpy: (coefs, intercepts, raw)."""
    sizes = (x.shape[1], *hidden, dual.n_outputs)
    rng = np.random.default_rng(seed)
    scale = np.std(x) or 1.0
    parts = []
    for m, n in zip(sizes[:-1], sizes[1:], strict=True):
        parts += [rng.normal(size=m * n) / np.sqrt(m), 0.3 * rng.normal(size=n)]
    start = np.concatenate(parts)
    start[: sizes[0] * sizes[1]] /= scale

    def value_and_gradient(theta):
        coefs, intercepts = unpack(theta, sizes)
        values, slopes, raw = forward(x, activation, coefs, intercepts)
        loss, delta = dual.loss_and_gradient(np.ascontiguousarray(raw.T))
        delta, parts = delta.T, []
        for k in range(len(coefs) - 1, -1, -1):
            parts.append(delta.sum(axis=0))
            parts.append((values[k].T @ delta + alpha * coefs[k]).ravel())
            if k:
                delta = (delta @ coefs[k].T) * slopes[k - 1]
        penalty = 0.5 * alpha * sum((w**2).sum() for w in coefs)
        return loss + penalty, np.concatenate(parts[::-1])

    options = {"maxiter": n_iterations, "maxfun": 2 * n_iterations}
    theta = minimize(
        value_and_gradient, start, jac=True, options=options, method="L-BFGS-B"
    ).x
    coefs, intercepts = unpack(theta, sizes)
    return coefs, intercepts, forward(x, activation, coefs, intercepts)[2]


def objective_of(dual, x, activation, alpha, coefs, intercepts):
    """In extended precision where the activation allows it."""
    long = np.longdouble
    a = x.astype(long)
    for w, b in zip(coefs[:-1], intercepts[:-1], strict=True):
        z = a @ w.astype(long) + b
        a = np.maximum(z, 0) if activation is RELU else activation.function(z)
    raw = (a @ coefs[-1].astype(long) + intercepts[-1]).T
    penalty = 0.5 * alpha * sum((w.astype(long) ** 2).sum() for w in coefs)
    return loss_of(dual, raw).sum() + penalty


def check(
    dual, x, group, activation, alpha, depth=1, effort=0, runs=((2, 0), (8, 1), (20, 2))
):
    """Bounds at one network, against the objectives of several."""
    reached, networks = np.inf, []
    for width, seed in runs:
        hidden = (width,) * depth
        coefs, intercepts, raw = train(dual, x, activation, alpha, hidden, seed)
        networks.append((coefs, intercepts, raw))
        reached = min(
            reached, objective_of(dual, x, activation, alpha, coefs, intercepts)
        )
    for coefs, intercepts, raw in networks[-1:] + networks[:1]:
        args = dual, x, raw, activation, alpha, (coefs, intercepts)
        problem = Problem.of(*args, group)
        found = bounds(problem, effort_of(effort))
        assert np.isfinite(found.proven)
        assert found.proven <= reached, (found.proven, reached)
        assert found.proven >= problem.least >= 0
        if depth == 1:
            assert found.estimated >= found.proven
    return found.proven, reached


@pytest.mark.parametrize("activation", ACTIVATIONS.values(), ids=ACTIVATIONS)
@pytest.mark.parametrize(
    "loss, n_outputs",
    [
        ("hinge", 1),
        ("hinge", 3),
        ("logistic", 1),
        ("softmax", 3),
        ("own", 1),
        ("squared", 2),
    ],
)
def test_no_network_is_below_the_bound(activation, loss, n_outputs):
    rng = np.random.default_rng(len(activation.name) + 10 * n_outputs)
    x, group, shares = rows(25, 3, rng, weights=True)
    dual = make_dual(loss, shares, n_outputs, rng)
    proven, reached = check(dual, x, group, activation, 0.05)
    assert proven > 0.1 * reached or loss == "squared"


@pytest.mark.parametrize(
    "activation, depth", [(RELU, 2), (TANH, 2), (ACTIVATIONS["silu"], 3), (RELU, 3)]
)
@pytest.mark.parametrize("loss, n_outputs", [("hinge", 1), ("softmax", 3)])
def test_no_deep_network_is_below_the_bound(activation, depth, loss, n_outputs):
    rng = np.random.default_rng(depth)
    x, group, shares = rows(25, 3, rng)
    dual = make_dual(loss, shares, n_outputs, rng)
    check(dual, x, group, activation, 0.02, depth, runs=((4, 0), (10, 1)))


HARD = [
    {"rounded": True},
    {"constant": True},
    {"rounded": True, "constant": True, "weights": True},
    {"scale": 1e-6},
    {"scale": 1e6},
    {"scale": np.array([1e-6, 1.0, 1e6])},
]


@pytest.mark.parametrize("kind", HARD, ids=str)
@pytest.mark.parametrize("alpha", [1e-8, 1e-4, 0.1, 10.0])
def test_hard_rows(kind, alpha):
    rng = np.random.default_rng(7)
    x, group, shares = rows(24, 3, rng, **kind)
    for loss in ("hinge", "logistic"):
        dual = make_dual(loss, shares, 1, rng)
        check(dual, x, group, RELU, alpha, runs=((3, 0), (12, 1)))


def test_one_and_two_features_are_nearly_exact():
    rng = np.random.default_rng(8)
    for d in (1, 2):
        x, group, shares = rows(40, d, rng)
        signs = np.where(np.sin(3 * x[:, 0]) + 0.3 * rng.normal(size=40) > 0, 1.0, -1.0)
        dual = HingeDual(signs[None], shares)
        coefs, intercepts, raw = train(dual, x, RELU, 0.01, (60,), 1)
        problem = Problem.of(dual, x, raw, RELU, 0.01, (coefs, intercepts), group)
        better = optimal_amplitudes(problem, effort_of(1), np.random.default_rng(0))
        assert bounds(problem, effort_of(1)).proven > 0.95 * better.objective


def test_contradicting_rows_alone_are_the_bound_for_small_alpha():
    x = np.repeat(np.arange(6.0), 2)[:, None]
    dual = HingeDual(np.tile([-1.0, 1.0], 6)[None], np.full(12, 1 / 12))
    proven, reached = check(dual, x, np.repeat(np.arange(6), 2), RELU, 1e-6)
    assert_allclose([proven, float(reached)], 1.0, rtol=1e-5)


@pytest.mark.parametrize("signs", ["one class", "one row"])
def test_nothing_to_separate(signs):
    rng = np.random.default_rng(9)
    n = 1 if signs == "one row" else 8
    x = rng.normal(size=(n, 2))
    dual = HingeDual(np.ones((1, n)), np.full(n, 1 / n))
    check(dual, x, np.arange(n), RELU, 0.1, runs=((3, 0),))


def test_equal_rows_only():
    x, group = np.zeros((6, 3)), np.zeros(6, dtype=int)
    dual = HingeDual(np.array([[1.0, 1, 1, 1, -1, -1]]), np.full(6, 1 / 6))
    proven, reached = check(dual, x, group, RELU, 0.1, runs=((3, 0),))
    assert_allclose(proven, float(reached), rtol=1e-4)
    # The groups alone say it, and so does the polar alone, which is 0.
    layers = [np.zeros((3, 2)), np.zeros((2, 1))], [np.zeros(2), np.zeros(1)]
    args = dual, x, np.full((6, 1), 0.3), RELU, 0.1, layers
    for problem in (Problem.of(*args, group), Problem.of(*args)):
        assert_allclose(bounds(problem, effort_of(1)).proven, proven, rtol=1e-4)
    assert_allclose(Problem.of(*args, group).least, proven, rtol=1e-4)


def test_a_network_and_its_widened_self_have_one_bound():
    """Units without weight change nothing, a second call neither."""
    rng = np.random.default_rng(10)
    x, group, shares = rows(30, 3, rng)
    dual = make_dual("hinge", shares, 1, rng)
    coefs, intercepts, raw = train(dual, x, RELU, 0.05, (6,), 0)
    wide = [np.c_[coefs[0], np.zeros((3, 2))], np.r_[coefs[1], np.zeros((2, 1))]]
    wide = wide, [np.r_[intercepts[0], 0, 0], intercepts[1]]
    first, again, wider = (
        bounds(Problem.of(dual, x, raw, RELU, 0.05, layers, group), effort_of(0))
        for layers in ((coefs, intercepts), (coefs, intercepts), wide)
    )
    assert (first.proven, first.estimated) == (again.proven, again.estimated)
    assert wider.proven == first.proven


@pytest.mark.parametrize("n_outputs", [1, 3])
def test_grown_amplitudes_lower_the_objective_and_are_a_network(n_outputs):
    rng = np.random.default_rng(11)
    x, _, shares = rows(40, 3, rng)
    dual = make_dual("hinge", shares, n_outputs, rng)
    alpha = 0.02
    coefs, intercepts, raw = train(dual, x, RELU, alpha, (8,), 0)
    problem = Problem.of(dual, x, raw, RELU, alpha, (coefs, intercepts))
    effort = replace(effort_of(1), amplitudes=500, n_grown=0)
    fixed = optimal_amplitudes(problem, effort, rng)
    grown = optimal_amplitudes(problem, replace(effort, n_grown=15), rng)
    assert grown.objective <= fixed.objective * (1 + 1e-6)
    assert fixed.objective <= problem.objective * (1 + 1e-6)
    point = dual.balance(grown.residuals)
    effort = replace(effort, n_units=0, n_random=50)
    polar = search(x, point, RELU, coefs[0].T, intercepts[0], rng, effort).polar
    estimated = shallow_bound(dual, point, max(polar, alpha), alpha)[0]
    assert 0.9 * grown.objective <= estimated <= grown.objective * (1 + 1e-6)


def test_maximise_a_concave_function():
    assert_allclose(maximise(lambda t: t * (2 - t), np.inf), (1, 1), rtol=1e-4)
    assert_allclose(maximise(lambda t: t * (2 - t), 0.5), (0.75, 0.5))
    assert_allclose(maximise(lambda t: t * (20 - t), np.inf), (100, 10), rtol=1e-3)
    value, at = maximise(lambda t: t if t <= 0.3 else -np.inf, 1.0)
    assert 0.29 < value == at <= 0.3


def shallow_problem():
    """(dual, balanced point) of 20 rows."""
    rng = np.random.default_rng(12)
    dual = HingeDual(rng.choice([-1.0, 1.0], size=(1, 20)), np.full(20, 0.05))
    return dual, dual.balance(dual.loss_and_gradient(np.zeros((1, 20)))[1])


def test_dual_points_are_balanced_to_the_last_place(monkeypatch):
    """Those of plans are sums over many pairs: here of three rows with all others."""
    seen, bound = [], Problem.bound

    def record(self, residuals, polar):
        seen.append(residuals)
        return bound(self, residuals, polar)

    monkeypatch.setattr(Problem, "bound", record)
    n, rng = 3000, np.random.default_rng(0)
    dual = HingeDual(np.where(np.arange(n) < 3, 1.0, -1.0)[None], np.full(n, 1 / n))
    layers = [np.zeros((4, 2)), np.zeros((2, 1))], [np.zeros(2), np.zeros(1)]
    x, raw = rng.normal(size=(n, 4)), np.zeros((n, 1))
    bounds(Problem.of(dual, x, raw, RELU, 0.01, layers), effort_of(0.3))
    off = [abs(math.fsum(r[0])) / abs(r).sum() for r in seen]
    assert len(off) > 2 and max(off) < 1e-16


@pytest.mark.parametrize("polar", [np.inf, np.nan])
def test_a_polar_that_is_no_number_bounds_nothing(polar):
    dual, point = shallow_problem()
    with np.errstate(invalid="ignore"):
        assert deep_bound(dual, point, polar, 0.5, 2) == -np.inf


def test_deep_bound_of_one_layer_is_the_shallow_one():
    dual, point = shallow_problem()
    shallow = shallow_bound(dual, point, 0.7, 0.5)[0]
    deep = deep_bound(dual, point, 0.7, 0.5, 1, reached=1.0)
    assert deep <= shallow * (1 + 1e-9)
    assert deep > shallow - 5e-3


@pytest.mark.parametrize("scale", [1e-90, 1e-80, 1e-70, 1.0])
@pytest.mark.parametrize("loss", [LogisticDual, SoftmaxDual])
def test_squares_that_underflow_prove_nothing(loss, scale):
    """XOR of tiny rows, and a network so sure that its residuals are tiny, too."""
    x = scale * np.array([[-1.0, -1, 0], [-1, 1, 0], [1, -1, 0], [1, 1, 0]])
    signs, shares, alpha = np.array([-1.0, 1, 1, -1]), np.full(4, 0.25), 1e-2 * scale
    # f = T (|x_1 - x_2| - 1), of two units with |v| |w| = sqrt(2) T / scale each.
    margins = np.linspace(0.0, 20.0, 2001)
    attained = np.logaddexp(0.0, -margins) + alpha * 2**1.5 * margins / scale
    raw = 200.0 * signs[:, None]
    if loss is SoftmaxDual:
        labels = (signs > 0).astype(int)
        dual, raw = SoftmaxDual(labels, 2, shares), np.hstack([-raw, raw]) / 2
    else:
        dual = LogisticDual(signs[None], shares)
    n_outputs = raw.shape[1]
    coefs = [np.ones((3, 2)), np.ones((2, n_outputs))]
    weights = coefs, [np.zeros(2), np.zeros(n_outputs)]
    for effort in (0, 1):
        problem = Problem.of(dual, x, raw, RELU, alpha, weights)
        found = bounds(problem, effort_of(effort))
        assert found.proven <= attained.min()


@pytest.mark.parametrize("hidden", [(10,), (10, 5)])
@pytest.mark.parametrize("loss", ["poly_hinge", "log_loss"])
def test_a_strong_penalty_is_proven_to_leave_a_constant(loss, hidden):
    X, y = load_iris(return_X_y=True)
    X, y = scale(X[50:]), y[50:]
    model = GoodMinimaClassifier(hidden, alpha=10.0, loss=loss, random_state=0)
    certificate = model.fit(X[:, :3], y).certificate_
    assert certificate.penalty < 1e-6 * certificate.objective
    # For deep networks the grid of penalties leaves a thousandth.
    assert certificate.relative_gap < (1e-5 if len(hidden) == 1 else 2e-3)


def test_deep_bound_holds_on_a_coarse_grid(monkeypatch):
    """Each step of the grid is worth what its worse end is."""
    rng = np.random.default_rng(12)
    dual = HingeDual(rng.choice([-1.0, 1.0], size=(1, 20)), np.full(20, 0.05))
    point = dual.balance(dual.loss_and_gradient(np.zeros((1, 20)))[1])
    for n_hidden in (1, 2, 3):
        fine = deep_bound(dual, point, 0.7, 0.05, n_hidden, reached=1.0)
        for n in (2, 3, 5, 30):
            monkeypatch.setattr(duality, "N_PENALTIES", n)
            coarse = deep_bound(dual, point, 0.7, 0.05, n_hidden, reached=1.0)
            assert coarse <= fine
        monkeypatch.undo()
        assert fine > coarse  # one of 30 steps would be too long


def test_deep_bound_holds_beyond_its_grid():
    """A network with a larger penalty than ``reached`` costs at least that."""
    dual = HingeDual(np.array([[1.0, -1.0]]), np.full(2, 0.5))
    point = dual.balance(dual.loss_and_gradient(np.zeros((1, 2)))[1])
    for reached in (1e-3, 1e-1):
        assert deep_bound(dual, point, 0.7, 0.5, 2, reached=reached) <= reached


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_no_network_is_below_the_bound_on_many_problems(seed):
    rng = np.random.default_rng(seed)
    for trial in range(8):
        n, d = rng.integers(6, 50), rng.integers(1, 6)
        kind = {
            "rounded": rng.random() < 0.4,
            "constant": rng.random() < 0.2,
            "weights": rng.random() < 0.4,
            "scale": 10.0 ** rng.integers(-6, 7),
        }
        x, group, shares = rows(n, d, rng, **kind)
        several = rng.random() < 0.3
        loss = rng.choice(["hinge", "logistic", "squared"] + ["softmax"] * several)
        dual = make_dual(loss, shares, 3 if several else 1, rng)
        activation = ACTIVATIONS[
            rng.choice(["relu", "relu", "softplus", "tanh", "silu"])
        ]
        alpha = 10.0 ** rng.uniform(-4, 0)
        check(dual, x, group, activation, alpha, effort=trial % 2)


def test_a_loss_of_the_users_own_is_worth_what_the_same_hinge_is():
    rng = np.random.default_rng(14)
    x, group, shares = rows(25, 3, rng)
    hinge = make_dual("hinge 2", shares, 1, rng)
    own = make_dual("own", shares, 1, rng)
    own.targets = hinge.signs
    assert isinstance(own.loss, SquaredHinge)
    coefs, intercepts, raw = train(hinge, x, RELU, 0.05, (8,), 0)
    found, expected = (
        bounds(Problem.of(dual, x, raw, RELU, 0.05, (coefs, intercepts)), effort_of(0))
        for dual in (own, hinge)
    )
    assert_allclose(found.proven, expected.proven, rtol=1e-3)


@pytest.mark.parametrize("activation", [RELU, TANH])
def test_sparse_and_single_precision_rows(activation):
    rng = np.random.default_rng(15)
    x, group, shares = rows(30, 5, rng)
    x[rng.uniform(size=x.shape) < 0.5] = 0.0
    x, group = x.astype(np.float32), np.arange(30)
    dual = make_dual("hinge", shares, 1, rng)
    coefs, intercepts, raw = train(dual, x, activation, 0.05, (6,), 0)
    args = raw, activation, 0.05, (coefs, intercepts), group
    problems = [Problem.of(dual, some, *args) for some in (x, csr_array(x))]
    dense, sparse = (bounds(problem, effort_of(0.2)) for problem in problems)
    for found in (dense, sparse):
        assert 0.3 * problems[0].objective < found.proven <= found.estimated
    assert_allclose(sparse.proven, dense.proven, rtol=1e-3)


def test_more_columns_than_rows():
    rng = np.random.default_rng(16)
    x, group, shares = rows(12, 60, rng)
    dual = make_dual("hinge", shares, 1, rng)
    for activation in (RELU, TANH):
        check(dual, x, group, activation, 0.1, runs=((3, 0), (20, 1)))


@pytest.mark.parametrize("n_features", [1, 3])
@pytest.mark.parametrize(
    "loss, n_outputs", [("logistic", 1), ("softmax", 3), ("own logistic", 1)]
)
def test_residuals_whose_squares_underflow(loss, n_outputs, n_features):
    """Raw predictions of 500 have gradients of 1e-217; their norm is not 0."""
    rng = np.random.default_rng(0)
    x, group, shares = rows(12, n_features, rng, scale=1e3)
    dual = make_dual(loss, shares, n_outputs, rng)
    label = getattr(dual, "labels", None)
    if label is None:
        signs = dual.targets if loss.startswith("own") else dual.signs
    else:
        signs = np.where(label == np.arange(3)[:, None], 1, -1)
    alpha = 1e-9
    least = min(
        objective_of(
            dual, x, RELU, alpha, *train(dual, x, RELU, alpha, (30,), seed, 2000)[:2]
        )
        for seed in range(3)
    )
    coefs, intercepts, _ = train(dual, x, RELU, alpha, (8,), 0, 3)
    for size in (200.0, 350.0, 500.0):
        raw = (signs * size + rng.normal(size=signs.shape)).T
        problem = Problem.of(dual, x, raw, RELU, alpha, (coefs, intercepts), group)
        assert 0 <= bounds(problem, effort_of(1)).proven <= least


@pytest.mark.parametrize("scale", [1e-170, 1e-120, 1e120])
def test_data_that_cannot_be_squared_prove_nothing(scale):
    rng = np.random.default_rng(0)
    x, group, shares = rows(12, 3, rng)
    dual = make_dual("hinge", shares, 1, rng)
    coefs, intercepts, raw = train(dual, x, RELU, 1e-3, (8,), 0, 3)
    args = scale * x, raw, RELU, 1e-3, (coefs, intercepts), group
    problem = Problem.of(dual, *args)
    found = bounds(problem, effort_of(1))
    assert found.proven == problem.least
    assert np.isnan(found.estimated)


def test_a_polar_that_is_not_a_number_proves_nothing():
    dual = HingeDual(np.array([[1.0, -1.0]]), np.array([0.5, 0.5]), 2.0)
    residuals = np.array([[-0.1, 0.1]])
    assert shallow_bound(dual, residuals, np.nan, 0.1)[0] == -np.inf


def test_in_the_plane_the_network_is_among_those_that_are_looked_at():
    """Found to a tolerance, the polar was below that of the network's own units."""
    rng = np.random.default_rng(6)
    n, d = int(rng.integers(6, 40)), int(rng.integers(1, 4))
    X = rng.normal(size=(n, d))
    y = np.sin(2 * X @ rng.normal(size=d)) + 0.3 * rng.normal(size=n)
    model = GoodMinimaRegressor("auto", training="grow", tol_gap=1e-2, random_state=0)
    model.set_params(alpha=float(10 ** rng.uniform(-1.5, -0.5))).fit(X, y)
    certificate = model.certificate_
    assert d == 2
    assert certificate.estimated_bound <= certificate.objective * (1 + 1e-9)


@pytest.mark.parametrize("seed", range(12))
def test_rare_positives(seed):
    """The two sides of a plan have polars of their own, and the larger one counts."""
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(12, 3)), rng.random(12) < 0.2
    y[:2] = False, True
    alpha = 10.0 ** rng.uniform(-2, -0.5)
    given = {"alpha": alpha, "tol_gap": 1e-5, "random_state": 0}
    model = GoodMinimaClassifier("auto", training="grow", **given).fit(X, y)
    for effort in (0, 1):
        certificate = model.certify(X, y, effort=effort)
        assert certificate.lower_bound <= certificate.objective


@pytest.mark.parametrize("alpha", [1e-3, 0.01, 0.1])
def test_no_multiple_of_a_point_is_taken_that_a_unit_sees_more_of(alpha):
    """D still rises there, so that a multiple a little larger would prove more."""
    dual, point = shallow_problem()
    most = alpha / 0.7
    value = shallow_bound(dual, point, 0.7, alpha)[0]
    assert dual.value(1.001 * most * point) > value
    assert value <= dual.value(most * point) * (1 + 1e-12)


def test_mass_that_a_plan_misses_is_counted():
    rng = np.random.default_rng(3)
    x, residuals = rng.normal(size=(9, 2)), rng.normal(size=(1, 9))
    residuals -= residuals.mean()
    points = Points(x, residuals)
    far = np.argmax(np.linalg.norm(points.x, axis=1))
    for moved in (1.0, -1.0):
        other = residuals.copy()
        other[0, far] += moved
        other[0, far - 1] -= moved
        change = exact_polar(x, other) - exact_polar(x, residuals)
        assert change <= points.slack(residuals, 1.0, 2.0)
    assert abs(change) > points.slack(residuals, 1.0, 0.0)
