"""Pointwise minimum and link against a search on a grid; curvature, probabilities.

Value and gradient of the kernels are tested beside the kernels, and through the
objective.
"""

import numpy as np
import pytest
from problems import all_losses
from scipy.optimize import minimize_scalar
from scipy.special import expit, softmax

from skgoodmin.objective.losses import LOSSES, Logistic, PolynomialHinge, Softmax

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


@pytest.mark.parametrize("loss", [Logistic(), Softmax()])
def test_minimum_of_log_loss_is_the_entropy(loss):
    least = loss.minimum(np.array([[[1.0, 2.0]], [[4.0, 0.0]]]))
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


LABEL = np.array([[0], [2]], dtype=np.int32)
LABELS = np.array([[0, 1, 1], [1, 0, 1]], dtype=np.int32)


@pytest.mark.parametrize("labels", [LABEL, LABELS], ids=["class", "labels"])
@pytest.mark.parametrize(
    "loss", [PolynomialHinge(d) for d in (2.5, 4.0)] + all_losses(3.0), ids=str
)
def test_curvature(loss, labels):
    if isinstance(loss, Softmax):
        labels = LABEL
    raw = np.array([[0.3, -1.7, 0.4], [2.5, 0.1, -0.2]])
    step, found = 1e-6, loss.curvature(raw, labels)
    for k in range(3):
        for at in (0, 1):
            slopes = []
            for move in (step, -step):
                moved = raw.T.copy()
                moved[k, at] += move
                loss.into_gradient(moved, labels, np.ones(2))
                slopes.append(moved[k, at])
            expected = (slopes[0] - slopes[1]) / (2 * step)
            np.testing.assert_allclose(found[at, k], expected, rtol=1e-6, atol=1e-8)


def test_curvature_of_the_quadratic_hinge():
    found = PolynomialHinge(2.0).curvature(
        np.array([[0.5, 1.5]]), np.ones((1, 2), np.int32)
    )
    np.testing.assert_array_equal(found, [[2.0, 0.0]])


def test_links_tell_losses_apart():
    links = [loss.link for loss in all_losses()]
    assert len(set(links)) == len(links)  # what out_activation_ tells apart


def test_a_degree_reaches_the_loss_that_has_one():
    for make in LOSSES["poly_hinge"]:
        assert make(2.5) == PolynomialHinge(2.5) != make(2.0)


def test_links_and_defaults():
    hinge = PolynomialHinge()
    assert hinge.degree == 3.0 and hinge.link == "hinge"
    assert hinge.attains_minimum and hinge.unit_margin
    assert isinstance(LOSSES["log_loss"].of_labels(3.0), Logistic)
    assert isinstance(LOSSES["log_loss"].of_classes(3.0), Softmax)
    assert (Logistic().link, Softmax().link) == ("logistic", "softmax")
    for log in (Logistic(), Softmax()):
        assert log.parameter == 0.0
        assert not log.attains_minimum and not log.unit_margin
    with pytest.raises(AttributeError):
        hinge.degree = 2.0


def test_minimum_of_empty_and_one_sided_groups():
    counts = np.array([[[0.0, 0.0]], [[0.5, 0.0]], [[0.25, 0.25]], [[1e-3, 3.0]]])
    least = PolynomialHinge(2.0).minimum(counts)
    expected = [0, 0, 4 * 0.25 / 2, 4 * 3e-3 / 3.001]
    np.testing.assert_allclose(least, expected, rtol=1e-12)
    share = 1e-3 / 3.001
    rest = -3.001 * (share * np.log(share) + (1 - share) * np.log1p(-share))
    for loss in (Logistic(), Softmax()):
        expected = [0, 0, 0.5 * np.log(2), rest]
        np.testing.assert_allclose(loss.minimum(counts), expected, rtol=1e-12)


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
    np.testing.assert_array_equal(Logistic().probabilities([-1e3, 1e3]), [eps, 1 - eps])
    np.testing.assert_allclose(
        Logistic().probabilities([0.7]), [expit(0.7)], rtol=1e-15
    )


def test_probabilities_of_the_softmax():
    raw = np.array([[0.2, -0.4, 0.1], [0.3, 0.9, -0.8]])
    found = Softmax().probabilities(raw.astype(np.float32))
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, softmax(raw, axis=1), rtol=1e-6)


def test_counts():
    weights, group = np.array([0.5, 2.0, 4.0]), np.array([0, 0, 1])
    classes = np.array([[0], [2], [2]], dtype=np.int32)
    of_classes = Softmax().counts(classes, weights, group, 3)
    np.testing.assert_array_equal(of_classes, [[[0.5, 0, 2]], [[0, 0, 4]]])
    for loss in (PolynomialHinge(), Logistic()):
        of_outputs = loss.counts(classes, weights, group, 3)
        first = [[2.0, 0.5], [2.5, 0], [0.5, 2]]
        second = [[4.0, 0], [4, 0], [0, 4]]
        np.testing.assert_array_equal(of_outputs, [first, second])
    nothing = np.empty(0, int)
    empty = classes[:0], weights[:0], nothing
    assert Softmax().counts(*empty, 3).shape == (0, 1, 3)
    assert Logistic().counts(*empty, 3).shape == (0, 3, 2)
