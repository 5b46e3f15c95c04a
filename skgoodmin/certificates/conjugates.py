"""Conjugates of the losses: what a dual point is worth.

With shares s_i (sum 1) and a matrix R of K rows, one a output, n columns,

    D(R) = -sum_i s_i l_i*(R_i / s_i) = min over all f of sum_i s_i l_i(f_i) - sum R_ki f_ki

so the mean loss of *any* predictions f is at least D(R) + sum R_ki f_ki. With
tau = -y R / s, y = +1 or -1:

========= ==================================================== ====================
loss      -l*                                                  domain
========= ==================================================== ====================
hinge     tau - (p-1) (tau/p)^(p/(p-1))                        tau >= 0
logistic  -tau log tau - (1-tau) log(1-tau)                    0 <= tau <= 1
softmax   -sum_k q_k log q_k, q = R_i / s_i + [k = label]      q in the simplex
squared   -r t - r^2/2, r = R / s, l = (f - t)^2 / 2           everywhere
a user's  from tangents at both ends of a bracket of l'(f) = r range of l'
========= ==================================================== ====================

Outputs add up, but for softmax, one loss of all of them. Outside the domain D is -inf.

**Balanced.** The intercepts of the output are not penalised, so a dual point that bounds
networks needs sum_i R_ki = 0 for every k. Shrinking entries towards 0 never leaves the
domain of a loss whose l*(0) is finite, so the heavier sign of each output is shrunk. A
softmax column must keep its sum over the outputs, too: see :meth:`SoftmaxDual.balance`.

**Rounded down.** Let R* be the exactly balanced point next to the R in memory. Entries of
R* differ from those of R by a few units in the last place (sums are exactly rounded, by
``math.fsum``). ``value`` takes off ROUNDING times the sizes of all its terms and of
tau dD/dtau: some thousand times more than that difference and its own sums can make, so
that what it returns is at most D(R*).
"""

import copy
import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import expit, xlog1py, xlogy

ROUNDING = 1e-11
INSIDE = 1.0 - 1e-10  # of the domain: R* is where R is, but for units in the last place


def shrink_to_balance(r):
    """Shrink the heavier sign of a vector, so that it sums to 0; (n,) -> (n,)."""
    up, down = math.fsum(r[r > 0]), -math.fsum(r[r < 0])
    least = min(up, down)
    if not least > 0:
        return np.zeros_like(r)
    return np.where(r > 0, r * (least / up), r * (least / down))


def _row_sums(terms):
    """Sum of a (K, n) array; numpy adds pairwise."""
    return float(np.sum(np.ascontiguousarray(terms)))


class Dual:
    """A loss on given rows: its gradient, and the value of dual points.

    Attributes
    ----------
    shares : ndarray of shape (n,)
        Weights of the rows, sum 1.
    """

    def loss_and_gradient(self, raw):
        """Mean loss of raw predictions (K, n), and its gradient (K, n)."""
        raise NotImplementedError

    def value(self, residuals):
        """At most D(R*) for the balanced R* next to R (K, n); -inf outside."""
        raise NotImplementedError

    def take(self, rows):
        """The same loss on some of the rows, their shares unchanged."""
        other = copy.copy(self)
        for name in ("signs", "targets"):
            if hasattr(self, name):
                setattr(other, name, getattr(self, name)[:, rows])
        other.shares = self.shares[rows]
        return other

    def smooth(self, residuals):
        """(D(R), dD/dR) for a solver, concave and finite beyond the domain too.

        None where the loss has no such form.
        """
        return None

    def balance(self, residuals):
        """A point of the domain near R (K, n) whose rows sum to 0."""
        return np.array([shrink_to_balance(r) for r in residuals])

    def pointwise(self, group):
        """The best dual point that cancels in groups of identical rows.

        Its D is the least loss of predictions that are free but for being equal in a
        group: the pointwise lower bound. Every neuron sees 0 in it.

        Parameters
        ----------
        group : ndarray of shape (n,)
            Number of the group of each row, ascending.

        Returns
        -------
        residuals : ndarray of shape (K, n), or None
            None where no group has two rows: the point is 0 then.
        """
        size = np.bincount(group)
        shared = size[group] > 1
        if not shared.any():
            return None
        left, right = np.full((2, self.n_outputs, len(size)), -64.0)
        right = -left
        # All groups and outputs at once: the slope of a group's loss is monotone.
        for _ in range(60):
            middle = 0.5 * (left + right)
            gradient = self.loss_and_gradient(middle[:, group])[1]
            slope = np.array([np.bincount(group, g, len(size)) for g in gradient])
            left, right = (
                np.where(slope < 0, middle, left),
                np.where(slope < 0, right, middle),
            )
        residuals = self.loss_and_gradient(right[:, group])[1] * shared * INSIDE
        return np.array([_balance_groups(r, group) for r in residuals])


def _balance_groups(r, group):
    """Shrink the heavier sign within every group; (n,) -> (n,)."""
    up = np.bincount(group, np.maximum(r, 0.0))[group]
    down = np.bincount(group, np.maximum(-r, 0.0))[group]
    least = np.minimum(up, down)
    with np.errstate(invalid="ignore", divide="ignore"):
        factor = np.where(r > 0, least / up, least / down)
    return np.where((r != 0) & (least > 0), r * factor, 0.0)


class MarginDual(Dual):
    """Losses of margins y f, one a output.

    Parameters
    ----------
    signs : ndarray of shape (K, n)
        +1 and -1.
    shares : ndarray of shape (n,)
    """

    def __init__(self, signs, shares):
        self.signs = np.asarray(signs, dtype=np.float64)
        self.shares = np.asarray(shares, dtype=np.float64)

    @property
    def n_outputs(self):
        """Number of outputs K."""
        return len(self.signs)

    def _tau(self, residuals):
        """-y R / s, (K, n); -0.0 and what is 0 stay in the domain."""
        return -self.signs * residuals / self.shares


class HingeDual(MarginDual):
    """max(0, 1 - m)^p."""

    def __init__(self, signs, shares, degree=3.0):
        super().__init__(signs, shares)
        self.degree = float(degree)

    def loss_and_gradient(self, raw):
        """See :class:`Dual`."""
        violation = np.maximum(0.0, 1.0 - self.signs * raw)
        power = violation ** (self.degree - 1.0)
        value = _row_sums(power * violation * self.shares)
        return value, -self.degree * self.signs * self.shares * power

    def value(self, residuals):
        """See :class:`Dual`."""
        tau = self._tau(residuals)
        if not tau.min(initial=0.0) >= 0:
            return -np.inf
        p = self.degree
        power = self.shares * (p - 1.0) * (tau / p) ** (p / (p - 1.0))
        linear, power = _row_sums(self.shares * tau), _row_sums(power)
        return linear - power - ROUNDING * (2.0 * linear + 4.0 * power)

    def smooth(self, residuals):
        """See :class:`Dual`: -l*' = 1 - (tau/p)^(1/(p-1))."""
        tau, p = np.maximum(self._tau(residuals), 0.0), self.degree
        root = (tau / p) ** (1.0 / (p - 1.0))
        value = float(np.sum(self.shares * tau * (1.0 - (p - 1.0) / p * root)))
        return value, -self.signs * (1.0 - root)


class LogisticDual(MarginDual):
    """log(1 + e^-m)."""

    def loss_and_gradient(self, raw):
        """See :class:`Dual`."""
        margin = self.signs * raw
        value = _row_sums(self.shares * np.logaddexp(0.0, -margin))
        return value, -self.signs * self.shares * expit(-margin)

    def balance(self, residuals):
        """See :class:`Dual`."""
        return super().balance(residuals) * INSIDE

    def value(self, residuals):
        """See :class:`Dual`."""
        tau = self._tau(residuals)
        if not (tau.min(initial=0.0) >= 0 and tau.max(initial=0.0) <= INSIDE + 1e-12):
            return -np.inf
        first, second = -xlogy(tau, tau), -xlog1py(1.0 - tau, -tau)
        entropy = _row_sums(self.shares * (first + second))
        moved = _row_sums(self.shares * (first - xlog1py(tau, -tau)))
        return entropy - ROUNDING * (2.0 * entropy + 2.0 * moved)

    def smooth(self, residuals):
        """See :class:`Dual`: the entropy, with tangents beyond 1e-9 and 1 - 1e-6."""
        tau = self._tau(residuals)
        inside = np.clip(tau, 1e-9, 1.0 - 1e-6)
        slope = np.log1p(-inside) - np.log(inside)
        entropy = -xlogy(inside, inside) - xlog1py(1.0 - inside, -inside)
        value = float(np.sum(self.shares * (entropy + slope * (tau - inside))))
        return value, -self.signs * slope


class SoftmaxDual(Dual):
    """log(sum_k e^f_k) - f_label.

    Parameters
    ----------
    labels : ndarray of shape (n,)
        Class numbers 0 to K - 1.
    n_outputs : int
    shares : ndarray of shape (n,)
    """

    def __init__(self, labels, n_outputs, shares):
        self.labels = np.asarray(labels, dtype=np.int64)
        self.shares = np.asarray(shares, dtype=np.float64)
        self.n_outputs = n_outputs

    @cached_property
    def _onehot(self):
        """[k = label], (K, n) bool."""
        return np.arange(self.n_outputs)[:, None] == self.labels

    def take(self, rows):
        """See :class:`Dual`."""
        return SoftmaxDual(self.labels[rows], self.n_outputs, self.shares[rows])

    def loss_and_gradient(self, raw):
        """See :class:`Dual`."""
        raw = raw - raw.max(axis=0)
        e = np.exp(raw)
        total = e.sum(axis=0)
        label = np.take_along_axis(raw, self.labels[None], axis=0)[0]
        value = float(np.sum(self.shares * (np.log(total) - label)))
        return value, self._close(np.where(self._onehot, 0.0, e / total) * self.shares)

    def _close(self, flow):
        """Columns that sum to 0 from what the label loses to the other outputs."""
        return np.where(self._onehot, -flow.sum(axis=0), flow)

    def balance(self, residuals):
        """See :class:`Dual`.

        The entries at the other outputs are a flow from the label to them. All rows of
        class c together send T_ck to class k; balanced means that every class gets
        what it sends. What class c gets too much, it has to pass on to classes k that
        get too little: F_ck, spread over its rows by their shares, is a larger
        probability q_k there. With f the largest of sum_k F_ck / S_c the convex
        combination (flow + F) / (1 + f) keeps every q in the simplex:
        sum of the others <= (1 + f) / (1 + f).
        """
        flow = np.where(self._onehot, 0.0, np.maximum(residuals, 0.0))
        share = np.bincount(self.labels, self.shares, self.n_outputs)
        flow[share == 0] = 0.0  # a class without rows has nothing to pass on
        share = np.maximum(share, 1e-300)
        surplus = np.empty(self.n_outputs)
        for c in range(self.n_outputs):
            own = self.labels == c
            sent = math.fsum(flow[:, own].ravel())
            surplus[c] = math.fsum(flow[c]) - sent
        get, give = np.maximum(surplus, 0.0), np.maximum(-surplus, 0.0)
        total = give.sum()
        if total > 0:
            extra = np.outer(give / total, get / share)
            f = (get / share).max()
            flow = flow + np.where(
                self._onehot, 0.0, extra[:, self.labels] * self.shares
            )
            flow /= 1.0 + f
        return self._close(flow * INSIDE)

    def value(self, residuals):
        """See :class:`Dual`.

        R* is the closed and balanced flow next to that of R: the label's entries are
        what the others leave.
        """
        flow = np.where(self._onehot, 0.0, residuals) / self.shares
        rest = flow.sum(axis=0)
        if not (flow.min(initial=0.0) >= 0 and rest.max(initial=0.0) <= INSIDE + 1e-12):
            return -np.inf
        others = -_row_sums(self.shares * xlogy(flow, flow))
        label = -float(np.sum(self.shares * xlog1py(1.0 - rest, -rest)))
        moved = -float(np.sum(self.shares * xlog1py(rest, -rest)))
        return others + label - ROUNDING * (2.0 * others + 2.0 * label + 2.0 * moved)

    def pointwise(self, group):
        """See :class:`Dual`: the probabilities are the shares of the labels."""
        size = np.bincount(group)
        shared = size[group] > 1
        if not shared.any():
            return None
        total = np.bincount(group, self.shares)
        flow = np.zeros((self.n_outputs, len(group)))
        for k in range(self.n_outputs):
            own = np.bincount(group, self.shares * (self.labels == k), len(size))
            flow[k] = (own / total)[group] * self.shares
        return self._close(np.where(self._onehot | ~shared, 0.0, flow) * INSIDE)


class SquaredDual(Dual):
    """(f - t)^2 / 2, summed over the outputs.

    Parameters
    ----------
    targets : ndarray of shape (K, n)
    shares : ndarray of shape (n,)
    """

    def __init__(self, targets, shares):
        self.targets = np.asarray(targets, dtype=np.float64)
        self.shares = np.asarray(shares, dtype=np.float64)
        # A shift of the targets changes no balanced D, but its rounding.
        self._centre = (self.targets @ self.shares)[:, None]

    @property
    def n_outputs(self):
        """Number of outputs K."""
        return len(self.targets)

    def loss_and_gradient(self, raw):
        """See :class:`Dual`."""
        error = raw - self.targets
        return 0.5 * _row_sums(error * error * self.shares), error * self.shares

    def value(self, residuals):
        """See :class:`Dual`."""
        linear = residuals * (self.targets - self._centre)
        square = 0.5 * residuals * residuals / self.shares
        size = _row_sums(abs(linear)) + 2.0 * _row_sums(square)
        return -_row_sums(linear) - _row_sums(square) - 4.0 * ROUNDING * size

    def smooth(self, residuals):
        """See :class:`Dual`."""
        error = residuals / self.shares
        target = self.targets - self._centre
        value = -_row_sums(residuals * target) - 0.5 * _row_sums(residuals * error)
        return value, -target - error

    def pointwise(self, group):
        """See :class:`Dual`: the mean of each group."""
        if np.bincount(group).max() < 2:
            return None
        total = np.bincount(group, self.shares)
        rows = []
        for t in self.targets:
            mean = (np.bincount(group, t * self.shares) / total)[group]
            rows.append(_balance_groups((mean - t) * self.shares, group))
        return np.array(rows)


@dataclass
class _Tangents:
    """Tangents of a convex function at points (..., n)."""

    at: np.ndarray
    value: np.ndarray
    slope: np.ndarray


class PointwiseDual(MarginDual):
    """A loss of the user's own: ``value(raw, sign)`` and ``derivative(raw, sign)``.

    For a slope r a bracket f1 < f2 with l'(f1) <= r <= l'(f2) is halved. l is above
    both tangents, so with a_j = l(f_j) - r f_j, d1 = r - l'(f1), d2 = l'(f2) - r >= 0

        -l*(r) = min_f l(f) - r f >= (a1 d2 + a2 d1 - d1 d2 (f2 - f1)) / (d1 + d2)

    where the tangents meet; outside the bracket they rise. That is a bound however
    early the halving stops. A row with R = 0 is worth the infimum of l: at least 0.
    Where no bracket is found (r beyond the range of the slopes) D is -inf: no bound.
    """

    def __init__(self, signs, shares, loss):
        super().__init__(signs, shares)
        self.loss = loss

    def loss_and_gradient(self, raw):
        """See :class:`Dual`."""
        with np.errstate(all="ignore"):
            value = self.loss.value(raw, self.signs) * self.shares
            return _row_sums(value), self.loss.derivative(raw, self.signs) * self.shares

    def balance(self, residuals):
        """See :class:`Dual`; rows too small to be found by a bracket become 0."""
        tau = np.abs(self._tau(residuals))
        kept = np.where(tau > 1e-12 * tau.max(initial=0.0), residuals, 0.0)
        return super().balance(kept) * INSIDE

    def value(self, residuals):
        """See :class:`Dual`."""
        slope = residuals / self.shares
        some = slope != 0
        if not some.any():
            return 0.0
        r, sign = slope[some], self.signs[some]
        shares = np.broadcast_to(self.shares, slope.shape)[some]
        with np.errstate(all="ignore"):
            bound = self._of_slopes(r, sign)
        if bound is None or not np.isfinite(bound).all():
            return -np.inf
        size = float(np.sum(shares * np.abs(bound)))
        return float(np.sum(shares * bound)) - 4.0 * ROUNDING * size

    def smooth(self, residuals):
        """See :class:`Dual`: min over f in [-64, 64] of l(f) - r f."""
        slope = residuals / self.shares
        left, right = np.full((2, *slope.shape), -64.0)
        right = -left
        for _ in range(40):
            middle = 0.5 * (left + right)
            below = self.loss.derivative(middle, self.signs) <= slope
            left, right = np.where(below, middle, left), np.where(below, right, middle)
        value = self.shares * self.loss.value(left, self.signs) - residuals * left
        return float(np.sum(value)), -left

    def _of_slopes(self, r, sign):
        """Lower bound of -l* for each slope (m,), rounding taken off, or None."""
        derivative = self.loss.derivative
        left, right = -np.ones_like(r), np.ones_like(r)
        for _ in range(30):
            low, high = derivative(left, sign) > r, derivative(right, sign) < r
            if not (low.any() or high.any()):
                break
            left, right = (
                np.where(low, 2 * left, left),
                np.where(high, 2 * right, right),
            )
        else:
            return None
        for _ in range(48):
            middle = 0.5 * (left + right)
            below = derivative(middle, sign) <= r
            left, right = np.where(below, middle, left), np.where(below, right, middle)
        a, b = (
            _Tangents(f, self.loss.value(f, sign), derivative(f, sign))
            for f in (left, right)
        )
        # The slope of a tangent is known up to its rounding: half a bracket's width of
        # it is far less than what is taken off for the values.
        first, second = a.value - r * a.at, b.value - r * b.at
        d1, d2 = np.maximum(r - a.slope, 0.0), np.maximum(b.slope - r, 0.0)
        total = d1 + d2
        meet = (first * d2 + second * d1 - d1 * d2 * (b.at - a.at)) / np.where(
            total > 0, total, 1.0
        )
        bound = np.where(total > 0, meet, np.minimum(first, second))
        size = (
            np.abs(a.value)
            + np.abs(b.value)
            + np.abs(r) * (np.abs(a.at) + np.abs(b.at))
        )
        return bound - 16.0 * ROUNDING * size
