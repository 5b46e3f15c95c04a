"""Kernels of the losses against numpy, saturation, overflow, and signs."""

import itertools

import numpy as np
import pytest
from problems import all_losses, reference_loss
from scipy.special import expit
from scipy.special import softmax as exact_softmax

from skgoodmin.kernels.losses.hinge import hinge
from skgoodmin.kernels.losses.labels import signs
from skgoodmin.kernels.losses.logistic import logistic
from skgoodmin.kernels.losses.softmax import softmax
from skgoodmin.objective.losses import Logistic, PolynomialHinge, Softmax


def _evaluate(kernel, raw, label):
    raw = np.array(raw, dtype=float).reshape(-1, 1)
    labels = np.array([[label]], dtype=np.int32)
    value = kernel(3.0, raw, labels, np.ones(1), np.empty(3))
    return value, raw[:, 0]


def test_saturation_is_exact():
    assert _evaluate(logistic, [-1e3], 1) == (1e3, [-1.0])
    assert _evaluate(logistic, [1e3], 1) == (0.0, [0.0])
    assert _evaluate(hinge, [-1e3], 1) == (1001.0**3, [-3 * 1001.0**2])
    assert _evaluate(hinge, [1.0], 1) == (0.0, [0.0])
    value, gradient = _evaluate(softmax, [1e3, 0.0, -1e3], 1)
    assert value == 1e3
    np.testing.assert_array_equal(gradient, [1, -1, 0])


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_softmax_saturates_whichever_output_is_the_largest(order):
    raw = np.array([1e3, 0.0, -1e3])[list(order)]
    value, gradient = _evaluate(softmax, raw, order.index(1))
    assert value == 1e3
    np.testing.assert_array_equal(gradient, np.array([1, -1, 0])[list(order)])


def test_overflow_is_visible():
    value, _ = _evaluate(hinge, [-1e200], 1)
    assert value == np.inf


def test_small_probabilities_keep_their_gradient():
    # 1 - p would be 0 here; the sum of the other classes is not.
    _, gradient = _evaluate(softmax, [50.0, 0.0], 0)
    np.testing.assert_allclose(gradient, [-np.exp(-50), np.exp(-50)], rtol=1e-12)


@pytest.mark.parametrize("n_others", [1, 3])
def test_small_losses_keep_their_value(n_others):
    # log(1 + n e^-50), which log(sum of all) would round to 0.
    value, _ = _evaluate(softmax, [50.0] + n_others * [0.0], 0)
    np.testing.assert_allclose(value, n_others * np.exp(-50), rtol=1e-12)
    value, _ = _evaluate(logistic, [50.0], 1)
    np.testing.assert_allclose(value, np.exp(-50), rtol=1e-12)


def _reference(loss, raw, labels):
    """Losses of the rows (n,) and derivatives (n_outputs, n), in plain numpy."""
    sign = signs(labels, len(raw)).T.astype(float)
    values = reference_loss(loss, raw.T, labels)
    if isinstance(loss, PolynomialHinge):
        gap = np.maximum(1 - sign * raw, 0)
        return values, -loss.degree * sign * gap ** (loss.degree - 1)
    if isinstance(loss, Logistic):
        return values, -sign * expit(-sign * raw)
    if isinstance(loss, Softmax):
        p = exact_softmax(raw, axis=0)
        others = np.where(sign == 1, 0, p).sum(axis=0)  # 1 - p without cancellation
        return values, np.where(sign == 1, -others, p)
    raise AssertionError(f"no derivative to compare {loss!r} with")


HINGES = [PolynomialHinge(degree) for degree in (2.0, 2.5, 4.0)]


@pytest.mark.parametrize("loss", HINGES + all_losses(3.0), ids=str)
@pytest.mark.parametrize("kind", ["two", "several", "multilabel", "two labels"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_kernels(kind, loss, dtype):
    rng = np.random.RandomState(0)
    n, n_outputs = 9, {"two": 1, "several": 3, "multilabel": 3, "two labels": 2}[kind]
    if isinstance(loss, Softmax) and kind != "several":
        n_outputs, kind = 4, "several"
    raw = (2.0 * rng.normal(size=(n_outputs, n))).astype(dtype)
    raw[:, 0] = rng.permutation(np.linspace(-40, 40, n_outputs))
    if "label" in kind:
        labels = rng.randint(2, size=(n, n_outputs)).astype(np.int32)
    else:
        labels = rng.randint(max(n_outputs, 2), size=(n, 1)).astype(np.int32)
    weights = rng.uniform(0.5, 2, size=n)
    values, derivatives = _reference(loss, raw.astype(float), labels)
    work = np.full(3 * n + 5, np.nan)
    found = raw.copy()
    value = loss.kernel(float(loss.parameter), found, labels, weights, work)
    exact = 1e-12 if dtype == np.float64 else 2e-6
    np.testing.assert_allclose(value, values @ weights, rtol=exact)
    np.testing.assert_allclose(
        found, derivatives * weights, rtol=10 * exact, atol=exact * 1e-6
    )
    assert np.isnan(work[3 * n :]).all()  # no more room than it is given
    again = raw.copy()
    assert loss.into_gradient(again, labels, weights) == value
    np.testing.assert_array_equal(again, found)


@pytest.mark.parametrize(("dtype", "edge"), [(np.float32, 60.0), (np.float64, 460.0)])
def test_tiny_derivatives_are_zero_beyond_the_edge(dtype, edge):
    for kernel, n_outputs, label in ((logistic, 1, 1), (softmax, 2, 0)):
        for distance, is_zero in ((edge - 0.5, False), (edge + 0.5, True)):
            raw = np.zeros((n_outputs, 1), dtype)
            raw[0] = distance
            labels = np.array([[label]], dtype=np.int32)
            kernel(0.0, raw, labels, np.ones(1), np.empty(3))
            assert (raw[0, 0] == 0) == is_zero


def test_signs():
    np.testing.assert_array_equal(
        signs(np.array([[0], [2]]), 3), [[1, -1, -1], [-1, -1, 1]]
    )
    np.testing.assert_array_equal(signs(np.array([[0, 1, 1]]), 3), [[-1, 1, 1]])
    np.testing.assert_array_equal(signs(np.array([[0], [1]]), 1), [[-1], [1]])
    assert signs(np.array([[0, 1]]), 2).dtype == np.int8


def test_labels_that_are_none_are_refused():
    with pytest.raises(TypeError, match="class numbers, got float64"):
        signs(np.array([[0.5]]), 1)
    with pytest.raises(ValueError, match=r"\(1, 2\) do not belong to 3 outputs"):
        signs(np.array([[0, 1]]), 3)
