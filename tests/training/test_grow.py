"""Growing ends at one objective, wherever it starts, and says how far that is off."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from problems import random_objective
from scipy.optimize import minimize
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.datasets import (
    load_iris,
    make_classification,
    make_moons,
    make_multilabel_classification,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale

from skgoodmin import GoodMinimaClassifier, GoodMinimaRegressor
from skgoodmin.certificates import ascents, group_lasso
from skgoodmin.certificates.certificate import Status
from skgoodmin.certificates.group_lasso import fit_amplitudes
from skgoodmin.training import grow as grow_module
from skgoodmin.training.dual_point import DualPoint
from skgoodmin.training.grow import N_FIRST_UNITS, Growth
from skgoodmin.training.lbfgs import Exit
from skgoodmin.training.start import Budget
from skgoodmin.training.stop import StopRequest
from skgoodmin.training.train import train
from skgoodmin.training.units import Units, bisecting

LOSSES = [("poly_hinge", 1), ("log_loss", 1), ("poly_hinge", 3), ("log_loss", 3)]


def grow(objective, theta=None, tol_gap=1e-3, seed=0, budget=None, **kwargs):
    budget = budget or Budget(1000, 10**6, 1e-6)
    rng = np.random.RandomState(seed)
    return Growth(objective, rng, budget, tol_gap, **kwargs).run(theta)


def grower(hidden="auto", **kwargs):
    return GoodMinimaClassifier(hidden, training="grow", random_state=0, **kwargs)


def random_amplitudes(loss, n_outputs, seed=0, n=40, m=12):
    """(dual, phi, v, c) of random units."""
    objective, _ = random_objective((5,), "relu", loss, n_outputs, n=n, seed=seed)
    data, rng = objective.data, np.random.default_rng(seed)
    dual = objective.loss.dual(data.labels, objective.shares, n_outputs)
    w = rng.normal(size=(m, 3))
    w /= np.linalg.norm(w, axis=1, keepdims=True)
    phi = np.maximum(w @ data.block().T + rng.normal(size=(m, 1)), 0)
    return dual, phi, np.zeros((n_outputs, m)), np.zeros(n_outputs)


@pytest.mark.parametrize("alpha", [0.3, 0.02, 1e-3])
@pytest.mark.parametrize("loss, n_outputs", LOSSES)
def test_amplitudes_are_those_of_another_solver(loss, n_outputs, alpha):
    """L-BFGS-B on v = p - q, and on smoothed norms where there are several outputs."""
    dual, phi, v, c = random_amplitudes(loss, n_outputs)
    fitted = fit_amplitudes(dual, phi, v, c, alpha, tol=1e-9, max_iter=500)
    size, eps = v.size, 1e-6

    def value_and_gradient(t):
        if n_outputs == 1:
            free, positive = t[0], t[1:].reshape(2, -1)
            v = positive[:1] - positive[1:]
            value, r = dual.loss_and_gradient(v @ phi + free)
            slope = (r @ phi.T)[0]
            gradient = np.r_[r.sum(), slope + alpha, alpha - slope]
            return value + alpha * positive.sum(), gradient
        c, v = t[:n_outputs], t[n_outputs:].reshape(n_outputs, -1)
        value, r = dual.loss_and_gradient(v @ phi + c[:, None])
        norm = np.sqrt((v * v).sum(axis=0) + eps * eps)
        gradient = np.r_[r.sum(axis=1), (r @ phi.T + alpha * v / norm).ravel()]
        return value + alpha * norm.sum(), gradient

    start = np.zeros(1 + 2 * size if n_outputs == 1 else n_outputs + size)
    bounds = [(None, None)] + [(0, None)] * (2 * size) if n_outputs == 1 else None
    other = minimize(
        value_and_gradient,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": 20000, "maxfun": 40000, "ftol": 1e-15, "gtol": 1e-10},
    )
    assert_allclose(fitted.objective, other.fun, rtol=5e-6)
    assert fitted.objective <= other.fun * (1 + 1e-8)


@pytest.mark.parametrize("loss, n_outputs", LOSSES)
def test_amplitudes_satisfy_their_optimality_conditions(loss, n_outputs):
    alpha = 0.02
    dual, phi, v, c = random_amplitudes(loss, n_outputs, seed=3, n=60, m=30)
    fitted = fit_amplitudes(dual, phi, v, c, alpha, tol=1e-10, max_iter=500)
    scores, size = fitted.residuals @ phi.T, np.linalg.norm(fitted.v, axis=0)
    used = size > 0
    assert 0 < used.sum() < 30
    assert_allclose(fitted.residuals.sum(axis=1), 0, atol=1e-5)
    pull = -alpha * fitted.v[:, used] / size[used]
    assert_allclose(scores[:, used], pull, atol=1e-4 * alpha + 2e-6)
    assert np.linalg.norm(scores, axis=0).max() <= alpha * (1 + 1e-3)
    raw = fitted.v @ phi + fitted.c[:, None]
    value = dual.loss_and_gradient(raw)[0] + alpha * size.sum()
    assert_allclose(fitted.objective, value, rtol=1e-12)
    assert 0 <= fitted.gap <= 1e-6 * value


@pytest.mark.parametrize("loss, n_outputs", LOSSES)
def test_units_that_resemble_each_other_do_not_slow_it(loss, n_outputs):
    """A few quadratic models are enough."""
    dual, phi, _, _ = random_amplitudes(loss, n_outputs, n=60, m=20)
    rng = np.random.default_rng(0)
    phi = np.vstack([phi * (1 + 1e-3 * rng.normal(size=phi.shape)) for _ in range(4)])
    v, c = 0.1 * rng.normal(size=(n_outputs, 80)), np.zeros(n_outputs)
    fitted = fit_amplitudes(dual, phi, v, c, 1e-3, tol=1e-5, max_iter=15)
    assert 0 <= fitted.gap <= 1e-5 * fitted.objective


@pytest.mark.parametrize("strength", [1e-3, 1.0, 1e3])
def test_outputs_solved_for_apart_make_the_same_step(strength):
    rng = np.random.default_rng(0)
    values, curvature = rng.normal(size=(8, 40)), rng.uniform(size=(3, 1, 40))
    hessian, _ = group_lasso._hessian(values, curvature)
    v, side = rng.normal(size=(2, 3, 9))
    unit = v / np.linalg.norm(v, axis=0)
    pull = strength * np.append(rng.uniform(size=8), 0.0)
    step = group_lasso._solved_apart(hessian[:, 0], pull, unit, side)
    expected = group_lasso._solved(hessian, pull, unit, side)
    assert_allclose(step, expected, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("loss, n_outputs", LOSSES)
def test_the_curvature_is_that_of_the_gradient(loss, n_outputs):
    dual, phi, _, _ = random_amplitudes(loss, n_outputs)
    rng = np.random.default_rng(0)
    raw, h = rng.normal(size=(n_outputs, phi.shape[1])), 1e-5
    found = dual.curvature(raw)
    coupled = loss == "log_loss" and n_outputs > 1
    for k in range(n_outputs):
        step = np.zeros_like(raw)
        step[k] = h
        after, before = (
            dual.loss_and_gradient(raw + t * step)[1][k] for t in (1.0, -1.0)
        )
        numeric = (after - before) / (2 * h)
        # Softmax: twice the diagonal is no less than the matrix.
        assert_allclose(found[k], numeric * (1 + coupled), atol=1e-6)


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("loss, n_outputs", LOSSES)
def test_starts_meet(loss, n_outputs, sparse):
    args = (200,), "relu", loss, n_outputs
    objective, theta = random_objective(*args, alpha=0.02, sparse=sparse, n=60)
    done = [grow(objective), grow(objective, theta), grow(objective, seed=1)]
    values = [grown.solution.value for grown in done]
    assert max(values) < min(values) * (1 + 3e-3)
    for grown in done:
        assert grown.solution.exit is Exit.GAP
        assert grown.gap <= 1e-3 * grown.solution.value
        layout = objective.layout.holding(grown.solution.theta)
        assert layout.sizes[1] < 150


@pytest.mark.parametrize("loss, n_outputs", LOSSES)
def test_never_above_the_network_it_starts_from(loss, n_outputs):
    args = (20,), "relu", loss, n_outputs
    objective, theta = random_objective(*args, alpha=0.01, n=50, weights=True)
    trained = train(objective, [theta], np.random.RandomState(0), Budget(500, 900, 0))
    grown = grow(objective, trained.theta, tol_gap=0.02)
    assert grown.solution.value <= trained.best.value * (1 + 1e-10)
    curve = grown.solution.curve
    assert (np.diff(curve) <= 1e-9 * curve[0]).all()


def test_a_bound_comes_down_with_what_is_found_later():
    dual, phi, v, c = random_amplitudes("poly_hinge", 1)
    residuals = dual.balance(dual.loss_and_gradient(v @ phi + c[:, None])[1])
    scores = np.linalg.norm(residuals @ phi.T, axis=0)
    alpha = 0.5 * scores.max()
    point = DualPoint(dual, residuals, alpha)
    point.learn(point.scores(phi[scores < alpha]))
    assert (point.polar, point.bound) == (alpha, dual.value(residuals))
    point.learn(point.scores(phi))
    assert_allclose(point.polar, scores.max())
    assert point.bound == dual.value(residuals * (alpha / point.polar))
    assert point.bound < dual.value(residuals)
    best = fit_amplitudes(dual, phi, v, c, alpha, tol=1e-9)
    assert point.bound <= best.objective


def test_the_best_bound_has_seen_all_units():
    objective, _ = random_objective((30,), "relu", alpha=0.01)
    budget, rng = Budget(1000, 10**6, 1e-6), np.random.RandomState(0)
    growth, gaps = Growth(objective, rng, budget, 1e-3), []
    growth.on_iteration = lambda progress: gaps.append(growth.gap)
    grown = growth.run()
    layout = objective.layout.holding(grown.solution.theta)
    parts = layout.unpack(grown.solution.theta)
    units = Units.of_network(*parts, growth.x, objective.activation)
    assert growth.best.scores(units.phi).max() <= growth.best.polar * (1 + 1e-9)
    assert growth.best.n_random >= growth.n_certain(units)
    assert min(gaps) > 0


@pytest.mark.parametrize(
    ("tol_gap", "n_units", "certain"),
    [(1e-1, 400, 32), (1e-2, 100, 32), (1e-2, 400, 80), (2e-3, 99, 148), (1e-3, 2, 80)]
    + [
        (1e-3, 40, 120),
        (1e-3, 99, 297),
        (0.0, 40, 120),
        (1e-3, 240, 480),
        (1e-3, 300, 600),
    ],
)
def test_how_many_random_ascents_have_to_find_nothing(tol_gap, n_units, certain):
    """One for each weight into a unit, on three features, within limits.

    Of more than 240 units it is two for each.
    """
    objective, _ = random_objective((5,), "relu", alpha=0.01)
    rng = np.random.RandomState(0)
    growth = Growth(objective, rng, Budget(1, 10**6, 1e-6), tol_gap)
    units = Units.none(growth.x, 1)
    assert units.w.shape[1] == 3
    w, b = rng.normal(size=(n_units, 3)), np.zeros(n_units)
    units = units.add(w, b, growth.x, objective.activation)
    assert growth.n_certain(units) == certain


def test_of_many_units_all_set_out_once_at_the_end(monkeypatch):
    monkeypatch.setattr(grow_module, "CERTAIN", (1, 8))
    monkeypatch.setattr(grow_module, "MANY_UNITS", 8)
    objective, _ = random_objective((60,), "relu", n=60, alpha=1e-3)
    budget, rng = Budget(1000, 10**6, 1e-6), np.random.RandomState(0)
    growth, drawn = Growth(objective, rng, budget, 1e-3), []

    def search(units, point, n_random):
        drawn.append(n_random)
        return Growth._search(growth, units, point, n_random)

    growth._search = search
    grown = growth.run()
    assert grown.solution.exit is Exit.GAP
    assert drawn[-1] == 0 and len(grown.trace) > drawn.count(0) > 0


@pytest.mark.parametrize("seed", [15, 18, 34])
def test_of_two_features_the_best_neuron_of_all_is_known(seed):
    """What the certificate finds anew is no better."""
    X, y = make_moons(80, noise=0.2 + 0.02 * (seed % 10), random_state=seed)
    model = GoodMinimaClassifier("auto", training="grow", alpha=0.01, random_state=0)
    certificate = model.fit(X, y).certificate_
    assert certificate.estimated_gap < 1.2e-3 * certificate.objective


@pytest.mark.parametrize("tol_gap", [1e-5, 1e-6])
def test_a_small_gap_is_closed(tol_gap):
    X, y = make_moons(80, noise=0.2, random_state=0)
    model = GoodMinimaClassifier("auto", training="grow", alpha=0.01, random_state=0)
    rough = clone(model).fit(X, y)
    certificate = model.set_params(tol_gap=tol_gap).fit(X, y).certificate_
    assert model.loss_ <= rough.loss_ * (1 + tol_gap)
    assert certificate.estimated_gap < 1.5 * tol_gap * certificate.objective


def test_first_units_bisect_pairs_of_rows():
    x = np.random.RandomState(0).normal(size=(9, 3))
    (w, v), (b, c) = bisecting(x, 4, 2)
    z = x @ w + b  # row i and the one four and a half further on are a pair
    pairs = np.linspace(0, 9, 8, endpoint=False).astype(int).reshape(2, 4)
    assert_allclose(z[pairs[0], range(4)], -0.5)
    assert_allclose(z[pairs[1], range(4)], 0.5)
    assert v.shape == (4, 2) and not v.any() and not c.any() and c.shape == (2,)
    (sparse, _), (offsets, _) = bisecting(csr_array(x), 100, 2)
    assert sparse.shape == (3, 4)
    assert_array_equal(sparse, w)
    assert_array_equal(offsets, b)


@pytest.mark.parametrize(
    "x", [np.ones((1, 2)), np.ones((6, 2)), np.array([[1e200], [-1e200]])]
)
def test_rows_that_nothing_bisects_make_a_unit_of_0(x):
    with np.errstate(over="ignore"):
        (w, v), (b, _) = bisecting(x, 32, 1)
    assert w.shape == (x.shape[1], 1) and not w.any() and not b.any() and not v.any()


@pytest.mark.parametrize("scale", [1e-6, 1e-11])
@pytest.mark.parametrize("estimator", [GoodMinimaClassifier, GoodMinimaRegressor])
def test_first_units_that_are_no_better_than_none_are_left_out(estimator, scale):
    X, y = make_moons(80, noise=0.3, random_state=0)
    how = {"training": "grow", "alpha": 0.0145, "random_state": 0}
    model = estimator("auto", **how).fit(scale * X, y)
    constant = estimator("auto", **how).fit(0 * X, y)
    assert model.loss_ <= constant.loss_ * (1 + 1e-6)


def test_fewer_rows_than_units_are_gone_on_with():
    X, y = make_moons(80, noise=0.3, random_state=0)
    model = grower(alpha=1e-3, warm_start=True).fit(X, y)
    assert model.coefs_[0].shape[1] > 9
    model.fit(X[:8], y[:8])
    anew = grower(alpha=1e-3).fit(X[:8], y[:8])
    assert_allclose(model.loss_, anew.loss_, rtol=3e-3)
    model.partial_fit(X[:1], y[:1])


def test_two_seeds_set_out_from_the_same_units():
    objective, _ = random_objective((60,), "relu", alpha=0.01)
    no_round = Budget(0, 10**6, 1e-6)
    first, second = (grow(objective, seed=s, budget=no_round) for s in range(2))
    assert_array_equal(first.solution.theta, second.solution.theta)
    n_units = objective.layout.holding(first.solution.theta).sizes[1]
    assert 1 < n_units <= N_FIRST_UNITS


def test_the_value_is_the_objective_of_theta_in_plain_numpy():
    objective, _ = random_objective((30,), "relu", alpha=0.02)
    grown = grow(objective)
    layout = objective.layout.holding(grown.solution.theta)
    (w, v), (b, c) = layout.unpack(grown.solution.theta)
    # Balanced: the two norms of every unit are equal.
    assert_allclose(np.linalg.norm(w, axis=0), np.linalg.norm(v, axis=1))
    raw = np.maximum(objective.data.block() @ w + b, 0) @ v + c
    value = objective.data_loss(raw)[0] + 0.01 * ((w**2).sum() + (v**2).sum())
    assert_allclose(grown.solution.value, value, rtol=1e-12)


def test_a_constant_is_the_optimum_under_a_large_alpha():
    X, y = make_moons(60, noise=0.2, random_state=0)
    model = grower(alpha=50.0).fit(X, y)
    assert model.coefs_[0].shape == (2, 1)
    assert not model.coefs_[0].any()
    assert len(np.unique(model.decision_function(X))) == 1


def test_units_of_a_tiny_penalty_stay_where_the_loss_needs_them():
    X = np.repeat([[0.0], [1.0], [2.0]], 2, axis=0)
    model = grower(alpha=1e-10).fit(X, [0, 1, 0, 0, 1, 1])
    assert model.loss_ <= model.history_["objective"].min() * (1 + 1e-6)
    assert_allclose(model.loss_, 1 / 3, rtol=1e-6)  # the pair that contradicts itself
    X = 155.0 * np.repeat([[-1.0], [0.0], [1.0]], 4, axis=0)
    y = [1, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1]
    model = grower(alpha=5e-7, tol_gap=0.01).fit(X, y)
    assert model.certificate_.estimated_gap <= 0.01 * model.certificate_.objective


def test_a_network_above_what_was_solved_has_not_closed_the_gap(monkeypatch):
    end = Growth._end

    def end_elsewhere(growth, units, *rest):
        return end(growth, units.with_amplitudes(1.1 * units.v, units.c), *rest)

    objective, _ = random_objective((64,), "relu", "poly_hinge", 1, n=40, seed=0)
    assert grow(objective).solution.exit is Exit.GAP
    monkeypatch.setattr(Growth, "_end", end_elsewhere)
    assert grow(objective).solution.exit is Exit.PRECISION


def test_a_width_is_kept():
    X, y = make_moons(200, noise=0.2, random_state=0)
    wide = grower(alpha=1e-3).fit(X, y)
    narrow = grower(3, alpha=1e-3).fit(X, y)
    assert narrow.coefs_[0].shape[1] <= 3 < wide.coefs_[0].shape[1]
    assert narrow.loss_ > wide.loss_
    assert narrow.converged_
    ten = GoodMinimaClassifier(3, alpha=1e-3, n_init=10, random_state=0).fit(X, y)
    assert narrow.loss_ < 1.2 * ten.loss_


def test_same_bits_in_any_order_and_with_repetitions():
    X, y = make_moons(80, noise=0.2, random_state=0)
    rng = np.random.RandomState(0)
    weights = rng.randint(1, 4, size=80)
    order = rng.permutation(80)
    first = grower().fit(X, y, sample_weight=weights)
    for X_, y_, w in (
        (X[order], y[order], weights[order]),
        (np.repeat(X, weights, axis=0), np.repeat(y, weights), None),
    ):
        other = grower().fit(X_, y_, sample_weight=w)
        assert_array_equal(first.coefs_[0], other.coefs_[0])
        assert_array_equal(first.coefs_[1], other.coefs_[1])
        assert first.loss_ == other.loss_


def test_sparse_rows_are_as_dense_ones():
    rng = np.random.RandomState(0)
    X = rng.normal(size=(70, 6)) * (rng.uniform(size=(70, 6)) < 0.5)
    y = (X[:, 0] * X[:, 1] > 0).astype(int)
    dense, sparse = grower().fit(X, y), grower().fit(csr_array(X), y)
    assert_allclose(dense.loss_, sparse.loss_, rtol=2e-3)
    assert_allclose(dense.predict_proba(X), sparse.predict_proba(X), atol=0.1)


def test_several_classes_labels_and_float32():
    X, y = load_iris(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    for loss in ("poly_hinge", "log_loss"):
        model = grower(loss=loss).fit(X, y)
        assert model.score(X, y) > 0.93
        assert model.certificate_.status is Status.BOUNDED
        assert model.certificate_.estimated_gap <= 2e-3 * model.loss_
        assert 0 < model.certificate_.lower_bound < model.loss_
    single = grower().fit(X.astype(np.float32), y)
    assert single.coefs_[0].dtype == np.float32
    double = grower(alpha=single.alpha_).fit(X, y)
    assert_allclose(single.loss_, double.loss_, rtol=2e-3)
    X, y = make_multilabel_classification(80, 5, n_classes=3, random_state=0)
    model = grower().fit(StandardScaler().fit_transform(X), y)
    assert model.coefs_[1].shape[1] == 3
    assert model.converged_


@pytest.mark.parametrize(
    "parameters, words",
    [
        ({"activation": "tanh"}, "needs activation='relu', got activation='tanh'"),
        ({"alpha": 0}, "needs alpha > 0, got alpha=0"),
        ({"hidden_layer_sizes": (5, 5)}, "needs one hidden layer, got hidden_layer"),
        ({"hidden_layer_sizes": ()}, "needs one hidden layer, got hidden_layer"),
        ({"early_stopping": True}, "early_stopping=True needs training='escape'"),
        ({"training": "escape", "hidden_layer_sizes": "auto"}, "needs training='grow'"),
        ({"training": "joint", "hidden_layer_sizes": "auto"}, "needs training='grow'"),
        ({"hidden_layer_sizes": "wide"}, "hidden_layer_sizes"),
        ({"tol_gap": -1}, "tol_gap"),
        ({"training": "prune"}, "training"),
    ],
)
def test_what_is_not_supported_is_an_error(parameters, words):
    X, y = make_moons(30, random_state=0)
    with pytest.raises(ValueError, match=words.replace("(", r"\(")):
        grower().set_params(**parameters).fit(X, y)


def test_an_unknown_training_is_an_error():
    objective, theta = random_objective((3,), "relu")
    rng, budget = np.random.RandomState(0), Budget(10, 10, 0)
    with pytest.raises(ValueError, match="no training 'prune'"):
        train(objective, [theta], rng, budget, training="prune")


def test_warm_start_and_partial_fit_set_out_from_the_units():
    X, y = make_moons(120, noise=0.2, random_state=0)
    model = grower(warm_start=True, alpha=1e-3).fit(X, y)
    rounds, loss = model.n_iter_, model.loss_
    model.fit(X, y)
    assert model.n_iter_ < rounds
    assert model.loss_ <= loss * (1 + 1e-9)
    model.partial_fit(X[::2], y[::2])
    assert model.score(X, y) > 0.9
    with pytest.raises(ValueError, match="same layers"):
        model.set_params(hidden_layer_sizes=1).fit(X, y)


def test_the_budget_is_kept():
    X, y = make_moons(200, noise=0.3, random_state=0)
    with pytest.warns(ConvergenceWarning, match="max_iter"):
        model = grower(max_iter=2, alpha=1e-4).fit(X, y)
    assert len(model.loss_curve_) == 3
    assert model.n_iter_ == 2
    with pytest.warns(ConvergenceWarning, match="max_fun"):
        model = grower(max_fun=1, alpha=1e-4).fit(X, y)
    assert model.history_.dtype.names == ("start", "escape", "n_fun", "objective")
    assert (np.diff(model.history_["n_fun"]) > 0).all()
    assert model.history_["objective"][-1] == model.loss_curve_[-1] == model.loss_


def test_a_stop_keeps_the_best_so_far():
    objective, _ = random_objective((30,), "relu", alpha=1e-3)
    request, told = StopRequest(), []

    def tell(progress):
        told.append((progress.n_iter, len(progress.theta)))
        request.made = progress.n_iter == 2

    budget = Budget(1000, 20000, 1e-6, stop=request)
    grown = grow(objective, budget=budget, on_iteration=tell)
    assert grown.solution.exit is Exit.STOPPED
    assert [n for n, _ in told] == [1, 2]
    assert grow(objective, on_iteration=lambda p: True).solution.n_iter == 1


def test_callbacks_see_every_round():
    pytest.importorskip("sklearn.callback", reason="scikit-learn 1.9")
    from skgoodmin import ValidationMonitor

    X, y = make_moons(100, noise=0.2, random_state=0)
    monitor = ValidationMonitor(X, y)
    model = grower(alpha=1e-3).set_callbacks(monitor).fit(X, y)
    assert len(monitor.curve_) == model.n_iter_ > 1


def test_the_estimator_works_where_estimators_do():
    X, y = load_iris(return_X_y=True)
    model = grower(tol_gap=0.01)
    assert clone(model).get_params() == model.get_params()
    assert model.get_params()["tol_gap"] == 0.01
    scores = cross_val_score(make_pipeline(StandardScaler(), model), X, y, cv=3)
    assert scores.min() > 0.9


@pytest.mark.parametrize("loss", ["poly_hinge", "log_loss"])
def test_one_label_is_a_constant(loss):
    """No row has a balanced residual, so there is nothing to look for."""
    X, y = make_moons(30, random_state=0)
    model = grower(loss=loss).fit(X, y, sample_weight=(y == 1).astype(float))
    assert (model.predict(X) == 1).all()
    assert not model.coefs_[0].any()


def test_targets_of_two_values_are_no_trap_for_huber():
    """At the mean all rows are far off, and Huber's loss has no curvature there."""
    rng = np.random.RandomState(0)
    X, y = rng.normal(size=(40, 3)), rng.randint(2, size=40)
    options = {"loss": "huber", "alpha": 0.01, "random_state": 0}
    grown = GoodMinimaRegressor("auto", training="grow", **options).fit(X, y)
    plain = GoodMinimaRegressor((50,), **options).fit(X, y)
    assert grown.converged_ and grown.loss_ < plain.loss_


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_what_is_left_is_looked_for_where_the_rounds_are_spent():
    """The residuals of the last round have been seen by no search."""
    X, y = make_classification(
        150, 20, n_informative=10, n_classes=5, class_sep=2.0, random_state=0
    )
    best, *others = (
        GoodMinimaClassifier(
            "auto", training="grow", alpha=0.01, max_iter=n, random_state=0
        ).fit(scale(X), y)
        for n in (300, 15, 20)
    )
    assert best.converged_
    for model in others:
        assert model.certificate_.status is Status.NOT_CONVERGED
        assert model.certificate_.estimated_bound <= best.loss_


def test_sparse_rows_that_are_too_large_to_be_dense(monkeypatch):
    X, y = make_moons(60, noise=0.2, random_state=0)
    X = csr_array(X)
    plain = GoodMinimaClassifier((4,), alpha=0.01, random_state=0).fit(X, y)
    monkeypatch.setattr(ascents, "MOST_DENSE", 119)
    told = "X: {} needs a dense copy .* 119 numbers; these are 60 x 2. Take {}, or"
    grown = told.format("training='grow'", "training='escape'")
    with pytest.raises(ValueError, match=grown):
        grower(alpha=0.01).fit(X, y)
    certified = told.format("an effort above 0", "effort=0")
    with pytest.raises(ValueError, match=certified):
        plain.certify(X, y, effort=0.1)


def test_a_network_may_have_more_units_on_its_way_than_at_its_end():
    """With as many as there are rows it was full, and gave up at a gap of a third."""
    rng = np.random.default_rng(1)
    X = np.linspace(-2, 2, 31)[:, None]
    rng.normal(size=31)
    y = np.sin(3 * X[:, 0]) + 0.3 * rng.normal(size=31)
    model = GoodMinimaRegressor("auto", training="grow", alpha=1e-6, random_state=0)
    certificate = model.fit(X, y).certificate_
    assert certificate.estimated_gap <= 1e-3 * certificate.objective
