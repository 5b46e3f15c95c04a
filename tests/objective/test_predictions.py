"""Raw predictions, their loss and their rounding, against formulas in numpy."""

import numpy as np
import pytest
from problems import random_objective, reference_activation

from skgoodmin.kernels.activations import ACTIVATIONS
from skgoodmin.kernels.losses.labels import signs
from skgoodmin.objective import predictions as module
from skgoodmin.objective.predictions import Predictions, hidden_values, predict_raw

EPS = np.finfo(float).eps
LONG = np.longdouble


def _hinge(raw, sign, shares, degree=3):
    return (shares * np.maximum(1 - sign * raw, 0) ** degree).sum()


def _in(dtype, objective, theta):
    """Raw predictions of all rows from the reference formulas, in some precision."""
    act = reference_activation(objective.activation.name)
    values = objective.data.block()
    values = (values.toarray() if objective.data.rows.sparse else values).astype(dtype)
    coefs, intercepts = objective.layout.unpack(theta.astype(dtype))
    for coef, intercept in zip(coefs[:-1], intercepts[:-1], strict=True):
        values = act(values @ coef + intercept)
    return values @ coefs[-1] + intercepts[-1]


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("hidden", [(), (4,), (5, 4)])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_predictions_of_any_network(activation, hidden, sparse, monkeypatch):
    objective, theta = random_objective(hidden, activation, sparse=sparse, n=50)
    expected, before = _in(float, objective, theta), theta.copy()
    raw = Predictions(objective, theta).raw
    assert raw.shape == (objective.data.n_rows, 1) and raw.dtype == np.float64
    np.testing.assert_allclose(raw, expected, rtol=1e-12, atol=1e-13)
    np.testing.assert_array_equal(theta, before)
    # Blocks of rows make no difference but that of rounding.
    monkeypatch.setattr(module, "PREDICTION_ROWS", 7)
    again = Predictions(objective, theta).raw
    np.testing.assert_allclose(again, expected, rtol=1e-12, atol=1e-13)


def test_hidden_values_are_those_that_the_outputs_see():
    objective, theta = random_objective((5, 4), "tanh")
    coefs, intercepts = objective.layout.unpack(theta)
    X = objective.data.block()
    values = hidden_values(coefs, intercepts, objective.activation, X)
    expected = np.tanh(np.tanh(X @ coefs[0] + intercepts[0]) @ coefs[1] + intercepts[1])
    np.testing.assert_allclose(values, expected, rtol=1e-13)
    assert hidden_values(coefs[:1], intercepts[:1], objective.activation, X) is X


def test_float32_is_predicted_in_float32():
    objective, theta = random_objective((5,), dtype=np.float32)
    coefs, intercepts = objective.layout.unpack(theta.astype(np.float32))
    X = objective.data.block()
    raw = predict_raw(coefs, intercepts, objective.activation, X)
    assert raw.dtype == np.float32
    assert Predictions(objective, theta).raw.dtype == np.float64


def test_raw_predictions_and_loss_by_hand():
    objective, theta = random_objective((4,), "relu", n=50, weights=True)
    coefs, intercepts = objective.layout.unpack(theta)
    hidden = np.maximum(objective.data.block() @ coefs[0] + intercepts[0], 0)
    raw = hidden @ coefs[1] + intercepts[1]
    predictions = Predictions(objective, theta)
    np.testing.assert_allclose(predictions.raw, raw, rtol=1e-13)
    sign, shares = signs(objective.data.labels, 1)[:, 0], objective.shares
    value, residuals = objective.data_loss(raw)
    np.testing.assert_allclose(value, _hinge(raw[:, 0], sign, shares), rtol=1e-13)
    np.testing.assert_allclose(predictions.loss, value, rtol=1e-13)
    slope = -3 * sign * shares * np.maximum(1 - sign * raw[:, 0], 0) ** 2
    np.testing.assert_allclose(residuals, [slope], rtol=1e-13)
    # Rows from 10 on have labels and shares of their own.
    part, residuals = objective.data_loss(raw[10:30], 10)
    expected = _hinge(raw[10:30, 0], sign[10:30], shares[10:30])
    np.testing.assert_allclose(part, expected, rtol=1e-13)
    np.testing.assert_allclose(residuals, [slope[10:30]], rtol=1e-13)
    np.testing.assert_array_equal(raw, hidden @ coefs[1] + intercepts[1])  # untouched


def test_blocks_of_rows_add_up(monkeypatch):
    objective, theta = random_objective((4,), n=40, weights=True)
    whole = Predictions(objective, theta)
    found = whole.raw, whole.loss
    blocks = [slice(i, i + 8) for i in range(0, 40, 8)]
    rows = type(objective.data)
    monkeypatch.setattr(rows, "slices", lambda self, n_outputs=1: blocks)
    parts = Predictions(objective, theta)
    assert parts.slices == blocks
    np.testing.assert_allclose(parts.raw, found[0], rtol=1e-13)
    np.testing.assert_allclose(parts.loss, found[1], rtol=1e-13)
    alpha = objective.alpha / 2 * (theta[: objective.layout.n_weights] ** 2).sum()
    value = objective.value_and_gradient(theta)[0]
    np.testing.assert_allclose(parts.loss + alpha, value, rtol=1e-13)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_rounding_by_hand(activation):
    """Errors grow by the steepest slope, and never shrink."""
    objective, theta = random_objective((2,), activation, n_features=3)
    steepest = max(ACTIVATIONS[activation].steepest, 1.0)
    (first, second), (c1, c2) = objective.layout.unpack(theta)
    x = abs(objective.data.block())
    z1 = x @ abs(first) + abs(c1)
    e1 = steepest * (3 + 6) * EPS * z1
    z2 = (steepest * z1 + 1) @ abs(second) + abs(c2)
    e2 = steepest * (e1 @ abs(second) + (2 + 6) * EPS * z2)
    predictions = Predictions(objective, theta)
    found = predictions.rounding(slice(0, 37))
    np.testing.assert_allclose(found, e2, rtol=1e-12)
    np.testing.assert_array_equal(predictions.rounding(slice(5, 9)), found[5:9])


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_rounding_bounds_the_error(activation, sparse):
    objective, theta = random_objective((5, 4), activation, seed=3, sparse=sparse)
    predictions = Predictions(objective, theta)
    error = abs(predictions.raw - _in(LONG, objective, theta))
    bound = predictions.rounding(slice(0, objective.data.n_rows))
    assert (error <= bound).all() and (bound < 1e-12).all()
