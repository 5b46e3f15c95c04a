"""The conjugate of a loss of the user's own: tangents; see :mod:`.dual`."""

from dataclasses import dataclass

import numpy as np

from .dual import INSIDE, REACH, ROUNDING, Dual, total

DISTANCES = 1.0, 8.0, 50.0  # from a label or target, where a loss has a size
LEAST, MOST = 1e-9, 1e9  # of that size
# Of a user's value, relative to its size nearby.
OWN_ROUNDING = 64.0 * float(np.finfo(np.float64).eps)
CLEAR = 1e-12  # relative distance of the ends' slopes from that which is looked for


@dataclass
class _Tangents:
    """Tangents of a convex function at points (..., n)."""

    at: np.ndarray
    value: np.ndarray
    slope: np.ndarray


def difference_of_slopes(loss, raw, y):
    """d2l/df2 of a loss of one's own by differences of its derivative, elementwise."""
    h = 1e-4 * (1.0 + np.abs(raw))
    return (loss.derivative(raw + h, y) - loss.derivative(raw - h, y)) / (2.0 * h)


def size_nearby(loss, y):
    """A user's loss one unit from labels or targets y; farther where that is nothing.

    Its value there says what is large and what is small.
    """
    near = np.zeros_like(y)
    for distance in DISTANCES:
        there = np.maximum(loss.value(y - distance, y), loss.value(y + distance, y))
        near = np.where(near < LEAST, there, near)
    return near


def rounding_of_values(loss, size, y):
    """What a user's values may be wrong by at raw predictions up to a size.

    One that is a difference, as log(cosh), is not known to its own last place: near its
    label or target y, what it loses there may be all of it.
    """
    return OWN_ROUNDING * size_nearby(loss, y) * (1.0 + size)


class PointwiseDual(Dual):
    """A loss of the user's own: ``value(raw, y)`` and ``derivative(raw, y)``.

    For a slope r a bracket f1 < f2 with l'(f1) <= r <= l'(f2) is halved. l is above
    both tangents, so with a_j = l(f_j) - r f_j, d1 = r - l'(f1), d2 = l'(f2) - r >= 0

        -l*(r) = min_f l(f) - r f >= (a1 d2 + a2 d1 - d1 d2 (f2 - f1)) / (d1 + d2)

    where the tangents meet; outside the bracket they rise. That is a bound however
    early the halving stops. A row with R = 0 is worth the infimum of l: at least 0.
    Where no bracket is found (r beyond the range of the slopes) D is -inf: no bound.

    Parameters
    ----------
    targets : ndarray of shape (K, n)
        Signs +1 and -1, or real targets.
    shares : ndarray of shape (n,)
    loss : PointwiseLoss or TargetwiseLoss
    """

    def __init__(self, targets, shares, loss):
        self.targets = np.asarray(targets, dtype=np.float64)
        self.n_outputs = len(self.targets)
        self.shares = np.asarray(shares, dtype=np.float64)
        self.reach = REACH - 1.0 + np.abs(self.targets).max(initial=1.0)
        self.loss = loss

    def loss_and_gradient(self, raw):
        """See :class:`Dual`."""
        with np.errstate(all="ignore"):
            value = self.loss.value(raw, self.targets) * self.shares
            return total(value), self.loss.derivative(raw, self.targets) * self.shares

    def curvature(self, raw):
        """See :class:`Dual`; by differences of the derivative."""
        with np.errstate(all="ignore"):
            curvature = difference_of_slopes(self.loss, raw, self.targets)
        return self.shares * np.maximum(np.nan_to_num(curvature), 0.0)

    def balance(self, residuals):
        """See :class:`Dual`; rows too small to be found by a bracket become 0."""
        tau = np.abs(residuals / self.shares)
        kept = np.where(tau > 1e-12 * tau.max(initial=0.0), residuals, 0.0)
        return super().balance(kept) * INSIDE

    def _value(self, residuals):
        """See :class:`Dual`."""
        slope = residuals / self.shares
        some = slope != 0
        if not some.any():
            return 0.0
        r, sign = slope[some], self.targets[some]
        shares = np.broadcast_to(self.shares, slope.shape)[some]
        with np.errstate(all="ignore"):
            bound = self._of_slopes(r, sign)
        if bound is None or not np.isfinite(bound).all():
            return -np.inf
        size = float(np.sum(shares * np.abs(bound)))
        return float(np.sum(shares * bound)) - 4.0 * ROUNDING * size

    def smooth(self, residuals):
        """See :class:`Dual`: min over |f| <= reach of l(f) - r f."""
        slope = residuals / self.shares
        left, right = np.full((2, *slope.shape), -self.reach)
        right = -left
        for _ in range(40):
            middle = 0.5 * (left + right)
            below = self.loss.derivative(middle, self.targets) <= slope
            left, right = np.where(below, middle, left), np.where(below, right, middle)
        value = self.shares * self.loss.value(left, self.targets) - residuals * left
        return float(np.sum(value)), -left

    def _of_slopes(self, r, sign):
        """Lower bound of -l* for each slope (m,), rounding taken off, or None."""
        # Both ends keep clear of r by more than the slopes are rounded: beyond an end
        # the tangent has to rise.
        below, above = r - CLEAR * np.abs(r), r + CLEAR * np.abs(r)
        derivative = self.loss.derivative
        left, right = -np.ones_like(r), np.ones_like(r)
        for _ in range(30):
            low, high = derivative(left, sign) > below, derivative(right, sign) < above
            if not (low.any() or high.any()):
                break
            left = np.where(low, 2 * left, left)
            right = np.where(high, 2 * right, right)
        else:
            return None
        for k in range(60):
            # Not always the middle, which may be the one point that is not clear.
            middle = left + (0.5, 0.39, 0.61)[k % 3] * (right - left)
            slope = derivative(middle, sign)
            left = np.where(slope <= below, middle, left)
            right = np.where(slope >= above, middle, right)
        a, b = (
            _Tangents(f, self.loss.value(f, sign), derivative(f, sign))
            for f in (left, right)
        )
        # The slope of a tangent is known up to its rounding: half a bracket's width of
        # it is far less than what is taken off for the values.
        first, second = a.value - r * a.at, b.value - r * b.at
        d1, d2 = np.maximum(r - a.slope, 0.0), np.maximum(b.slope - r, 0.0)
        both = d1 + d2
        meet = (first * d2 + second * d1 - d1 * d2 * (b.at - a.at)) / np.where(
            both > 0, both, 1.0
        )
        bound = np.where(both > 0, meet, np.minimum(first, second))
        size = (
            np.abs(a.value)
            + np.abs(b.value)
            + np.abs(r) * (np.abs(a.at) + np.abs(b.at))
        )
        of_values = rounding_of_values(self.loss, np.abs(a.at) + np.abs(b.at), sign)
        return bound - 16.0 * ROUNDING * size - of_values
