"""The witness and its rounding, against formulas in numpy."""

import functools
from decimal import Decimal, localcontext

import numpy as np
import pytest
from problems import random_objective, tiny_objective

from skgoodmin import certify
from skgoodmin.certificates.witness import (
    _rounding,
    exponential,
    make_witness,
)
from skgoodmin.kernels.activations import ACTIVATIONS
from skgoodmin.objective.canonical_rows import canonical_rows
from skgoodmin.objective.losses import PolynomialHinge
from skgoodmin.objective.predictions import Predictions

EPS = np.finfo(float).eps


def test_witness_rounding_by_hand():
    objective, theta = random_objective((3,), n=6)
    rng = np.random.RandomState(0)
    w, b, a = rng.normal(size=3), -0.5, np.array([0.3])
    predictions = Predictions(objective, theta)
    x, raw = objective.data.block(), predictions.raw
    added = np.exp(x @ w + b)[:, None] * a
    before, after = (
        objective.data_loss(raw)[1].T,
        objective.data_loss(raw + added)[1].T,
    )
    expected = 10 * EPS * (6 + 4) * predictions.loss
    expected += (abs(after * added)[:, 0] * EPS * (3 + 4)) @ (abs(x) @ abs(w) + 0.5)
    expected += (abs(after - before) * predictions.rounding(slice(0, 6))).sum()
    expected += 4 * EPS * ((abs(before) + abs(after)) * (abs(raw) + abs(added))).sum()
    found = _rounding(predictions, exponential(w, -b, 1.0), a)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("strength", [0.01, 1.0])
def test_the_decrease_is_realised_and_nearly_the_best(n_outputs, strength):
    objective, theta = random_objective((3,), n_outputs=n_outputs, alpha=0.0)
    w = np.array([0.4, -1.0, 0.3])
    witness = make_witness(Predictions(objective, theta), w, strength)
    np.testing.assert_array_equal(witness.coef, w)
    assert witness.coef is not w and witness.amplitude.shape == (n_outputs,)
    exponents = objective.data.block() @ w
    np.testing.assert_allclose(witness.intercept, -exponents.max(), rtol=1e-15)
    e = np.exp(exponents + witness.intercept)[:, None]
    raw = Predictions(objective, theta).raw

    def augmented(a):
        return objective.data_loss(raw + e * a)[0] + strength / 2 * a @ a

    found = augmented(0 * witness.amplitude) - augmented(witness.amplitude)
    assert 0 < witness.decrease < found
    np.testing.assert_allclose(witness.decrease, found, rtol=1e-9)
    # The amplitude follows -G, and neither half nor twice of it does better.
    _, residuals = objective.data_loss(raw)
    cosine = witness.amplitude @ -(residuals @ e[:, 0])
    size = np.linalg.norm(witness.amplitude) * np.linalg.norm(residuals @ e[:, 0])
    np.testing.assert_allclose(cosine, size, rtol=1e-12)
    for factor in (0.5, 2.0):
        assert augmented(factor * witness.amplitude) >= augmented(witness.amplitude)


def test_no_witness_where_every_group_is_at_its_minimum():
    objective = tiny_objective([0, 0], [1, -1], ())
    assert make_witness(Predictions(objective, np.zeros(2)), np.ones(1), 1.0) is None


def test_no_witness_within_the_rounding():
    objective = tiny_objective([0, 0], [1, -1], (), degree=2.0)
    theta = np.array([0.0, 1e-9])  # gap 1e-18
    assert make_witness(Predictions(objective, theta), np.zeros(1), 1.0) is None


def test_no_witness_from_an_infinite_residual():
    objective = tiny_objective([-1, 1], [1, -1], ())
    with np.errstate(all="ignore"):
        theta = np.array([1e200, 0.0])
        assert make_witness(Predictions(objective, theta), np.ones(1), 1.0) is None


def test_a_strong_penalty_shortens_the_step_below_one():
    objective = tiny_objective([-1, 1], [1, 1], (), degree=2.0)
    witness = make_witness(Predictions(objective, np.zeros(2)), np.zeros(1), 1e6)
    assert 0 < witness.amplitude[0] < 1e-5 and witness.decrease > 0
    far = make_witness(
        Predictions(objective, np.array([0.0, -50.0])), np.zeros(1), 1e-6
    )
    assert far.amplitude[0] > 30 and far.decrease > 1000


def test_blocks_of_rows_add_up(monkeypatch):
    objective, theta = random_objective((3,), n=40, alpha=0.0)
    whole = make_witness(Predictions(objective, theta), np.ones(3), 1.0)
    rows = type(objective.data)
    monkeypatch.setattr(
        rows,
        "slices",
        lambda self, n_outputs=1: [slice(i, i + 8) for i in range(0, 40, 8)],
    )
    blocks = make_witness(Predictions(objective, theta), np.ones(3), 1.0)
    np.testing.assert_allclose(blocks.decrease, whole.decrease, rtol=1e-9)
    np.testing.assert_allclose(blocks.amplitude, whole.amplitude, rtol=1e-9)


def test_float32_rows_are_read_in_float64():
    X = np.array([[1e4], [1e4 + 1], [1e4 + 3]], dtype=np.float32)
    labels = np.array([[0], [1], [0]], dtype=np.int32)
    objective, theta = random_objective((), n_features=1)
    objective = type(objective)(
        canonical_rows(X, labels),
        objective.layout,
        ACTIVATIONS["relu"],
        PolynomialHinge(3.0),
        0.0,
    )
    assert (
        make_witness(Predictions(objective, theta), np.array([0.01]), 1.0).decrease > 0
    )
    assert Predictions(objective, theta).raw.dtype == np.float64


def _true_decrease(X, y, raw, witness, loss):
    """Of a witness with one column of raw predictions per class, in 60 digits."""
    with localcontext() as context:
        context.prec, context.Emin, context.Emax = 60, -(10**9), 10**9
        amplitude, fall = [Decimal(float(a)) for a in witness.amplitude], Decimal(0)
        for row, label, f in zip(X, y, raw, strict=True):
            z = sum(
                Decimal(float(a)) * Decimal(float(w))
                for a, w in zip(row, witness.coef, strict=True)
            )
            value = (z + Decimal(float(witness.intercept))).exp()
            f = [Decimal(float(v)) for v in f]
            after = [v + a * value for v, a in zip(f, amplitude, strict=True)]
            fall += loss(f, label) - loss(after, label)
        return fall / len(X) - sum(a * a for a in amplitude) / 2


def _hinge(f, label, degree="3"):
    (f,), sign = f, 2 * int(label) - 1
    return max(Decimal(0), 1 - sign * f) ** Decimal(degree)


def _softmax(f, label):
    return sum(v.exp() for v in f).ln() - f[label]


@pytest.mark.parametrize("loss", ["poly_hinge", "log_loss"])
def test_the_decrease_is_true_far_from_the_origin(loss):
    """There w.x is wrong by more than exp stands, or by all of it."""
    rng, n_seen = np.random.default_rng(0), 0
    n_classes = 2 if loss == "poly_hinge" else 3
    for number in range(40):
        far = (1e12, 1.7e18)[number % 2]
        X = far * (1.0 + 1e-11 * rng.normal(size=(6, 2)))
        y = rng.permutation(np.arange(6) % n_classes)
        raw = 1000.0 * rng.normal(size=(6, n_classes))
        raw = raw[:, :1] if n_classes == 2 else raw
        given = raw[:, 0] if n_classes == 2 else raw
        witness = certify(X, y, given, loss=loss, random_state=number).witness
        if witness is not None:
            n_seen += 1
            exact = _hinge if n_classes == 2 else _softmax
            assert Decimal(witness.decrease) <= _true_decrease(
                X, y, raw, witness, exact
            )
    assert n_seen > 10


def test_the_decrease_is_true_where_squares_are_none_of_single_precision():
    X = np.array([[1e20], [-1e20], [4e19]], dtype=np.float32)
    y, raw = np.array([0, 1, 1]), np.array([3.0, 2.0, -1.0])
    witness = certify(X, y, raw, degree=7.5).witness
    hinge = functools.partial(_hinge, degree="7.5")
    true = _true_decrease(X, y, raw[:, None], witness, hinge)
    assert Decimal(witness.decrease) <= true
