"""Places of numbers in descending order, in time that grows like their number.

Two passes over 16 bits of (largest - z_i) / (largest - least), least significant bits
first, put almost all in place; one insertion sort does the rest. Where outliers leave
most numbers in one bin, numpy's argsort takes over. Equal numbers keep their order.
"""

import numpy as np

from .jit import njit

BINS = 256


@njit
def descending(z, keys, other, order):
    """order = places of z (n,), largest first; keys and other are to work in."""
    n = z.size
    largest, least = z[0], z[0]
    for i in range(n):
        largest, least = max(largest, z[i]), min(least, z[i])
    spread = largest - least
    if not (spread > 0.0 and spread < np.inf):
        order[:] = np.argsort(-z)
        return
    scale = (BINS * BINS - 1) / spread
    low, high = np.zeros(BINS + 1, np.int64), np.zeros(BINS + 1, np.int64)
    for i in range(n):
        place = (largest - z[i]) * scale
        if not 0.0 <= place < BINS * BINS:  # NaN among z, or a spread near 0
            order[:] = np.argsort(-z)
            return
        key = int(place)
        keys[i] = key
        low[key % BINS + 1] += 1
        high[key // BINS + 1] += 1
    for i in range(BINS):
        low[i + 1] += low[i]
        high[i + 1] += high[i]
    for i in range(n):
        at = keys[i] % BINS
        other[low[at]] = i
        low[at] += 1
    for p in range(n):
        i = other[p]
        at = keys[i] // BINS
        order[high[at]] = i
        high[at] += 1
    moves = 0
    for p in range(1, n):
        i, q = order[p], p
        while q > 0 and z[order[q - 1]] < z[i]:
            order[q] = order[q - 1]
            q -= 1
        order[q] = i
        moves += p - q
        if moves > 32 * n + 1000:
            order[:] = np.argsort(-z)
            return
