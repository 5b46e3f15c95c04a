"""Places of numbers in descending order, in time that grows like their number.

Two passes over 16 bits of (largest - z_i) / (largest - least), least significant bits
first, put almost all in place; one insertion sort does the rest. Where outliers leave
most numbers in one bin, runs are merged instead (numba takes five seconds to compile
numpy's argsort). Equal numbers keep their order.
"""

import numpy as np

from .jit import njit
from .network import ZERO

BINS = 256
RUN = 16  # numbers that insertion sorts faster than merging


@njit
def extent(z):
    """(largest, least) of z (n,).

    Four of each at once: one would wait for the comparison before.
    """
    a = b = c = d = p = q = r = s = z[0]
    n, whole = z.size, z.size - z.size % 4
    for i in range(0, whole, 4):
        a, p = max(a, z[i]), min(p, z[i])
        b, q = max(b, z[i + 1]), min(q, z[i + 1])
        c, r = max(c, z[i + 2]), min(r, z[i + 2])
        d, s = max(d, z[i + 3]), min(s, z[i + 3])
    for i in range(whole, n):
        a, p = max(a, z[i]), min(p, z[i])
    return max(max(a, b), max(c, d)), min(min(p, q), min(r, s))


@njit
def insert(z, order, start, p):
    """Move order[p] to its place among those from ``start`` on, in order; the place."""
    i = order[p]
    while p > start and z[order[p - 1]] < z[i]:
        order[p] = order[p - 1]
        p -= 1
    order[p] = i
    return p


@njit
def merge(z, other, order):
    """order = places of z (n,), largest first: short runs are sorted and merged."""
    n, length = z.size, RUN
    for p in range(n):
        order[p] = p
        insert(z, order, p - p % RUN, p)
    while length < n:
        for start in range(0, n, 2 * length):
            middle, end = min(start + length, n), min(start + 2 * length, n)
            p, q = start, middle
            for k in range(start, end):
                if p < middle and (q == end or not z[order[p]] < z[order[q]]):
                    other[k] = order[p]
                    p += 1
                else:
                    other[k] = order[q]
                    q += 1
        for i in range(n):
            order[i] = other[i]
        length *= 2


@njit
def descending(z, keys, other, order):
    """order = places of z (n,), largest first; keys and other are to work in."""
    n = z.size
    largest, least = extent(z)
    spread = largest - least
    if not (spread > 0.0 and spread < np.inf):
        merge(z, other, order)
        return
    scale = (BINS * BINS - 1) / spread
    low, high = np.empty(BINS + 1, np.int64), np.empty(BINS + 1, np.int64)
    for i in range(BINS + 1):
        low[i] = high[i] = 0
    for i in range(n):
        place = (largest - z[i]) * scale
        if not 0.0 <= place < BINS * BINS:  # NaN among z, or a spread near 0
            merge(z, other, order)
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
        moves += p - insert(z, order, ZERO, p)
        if moves > 32 * n + 1000:
            merge(z, other, order)
            return
