"""Pointwise minimum and link against a search on a grid, saturation, probabilities.

Value and gradient of the kernels are tested through the objective.
"""

import itertools

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import expit, logsumexp, softmax

from skgoodmin.objective.losses import (
    HINGE,
    LOGISTIC,
    SOFTMAX,
    LogLoss,
    PolynomialHinge,
    class_probabilities,
    loss_gradient,
    signs,
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


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_softmax_saturates_whichever_output_is_the_largest(order):
    raw = np.array([1e3, 0.0, -1e3])[list(order)]
    value, gradient = _evaluate(SOFTMAX, raw, order.index(1))
    assert value == 1e3
    np.testing.assert_array_equal(gradient, np.array([1, -1, 0])[list(order)])


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


def _reference(code, degree, raw, labels):
    """Losses of the rows (n,) and derivatives (n_outputs, n), in plain numpy."""
    n_outputs, n = raw.shape
    if labels.shape[1] > 1:
        sign = 2.0 * labels.T - 1.0
    elif n_outputs == 1:
        sign = 2.0 * (labels.T == 1) - 1.0
    else:
        sign = 2.0 * (labels[:, 0] == np.arange(n_outputs)[:, None]) - 1.0
    if code == HINGE:
        gap = np.maximum(1 - sign * raw, 0)
        return (gap**degree).sum(axis=0), -degree * sign * gap ** (degree - 1)
    if code == LOGISTIC:
        return np.logaddexp(0, -sign * raw).sum(axis=0), -sign * expit(-sign * raw)
    value = logsumexp(raw, axis=0) - raw[labels[:, 0], np.arange(n)]
    p = softmax(raw, axis=0)
    others = np.where(sign == 1, 0, p).sum(axis=0)  # 1 - p without cancellation
    return value, np.where(sign == 1, -others, p)


@pytest.mark.parametrize(
    ("code", "degree"),
    [
        (HINGE, 2.0),
        (HINGE, 2.5),
        (HINGE, 3.0),
        (HINGE, 4.0),
        (LOGISTIC, 0),
        (SOFTMAX, 0),
    ],
)
@pytest.mark.parametrize("kind", ["two", "several", "multilabel", "two labels"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_kernels(kind, code, degree, dtype):
    rng = np.random.RandomState(0)
    n, n_outputs = 9, {"two": 1, "several": 3, "multilabel": 3, "two labels": 2}[kind]
    if code == SOFTMAX and kind != "several":
        n_outputs, kind = 4, "several"
    raw = (2.0 * rng.normal(size=(n_outputs, n))).astype(dtype)
    raw[:, 0] = rng.permutation(np.linspace(-40, 40, n_outputs))
    if "label" in kind:
        labels = rng.randint(2, size=(n, n_outputs)).astype(np.int32)
    else:
        labels = rng.randint(max(n_outputs, 2), size=(n, 1)).astype(np.int32)
    weights = rng.uniform(0.5, 2, size=n)
    values, derivatives = _reference(code, degree, raw.astype(float), labels)
    work = np.full(3 * n + 5, np.nan)
    found = raw.copy()
    value = loss_gradient(code, degree, found, labels, weights, work)
    exact = 1e-12 if dtype == np.float64 else 2e-6
    np.testing.assert_allclose(value, values @ weights, rtol=exact)
    np.testing.assert_allclose(
        found, derivatives * weights, rtol=10 * exact, atol=exact * 1e-6
    )
    assert np.isnan(work[3 * n :]).all()  # no more room than it is given


@pytest.mark.parametrize(("dtype", "edge"), [(np.float32, 60.0), (np.float64, 460.0)])
def test_tiny_derivatives_are_zero_beyond_the_edge(dtype, edge):
    for code, n_outputs, label in ((LOGISTIC, 1, 1), (SOFTMAX, 2, 0)):
        for distance, is_zero in ((edge - 0.5, False), (edge + 0.5, True)):
            raw = np.zeros((n_outputs, 1), dtype)
            raw[0] = distance
            labels = np.array([[label]], dtype=np.int32)
            loss_gradient(code, 0.0, raw, labels, np.ones(1), np.empty(3))
            assert (raw[0, 0] == 0) == is_zero


@pytest.mark.parametrize(
    ("loss", "several"),
    [(PolynomialHinge(d), False) for d in (2.5, 3.0, 4.0)]
    + [(LogLoss(), False), (LogLoss(), True)],
)
def test_curvature(loss, several):
    raw = np.array([[0.3, -1.7, 0.4], [2.5, 0.1, -0.2]])
    label = np.array([[0], [2]], dtype=np.int32)
    sign = signs(label, 3)
    step, found = 1e-6, loss.curvature(raw, sign, several)
    for k in range(3):
        for at in (0, 1):
            slopes = []
            for move in (step, -step):
                moved = raw.T.copy()
                moved[k, at] += move
                loss.into_gradient(moved, label, np.ones(2), several)
                slopes.append(moved[k, at])
            expected = (slopes[0] - slopes[1]) / (2 * step)
            np.testing.assert_allclose(found[at, k], expected, rtol=1e-6, atol=1e-8)


def test_curvature_of_the_quadratic_hinge():
    found = PolynomialHinge(2.0).curvature(
        np.array([[0.5, 1.5]]), np.ones((1, 2)), False
    )
    np.testing.assert_array_equal(found, [[2.0, 0.0]])


def test_signs():
    np.testing.assert_array_equal(
        signs(np.array([[0], [2]]), 3), [[1, -1, -1], [-1, -1, 1]]
    )
    np.testing.assert_array_equal(signs(np.array([[0, 1, 1]]), 3), [[-1, 1, 1]])
    np.testing.assert_array_equal(signs(np.array([[0], [1]]), 1), [[-1], [1]])
    assert signs(np.array([[0, 1]]), 2).dtype == np.int8


def test_names_codes_and_defaults():
    hinge, log = PolynomialHinge(), LogLoss()
    assert hinge.degree == 3.0 and log.degree == 0.0
    assert hinge.attains_minimum and hinge.unit_margin
    assert not log.attains_minimum and not log.unit_margin
    assert hinge.link_name(True) == hinge.link_name(False) == "hinge"
    assert (log.link_name(False), log.link_name(True)) == ("logistic", "softmax")
    assert hinge.code(True) == hinge.code(False) == HINGE
    assert (log.code(False), log.code(True)) == (LOGISTIC, SOFTMAX)
    with pytest.raises(AttributeError):
        hinge.degree = 2.0
    with pytest.raises(AttributeError):
        log.degree = 2.0


def test_minimum_of_empty_and_one_sided_groups():
    counts = np.array([[[0.0, 0.0]], [[0.5, 0.0]], [[0.25, 0.25]], [[1e-3, 3.0]]])
    least = PolynomialHinge(2.0).minimum(counts)
    expected = [0, 0, 4 * 0.25 / 2, 4 * 3e-3 / 3.001]
    np.testing.assert_allclose(least, expected, rtol=1e-12)
    entropy = LogLoss().minimum(counts)
    expected = [0, 0, 0.5 * np.log(2), 3e-3 * 0]
    np.testing.assert_allclose(entropy[:3], expected[:3], rtol=1e-12)


def test_the_tail_of_the_hinge_probabilities():
    """Odds 1e-9 at the edge, from there on divided by 1 + distance, 2^-52 at least."""
    loss = PolynomialHinge(3.0)
    root = 1e-9**0.5
    edge = (1 - root) / (1 + root)
    for distance in (0.0, 1.0, 9.0):
        odds = 1e-9 / (1 + distance)
        found = loss.probabilities([-(edge + distance), edge + distance])
        np.testing.assert_allclose(found[0], odds / (1 + odds), rtol=1e-6)
        assert found[1] == 1.0 - found[0]
    far = loss.probabilities([-1e300, 1e300, 0.0])
    eps = np.finfo(float).eps
    np.testing.assert_array_equal(far, [eps, 1 - eps, 0.5])
    np.testing.assert_array_equal(LogLoss().probabilities([-1e3, 1e3]), [eps, 1 - eps])
    np.testing.assert_allclose(LogLoss().probabilities([0.7]), [expit(0.7)], rtol=1e-15)


def test_probabilities_of_classes():
    raw = np.array([[0.2, -0.4, 0.1], [0.3, 0.9, -0.8]])
    for loss in (PolynomialHinge(), LogLoss()):
        each = loss.probabilities(raw)
        labels = class_probabilities(loss, raw, multilabel=True)
        np.testing.assert_array_equal(labels, each)
        two = class_probabilities(loss, raw[:, 1:2], multilabel=False)
        np.testing.assert_array_equal(
            two, np.column_stack([1 - each[:, 1], each[:, 1]])
        )
    hinge = class_probabilities(PolynomialHinge(), raw, multilabel=False)
    each = PolynomialHinge().probabilities(raw)
    np.testing.assert_allclose(hinge, each / each.sum(axis=1)[:, None], rtol=1e-15)
    found = class_probabilities(LogLoss(), raw.astype(np.float32), multilabel=False)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, softmax(raw, axis=1), rtol=1e-6)
