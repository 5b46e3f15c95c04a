"""The conjugate of the squared loss; see :mod:`.dual`."""

import numpy as np

from .dual import balance_groups, total
from .target_dual import TargetDual


class SquaredDual(TargetDual):
    """(f - t)^2 / 2, summed over the outputs.

    Parameters
    ----------
    targets : ndarray of shape (K, n)
    shares : ndarray of shape (n,)
    """

    def __init__(self, targets, shares):
        super().__init__(targets, shares, 1.0)

    def loss_and_gradient(self, raw):
        """See :class:`Dual`."""
        error = raw - self.targets
        return 0.5 * total(error * error * self.shares), error * self.shares

    def curvature(self, raw):
        """See :class:`Dual`."""
        return np.broadcast_to(self.shares, raw.shape)

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
