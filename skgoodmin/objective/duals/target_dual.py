"""What duals of real targets share; see :mod:`.dual`."""

import numpy as np

from .dual import REACH, ROUNDING, Dual, total


class TargetDual(Dual):
    """A loss that is (f - t)^2 / (2 epsilon) around its targets.

    Parameters
    ----------
    targets : ndarray of shape (K, n)
    shares : ndarray of shape (n,)
    epsilon : float, positive
    """

    def __init__(self, targets, shares, epsilon):
        self.targets = np.asarray(targets, dtype=np.float64)
        self.n_outputs = len(self.targets)
        self.shares = np.asarray(shares, dtype=np.float64)
        self.epsilon = float(epsilon)
        # A shift of the targets changes no balanced D, but its rounding.
        self._centre = (self.targets @ self.shares)[:, None]
        self.reach = REACH + np.abs(self.targets).max(initial=0.0)

    def _value(self, residuals):
        """See :class:`Dual`: -r t - epsilon r^2/2."""
        linear = residuals * (self.targets - self._centre)
        # A square of residuals may underflow where a share is tiny.
        square = 0.5 * self.epsilon * residuals * (residuals / self.shares)
        size = total(abs(linear)) + 2.0 * total(square)
        return -total(linear) - total(square) - 4.0 * ROUNDING * size
