"""Polynomial hinge: l(m) = max(0, 1 - m)^p with the margin m = y f, p >= 2."""

import numpy as np

from ..jit import njit
from .labels import positive
from .sum_losses import sum_losses


@njit
def _hinge(parameter, raw, labels, weights, value, work):
    """Hinge of all outputs; adds to ``value``, turns raw into the gradient."""
    for k in range(raw.shape[0]):
        column, number = positive(labels, k, raw.shape[0])
        for i in range(raw.shape[1]):
            sign = 1.0 if labels[i, column] == number else -1.0
            violation = 1.0 - sign * np.float64(raw[k, i])
            violation = 0.0 if violation < 0.0 else violation
            power = violation * violation
            if parameter == 2.0:
                power = violation
            elif parameter != 3.0:
                power = violation ** (parameter - 1.0)
            value[i] += weights[i] * power * violation
            raw[k, i] = -parameter * sign * weights[i] * power


hinge = sum_losses.bind("hinge", pointwise=_hinge)
