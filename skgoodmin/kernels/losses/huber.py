"""Huber's loss: e^2 / (2 epsilon) for errors |e| <= epsilon, else |e| - epsilon / 2."""

import numpy as np

from ..jit import njit
from .sum_losses import sum_losses


@njit
def _huber(parameter, raw, targets, weights, value, work):
    """Huber's loss of all outputs; adds to ``value``, raw becomes the gradient."""
    epsilon = parameter
    for k in range(raw.shape[0]):
        for i in range(raw.shape[1]):
            error = np.float64(raw[k, i]) - targets[i, k]
            slope = min(max(error / epsilon, -1.0), 1.0)
            value[i] += weights[i] * slope * (error - 0.5 * epsilon * slope)
            raw[k, i] = weights[i] * slope


huber = sum_losses.bind("huber", pointwise=_huber)
