"""A loss of one's own for real targets: any object with value and derivative.

    loss.value(raw, target)        l(f, t), elementwise, 0 where f = t
    loss.derivative(raw, target)   dl/df, elementwise

:mod:`.checks` holds the object against what the theory assumes. Targets are those that
the network sees: centred, and divided by the standard deviation of y.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..duals.custom import PointwiseDual, difference_of_slopes
from .custom import worse_end
from .target_loss import TargetLoss, TargetwiseLoss


@dataclass(frozen=True)
class CustomTargetLoss(TargetLoss):
    """What the package asks of a loss, answered by an object of the user's.

    Parameters
    ----------
    targetwise : TargetwiseLoss
    """

    targetwise: TargetwiseLoss

    kernel: ClassVar = None
    parameter: ClassVar = 0.0
    auto_alpha: ClassVar = 1.0

    def value(self, raw, target):
        """That of the object."""
        return self.targetwise.value(raw, target)

    def derivative(self, raw, target):
        """That of the object."""
        return self.targetwise.derivative(raw, target)

    def into_gradient(self, raw, labels, weights):
        """Weighted sum of the loss; raw (n_outputs, n) becomes its gradient."""
        f = raw.astype(np.float64)
        with np.errstate(all="ignore"):
            value = (self.value(f, labels.T) * weights).sum()
            raw[:] = self.derivative(f, labels.T) * weights
        return float(value)

    def worse(self, raw, labels, wrong):
        """See :class:`Loss`: a loss need not be alike on both sides of the target."""
        return worse_end(self.targetwise, raw, labels, wrong)

    def curvature(self, raw, labels):
        """d2l/df2 by differences of the derivative, elementwise."""
        return difference_of_slopes(self.targetwise, raw, labels)

    def dual(self, labels, shares, n_outputs):
        """The loss on given rows as duality sees it."""
        return PointwiseDual(labels.T, shares, self.targetwise)
