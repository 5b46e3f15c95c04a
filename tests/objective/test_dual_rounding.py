"""Values of dual points are below D itself, to the last place: against 50 digits."""

import math
from decimal import Decimal, localcontext

import numpy as np
import pytest
from dual_cases import LogCosh, OwnLogistic, ScaledLogCosh, SquaredHinge

from skgoodmin.objective.duals.custom import PointwiseDual
from skgoodmin.objective.duals.dual import balance_groups
from skgoodmin.objective.duals.hinge import HingeDual
from skgoodmin.objective.duals.huber import HuberDual
from skgoodmin.objective.duals.logistic import LogisticDual
from skgoodmin.objective.duals.softmax import SoftmaxDual
from skgoodmin.objective.duals.squared import SquaredDual


@pytest.fixture(autouse=True)
def fifty_digits():
    with localcontext(prec=50):
        yield


def hinge(p):
    return lambda tau: tau - (p - 1) * (tau / p) ** (p / (p - 1))


def entropy(tau):
    return -tau * tau.ln() - (1 - tau) * (1 - tau).ln()


def log_cosh(r):
    """-l* at the target 0: -r atanh(r) - log(1 - r^2) / 2."""
    return -(r * ((1 + r) / (1 - r)).ln() + (1 - r * r).ln()) / 2


# Dual of (signs or targets, shares), and -l* by tau = |R| / s, targets apart.
OF_LABELS = {
    "hinge": (lambda y, s: HingeDual(y, s, 3.0), hinge(Decimal(3))),
    "hinge 2": (lambda y, s: HingeDual(y, s, 2.0), hinge(Decimal(2))),
    "hinge 4.5": (lambda y, s: HingeDual(y, s, 4.5), hinge(Decimal("4.5"))),
    "logistic": (LogisticDual, entropy),
    "own": (lambda y, s: PointwiseDual(y, s, SquaredHinge()), hinge(Decimal(2))),
    "own logistic": (lambda y, s: PointwiseDual(y, s, OwnLogistic()), entropy),
}
OF_TARGETS = {
    "squared": (SquaredDual, lambda r: -r * r / 2),
    "huber": (lambda t, s: HuberDual(t, s, 0.75), lambda r: -3 * r * r / 8),
    "own targets": (lambda t, s: PointwiseDual(t, s, LogCosh()), log_cosh),
}


def pairs(rng):
    """Shares (2 m,), and R (1, 2 m) with |R| < s that sums to 0 exactly."""
    m = rng.integers(1, 6)
    shares = np.repeat(rng.uniform(0.1, 1.0, size=m), 2)
    shares /= shares.sum()
    size = shares[::2] * rng.uniform(0.0, 0.99, size=m) ** rng.integers(1, 9)
    return shares, np.ravel([size, -size], order="F")[None]


def exact(*rows):
    """The floats of each row as Decimals."""
    return [[Decimal(float(v)) for v in row] for row in rows]


def check(value, worth, size):
    value = Decimal(float(value))
    assert value <= worth
    assert value >= worth - Decimal("1e-8") * size


@pytest.mark.parametrize("loss", OF_LABELS)
def test_losses_of_labels(loss):
    dual, worth = OF_LABELS[loss]
    rng = np.random.default_rng(0)
    for _ in range(300):
        shares, point = pairs(rng)
        s, r = exact(shares, point[0])
        terms = [a * worth(abs(b) / a) for a, b in zip(s, r, strict=True)]
        check(dual(-np.sign(point), shares).value(point), sum(terms), 1)


@pytest.mark.parametrize("loss", OF_TARGETS)
def test_losses_of_targets(loss):
    dual, worth = OF_TARGETS[loss]
    rng = np.random.default_rng(1)
    for _ in range(300):
        shares, point = pairs(rng)
        targets = rng.normal(size=point.shape)
        s, r, t = exact(shares, point[0], targets[0])
        terms = [a * worth(b / a) - b * c for a, b, c in zip(s, r, t, strict=True)]
        check(dual(targets, shares).value(point), sum(terms), 10)


@pytest.mark.parametrize("scale", [1e-165, 1e-318])
@pytest.mark.parametrize("loss", [*OF_LABELS, *OF_TARGETS])
def test_tiny_shares(loss, scale):
    """Squares of residuals underflow, or residuals have a few digits left."""
    is_label = loss in OF_LABELS
    dual, worth = (OF_LABELS if is_label else OF_TARGETS)[loss]
    rng = np.random.default_rng(3)
    for _ in range(100):
        shares, point = pairs(rng)
        shares = scale * shares
        point = np.sign(point) * np.minimum(abs(scale * point), 0.9 * shares)
        targets = -np.sign(point) if is_label else rng.normal(size=point.shape)
        with np.errstate(all="ignore"):
            value = dual(targets, shares).value(point)
        terms = []
        for a, b, c in zip(*exact(shares, point[0], targets[0]), strict=True):
            if b:
                each = worth(abs(b) / a) if is_label else worth(b / a) - b * c / a
                terms.append(a * each)
        assert value == -np.inf or Decimal(float(value)) <= sum(terms)


def test_softmax():
    """Each row of a pair loses to the label of the other one as much as that to it."""
    rng = np.random.default_rng(2)
    for _ in range(300):
        shares, flow = pairs(rng)
        labels = np.tile(rng.permutation(3)[:2], len(shares) // 2)
        rows = np.arange(len(shares))
        point = np.zeros((3, len(shares)))
        point[np.roll(labels, 1), rows] = abs(flow[0])
        point[labels, rows] = -abs(flow[0])
        s, r = exact(shares, flow[0])
        terms = [a * entropy(abs(b) / a) for a, b in zip(s, r, strict=True)]
        check(SoftmaxDual(labels, 3, shares).value(point), sum(terms), 1)


@pytest.mark.parametrize("scale", [1.0, 1000.0])
def test_a_value_of_the_users_that_is_a_difference(scale):
    """Two equal rows with targets d and -d: log cosh(d) loses most of its digits."""
    for d in np.geomspace(1e-5, 1e-2, 200):
        dual = PointwiseDual([[d, -d]], [0.5, 0.5], ScaledLogCosh(scale))
        x = Decimal(float(d))
        least = Decimal(scale) * ((x.exp() + (-x).exp()) / 2).ln()
        assert Decimal(dual.value(dual.pointwise(np.zeros(2, int)))) <= least


def test_large_groups_are_balanced_to_the_last_place():
    """Summed one after the other they would be off by 1e-12 and more."""
    r = np.repeat([0.1, -0.7, 0.3, -0.2], [600_000, 400_000, 3, 2])
    balanced = balance_groups(r, np.repeat([0, 1], [1_000_000, 5]))
    for group in (balanced[:1_000_000], balanced[1_000_000:]):
        assert abs(math.fsum(group)) <= 2e-16 * abs(group).sum()


def test_large_classes_are_balanced_to_the_last_place():
    rng = np.random.default_rng(3)
    n = 600_000
    labels = rng.choice(3, size=n, p=[0.7, 0.2, 0.1])
    dual = SoftmaxDual(labels, 3, np.full(n, 1.0 / n))
    raw = np.where(rng.random(n) < 0.5, [[0.4], [0.0], [0.3]], [[0.0], [0.9], [0.0]])
    point = dual.balance(dual.loss_and_gradient(raw)[1])
    for row in point:
        assert abs(math.fsum(row)) <= 1e-14 * abs(row).sum()
