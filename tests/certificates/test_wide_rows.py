"""Bounds of wide tables, on the coordinates of their rows, are those of all columns."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.sparse import csr_array

from skgoodmin import GoodMinimaClassifier, GoodMinimaRegressor
from skgoodmin.certificates.weight_decay import bounds
from skgoodmin.estimator.setup import posed_again
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
    assert data.span.coordinates.shape == (data.n_rows, data.n_rows)
    dual = objective.loss.dual(data.labels, objective.shares, objective.n_outputs)
    raw, x = Predictions(objective, theta).raw, data.block()
    layers = objective.layout.unpack(theta)
    args = dual, x, raw, objective.activation, objective.alpha, *layers, effort
    found = [bounds(*args, group=data.group, span=span) for span in (None, data.span)]
    return *found, (x.toarray() if hasattr(x, "toarray") else x)


@pytest.mark.parametrize("activation", ["relu", "tanh", "softplus"])
@pytest.mark.parametrize("form", FORMS)
def test_bounds_are_those_of_all_columns(form, activation):
    rng = np.random.default_rng(0)
    X, y = FORMS[form](rng.normal(size=(14, 60))), np.arange(14) % 2
    model = GoodMinimaClassifier((6,), activation=activation, alpha=0.1, random_state=0)
    wide, narrow, x = both(model, X, y)
    assert narrow.objective == wide.objective and narrow.pointwise == wide.pointwise
    assert_allclose(narrow.proven, wide.proven, rtol=0.02 if form == "far" else 1e-4)
    assert narrow.pointwise <= narrow.proven <= narrow.estimated
    assert narrow.estimated < 1.05 * narrow.objective
    neuron = narrow.neuron
    assert neuron.coef.shape == (60,)
    if activation == "relu" and form != "far":
        raw = x @ neuron.coef + neuron.intercept
        assert np.abs(raw).min() < 1e-5  # through a row, as on the coordinates


@pytest.mark.parametrize("hidden", [(), (5, 4)])
def test_other_depths(hidden):
    X, y = np.random.default_rng(1).normal(size=(10, 40)), np.arange(10) % 3
    wide, narrow, _ = both(GoodMinimaClassifier(hidden, alpha=0.05), X, y)
    assert 0 < narrow.proven <= narrow.objective
    assert_allclose(narrow.proven, wide.proven, rtol=1e-4)


@pytest.mark.parametrize("n_rows", [1, 2, 3])
def test_a_few_rows_are_in_the_plane_of_their_coordinates(n_rows):
    X, y = np.random.default_rng(2).normal(size=(n_rows, 9)), np.arange(n_rows) + 0.5
    model = GoodMinimaRegressor((4,), alpha=0.05, random_state=0)
    wide, narrow, _ = both(model, X, y, effort=1)
    assert 0 <= wide.proven <= narrow.objective * (1 + 1e-9)
    assert 0.9 * wide.proven <= narrow.proven <= narrow.objective * (1 + 1e-9)


def test_a_basis_that_misses_something_costs_what_it_misses():
    """The bound of coordinates that are wrong by a hundredth is no better for it."""
    X, y = np.random.default_rng(3).normal(size=(12, 30)), np.arange(12) % 2
    model = GoodMinimaClassifier((6,), alpha=0.1, random_state=0).fit(X, y)
    objective, theta, _ = posed_again(model, X, y)
    data, layers = objective.data, objective.layout.unpack(theta)
    dual = objective.loss.dual(data.labels, objective.shares, 1)
    raw = Predictions(objective, theta).raw
    args = dual, data.block(), raw, objective.activation, 0.1, *layers, 0
    smaller = replace(data.span, coordinates=0.99 * data.span.coordinates)
    right, wrong = (bounds(*args, span=span).proven for span in (data.span, smaller))
    assert 0 < wrong < right


def test_the_certificate_of_a_wide_table_has_a_unit_on_all_columns():
    X, y = np.random.default_rng(4).normal(size=(20, 50)), np.arange(20) % 4
    model = GoodMinimaClassifier((1,), alpha=0.01, random_state=0).fit(X, y)
    witness = model.certificate_.witness
    assert witness.coef.shape == (50,) and witness.decrease > 0
    again = model.certify(X, y, effort=0)
    assert_allclose(again.lower_bound, model.certificate_.lower_bound, rtol=1e-6)
