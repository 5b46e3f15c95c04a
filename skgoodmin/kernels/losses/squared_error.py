"""Squared error: l(e) = e^2 / 2 with the error e = f - target."""

import numpy as np

from ..jit import njit
from .sum_losses import sum_losses


@njit
def _squared_error(parameter, raw, targets, weights, value, work):
    """Squared error of all outputs; adds to ``value``, raw becomes the gradient."""
    for k in range(raw.shape[0]):
        for i in range(raw.shape[1]):
            error = np.float64(raw[k, i]) - targets[i, k]
            value[i] += 0.5 * weights[i] * error * error
            raw[k, i] = weights[i] * error


squared_error = sum_losses.bind("squared_error", pointwise=_squared_error)
