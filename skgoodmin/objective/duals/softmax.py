"""The conjugate of softmax: the entropy of probabilities; see :mod:`.dual`."""

import math

import numpy as np
from scipy.special import softmax, xlog1py, xlogy

from ...kernels.cached import cached_property
from .dual import INSIDE, ROUNDING, Dual, total


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
        whole = e.sum(axis=0)
        label = np.take_along_axis(raw, self.labels[None], axis=0)[0]
        value = float(np.sum(self.shares * (np.log(whole) - label)))
        return value, self._close(np.where(self._onehot, 0.0, e / whole) * self.shares)

    def curvature(self, raw):
        """See :class:`Dual`: diag(q) - q q' <= 2 diag(q (1 - q)), by its row sums."""
        q = softmax(raw, axis=0)
        return self.shares * 2.0 * q * (1.0 - q)

    def coupling(self, raw):
        """See :class:`Dual`: diag(q) - q q'."""
        q = softmax(raw, axis=0)
        return self.shares * (np.eye(len(q))[:, :, None] * q - q[:, None] * q)

    def _close(self, flow):
        """Columns that sum to 0 from what the label loses to the other outputs."""
        return np.where(self._onehot, -flow.sum(axis=0), flow)

    def rebalance(self, residuals):
        """See :class:`Dual`."""
        return self.balance(residuals)

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
        share = np.array([math.fsum(self.shares[own]) for own in self._onehot])
        flow[share == 0] = 0.0  # a class without rows has nothing to pass on
        share = np.maximum(share, 1e-300)
        surplus = np.empty(self.n_outputs)
        for c, own in enumerate(self._onehot):
            sent = math.fsum(flow[:, own].ravel())
            surplus[c] = math.fsum(flow[c]) - sent
        get, give = np.maximum(surplus, 0.0), np.maximum(-surplus, 0.0)
        given = give.sum()
        if given > 0:
            extra = np.outer(give / given, get / share)
            f = (get / share).max()
            flow = flow + np.where(
                self._onehot, 0.0, extra[:, self.labels] * self.shares
            )
            flow /= 1.0 + f
        return self._close(flow * INSIDE)

    def _value(self, residuals):
        """See :class:`Dual`.

        R* is the closed and balanced flow next to that of R: the label's entries are
        what the others leave.
        """
        flow = np.where(self._onehot, 0.0, residuals) / self.shares
        rest = flow.sum(axis=0)
        if not (flow.min(initial=0.0) >= 0 and rest.max(initial=0.0) <= INSIDE + 1e-12):
            return -np.inf
        others = -total(self.shares * xlogy(flow, flow))
        label = -float(np.sum(self.shares * xlog1py(1.0 - rest, -rest)))
        moved = -float(np.sum(self.shares * xlog1py(rest, -rest)))
        return others + label - ROUNDING * (2.0 * others + 2.0 * label + 2.0 * moved)

    def pointwise(self, group):
        """See :class:`Dual`: the probabilities are the shares of the labels."""
        size = np.bincount(group)
        shared = size[group] > 1
        if not shared.any():
            return None
        whole = np.bincount(group, self.shares)
        flow = np.zeros((self.n_outputs, len(group)))
        for k in range(self.n_outputs):
            own = np.bincount(group, self.shares * (self.labels == k), len(size))
            flow[k] = (own / whole)[group] * self.shares
        return self._close(np.where(self._onehot | ~shared, 0.0, flow) * INSIDE)
