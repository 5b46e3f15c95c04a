"""What losses of real targets share: l(f, t), convex in f, 0 at f = t.

They add up over the outputs, one target each. A loss is ``value(raw, target)`` and
``derivative(raw, target)``, elementwise; a loss of the user's own is no more than that.
"""

from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from .halving import least_point


class TargetwiseLoss(Protocol):
    """A loss of one's own for regression, elementwise."""

    def value(self, raw: NDArray[np.floating], target: NDArray[np.floating]) -> NDArray:
        """l(f, t) for raw predictions f and targets t: 0 where they are equal."""

    def derivative(
        self, raw: NDArray[np.floating], target: NDArray[np.floating]
    ) -> NDArray:
        """dl/df."""


class TargetLoss:
    """What losses of real targets share."""

    link: ClassVar[str] = "identity"
    attains_minimum: ClassVar[bool] = True
    unit_margin: ClassVar[bool] = False
    couples_outputs: ClassVar[bool] = False
    # Whether twice the error costs four times as much, from any error on.
    quadratic: ClassVar[bool] = False
    has_closed_minimum: ClassVar[bool] = False  # proofs take the dual point of groups
    of_rows: ClassVar[str] = "error"

    def value(self, raw, target):
        """l(f, t), elementwise."""
        raise NotImplementedError

    def derivative(self, raw, target):
        """dl/df, elementwise."""
        raise NotImplementedError

    def least(self, labels, weights, group, n_outputs):
        """See :class:`Loss`: between a group's targets its derivative is halved."""
        n_groups = group.max(initial=-1) + 1
        left = np.full((n_groups, n_outputs), np.inf)
        right = -left
        np.minimum.at(left, group, labels)
        np.maximum.at(right, group, labels)
        rows = labels, weights, group
        best = least_point(
            lambda raw: self._sums(self.derivative, raw, *rows), left, right
        )
        return self._sums(self.value, best, *rows).sum(axis=1)

    @staticmethod
    def _sums(function, raw, labels, weights, group):
        """Weighted sums over the groups at one raw prediction each, as raw's shape."""
        sums = np.zeros_like(raw)
        values = np.asarray(function(raw[group], labels))
        np.add.at(sums, group, values * weights[:, None])
        return sums

    def worse(self, raw, labels, wrong):
        """See :class:`Loss`: away from the target, as both sides of it are alike."""
        return np.where(raw >= labels, 1, -1)

    def constant(self, labels, n_outputs):
        """See :class:`Loss`: the targets."""
        return labels

    def by_row(self, raw, labels):
        """See :class:`Loss`: |f - t|, the largest one over the outputs."""
        return np.abs(raw - labels).max(axis=1)
