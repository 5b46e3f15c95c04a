"""Checks of a loss of one's own against what the theory assumes, numerically.

Losses of labels y = +1 and -1 (Liang, Sun, Lee and Srikant 2018, Assumption 1): convex,
differentiable, and every critical point a minimum at a positive margin. Losses of real
targets (Kawaguchi and Kaelbling 2020): convex, differentiable, and 0 at the target; not
0 everywhere, or there is nothing to train.
"""

import numpy as np

from ..duals.custom import LEAST, MOST, size_nearby
from .own import OwnLoss

FARTHEST = 50.0  # raw prediction up to which a loss is checked
SMALL = 1e-3  # relative error of a numerical derivative that passes
TARGETS = (-2.0, 0.0, 1.5)  # real ones that a loss is checked at


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
    loss = _checked_object(loss)
    f = np.linspace(-FARTHEST, FARTHEST, 2001)
    for sign in (-1.0, 1.0):
        where = f"(y={sign:+.0f})"
        slope = _check_convex(loss, f, sign, where)
        wrong_side = sign * f <= 0
        if (sign * slope[wrong_side] >= 0).any():
            at = f[wrong_side][np.argmax(sign * slope[wrong_side] >= 0)]
            raise ValueError(
                "loss must fall with the margin y f wherever the margin is not "
                f"positive, its derivative does not at f={at:g} {where}."
            )
    _check_elementwise(loss, f, (-1.0, 1.0))
    _check_minimum(loss, f, size_nearby(loss, np.array([-1.0, 1.0])).max())


def check_target_loss(loss):
    """Hold a loss of real targets against the assumptions of the theory.

    Parameters
    ----------
    loss : object with value and derivative

    Raises
    ------
    ValueError
        It names the assumption that fails, and where.
    """
    loss = _checked_object(loss)
    f = np.linspace(-FARTHEST, FARTHEST, 2001)
    for target in TARGETS:
        _check_convex(loss, f, target, f"(y={target:g})")
        at = np.array([target])
        value = float(loss.value(at, at)[0])
        if value != 0:
            raise ValueError(
                f"loss.value must be 0 at the target, got {value:g} at f=y={target:g}."
            )
    _check_elementwise(loss, f, TARGETS)


def _checked_object(loss):
    """The :class:`OwnLoss`, whose methods need no further argument."""
    if isinstance(loss, type):
        name = loss.__name__
        raise ValueError(f"loss must be an object, got the class {name}: use {name}().")
    return OwnLoss(loss)


def _check_elementwise(loss, f, ys):
    """Of a matrix value and derivative are those of its rows."""
    y = np.repeat(np.array(ys)[:, None], len(f), axis=1)
    raw = np.broadcast_to(f, y.shape)
    for name in ("value", "derivative"):
        method = getattr(loss, name)
        rows = np.array([method(*row) for row in zip(raw, y, strict=True)])
        rounding = 1e-9 * np.abs(rows).mean()  # of a difference it may be all of it
        if not np.allclose(method(raw, y), rows, rtol=1e-9, atol=rounding):
            raise ValueError(
                f"loss.{name} must be elementwise: of a matrix of raw predictions it "
                "is not that of its rows."
            )


def _check_convex(loss, f, y, where):
    """value and derivative at ``f`` are those of a convex loss; the derivative."""
    ys = np.full_like(f, y)
    value, slope = loss.value(f, ys), loss.derivative(f, ys)
    for name, result in (("value", value), ("derivative", slope)):
        if not np.isfinite(result).all():
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
    size = float(size_nearby(loss, np.array([y]))[0])
    if not LEAST <= size <= MOST:
        raise ValueError(
            f"loss.value must be between {LEAST:g} and {MOST:g} a unit away from the "
            f"label or target, or at least 50 units, but is {size:g} {where}: multiply "
            "it and alpha by a number."
        )
    _check_slope(loss, f, y, where, size)
    fall = np.diff(slope)
    scale = np.maximum(np.abs(slope[1:]), np.abs(slope[:-1]))
    if (fall < -1e-9 * scale).any():
        raise ValueError(
            "loss is not convex: its derivative falls near "
            f"f={f[np.argmin(fall / (scale + 1e-300))]:g} {where}."
        )
    return slope


def _check_slope(loss, f, sign, where, size):
    """derivative is that of value, and has no jump."""
    rng = np.random.RandomState(0)
    at = rng.uniform(f[0], f[-1], 400)
    y, h = np.full_like(at, sign), 1e-4 * (1.0 + np.abs(at))
    values = [loss.value(at + k * h, y) for k in (-2, -1, 1, 2)]
    numerical = (values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (12 * h)
    slope = loss.derivative(at, y)
    rounding = 1e-12 * np.abs(values).max(axis=0) / h
    error = np.abs(slope - numerical) - SMALL * np.abs(slope) - rounding - 1e-6 * size
    if (error > 0).any():
        i = int(np.argmax(error))
        raise ValueError(
            f"loss.derivative is not the derivative of loss.value at f={at[i]:g} "
            f"{where}: {slope[i]:g}, by differences {numerical[i]:g}."
        )
    # Halve the interval in which the derivative grows most: a jump stays.
    slopes = loss.derivative(f, np.full_like(f, sign))
    growth = np.diff(slopes) / (size + np.abs(slopes[1:]))
    i = int(np.argmax(growth))
    left, right = f[i], f[i + 1]
    for _ in range(40):
        points = np.array([left, 0.5 * (left + right), right])
        s = loss.derivative(points, np.full(3, sign))
        left, right = points[:2] if s[1] - s[0] > s[2] - s[1] else points[1:]
    jump = np.diff(loss.derivative(np.array([left, right]), np.full(2, sign)))[0]
    if jump > 1e-6 * (size + np.abs(slopes[i + 1])):
        raise ValueError(
            f"loss is not differentiable: its derivative jumps by {jump:g} at "
            f"f={left:g} {where}."
        )


def _check_minimum(loss, f, size):
    """minimum is the least value of some mixtures of labels."""
    for negative, positive in ((1, 0), (0, 1), (1, 1), (3, 1), (1, 7.5)):
        grid = f
        for _ in range(6):  # the mixture is convex: narrow down on its minimum
            mixture = negative * loss.value(grid, np.full_like(grid, -1.0))
            mixture = mixture + positive * loss.value(grid, np.ones_like(grid))
            i = int(np.clip(np.argmin(mixture), 1, len(grid) - 2))
            grid = np.linspace(grid[i - 1], grid[i + 1], 2001)
        weights = np.array([float(negative)]), np.array([float(positive)])
        claimed = loss.minimum(*weights)
        if not abs(claimed[0] - mixture.min()) <= 1e-6 * size * (negative + positive):
            raise ValueError(
                f"loss.minimum({negative}, {positive}) is {claimed[0]:g}, but the "
                f"least value found is {mixture.min():g}."
            )
