"""Bounds of wide tables, on the coordinates of their rows, are those of all columns."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.sparse import csr_array, vstack

from skgoodmin import GoodMinimaClassifier, GoodMinimaRegressor
from skgoodmin.certificates.effort import effort_of
from skgoodmin.certificates.problem import Problem
from skgoodmin.certificates.weight_decay import bounds
from skgoodmin.estimator.setup import posed_again
from skgoodmin.objective import span
from skgoodmin.objective.predictions import Predictions

FORMS = {
    "dense": lambda X: X,
    "sparse": lambda X: csr_array(np.where(abs(X) < 0.5, 0.0, X)),
    "single": lambda X: X.astype(np.float32),
    "repeated": lambda X: X[np.arange(len(X)) // 2 * 2],
    "far": lambda X: X + 1e6,
}


def both(model, X, y, effort=0):
    """Bounds on all columns and on the coordinates, and the rows."""
    objective, theta, _ = posed_again(model.fit(X, y), X, y)
    data = objective.data
    dual = objective.loss.dual(data.labels, objective.shares, objective.n_outputs)
    raw, x = Predictions(objective, theta).raw, data.block()
    layers = objective.layout.unpack(theta)
    args = raw, objective.activation, objective.alpha, layers, data.group
    problem = Problem.of(dual, x, *args)
    found = (bounds(problem, effort_of(effort), some) for some in (None, data.span))
    return *found, problem


@pytest.mark.parametrize("activation", ["relu", "tanh", "softplus"])
@pytest.mark.parametrize("form", FORMS)
def test_bounds_are_those_of_all_columns(form, activation):
    rng = np.random.default_rng(0)
    X, y = FORMS[form](rng.normal(size=(14, 60))), np.arange(14) % 2
    model = GoodMinimaClassifier((6,), activation=activation, alpha=0.1, random_state=0)
    wide, narrow, problem = both(model, X, y)
    assert_allclose(narrow.proven, wide.proven, rtol=0.02 if form == "far" else 1e-4)
    assert problem.least <= narrow.proven <= narrow.estimated
    assert narrow.estimated < 1.05 * problem.objective
    neuron = narrow.neuron
    assert neuron.coef.shape == (60,)
    if activation == "relu" and form != "far":
        raw = problem.x @ neuron.coef + neuron.intercept
        assert np.abs(raw).min() < 1e-5  # through a row, as on the coordinates


@pytest.mark.parametrize("hidden", [(), (5, 4)])
def test_other_depths(hidden):
    X, y = np.random.default_rng(1).normal(size=(10, 40)), np.arange(10) % 3
    wide, narrow, problem = both(GoodMinimaClassifier(hidden, alpha=0.05), X, y)
    assert 0 < narrow.proven <= problem.objective
    assert_allclose(narrow.proven, wide.proven, rtol=1e-4)


@pytest.mark.parametrize("n_rows", [1, 2, 3])
def test_a_few_rows_are_in_the_plane_of_their_coordinates(n_rows):
    X, y = np.random.default_rng(2).normal(size=(n_rows, 9)), np.arange(n_rows) + 0.5
    model = GoodMinimaRegressor((4,), alpha=0.05, random_state=0)
    wide, narrow, problem = both(model, X, y, effort=1)
    assert 0 <= wide.proven <= problem.objective * (1 + 1e-9)
    assert 0.9 * wide.proven <= narrow.proven <= problem.objective * (1 + 1e-9)


@pytest.mark.parametrize("hidden", [(6,), (), (5, 4)])
@pytest.mark.parametrize("n_rows", [2, 12])
def test_a_basis_that_misses_something_costs_what_it_misses(n_rows, hidden):
    """The bound of coordinates that are wrong by a hundredth is no better for it."""
    X, y = np.random.default_rng(3).normal(size=(n_rows, 30)), np.arange(n_rows) % 2
    model = GoodMinimaClassifier(hidden, alpha=0.1, random_state=0).fit(X, y)
    objective, theta, _ = posed_again(model, X, y)
    data, layers = objective.data, objective.layout.unpack(theta)
    dual = objective.loss.dual(data.labels, objective.shares, 1)
    raw = Predictions(objective, theta).raw
    problem = Problem.of(dual, data.block(), raw, objective.activation, 0.1, layers)
    smaller = replace(data.span, coordinates=0.99 * data.span.coordinates)
    right, wrong = (
        bounds(problem, effort_of(0), some).proven for some in (data.span, smaller)
    )
    assert 0 < wrong < right


def test_the_certificate_of_a_wide_table_has_a_unit_on_all_columns():
    X, y = np.random.default_rng(4).normal(size=(20, 50)), np.arange(20) % 4
    model = GoodMinimaClassifier((1,), alpha=0.01, random_state=0).fit(X, y)
    witness = model.certificate_.witness
    assert witness.coef.shape == (50,) and witness.decrease > 0
    again = model.certify(X, y, effort=0)
    assert_allclose(again.lower_bound, model.certificate_.lower_bound, rtol=1e-6)


def hashed(n_rows, n_features=2**12, n_used=60):
    """Sparse rows of which a few columns are used, labels, and these columns."""
    rng = np.random.default_rng(0)
    columns = np.sort(rng.permutation(n_features)[:n_used])
    X = np.zeros((n_rows, n_features))
    values = rng.normal(size=(n_rows, n_used))
    X[:, columns] = np.where(rng.random(values.shape) < 0.5, 0.0, values)
    return csr_array(X), (X[:, columns[:3]].sum(axis=1) > 0).astype(int), columns


@pytest.fixture
def few_are_too_large(monkeypatch):
    monkeypatch.setattr(span, "LARGEST", 10_000)


@pytest.mark.usefixtures("few_are_too_large")
@pytest.mark.parametrize("n_rows", [30, 200])
def test_columns_that_no_row_has_are_left_out(n_rows):
    """Of few rows on their coordinates, of many on the columns that are used."""
    X, y, columns = hashed(n_rows)
    model = GoodMinimaClassifier((4,), alpha=0.02, random_state=0)
    wide, narrow, _ = both(model, X, y)
    assert_allclose(narrow.proven, wide.proven, rtol=1e-4)
    assert set(np.flatnonzero(narrow.neuron.coef)) <= set(columns)
    assert set(np.flatnonzero(model.coefs_[0].any(axis=1))) <= set(columns)
    data = posed_again(model, X, y)[0].data
    assert data.span.coordinates.shape == (n_rows, min(n_rows, len(columns)))
    # The whole gradient is small, that of the columns left out is 0.
    assert model.grad_norm_ < 0.05 and model.score(X, y) > 0.95
    same = GoodMinimaClassifier((4,), alpha=0.02, random_state=0)
    same.fit(X[:, columns], y)
    assert model.loss_ == pytest.approx(same.loss_, rel=0.1)


@pytest.mark.usefixtures("few_are_too_large")
def test_rows_without_weight_have_no_columns():
    X, y, _ = hashed(200)
    more = vstack([X, csr_array(np.ones((1, X.shape[1])))])
    model = GoodMinimaClassifier((4,), alpha=0.02, random_state=0)
    loss = model.fit(X, y).loss_
    weights = np.append(np.ones(200), 0.0)
    assert model.fit(more, np.append(y, 1), sample_weight=weights).loss_ == loss


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("n_rows", [30, 200])  # fewer than columns, and more
@pytest.mark.parametrize("form", [csr_array, csr_array.toarray])
@pytest.mark.usefixtures("few_are_too_large")
def test_what_was_learned_of_other_columns_is_kept(form, n_rows):
    X, y, columns = hashed(n_rows, n_features=100, n_used=40)
    other = np.setdiff1d(np.arange(100), columns)
    moved = np.zeros(X.shape)
    moved[:, other[:40]] = X.toarray()[:, columns]
    model = GoodMinimaClassifier((4,), alpha=1e-6, random_state=0)
    model.partial_fit(form(X), y)
    before = model.coefs_[0][columns]
    model.set_params(max_iter=1).partial_fit(form(csr_array(moved)), y)
    assert_allclose(model.coefs_[0][columns], before, rtol=1e-3, atol=1e-4)
    assert model.score(X, y) > 0.9


@pytest.mark.usefixtures("few_are_too_large")
def test_all_zero_sparse_rows():
    model = GoodMinimaClassifier((4,), random_state=0)
    model.fit(csr_array((20, 50)), np.arange(20) % 2)
    assert not model.coefs_[0].any() or model.converged_
