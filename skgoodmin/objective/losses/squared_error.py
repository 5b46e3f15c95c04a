"""Squared error: l(e) = e^2 / 2 with the error e = f - t."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ...kernels.losses.squared_error import squared_error
from ..duals.squared import SquaredDual
from .loss import KernelLoss
from .target_loss import TargetLoss


@dataclass(frozen=True)
class SquaredError(KernelLoss, TargetLoss):
    """Half the squared error: the best prediction is the mean."""

    kernel: ClassVar = squared_error
    auto_alpha: ClassVar = 1.0
    quadratic: ClassVar = True

    def value(self, raw, target):
        """e^2 / 2, elementwise."""
        return 0.5 * (raw - target) ** 2

    def derivative(self, raw, target):
        """e, elementwise."""
        return raw - target

    def curvature(self, raw, labels):
        """d2l/df2 = 1, elementwise on (n, n_outputs)."""
        return np.ones_like(raw)

    def least(self, labels, weights, group, n_outputs):
        """See :class:`Loss`: that of the mean of each group."""
        whole = np.bincount(group, weights)
        minima = np.zeros(len(whole))
        for targets in labels.T:
            mean = np.bincount(group, weights * targets) / whole
            losses = weights * self.value(mean[group], targets)
            minima += np.bincount(group, losses)
        return minima

    def dual(self, labels, shares, n_outputs):
        """The loss on given rows as duality sees it."""
        return SquaredDual(labels.T, shares)
