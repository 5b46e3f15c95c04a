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
huber     -r t - epsilon r^2/2                                 |r| <= 1
a user's  from tangents at both ends of a bracket of l'(f) = r range of l'
========= ==================================================== ====================

Outputs add up, but for softmax, one loss of all of them. Outside the domain D is -inf.

**Balanced.** The intercepts of the output are not penalised, so a dual point that
bounds networks needs sum_i R_ki = 0 for every k. Shrinking entries towards 0 never
leaves the domain of a loss whose l*(0) is finite, so the heavier sign of each output is
shrunk. A softmax column must keep its sum over the outputs, too: see
:meth:`~skgoodmin.objective.duals.softmax.SoftmaxDual.balance`.

**Rounded down.** Let R* be the exactly balanced point next to the R in memory. Entries
of R* differ from those of R by a few units in the last place, however many there are
(:mod:`..exact_sums`). ``value`` takes off ROUNDING times the sizes of all its terms and
of tau dD/dtau: some thousand times more than that difference and its own sums can make,
and TINY for what underflow hides, so that what it returns is at most D(R*).
"""

import copy
import math
from abc import ABC, abstractmethod

import numpy as np

from ..exact_sums import exact_sums

ROUNDING, TINY = 1e-11, 1e-300
REACH = 64.0  # of raw predictions, for labels
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


class Dual(ABC):
    """A loss on given rows: its gradient, and the value of dual points.

    Attributes
    ----------
    shares : ndarray of shape (n,)
        Weights of the rows, sum 1.
    reach : float
        The best raw prediction of a group of rows is no larger, for all that a solver
        cares.
    """

    shares: np.ndarray
    n_outputs: int
    reach: float = REACH

    @abstractmethod
    def loss_and_gradient(self, raw):
        """Mean loss of raw predictions (K, n), and its gradient (K, n)."""

    def value(self, residuals):
        """At most D(R*) for the balanced R* next to R (K, n); -inf outside."""
        return self._value(residuals) - TINY

    @abstractmethod
    def _value(self, residuals):
        """The same, but for what underflow can hide."""

    @abstractmethod
    def curvature(self, raw):
        """Second derivatives (K, n) of the mean loss by raw predictions (K, n).

        Where outputs are coupled, a diagonal matrix that is no less than the Hessian.
        """

    def coupling(self, raw):
        """Second derivatives (K, K, n), of which ``curvature`` is a bound.

        None where outputs add up, and ``curvature`` is all there is.
        """
        return None

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
        return self.rebalance(residuals)

    def rebalance(self, residuals):
        """The same of R that is balanced but for the rounding of long sums."""
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
        left, right = np.full((2, self.n_outputs, len(size)), -self.reach)
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
    first = np.flatnonzero(np.diff(group, prepend=-1))
    size = np.diff(first, append=len(group))
    sums = (exact_sums(np.maximum(v, 0.0), first) for v in (r, -r))
    up, down = (np.repeat(values, size) for values in sums)
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
        self.n_outputs = len(self.signs)
        self.shares = np.asarray(shares, dtype=np.float64)

    def _tau(self, residuals):
        """-y R / s, (K, n); -0.0 and what is 0 stay in the domain."""
        return -self.signs * residuals / self.shares
