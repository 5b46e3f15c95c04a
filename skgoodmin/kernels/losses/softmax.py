"""Softmax loss: l(f) = log(sum_k e^f_k) - f_label, one loss of all outputs."""

import numpy as np

from ..jit import njit
from ..vector_math import exp64
from .logistic import negligible
from .sum_losses import sum_losses


@njit
def _softmax(parameter, raw, labels, weights, value, work):
    """Softmax loss; adds to ``value``, raw becomes the gradient."""
    n_outputs, n = raw.shape
    largest, total = work[:n], work[n : 2 * n]
    smallest = negligible(raw.itemsize)
    for i in range(n):
        largest[i] = raw[0, i]
        total[i] = 0.0
    for k in range(1, n_outputs):
        for i in range(n):
            largest[i] = raw[k, i] if raw[k, i] > largest[i] else largest[i]
    for i in range(n):
        # Left finite so far where the label's prediction is not the largest one.
        value[i] += weights[i] * (largest[i] - raw[labels[i, 0], i])
    for k in range(n_outputs):
        for i in range(n):
            size = np.float64(raw[k, i]) - largest[i]
            u = exp64(size)
            u = 0.0 if size < smallest else u
            total[i] += 0.0 if labels[i, 0] == k else u
            raw[k, i] = u
    for i in range(n):
        # Exact where the label's prediction leads: u = 1, and the others are small.
        others, u = total[i], raw[labels[i, 0], i]
        value[i] += weights[i] * np.log1p(others - (1.0 - u))
        total[i] = weights[i] / (others + u)
    for k in range(n_outputs):
        for i in range(n):
            raw[k, i] *= total[i]
    for i in range(n):
        k = labels[i, 0]
        # p - 1 = -(sum of the others), without the cancellation of p near 1.
        others = 0.0
        for j in range(n_outputs):
            others += raw[j, i] if j != k else 0.0
        raw[k, i] = -others


softmax = sum_losses.bind("softmax", pointwise=_softmax)
