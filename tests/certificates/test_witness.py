"""The witness and what its numbers are made of, against formulas in numpy."""

import numpy as np
import pytest
from problems import random_objective, tiny_objective

from skgoodmin.objective.losses import PolynomialHinge
from skgoodmin.objective.canonical_rows import canonical_rows
from skgoodmin.witness import (
    _witness_rounding,
    data_loss,
    make_witness,
    raw_predictions,
    raw_rounding,
)

EPS = np.finfo(float).eps
LONG = np.longdouble


def _hinge(raw, sign, shares, degree=3):
    return (shares * np.maximum(1 - sign * raw, 0) ** degree).sum()


def test_raw_predictions_and_loss_by_hand():
    objective, theta = random_objective((4,), "relu", n=50, weights=True)
    coefs, intercepts = objective.layout.unpack(theta)
    hidden = np.maximum(objective.data.block() @ coefs[0] + intercepts[0], 0)
    raw = hidden @ coefs[1] + intercepts[1]
    np.testing.assert_allclose(raw_predictions(objective, theta), raw, rtol=1e-13)
    sign, shares = objective.signs()[:, 0], objective.shares
    value, residuals = data_loss(objective, raw)
    np.testing.assert_allclose(value, _hinge(raw[:, 0], sign, shares), rtol=1e-13)
    slope = -3 * sign * shares * np.maximum(1 - sign * raw[:, 0], 0) ** 2
    np.testing.assert_allclose(residuals, [slope], rtol=1e-13)
    # Rows from 10 on have labels and shares of their own.
    part, residuals = data_loss(objective, raw[10:30], 10)
    expected = _hinge(raw[10:30, 0], sign[10:30], shares[10:30])
    np.testing.assert_allclose(part, expected, rtol=1e-13)
    np.testing.assert_allclose(residuals, [slope[10:30]], rtol=1e-13)
    np.testing.assert_array_equal(raw, hidden @ coefs[1] + intercepts[1])  # untouched


def test_raw_rounding_by_hand():
    objective, theta = random_objective((2,), "tanh", n_features=3)
    (first, second), (c1, c2) = objective.layout.unpack(theta)
    x = abs(objective.data.block())
    z1 = x @ abs(first) + abs(c1)
    e1 = 1.1 * (3 + 6) * EPS * z1
    z2 = (1.1 * z1 + 1) @ abs(second) + abs(c2)
    e2 = 1.1 * (e1 @ abs(second) + (2 + 6) * EPS * z2)
    np.testing.assert_allclose(raw_rounding(objective, theta, x), e2, rtol=1e-12)


@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "silu", "softplus"])
def test_raw_rounding_bounds_the_error(activation):
    objective, theta = random_objective((5, 4), activation, seed=3)
    functions = {
        "relu": lambda z: np.maximum(z, 0),
        "tanh": np.tanh,
        "logistic": lambda z: 1 / (1 + np.exp(-z)),
        "silu": lambda z: z / (1 + np.exp(-z)),
        "softplus": lambda z: np.logaddexp(z, LONG(0)),
    }
    values = objective.data.block().astype(LONG)
    coefs, intercepts = objective.layout.unpack(theta)
    for k, (coef, intercept) in enumerate(zip(coefs, intercepts, strict=True)):
        values = functions[activation](values) if k else values
        values = values @ coef.astype(LONG) + intercept
    error = abs(raw_predictions(objective, theta) - values)
    bound = raw_rounding(objective, theta, abs(objective.data.block()))
    assert (error <= bound).all() and (bound < 1e-12).all()


def test_witness_rounding_by_hand():
    objective, theta = random_objective((3,), n=6)
    rng = np.random.RandomState(0)
    w, b, a = rng.normal(size=3), -0.5, np.array([0.3])
    x, raw = objective.data.block(), raw_predictions(objective, theta)
    added = np.exp(x @ w + b)[:, None] * a
    before, after = (
        data_loss(objective, raw)[1].T,
        data_loss(objective, raw + added)[1].T,
    )
    expected = 10 * EPS * (6 + 4) * 0.7
    expected += (abs(after * added)[:, 0] * EPS * (3 + 4)) @ (abs(x) @ abs(w) + 0.5)
    expected += (abs(after - before) * raw_rounding(objective, theta, abs(x))).sum()
    expected += 4 * EPS * ((abs(before) + abs(after)) * (abs(raw) + abs(added))).sum()
    found = _witness_rounding(objective, theta, raw, 0.7, w, b, a)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("strength", [0.01, 1.0])
def test_the_decrease_is_realised_and_nearly_the_best(n_outputs, strength):
    objective, theta = random_objective((3,), n_outputs=n_outputs, alpha=0.0)
    w = np.array([0.4, -1.0, 0.3])
    witness = make_witness(objective, theta, w, strength)
    np.testing.assert_array_equal(witness.coef, w)
    assert witness.coef is not w and witness.amplitude.shape == (n_outputs,)
    exponents = objective.data.block() @ w
    np.testing.assert_allclose(witness.intercept, -exponents.max(), rtol=1e-15)
    e = np.exp(exponents + witness.intercept)[:, None]
    raw = raw_predictions(objective, theta)

    def augmented(a):
        return data_loss(objective, raw + e * a)[0] + strength / 2 * a @ a

    found = augmented(0 * witness.amplitude) - augmented(witness.amplitude)
    assert 0 < witness.decrease < found
    np.testing.assert_allclose(witness.decrease, found, rtol=1e-9)
    # The amplitude follows -G, and neither half nor twice of it does better.
    _, residuals = data_loss(objective, raw)
    cosine = witness.amplitude @ -(residuals @ e[:, 0])
    size = np.linalg.norm(witness.amplitude) * np.linalg.norm(residuals @ e[:, 0])
    np.testing.assert_allclose(cosine, size, rtol=1e-12)
    for factor in (0.5, 2.0):
        assert augmented(factor * witness.amplitude) >= augmented(witness.amplitude)


def test_no_witness_where_every_group_is_at_its_minimum():
    objective = tiny_objective([0, 0], [1, -1], ())
    assert make_witness(objective, np.zeros(2), np.ones(1), 1.0) is None


def test_no_witness_within_the_rounding():
    objective = tiny_objective([0, 0], [1, -1], (), degree=2.0)
    theta = np.array([0.0, 1e-9])  # gap 1e-18
    assert make_witness(objective, theta, np.zeros(1), 1.0) is None


def test_no_witness_from_an_infinite_residual():
    objective = tiny_objective([-1, 1], [1, -1], ())
    with np.errstate(all="ignore"):
        theta = np.array([1e200, 0.0])
        assert make_witness(objective, theta, np.ones(1), 1.0) is None


def test_a_strong_penalty_shortens_the_step_below_one():
    objective = tiny_objective([-1, 1], [1, 1], (), degree=2.0)
    witness = make_witness(objective, np.zeros(2), np.zeros(1), 1e6)
    assert 0 < witness.amplitude[0] < 1e-5 and witness.decrease > 0
    far = make_witness(objective, np.array([0.0, -50.0]), np.zeros(1), 1e-6)
    assert far.amplitude[0] > 30 and far.decrease > 1000


def test_blocks_of_rows_add_up(monkeypatch):
    objective, theta = random_objective((3,), n=40, alpha=0.0)
    whole = make_witness(objective, theta, np.ones(3), 1.0)
    rows = type(objective.data)
    monkeypatch.setattr(
        rows,
        "slices",
        lambda self, n_outputs=1: [slice(i, i + 8) for i in range(0, 40, 8)],
    )
    blocks = make_witness(objective, theta, np.ones(3), 1.0)
    np.testing.assert_allclose(blocks.decrease, whole.decrease, rtol=1e-9)
    np.testing.assert_allclose(blocks.amplitude, whole.amplitude, rtol=1e-9)


def test_float32_rows_are_read_in_float64():
    X = np.array([[1e4], [1e4 + 1], [1e4 + 3]], dtype=np.float32)
    labels = np.array([[0], [1], [0]], dtype=np.int32)
    objective, theta = random_objective((), n_features=1)
    objective = type(objective)(
        canonical_rows(X, labels), objective.layout, "relu", PolynomialHinge(3.0),
        False, 0.0,
    )  # fmt: skip
    assert make_witness(objective, theta, np.array([0.01]), 1.0).decrease > 0
    assert raw_predictions(objective, theta).dtype == np.float64
