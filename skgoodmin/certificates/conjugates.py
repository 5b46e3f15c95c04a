"""Conjugates of the losses: what a dual point is worth.

With shares s_i (sum 1) and a matrix R of K rows, one a output, n columns,

    D(R) = -sum_i s_i l_i*(R_i / s_i) = min over all f of
           sum_i s_i l_i(f_i) - sum_ki R_ki f_ki

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

**Balanced.** The intercepts of the output are not penalised, so a dual point that
bounds networks needs sum_i R_ki = 0 for every k. Shrinking entries towards 0 never
leaves the domain of a loss whose l*(0) is finite, so the heavier sign of each output is
shrunk. A softmax column must keep its sum over the outputs, too: see
:meth:`~skgoodmin.certificates.conjugate_softmax.SoftmaxDual.balance`.

**Rounded down.** Let R* be the exactly balanced point next to the R in memory. Entries
of R* differ from those of R by a few units in the last place (sums are exactly rounded,
by ``math.fsum``). ``value`` takes off ROUNDING times the sizes of all its terms and of
tau dD/dtau: some thousand times more than that difference and its own sums can make, so
that what it returns is at most D(R*).
"""

import copy
import math

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


def total(terms):
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
        return np.array([balance_groups(r, group) for r in residuals])


def balance_groups(r, group):
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
        value = total(power * violation * self.shares)
        return value, -self.degree * self.signs * self.shares * power

    def value(self, residuals):
        """See :class:`Dual`."""
        tau = self._tau(residuals)
        if not tau.min(initial=0.0) >= 0:
            return -np.inf
        p = self.degree
        power = self.shares * (p - 1.0) * (tau / p) ** (p / (p - 1.0))
        linear, power = total(self.shares * tau), total(power)
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
        value = total(self.shares * np.logaddexp(0.0, -margin))
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
        entropy = total(self.shares * (first + second))
        moved = total(self.shares * (first - xlog1py(tau, -tau)))
        return entropy - ROUNDING * (2.0 * entropy + 2.0 * moved)

    def smooth(self, residuals):
        """See :class:`Dual`: the entropy, with tangents beyond 1e-9 and 1 - 1e-6."""
        tau = self._tau(residuals)
        inside = np.clip(tau, 1e-9, 1.0 - 1e-6)
        slope = np.log1p(-inside) - np.log(inside)
        entropy = -xlogy(inside, inside) - xlog1py(1.0 - inside, -inside)
        value = float(np.sum(self.shares * (entropy + slope * (tau - inside))))
        return value, -self.signs * slope


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
        return 0.5 * total(error * error * self.shares), error * self.shares

    def value(self, residuals):
        """See :class:`Dual`."""
        linear = residuals * (self.targets - self._centre)
        square = 0.5 * residuals * residuals / self.shares
        size = total(abs(linear)) + 2.0 * total(square)
        return -total(linear) - total(square) - 4.0 * ROUNDING * size

    def smooth(self, residuals):
        """See :class:`Dual`."""
        error = residuals / self.shares
        target = self.targets - self._centre
        value = -total(residuals * target) - 0.5 * total(residuals * error)
        return value, -target - error

    def pointwise(self, group):
        """See :class:`Dual`: the mean of each group."""
        if np.bincount(group).max() < 2:
            return None
        whole = np.bincount(group, self.shares)
        rows = []
        for t in self.targets:
            mean = (np.bincount(group, t * self.shares) / whole)[group]
            rows.append(balance_groups((mean - t) * self.shares, group))
        return np.array(rows)
