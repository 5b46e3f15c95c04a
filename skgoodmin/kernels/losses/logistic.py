"""Logistic loss: l(m) = log(1 + e^-m) with the margin m = y f."""

import numpy as np

from ..jit import njit
from ..vector_math import exp64, log1p64
from .labels import positive
from .sum_losses import sum_losses


@njit(inline=True)
def negligible(itemsize):
    """Exponents below this give 0: their derivative would end up subnormal."""
    return -60.0 if itemsize == 4 else -460.0


@njit
def _logistic(parameter, raw, labels, weights, value, work):
    """Logistic loss of all outputs; adds to ``value``, raw becomes the gradient."""
    smallest = negligible(raw.itemsize)
    for k in range(raw.shape[0]):
        column, number = positive(labels, k, raw.shape[0])
        for i in range(raw.shape[1]):
            sign = 1.0 if labels[i, column] == number else -1.0
            margin = sign * np.float64(raw[k, i])
            size = -abs(margin)
            u = exp64(size)
            u = 0.0 if size < smallest else u
            value[i] += weights[i] * (log1p64(u) - min(margin, 0.0))
            wrong = u / (1.0 + u) if margin > 0.0 else 1.0 / (1.0 + u)
            raw[k, i] = -sign * weights[i] * wrong


logistic = sum_losses.bind("logistic", pointwise=_logistic)
