"""Rows of two sides, and the pairs of them that a plan may use.

Any set of pairs proves a bound, near ones a better one: mass that goes a short way
costs little for every neuron. Where the two sides are too large for all distances, the
neighbours along a few directions stand in for the nearest ones.
"""

import numpy as np

from ..kernels.pairs import moved

LARGEST = 30_000_000  # distances that are computed at most
SLICE = 4_000_000  # at a time


def _least(distance, k):
    """Places (n, k) of the k least of each row of distances (n, m)."""
    if k >= distance.shape[1]:
        return np.tile(np.arange(distance.shape[1]), (len(distance), 1))
    return np.argpartition(distance, k - 1, axis=1)[:, :k]


def nearest(x, y, k):
    """Places (n, k) of the k rows of y next to each row of x.

    By |y|^2 - 2 x.y from the mean of y, so that little is lost to rounding.
    """
    centre, step = y.mean(axis=0), max(SLICE // len(y), 1)
    doubled, y = 2.0 * (x - centre), y - centre
    squares = (y * y).sum(axis=1)
    return np.vstack(
        [
            _least(squares - doubled[start : start + step] @ y.T, k)
            for start in range(0, len(x), step)
        ]
    )


def along(x, y, k, direction):
    """Places (n, k) of rows of y next to each row of x along a direction."""
    order = np.argsort(y @ direction, kind="stable")
    at = np.searchsorted((y @ direction)[order], x @ direction)
    k = min(k, len(y))
    first = np.clip(at - k // 2, 0, len(y) - k)
    return order[first[:, None] + np.arange(k)]


def pairs(x, y, k):
    """(left, right) of all pairs (E,): k neighbours of every row, of either side.

    Parameters
    ----------
    x, y : ndarrays of shape (n, d) and (m, d)
    k : int
    """
    n, m = len(x), len(y)
    if n * m <= LARGEST:
        there, back = nearest(x, y, k), nearest(y, x, k)
    else:
        rng = np.random.default_rng(0)
        directions = rng.normal(size=(4, x.shape[1]))
        part = max(k // 4, 1)
        there = np.hstack([along(x, y, part, w) for w in directions])
        back = np.hstack([along(y, x, part, w) for w in directions])
    left = np.r_[np.repeat(np.arange(n), there.shape[1]), back.ravel()]
    right = np.r_[there.ravel(), np.repeat(np.arange(m), back.shape[1])]
    keys = np.unique(left * m + right)
    return keys // m, keys % m


def masses(x, y, left, right, a, b, n_iterations=20, sharpness=5.0):
    """Positive masses (E,) of the pairs with marginals near a and b: Sinkhorn.

    sharpness : float
        Of exp(-sharpness distance / mean distance).
    """
    distance = np.sqrt(((x[left] - y[right]) ** 2).sum(axis=1))
    mean = distance.mean()
    kernel = np.exp(-sharpness * distance / mean) if mean > 0 else np.ones(len(left))
    kernel = np.maximum(kernel, 1e-8)
    p, q = np.ones(len(a)), np.ones(len(b))
    for _ in range(n_iterations):
        p = a / np.maximum(np.bincount(left, kernel * q[right], len(a)), 1e-300)
        q = b / np.maximum(np.bincount(right, kernel * p[left], len(b)), 1e-300)
    return kernel * p[left] * q[right]


class Sides:
    """Rows of the positive and of the negative side of an output, and pairs of them.

    Parameters
    ----------
    x : ndarray of shape (n, d)
        All rows.
    residuals : ndarray of shape (n,)
        Those that are 0 are on no side.
    n_neighbours : int
        Of each row, on the other side.

    Attributes
    ----------
    up, down : ndarrays of shape (n_up,) and (n_down,)
        Places of the rows of either side.
    x, y : ndarrays of shape (n_up, d) and (n_down, d)
        These rows.
    left, right : ndarrays of shape (E,)
        Pairs, places in x and in y.
    mass : ndarray of shape (E,)
        To start from; it sums to 1, nearly.
    """

    def __init__(self, x, residuals, n_neighbours):
        self.n_rows = len(x)
        sides = np.flatnonzero(residuals > 0), np.flatnonzero(residuals < 0)
        self.up, self.down = sides
        self.x, self.y = (np.ascontiguousarray(x[side]) for side in sides)
        self.left, self.right = pairs(self.x, self.y, n_neighbours)
        # Rows that almost are at their goal start with some mass, too.
        size = abs(residuals)
        least = 1e-2 * size[size > 0].mean()
        a, b = (np.maximum(size[side], least) for side in sides)
        args = self.x, self.y, self.left, self.right
        self.mass = masses(*args, a / a.sum(), b / b.sum())
        (n, d), m = self.x.shape, len(self.y)
        self._sums = np.empty((n, d)), np.empty((m, d)), np.empty(n), np.empty(m)

    def move(self, mass):
        """(s, t, a, b) of :func:`skgoodmin.kernels.pairs.moved`, until the next one."""
        for sums in self._sums:
            sums.fill(0.0)
        moved(self.x, self.y, self.left, self.right, mass, *self._sums)
        return self._sums

    def residuals(self, a, b):
        """r (n,) of the marginals a of x and b of y."""
        r = np.zeros(self.n_rows)
        r[self.up], r[self.down] = a, -b
        return r
