"""Small problems with everything that makes a certificate wrong."""

import itertools

import numpy as np
from scipy.special import logsumexp

from skgoodmin.objective.duals.custom import PointwiseDual
from skgoodmin.objective.duals.hinge import HingeDual
from skgoodmin.objective.duals.huber import HuberDual
from skgoodmin.objective.duals.logistic import LogisticDual
from skgoodmin.objective.duals.softmax import SoftmaxDual
from skgoodmin.objective.duals.squared import SquaredDual


class SquaredHinge:
    """A loss of a user's: max(0, 1 - m)^2."""

    def value(self, raw, sign):
        return np.maximum(0.0, 1.0 - sign * raw) ** 2

    def derivative(self, raw, sign):
        return -2.0 * sign * np.maximum(0.0, 1.0 - sign * raw)


class OwnLogistic:
    """A loss of a user's that never reaches its infimum."""

    def value(self, raw, sign):
        return np.logaddexp(0.0, -sign * raw)

    def derivative(self, raw, sign):
        return -sign / (1.0 + np.exp(sign * raw))


class LogCosh:
    """A loss of a user's for real targets."""

    def value(self, raw, target):
        return np.logaddexp(raw - target, target - raw) - np.log(2.0)

    def derivative(self, raw, target):
        return np.tanh(raw - target)


class ScaledLogCosh(LogCosh):
    """The same times a number."""

    def __init__(self, scale):
        self.scale = scale

    def value(self, raw, target):
        return self.scale * super().value(raw, target)

    def derivative(self, raw, target):
        return self.scale * super().derivative(raw, target)


def rows(n, d, rng, *, rounded=False, constant=False, scale=1.0, weights=False):
    """x (n, d), group of identical rows (n,) ascending, shares (n,)."""
    x = rng.normal(size=(n, d))
    if rounded:
        x = np.round(x)
    if constant:
        x[:, -1] = 3.0
    x = x[np.lexsort(x.T)]
    new = np.r_[True, (x[1:] != x[:-1]).any(axis=1)]
    shares = rng.uniform(0.2, 2.0, size=n) if weights else np.ones(n)
    return x * scale, np.cumsum(new) - 1, shares / shares.sum()


def make_dual(name, shares, n_outputs, rng):
    """A loss with random labels or targets."""
    n = len(shares)
    if n_outputs == 1:
        signs = rng.choice([-1.0, 1.0], size=(1, n))
        labels = (signs[0] > 0).astype(int)
    else:
        labels = rng.integers(n_outputs, size=n)
        signs = np.where(labels == np.arange(n_outputs)[:, None], 1.0, -1.0)
    return {
        "hinge": lambda: HingeDual(signs, shares, 3.0),
        "hinge 2": lambda: HingeDual(signs, shares, 2.0),
        "hinge 4.5": lambda: HingeDual(signs, shares, 4.5),
        "logistic": lambda: LogisticDual(signs, shares),
        "softmax": lambda: SoftmaxDual(labels, n_outputs, shares),
        "squared": lambda: SquaredDual(rng.normal(size=(n_outputs, n)), shares),
        "huber": lambda: HuberDual(rng.normal(size=(n_outputs, n)), shares, 0.7),
        "own targets": lambda: PointwiseDual(
            rng.normal(size=(n_outputs, n)), shares, LogCosh()
        ),
        "own": lambda: PointwiseDual(signs, shares, SquaredHinge()),
        "own logistic": lambda: PointwiseDual(signs, shares, OwnLogistic()),
    }[name]()


def loss_of(dual, raw):
    """Losses (n, ...) of the rows times their shares, from the formulas."""
    shape = (-1,) + (1,) * (raw.ndim - 2)
    share = dual.shares.reshape(shape)
    if isinstance(dual, SoftmaxDual):
        picked = np.take_along_axis(raw, dual.labels.reshape(1, *shape), axis=0)[0]
        return share * (logsumexp(raw, axis=0) - picked)
    if isinstance(dual, HuberDual):
        size = np.abs(raw - dual.targets.reshape(len(raw), *shape))
        near, far = size**2 / (2 * dual.epsilon), size - dual.epsilon / 2
        return share * np.where(size <= dual.epsilon, near, far).sum(axis=0)
    if isinstance(dual, SquaredDual):
        target = dual.targets.reshape(len(raw), *shape)
        return share * 0.5 * ((raw - target) ** 2).sum(axis=0)
    if isinstance(dual, PointwiseDual):
        target = np.broadcast_to(dual.targets.reshape(len(raw), *shape), raw.shape)
        return share * dual.loss.value(raw, target).sum(axis=0)
    m = dual.signs.reshape(len(raw), *shape) * raw
    if isinstance(dual, HingeDual):
        return share * (np.maximum(0, 1 - m) ** dual.degree).sum(axis=0)
    return share * np.logaddexp(0, -m).sum(axis=0)


def best_over_intercepts(x, residuals, w):
    """max_b ||sum_i R_i relu(w.x_i + b)||, all breakpoints, one after the other."""
    z = x @ w
    return max(np.linalg.norm(residuals @ np.maximum(z - knot, 0.0)) for knot in z)


def direction(angle):
    return np.array([np.cos(angle), np.sin(angle)])


def exact_polar(x, residuals):
    """One and two features: lines through pairs of rows, and the best in between."""
    if x.shape[1] == 1:
        return max(
            best_over_intercepts(x, residuals, np.array([s])) for s in (1.0, -1.0)
        )
    angles = [0.0]
    for i, j in itertools.combinations(range(len(x)), 2):
        dx, dy = x[i] - x[j]
        if dx or dy:
            # w orthogonal to x_i - x_j: there the order of the rows changes.
            angles += [np.arctan2(dx, -dy), np.arctan2(-dx, dy)]
    angles = np.unique(np.mod(angles, 2 * np.pi))
    best = 0.0
    ends = np.r_[angles, angles[0] + 2 * np.pi]
    for left, right in itertools.pairwise(ends):
        best = max(best, best_over_intercepts(x, residuals, direction(left)))
        # In between the rows keep their order, and the sum over those above each row
        # is a linear function of w: its largest size on the arc.
        z = x @ direction(0.5 * (left + right))
        order = np.argsort(-z)
        for k in range(1, len(x)):
            above, pinned = order[:k], x[order[k]]
            G = residuals[:, above] @ (x[above] - pinned)
            for angle in np.linspace(left, right, 9):
                best = max(best, np.linalg.norm(G @ direction(angle)))
            if len(residuals) == 1:
                angle = np.arctan2(G[0, 1], G[0, 0])
                for turn in (0, np.pi, 2 * np.pi, 3 * np.pi):
                    if left <= angle + turn <= right:
                        best = max(best, np.linalg.norm(G))
    return best


LOSSES = (
    "hinge",
    "hinge 2",
    "hinge 4.5",
    "logistic",
    "squared",
    "huber",
    "own",
    "own logistic",
    "own targets",
)
