"""The conjugate of Huber's loss; see :mod:`.dual`."""

import numpy as np

from .dual import INSIDE, Dual, total
from .squared import SquaredDual


class HuberDual(SquaredDual):
    """(f - t)^2 / 2 up to |f - t| = epsilon, beyond it its tangent.

    Parameters
    ----------
    targets : ndarray of shape (K, n)
    shares : ndarray of shape (n,)
    epsilon : float, positive
    """

    def __init__(self, targets, shares, epsilon):
        super().__init__(targets, shares)
        self.epsilon = float(epsilon)

    def loss_and_gradient(self, raw):
        """See :class:`Dual`."""
        error = raw - self.targets
        slope = np.clip(error, -self.epsilon, self.epsilon)
        value = total(slope * (error - 0.5 * slope) * self.shares)
        return value, slope * self.shares

    def curvature(self, raw):
        """See :class:`Dual`."""
        return self.shares * (np.abs(raw - self.targets) <= self.epsilon)

    def balance(self, residuals):
        """See :class:`Dual`."""
        return super().balance(residuals) * INSIDE

    def value(self, residuals):
        """See :class:`Dual`: that of the squared loss, where |R / s| <= epsilon."""
        largest = np.abs(residuals / self.shares).max(initial=0.0)
        if not largest <= self.epsilon * (INSIDE + 1e-12):
            return -np.inf
        return super().value(residuals)

    def smooth(self, residuals):
        """See :class:`Dual`: min over |f - t| <= epsilon of l(f) - r f."""
        error = np.clip(residuals / self.shares, -self.epsilon, self.epsilon)
        place = self.targets - self._centre + error
        value = 0.5 * total(error * error * self.shares) - total(residuals * place)
        return value, -place

    def pointwise(self, group):
        """See :class:`Dual`."""
        return Dual.pointwise(self, group)
