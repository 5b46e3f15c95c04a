"""Real targets: y in units of its own spread.

    z = (y - mean) / scale

with mean and standard deviation of each column over the weighted rows. The network is
trained on z, so that alpha and every tolerance mean the same in all units of y; its raw
predictions become y again by mean + scale * f. The scale has the sign of the skewness,
so that z is the same for y and for -y; where y is not skewed, the first rows in
canonical order whose mean is not 0 have a positive z.

z is rounded to multiples of 2^-24, the precision of float32: then ``c * y + d`` gives
the very same z as y, but for the rare value that rounding carries over an edge, and
with it the very same network. Beside a large d the mean has few digits after the point,
and what rounding has taken from it is subtracted, too.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.utils import check_array

from ..objective.exact_sums import exact_sums
from .target import Target
from .warned import warn_user

GRID = 2.0**24  # z is a multiple of 1 / GRID
FAR = 1e4  # spreads: further away, or nearer than one over it, is other data
LEAST = 10  # rows of which to say that they are near each other
STRAIGHT = 1e-6  # skewness, or mean in units of the mean size, that counts as 0


@dataclass(frozen=True, eq=False)
class Continuous(Target):
    """Real numbers, one column or several.

    Parameters
    ----------
    mean, scale : ndarray of shape (n_targets,)
    column : bool
        Whether y is one column, (n,).
    straight : ndarray of shape (n_targets,), bool, optional
        Of which columns the sign of the scale is not known from y alone.
    rest : ndarray of shape (n_targets,), default=0.0
        What is missing in ``mean``, a float64, to the mean.
    """

    mean: np.ndarray
    scale: np.ndarray
    column: bool
    straight: np.ndarray | None = None
    rest: np.ndarray | float = 0.0

    @property
    def n_outputs(self):
        """Number of outputs of the network."""
        return len(self.mean)

    @property
    def n_targets(self):
        """See :class:`Target`: each column is one."""
        return self.n_outputs

    def attributes(self, loss, slope):
        """See :class:`Target`."""
        units: dict[str, Any] = {
            "y_mean_": self.mean,
            "y_scale_": self.scale,
            "_y_mean_rest_": self.rest + np.zeros_like(self.mean),
        }
        if self.column:
            units = {name: float(value[0]) for name, value in units.items()}
        return units | {"out_activation_": loss.link}

    def check_continues(self, before):
        """See :class:`Target`."""
        if before.n_outputs != self.n_outputs:
            raise ValueError(
                "Going on from the previous fit needs as many targets: "
                f"{before.n_outputs} before, {self.n_outputs} now."
            )

    def restated(self, coefs, intercepts, before):
        """See :class:`Target`: the output layer has other units."""
        factor = before.scale / self.scale
        shift = (before.mean - self.mean + (before.rest - self.rest)) / self.scale
        return (
            [*coefs[:-1], coefs[-1] * factor],
            [*intercepts[:-1], intercepts[-1] * factor + shift],
        )

    def mirrored(self, data):
        """See :class:`Target`: decided by the first rows with equal features."""
        if self.straight is None or not self.straight.any():
            return None
        group, weights = data.group, data.weights
        signs = np.ones(self.n_outputs)
        for k in np.flatnonzero(self.straight):
            z = data.labels[:, k] * weights
            total, size = np.bincount(group, z), np.bincount(group, np.abs(z))
            leaning = total[np.abs(total) > STRAIGHT * size]
            signs[k] = np.sign(leaning[0]) if len(leaning) else 1.0
        if (signs > 0).all():
            return None
        return replace(self, scale=signs * self.scale, straight=None)

    def standardised(self, y):
        """z of y, both (n, n_targets)."""
        # A power of two brings both near 1, so that no difference overflows.
        exponent = -np.frexp(np.maximum(np.abs(self.mean), np.abs(self.scale)))[1]
        mean, rest, scale = (
            np.ldexp(number, exponent) for number in (self.mean, self.rest, self.scale)
        )
        z = (np.ldexp(y, exponent) - mean - rest) / scale  # beside a large mean exact
        return np.round(z * GRID) / GRID + 0.0  # no -0.0

    def merit(self, data):
        """See :class:`Target`: the mean is R2, averaged over the targets."""
        if data.n_rows < 2:
            raise ValueError(
                f"early_stopping=True sets {data.n_rows} distinct row aside, but R2 "
                "needs two: raise validation_fraction, or give more rows."
            )
        z, weights = data.labels, data.weights
        spread = np.average(
            (z - np.average(z, axis=0, weights=weights)) ** 2, axis=0, weights=weights
        )
        spread = np.where(spread > 0, spread, 1.0)
        return lambda raw, labels: (1 - (raw - labels) ** 2 / spread).mean(axis=1)

    def worth(self, loss, raw, labels, weights):
        """See :class:`Target`: 1 - 2 loss, for the squared error R2 on all rows."""
        return 1.0 - 2.0 * loss.value(raw, labels).mean(axis=1), np.nan

    def predictions(self, raw):
        """y of raw predictions, (n,) or (n, n_targets).

        In float64: beside a large mean, float32 has no digits left for the spread.
        """
        y = self.mean + self.scale * raw.astype(np.float64)
        return y[:, 0] if self.column else y

    def tell_of_units(self, y, sample_weight):
        """Warn where y_scale_, learned from earlier rows, says nothing of these."""
        y = np.asarray(y, dtype=np.float64).reshape(len(y), -1)
        if sample_weight is not None:
            y = y[np.asarray(sample_weight) > 0]
        with np.errstate(over="ignore"):
            z = self.standardised(y)
            spread = np.ptp(y, axis=0) / abs(self.scale)
        is_small = (spread > 0) & (spread < 1.0 / FAR) & (len(y) >= LEAST)
        farthest = float(abs(z).max(initial=0.0))
        if farthest > FAR:
            what = f"is up to {farthest:.2g} times y_scale_ away from y_mean_"
        elif is_small.any():
            what = f"differs by {spread[is_small].min():.2g} times y_scale_ only"
        else:
            return
        warn_user(
            f"y {what}; both were learned from the first call of partial_fit, and "
            "alpha, tol and the certificate are in units of y_scale_. Call fit, or "
            "begin partial_fit with rows like all of them."
        )

    def unit(self, loss):
        """See :class:`Target`: the scale of one target, or its square."""
        if self.n_outputs > 1 or loss.kernel is None:
            return np.nan
        scale = abs(float(self.scale[0]))
        unit = scale * scale if loss.quadratic else scale
        return unit if np.finfo(float).tiny <= unit < np.inf else np.nan


def encode_continuous(y, known=None, sample_weight=None):
    """The target of y, and its z of shape (n, n_targets), float64.

    Parameters
    ----------
    y : array-like of shape (n,) or (n, n_targets)
    known : Continuous, optional
        By default mean and scale are those of y.
    sample_weight : ndarray of shape (n,), optional

    Raises
    ------
    ValueError
        If y does not hold finite numbers, or not as many columns as ``known``.
    """
    y = numbers(y)
    column = y.ndim == 1
    y = y.reshape(len(y), -1)
    if known is None:
        found = [mean_and_scale(some, sample_weight) for some in y.T]
        mean, rest, scale, straight = map(np.array, zip(*found, strict=True))
        known = Continuous(mean, scale, column, straight, rest)
    elif known.n_outputs != y.shape[1]:
        raise ValueError(
            f"y has {y.shape[1]} targets, but the model was fitted with "
            f"{known.n_outputs}."
        )
    with np.errstate(over="ignore", invalid="ignore"):
        z = known.standardised(y)
    if not np.isfinite(z).all():
        i, k = np.argwhere(~np.isfinite(z))[0]
        raise ValueError(
            f"y has {y[i, k]:g} in row {i}, which overflows in units of its spread, "
            f"{abs(known.scale[k]):g}."
        )
    return known, z


def numbers(y):
    """y as an ndarray of finite float64, (n,) or (n, n_targets); or a ValueError."""
    kind = np.asarray(y).dtype
    if kind.kind not in "biufO":
        raise ValueError(f"y must hold numbers, got an array of {kind}.")
    return check_array(y, ensure_2d=False, dtype=np.float64, input_name="y")


def mean_and_scale(y, sample_weight=None):
    """Mean, its rest and signed deviation of a column, and whether it is straight.

    The deviation is 1 where there is one value; straight is what is not skewed. The
    rest is what rounding has taken from the mean: of ``y + d`` both differ by d.

    Equal values are merged and sums are exactly rounded, so that neither depends on the
    order of the rows, and a weight of 2 is a repetition.
    """
    if sample_weight is not None:
        some = sample_weight > 0
        y, sample_weight = y[some], sample_weight[some]
    values, places, weights = np.unique(y, return_inverse=True, return_counts=True)
    if sample_weight is not None:
        order = np.lexsort((sample_weight, places))
        first = np.flatnonzero(np.diff(places[order], prepend=-1))
        weights = exact_sums(sample_weight[order], first)
    weights = np.ldexp(weights.astype(np.float64), -np.frexp(weights.max())[1])
    exponent = np.frexp(np.abs(values).max())[1]
    values = np.ldexp(values, -exponent)  # squares of what is left neither overflow
    total = math.fsum(weights)
    mean = math.fsum(weights * values) / total
    error = values - mean
    rest = math.fsum(weights * error) / total
    variance = math.fsum(weights * error * error) / total - rest * rest
    scale = np.ldexp(math.sqrt(max(variance, 0.0)), exponent)
    if len(values) == 1 or not scale > 0:
        return float(np.ldexp(values[0], exponent)), 0.0, 1.0, False
    error = (error - rest) / math.sqrt(variance)
    skewness = math.fsum(weights * error * error * error) / total
    straight = abs(skewness) <= STRAIGHT
    scale = -scale if skewness < 0 and not straight else scale
    mean, rest = np.ldexp(mean, exponent), np.ldexp(rest, exponent)
    return float(mean), float(rest), float(scale), straight
