"""A loss of one's own: any object with value, derivative and minimum.

    loss.value(raw, sign)                 l(y, f), elementwise
    loss.derivative(raw, sign)            dl/df, elementwise
    loss.minimum(negative, positive)      min_f [negative l(-1, f) + positive l(+1, f)]

with arrays of raw predictions f, of signs y = +1 or -1, and of the weights of the two
labels of a group. Several outputs add up, one against the rest for several classes.

:mod:`.checks` holds the object against the assumptions of the theorem (Liang, Sun,
Lee and Srikant 2018, Assumption 1), numerically: convex, differentiable, and every
critical point a minimum at a positive margin. The infimum has to be 0, the bound then
being what contradicting labels cost. A loss that never reaches its infimum is allowed,
as log-loss is; the certificate says then that the theorem is silent.

``minimum`` serves advice and displays. No proof rests on it: proven bounds come from
tangents of the loss, so from ``value`` and ``derivative``, and from its being convex
and not negative. Where the loss is less at some f than ``minimum`` says, that counts.

Probabilities follow from the derivatives: where P(y = 1) = eta, the best f solves
eta l'(+1, f) + (1 - eta) l'(-1, f) = 0, so eta = l'(-1, f) / (l'(-1, f) - l'(+1, f)).
"""

from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from ...kernels.cached import cached_property
from ...kernels.losses.labels import signs
from ..duals.custom import PointwiseDual, difference_of_slopes
from .halving import least_point
from .loss import OutputwiseLoss, inside

METHODS = ["value", "derivative", "minimum"]  # that the object has
FARTHEST = 50.0  # margin up to which a minimum is looked for


class PointwiseLoss(Protocol):
    """A loss of one's own, elementwise."""

    def value(self, raw: NDArray[np.floating], sign: NDArray[np.floating]) -> NDArray:
        """l(y, f) for raw predictions f and signs y = +1 or -1."""

    def derivative(
        self, raw: NDArray[np.floating], sign: NDArray[np.floating]
    ) -> NDArray:
        """dl/df."""

    def minimum(
        self, negative: NDArray[np.floating], positive: NDArray[np.floating]
    ) -> NDArray:
        """min_f [negative l(-1, f) + positive l(+1, f)]."""


def worse_end(loss, raw, y, wrong):
    """+1 or -1: which of the two predictions loses more, elementwise.

    The loss is convex: nowhere between them is it larger than at both.
    """
    above, below = loss.value(raw + wrong, y), loss.value(raw - wrong, y)
    return np.where(above >= below, 1, -1)


@dataclass(frozen=True)
class CustomLoss(OutputwiseLoss):
    """What the package asks of a loss, answered by an object of the user's.

    Parameters
    ----------
    pointwise : PointwiseLoss
    """

    pointwise: PointwiseLoss

    kernel: ClassVar = None
    parameter: ClassVar = 0.0
    link: ClassVar = "custom"
    auto_alpha: ClassVar = 1.0
    has_closed_minimum: ClassVar = False
    rounding: ClassVar = 0.0

    @cached_property
    def attains_minimum(self):
        """Whether the derivative vanishes at some positive margin."""
        margins = np.linspace(0.0, FARTHEST, 501)[1:]
        return bool((self.pointwise.derivative(margins, np.ones(500)) == 0).any())

    def into_gradient(self, raw, labels, weights):
        """Weighted sum of the loss; raw (n_outputs, n) becomes its gradient."""
        f = raw.astype(np.float64)
        sign = signs(labels, len(raw)).T.astype(np.float64)
        with np.errstate(all="ignore"):
            value = (self.pointwise.value(f, sign) * weights).sum()
            raw[:] = self.pointwise.derivative(f, sign) * weights
        return float(value)

    def worse(self, raw, labels, wrong):
        """See :class:`Loss`: beyond its minimum a loss may rise again."""
        sign = signs(labels, raw.shape[1]).astype(np.float64)
        return worse_end(self.pointwise, raw, sign, wrong)

    def minimum(self, counts):
        """Least loss of groups with weights (n_groups, n_outputs, 2) of labels."""
        negative, positive = np.moveaxis(counts, -1, 0)
        least = self.pointwise.minimum(negative.ravel(), positive.ravel())
        found = self._halved(negative, positive)
        return np.fmin(np.reshape(least, found.shape), found).sum(axis=-1)

    def _halved(self, negative, positive):
        """The least loss of each pair of weights that halving the slope finds."""
        loss, one = self.pointwise, np.ones(negative.shape)

        def sum_of(function, f):
            return negative * function(f, -one) + positive * function(f, one)

        with np.errstate(all="ignore"):
            ends = -FARTHEST * one, FARTHEST * one
            best = least_point(lambda f: sum_of(loss.derivative, f), *ends)
            return sum_of(loss.value, best)

    def curvature(self, raw, labels):
        """d2l/df2 by differences of the derivative, elementwise."""
        sign = signs(labels, raw.shape[1]).astype(np.float64)
        return difference_of_slopes(self.pointwise, raw, sign)

    def dual(self, labels, shares, n_outputs):
        """The loss on given rows as duality sees it."""
        return PointwiseDual(signs(labels, n_outputs).T, shares, self.pointwise)

    def probabilities(self, raw):
        """P(y = 1 | f) from the two derivatives, kept inside (0, 1), elementwise."""
        f = np.asarray(raw, dtype=np.float64)
        one = np.ones_like(f)
        with np.errstate(all="ignore"):
            down = -self.pointwise.derivative(f, one)
            up = self.pointwise.derivative(f, -one)
            share = up / (up + down)
        share = np.where(np.isfinite(share), share, np.where(f > 0, 1.0, 0.0))
        return inside(share)

    def onnx(self, graph, raw):
        """There is none."""
        raise NotImplementedError("A loss of one's own has no ONNX graph.")
