"""A loss of one's own: any object with value, derivative and minimum.

    loss.value(raw, sign)                 l(y, f), elementwise
    loss.derivative(raw, sign)            dl/df, elementwise
    loss.minimum(negative, positive)      min_f [negative l(-1, f) + positive l(+1, f)]

with arrays of raw predictions f, of signs y = +1 or -1, and of the weights of the two
labels of a group. Several outputs add up, one against the rest for several classes.

:func:`check_loss` holds the object against the assumptions of the theorem (Liang, Sun,
Lee and Srikant 2018, Assumption 1), numerically: convex, differentiable, and every
critical point a minimum at a positive margin. The infimum has to be 0, the bound then
being what contradicting labels cost. A loss that never reaches its infimum is allowed,
as log-loss is; the certificate says then that the theorem is silent.

``minimum`` serves advice and displays. No proof rests on it: proven bounds come from
tangents of the loss, so from ``value`` and ``derivative``, and from its being convex
and not negative.

Probabilities follow from the derivatives: where P(y = 1) = eta, the best f solves
eta l'(+1, f) + (1 - eta) l'(-1, f) = 0, so eta = l'(-1, f) / (l'(-1, f) - l'(+1, f)).
"""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from ...kernels.losses.labels import signs
from ..duals.custom import PointwiseDual
from .loss import OutputwiseLoss

FARTHEST = 50.0  # raw prediction up to which a loss is checked
SMALL = 1e-3  # relative error of a numerical derivative that passes


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


@dataclass(frozen=True)
class CustomLoss(OutputwiseLoss):
    """What the package asks of a loss, answered by an object of the user's.

    Parameters
    ----------
    pointwise : PointwiseLoss
    """

    pointwise: PointwiseLoss

    name: ClassVar = "custom"
    kernel: ClassVar = None
    degree: ClassVar = 0.0
    link: ClassVar = "custom"
    unit_margin: ClassVar = False
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

    def minimum(self, counts):
        """Least loss of groups with weights (n_groups, n_outputs, 2) of labels."""
        negative, positive = np.moveaxis(counts, -1, 0)
        least = self.pointwise.minimum(negative.ravel(), positive.ravel())
        return np.reshape(least, negative.shape).sum(axis=-1)

    def curvature(self, raw, signs):
        """d2l/df2 by differences of the derivative, elementwise."""
        h = 1e-4 * (1.0 + np.abs(raw))
        slope = self.pointwise.derivative
        signs = signs.astype(np.float64)
        return (slope(raw + h, signs) - slope(raw - h, signs)) / (2.0 * h)

    def dual(self, labels, shares, n_outputs):
        """The loss on given rows as duality sees it."""
        return PointwiseDual(signs(labels, n_outputs).T, shares, self.pointwise)

    def probabilities(self, raw):
        """P(y = 1 | f) from the two derivatives, kept inside (0, 1), elementwise."""
        f = np.asarray(raw, dtype=np.float64)
        one, eps = np.ones_like(f), np.finfo(np.float64).eps
        with np.errstate(all="ignore"):
            down = -self.pointwise.derivative(f, one)
            up = self.pointwise.derivative(f, -one)
            share = up / (up + down)
        share = np.where(np.isfinite(share), share, np.where(f > 0, 1.0, 0.0))
        return np.clip(share, eps, 1.0 - eps)

    def onnx(self, graph, raw):
        """There is none."""
        raise NotImplementedError("A loss of one's own has no ONNX graph.")


def check_loss(loss):
    """Hold a pointwise loss against the assumptions of the theorem.

    Parameters
    ----------
    loss : object with value, derivative and minimum

    Raises
    ------
    ValueError
        It names the assumption that fails, and where.
    """
    f = np.linspace(-FARTHEST, FARTHEST, 2001)
    for sign in (-1.0, 1.0):
        where = f"(y={sign:+.0f})"
        y = np.full_like(f, sign)
        value, slope = loss.value(f, y), loss.derivative(f, y)
        for name, result in (("value", value), ("derivative", slope)):
            if np.shape(result) != f.shape or not np.isfinite(result).all():
                raise ValueError(
                    f"loss.{name} must return a finite array of the shape of raw, "
                    f"elementwise, for raw predictions from {f[0]:g} to {f[-1]:g} "
                    f"{where}."
                )
        if value.min() < 0:
            at = f[np.argmin(value)]
            raise ValueError(
                f"loss.value must not be negative, got {value.min():g} at f={at:g} "
                f"{where}; subtract its infimum."
            )
        _check_slope(loss, f, sign, where)
        fall = np.diff(slope)
        scale = np.maximum(np.abs(slope[1:]), np.abs(slope[:-1]))
        if (fall < -1e-9 * scale).any():
            raise ValueError(
                "loss is not convex: its derivative falls near "
                f"f={f[np.argmin(fall / (scale + 1e-300))]:g} {where}."
            )
        wrong_side = sign * f <= 0
        if (sign * slope[wrong_side] >= 0).any():
            at = f[wrong_side][np.argmax(sign * slope[wrong_side] >= 0)]
            raise ValueError(
                "loss must fall with the margin y f wherever the margin is not "
                f"positive, its derivative does not at f={at:g} {where}."
            )
    _check_minimum(loss, f)


def _check_slope(loss, f, sign, where):
    """derivative is that of value, and has no jump."""
    rng = np.random.RandomState(0)
    at = rng.uniform(f[0], f[-1], 400)
    y, h = np.full_like(at, sign), 1e-4 * (1.0 + np.abs(at))
    values = [loss.value(at + k * h, y) for k in (-2, -1, 1, 2)]
    numerical = (values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (12 * h)
    slope = loss.derivative(at, y)
    rounding = 1e-12 * np.abs(values).max(axis=0) / h
    error = np.abs(slope - numerical) - SMALL * np.abs(slope) - rounding - 1e-6
    if (error > 0).any():
        i = int(np.argmax(error))
        raise ValueError(
            f"loss.derivative is not the derivative of loss.value at f={at[i]:g} "
            f"{where}: {slope[i]:g}, by differences {numerical[i]:g}."
        )
    # Halve the interval in which the derivative grows most: a jump stays.
    slopes = loss.derivative(f, np.full_like(f, sign))
    growth = np.diff(slopes) / (1.0 + np.abs(slopes[1:]))
    i = int(np.argmax(growth))
    left, right = f[i], f[i + 1]
    for _ in range(40):
        points = np.array([left, 0.5 * (left + right), right])
        s = loss.derivative(points, np.full(3, sign))
        left, right = points[:2] if s[1] - s[0] > s[2] - s[1] else points[1:]
    jump = np.diff(loss.derivative(np.array([left, right]), np.full(2, sign)))[0]
    if jump > 1e-6 * (1.0 + np.abs(slopes[i + 1])):
        raise ValueError(
            f"loss is not differentiable: its derivative jumps by {jump:g} at "
            f"f={left:g} {where}."
        )


def _check_minimum(loss, f):
    """minimum is the least value of some mixtures of labels."""
    for negative, positive in ((1, 0), (0, 1), (1, 1), (3, 1), (1, 7.5)):
        grid = f
        for _ in range(6):  # the mixture is convex: narrow down on its minimum
            mixture = negative * loss.value(grid, np.full_like(grid, -1.0))
            mixture = mixture + positive * loss.value(grid, np.ones_like(grid))
            i = int(np.clip(np.argmin(mixture), 1, len(grid) - 2))
            grid = np.linspace(grid[i - 1], grid[i + 1], 2001)
        weights = np.array([float(negative)]), np.array([float(positive)])
        claimed = np.asarray(loss.minimum(*weights))
        if claimed.shape != (1,):
            raise ValueError("loss.minimum must return an array of one value a group.")
        if not abs(claimed[0] - mixture.min()) <= 1e-6 * (negative + positive):
            raise ValueError(
                f"loss.minimum({negative}, {positive}) is {claimed[0]:g}, but the "
                f"least value found is {mixture.min():g}."
            )
