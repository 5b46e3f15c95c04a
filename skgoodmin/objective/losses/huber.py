"""Huber's loss: e^2 / (2 epsilon) for errors |e| <= epsilon, else |e| - epsilon / 2.

It is Huber's own, divided by epsilon: the slope is at most 1, so that ``alpha`` and
``tol`` mean about the same for every epsilon.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ...kernels.losses.huber import huber
from ..duals.huber import HuberDual
from .loss import KernelLoss
from .target_loss import TargetLoss


@dataclass(frozen=True)
class Huber(KernelLoss, TargetLoss):
    """Huber's loss: rows that are far off pull no harder than those at ``epsilon``.

    P. J. Huber, "Robust estimation of a location parameter", Annals of Mathematical
    Statistics 35 (1964).

    Parameters
    ----------
    epsilon : float, positive
    """

    epsilon: float

    kernel: ClassVar = huber
    auto_alpha: ClassVar = 1.0

    @property
    def parameter(self):
        """Of the kernel."""
        return self.epsilon

    def value(self, raw, target):
        """s (e - epsilon s / 2) with the slope s, elementwise."""
        slope = self.derivative(raw, target)
        return slope * (raw - target - 0.5 * self.epsilon * slope)

    def derivative(self, raw, target):
        """e / epsilon, but no larger than 1 in size, elementwise."""
        with np.errstate(over="ignore"):
            return np.clip((raw - target) / self.epsilon, -1.0, 1.0)

    def curvature(self, raw, labels):
        """d2l/df2 = 1 / epsilon where |e| <= epsilon, else 0, elementwise."""
        return (np.abs(raw - labels) <= self.epsilon) / self.epsilon

    def dual(self, labels, shares, n_outputs):
        """The loss on given rows as duality sees it."""
        return HuberDual(labels.T, shares, self.epsilon)
