"""The conjugate of Huber's loss; see :mod:`.dual`."""

import numpy as np

from .dual import INSIDE, total
from .target_dual import TargetDual

STEEP = 500.0  # how fast f moves with r beyond the domain, in its own units
STRAIGHT = 0.1  # of the curvature of the parabola that touches the loss from above


class HuberDual(TargetDual):
    """(f - t)^2 / (2 epsilon) up to |f - t| = epsilon, beyond it its tangent.

    Parameters
    ----------
    targets : ndarray of shape (K, n)
    shares : ndarray of shape (n,)
    epsilon : float, positive
    """

    def loss_and_gradient(self, raw):
        """See :class:`Dual`."""
        error = raw - self.targets
        slope = np.clip(error / self.epsilon, -1.0, 1.0)
        value = total(slope * (error - 0.5 * self.epsilon * slope) * self.shares)
        return value, slope * self.shares

    def curvature(self, raw):
        """See :class:`Dual`; a share of slope / error where the loss is straight.

        With all rows far off, as of targets of two values, there is no other one.
        """
        error = np.abs(raw - self.targets)
        straight = STRAIGHT / np.maximum(error, self.epsilon)
        return self.shares * np.where(error <= self.epsilon, 1 / self.epsilon, straight)

    def balance(self, residuals):
        """See :class:`Dual`."""
        return super().balance(residuals) * INSIDE

    def _value(self, residuals):
        """See :class:`TargetDual`: that, where |r| <= 1."""
        largest = np.abs(residuals / self.shares).max(initial=0.0)
        if not largest <= INSIDE + 1e-12:
            return -np.inf
        return super()._value(residuals)

    def smooth(self, residuals):
        """See :class:`Dual`: beyond |r| = 1 less STEEP (|r| - 1)^2 / 2.

        A solver that may leave the domain for nothing ends far outside.
        """
        raw = residuals / self.shares
        slope = np.clip(raw, -1.0, 1.0)
        beyond = raw - slope
        place = self.targets - self._centre + self.epsilon * slope
        square = self.epsilon * slope * slope - STEEP * beyond * beyond
        value = 0.5 * total(square * self.shares) - total(residuals * place)
        return value, -place - STEEP * beyond
