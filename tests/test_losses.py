"""Pointwise minimum and link against a search on a grid, saturation, probabilities.

Value and gradient of the kernels are tested through the objective.
"""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from skgoodmin.losses import (
    HINGE,
    LOGISTIC,
    SOFTMAX,
    LogLoss,
    PolynomialHinge,
    class_probabilities,
    loss_gradient,
)

DEGREES = [2, 2.5, 3, 4]


def _hinge(degree, f, negative, positive):
    return positive * max(0, 1 - f) ** degree + negative * max(0, 1 + f) ** degree


@pytest.mark.parametrize("degree", DEGREES)
@pytest.mark.parametrize("counts", [(1, 2), (3, 3), (0.1, 7), (0, 4), (1e-3, 1e3)])
def test_minimum_of_the_hinge(degree, counts):
    found = minimize_scalar(
        lambda f: _hinge(degree, f, *counts),
        bounds=(-1, 1),
        method="bounded",
        options={"xatol": 1e-12},
    )
    least = PolynomialHinge(degree).minimum(np.array([[counts]], dtype=float))
    assert least.shape == (1,)
    np.testing.assert_allclose(least[0], found.fun, rtol=1e-6, atol=1e-9)
    if min(counts) > 0:
        link = PolynomialHinge(degree).probabilities(found.x)
        np.testing.assert_allclose(link, counts[1] / sum(counts), rtol=1e-4)


def test_minimum_of_the_quadratic_hinge_in_closed_form():
    least = PolynomialHinge(2).minimum(np.array([[[3.0, 5.0]]]))
    np.testing.assert_allclose(least, 4 * 3 * 5 / 8, rtol=1e-15)


def test_minimum_of_log_loss_is_the_entropy():
    least = LogLoss().minimum(np.array([[[1.0, 2.0]], [[4.0, 0.0]]]))
    np.testing.assert_allclose(least, [1.909542504884, 0], rtol=1e-12)


@pytest.mark.parametrize("degree", DEGREES)
def test_probabilities_are_inside_and_monotone(degree):
    f = np.concatenate([-np.logspace(3, -3, 200), [0], np.logspace(-3, 3, 200)])
    p = PolynomialHinge(degree).probabilities(f)
    assert ((0 < p) & (p < 1)).all()
    assert (np.diff(p) >= 0).all()
    inside = np.abs(f) < 0.5
    up, down = (1 + f[inside]) ** (degree - 1), (1 - f[inside]) ** (degree - 1)
    np.testing.assert_allclose(p[inside], up / (up + down), rtol=1e-12)


def test_probabilities_of_several_classes_follow_the_raw_predictions():
    raw = np.array([[5.0, 4.0, -3.0], [-7.0, -9.0, -8.0], [0.2, 0.1, 0.3]])
    for loss in (PolynomialHinge(), LogLoss()):
        p = class_probabilities(loss, raw, multilabel=False)
        np.testing.assert_allclose(p.sum(axis=1), 1)
        np.testing.assert_array_equal(p.argmax(axis=1), raw.argmax(axis=1))


def _evaluate(code, raw, label):
    raw = np.array(raw, dtype=float).reshape(-1, 1)
    labels = np.array([[label]], dtype=np.int32)
    value = loss_gradient(code, 3.0, raw, labels, np.ones(1), np.empty(3))
    return value, raw[:, 0]


def test_saturation_is_exact():
    assert _evaluate(LOGISTIC, [-1e3], 1) == (1e3, [-1.0])
    assert _evaluate(LOGISTIC, [1e3], 1) == (0.0, [0.0])
    assert _evaluate(HINGE, [-1e3], 1) == (1001.0**3, [-3 * 1001.0**2])
    assert _evaluate(HINGE, [1.0], 1) == (0.0, [0.0])
    value, gradient = _evaluate(SOFTMAX, [1e3, 0.0, -1e3], 1)
    assert value == 1e3
    np.testing.assert_array_equal(gradient, [1, -1, 0])


def test_overflow_is_visible():
    value, _ = _evaluate(HINGE, [-1e200], 1)
    assert value == np.inf


def test_small_probabilities_keep_their_gradient():
    # 1 - p would be 0 here; the sum of the other classes is not.
    _, gradient = _evaluate(SOFTMAX, [50.0, 0.0], 0)
    np.testing.assert_allclose(gradient, [-np.exp(-50), np.exp(-50)], rtol=1e-12)


@pytest.mark.parametrize("n_others", [1, 3])
def test_small_losses_keep_their_value(n_others):
    # log(1 + n e^-50), which log(sum of all) would round to 0.
    value, _ = _evaluate(SOFTMAX, [50.0] + n_others * [0.0], 0)
    np.testing.assert_allclose(value, n_others * np.exp(-50), rtol=1e-12)
    value, _ = _evaluate(LOGISTIC, [50.0], 1)
    np.testing.assert_allclose(value, np.exp(-50), rtol=1e-12)
