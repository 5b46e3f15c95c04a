"""The conjugate of the squared loss; see :mod:`.dual`."""

import numpy as np

from .dual import REACH, ROUNDING, Dual, balance_groups, total


class SquaredDual(Dual):
    """(f - t)^2 / 2, summed over the outputs.

    Parameters
    ----------
    targets : ndarray of shape (K, n)
    shares : ndarray of shape (n,)
    """

    def __init__(self, targets, shares):
        self.targets = np.asarray(targets, dtype=np.float64)
        self.n_outputs = len(self.targets)
        self.shares = np.asarray(shares, dtype=np.float64)
        # A shift of the targets changes no balanced D, but its rounding.
        self._centre = (self.targets @ self.shares)[:, None]
        self.reach = REACH + np.abs(self.targets).max(initial=0.0)

    def loss_and_gradient(self, raw):
        """See :class:`Dual`."""
        error = raw - self.targets
        return 0.5 * total(error * error * self.shares), error * self.shares

    def curvature(self, raw):
        """See :class:`Dual`."""
        return np.broadcast_to(self.shares, raw.shape)

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
