"""What a unit more promises, and the networks that grafts leave alone."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from problems import random_objective
from scipy.sparse import random_array
from sklearn.datasets import make_moons

from skgoodmin import GoodMinimaClassifier
from skgoodmin.certificates.ascents import relu_search
from skgoodmin.objective.canonical_rows import canonical_rows
from skgoodmin.objective.layout import ParameterLayout
from skgoodmin.objective.losses import SquaredError
from skgoodmin.training import promise
from skgoodmin.training.graft import layer_views
from skgoodmin.training.lbfgs import minimize
from skgoodmin.training.promise import MANY, misses_nothing, promise_cost


def constant(hidden=(MANY,), activation="relu", **kind):
    """(objective, theta) of a network that predicts 0: it misses a lot."""
    objective, theta = random_objective(
        hidden, activation, n=60, **{"alpha": 1e-3} | kind
    )
    coefs, intercepts = objective.layout.unpack(theta)
    coefs[-1][:], intercepts[-1][:] = 0.0, 0.0
    return objective, theta


def nothing(objective, theta):
    value, _ = objective.value_and_gradient(theta)
    return misses_nothing(objective, theta, value, np.random.RandomState(0))


@pytest.mark.parametrize(
    "outputs",
    [{"n_outputs": 1}, {"n_outputs": 3}, {"n_outputs": 3, "multilabel": True}],
)
@pytest.mark.parametrize("sparse", [False, True])
def test_a_trained_network_misses_less_than_a_constant_one(outputs, sparse):
    objective, theta = constant(sparse=sparse, weights=True, alpha=0.05, **outputs)
    assert not nothing(objective, theta)
    start = objective.layout.start(np.random.RandomState(1))
    best = minimize(objective, start, max_iter=400, max_fun=1000, tol=1e-6)
    assert nothing(objective, best.theta)


@pytest.mark.parametrize("n_outputs", [1, 3])
def test_the_promise_is_kept_to_second_order(n_outputs):
    """The unit lowers the objective by what the model says, where it is small."""
    objective, theta = constant(n_outputs=n_outputs, loss=SquaredError())
    (view,) = layer_views(objective, theta)
    # Without the floor of the curvature the model of the squared error is exact.
    view = view._replace(
        curvature=objective.curvature(np.zeros((60, n_outputs))),
        residuals=objective.data_loss(np.zeros((60, n_outputs)))[1],
    )
    x, r = view.z, np.ascontiguousarray(view.residuals.T)
    rng = np.random.RandomState(0)
    found = relu_search(x, r, np.eye(3), 1, 4, rng, 60)
    promised = promise._promised(found, view, slice(60), objective)
    at = found.values.argmax()
    phi = np.maximum(x @ found.coefs[at] + found.intercepts[at], 0.0)
    u = found.directions[at] / np.linalg.norm(found.directions[at])

    def lower(t):
        raw = -t * phi[:, None] * u
        before = objective.data_loss(np.zeros((60, n_outputs)))[0]
        return before - objective.data_loss(raw)[0] - objective.alpha * t

    best = max(lower(t) for t in np.linspace(0, 5, 20001))
    assert_allclose(promised, best, rtol=1e-4)


@pytest.mark.parametrize(
    "hidden, activation, alpha",
    [
        ((MANY - 1,), "relu", 0.05),
        ((MANY, 5), "relu", 0.05),
        ((), "relu", 0.05),
        ((MANY,), "tanh", 0.05),
        ((MANY,), "relu", 0.0),
    ],
)
def test_other_networks_are_not_looked_at(hidden, activation, alpha):
    objective, theta = constant(hidden, activation, alpha=alpha)
    strict = replace(objective, alpha=1e3 * alpha)  # where no unit pays
    assert not nothing(strict, theta) and promise_cost(strict) == 0.0


def test_where_decay_is_strong_no_unit_promises_anything():
    objective, theta = constant(alpha=1e3)
    theta[:] = 0.0
    assert nothing(objective, theta)


def test_rows_without_a_loss_miss_nothing():
    objective, theta = constant(alpha=1e-3)
    labels = np.ones_like(objective.data.labels)
    objective = replace(objective, data=replace(objective.data, labels=labels))
    theta[:] = 0.0
    objective.layout.unpack(theta)[1][-1][:] = 5.0  # beyond all margins
    assert nothing(objective, theta)


def test_large_sparse_rows_are_not_made_dense(monkeypatch):
    X = random_array((300, 20000), density=1e-3, format="csr", rng=0)
    data = canonical_rows(X, (np.arange(300) % 2).astype(np.int32)[:, None])
    objective, _ = random_objective((MANY,), "relu", alpha=1e3)
    objective = replace(objective, data=data, layout=ParameterLayout((20000, MANY, 1)))
    monkeypatch.setattr(promise, "relu_search", None)
    assert not nothing(objective, np.zeros(objective.n_parameters))


def test_of_a_sample_one_half_tells_what_the_other_has_found(monkeypatch):
    """On noise the best unit for some rows is nothing to others."""
    import skgoodmin.training.graft as graft

    objective, theta = random_objective(
        (MANY,), "relu", n=400, n_features=30, alpha=0.0
    )
    theta[:] = 0.0
    (view,) = layer_views(objective, theta)
    rng = np.random.RandomState(0)
    r = np.ascontiguousarray(view.residuals.T)
    polar = relu_search(view.z, r, np.eye(30), 1, 2, rng, 60).values.max()
    objective = replace(objective, alpha=0.75 * polar)  # noise, on these rows
    assert promise_cost(objective) > 1
    monkeypatch.setattr(graft, "SEARCH_ROWS", 200)
    assert nothing(objective, theta)


def test_what_it_costs():
    """By multiplications, in those of an evaluation; no more than SEARCH_ROWS."""
    few, _ = random_objective((100,), "relu", n=50, n_features=20)
    steps, evaluation = (100 + 180) * (2 * 20 + 3 + 5), 100 * 43
    assert promise_cost(few) == 0.5 + steps / evaluation
    many, _ = random_objective((100,), "relu", n=8192, n_features=20)
    assert_allclose(promise_cost(many), 0.5 * promise_cost(few))


def test_a_default_fit_of_many_units_is_not_escaped_from():
    X, y = make_moons(150, noise=0.3, random_state=0)
    options = {"alpha": 3e-4, "random_state": 0, "max_iter": 3000, "max_fun": 6000}
    wide = GoodMinimaClassifier((100,), **options).fit(X, y)
    plain = GoodMinimaClassifier((100,), max_escapes=0, **options).fit(X, y)
    assert wide.n_escapes_ == 0 and wide.history_["escape"].max() == 0
    np.testing.assert_array_equal(wide.coefs_[0], plain.coefs_[0])
    narrow = GoodMinimaClassifier((8,), **options).fit(X, y)
    assert narrow.history_["escape"].max() > 0
