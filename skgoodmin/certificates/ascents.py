"""Ascents of the polar of relu units, many at once (:mod:`skgoodmin.kernels.polar`)."""

from typing import NamedTuple

import numpy as np
from scipy.sparse import issparse

from ..kernels.polar import AHEAD, ascend_all

FIRST_STEP = 0.5
MOST_DENSE = 2**28  # numbers of a dense copy of sparse rows, or there is an error
NO_LOOKS = np.empty((0, 2))


class Ascents(NamedTuple):
    """Where several ascents ended, one row each."""

    values: np.ndarray  # (m,) h / ||w||
    coefs: np.ndarray  # (m, d) of length 1
    intercepts: np.ndarray  # (m,)
    directions: np.ndarray  # (m, K) sum_i R_i act(w.x_i + b)
    n_evaluations: float  # of h, all together
    steps: np.ndarray  # (m,) to go on with
    earlier: np.ndarray  # (m,) h at the last look

    @property
    def promises(self):
        """(m,): what they come to if they rise on as since the last look."""
        return self.values + AHEAD * (self.values - self.earlier)

    def go_on(self, x, r, best, max_evaluations, looks=NO_LOOKS):
        """The ascents after those in the places ``best`` went on."""
        starts, steps = self.coefs[best], self.steps[best]
        further = relu_ascents(x, r, starts, max_evaluations, steps, looks)
        for name in ("values", "coefs", "intercepts", "directions", "steps", "earlier"):
            getattr(self, name)[best] = getattr(further, name)
        n_evaluations = self.n_evaluations + further.n_evaluations
        return self._replace(n_evaluations=n_evaluations)

    def distinct(self, least, most):
        """Places of at most ``most`` with values above ``least``, best first.

        They differ in (w, b).
        """
        chosen: list[int] = []
        for k in np.argsort(-self.values, kind="stable"):
            if self.values[k] <= least or len(chosen) == most:
                break
            b = self.intercepts[k]
            near = np.abs(self.intercepts[chosen] - b) < 1e-4 * (1.0 + abs(b))
            if not (near & (self.coefs[chosen] @ self.coefs[k] > 1.0 - 1e-6)).any():
                chosen.append(int(k))
        return np.array(chosen, dtype=int)


def check_dense(x, who, instead):
    """An error where a dense copy of sparse rows is too large, as :func:`rows_used`."""
    if issparse(x) and x.shape[0] * x.shape[1] > MOST_DENSE:
        raise ValueError(
            f"X: {who} needs a dense copy of sparse rows, which may have {MOST_DENSE} "
            f"numbers; these are {x.shape[0]} x {x.shape[1]}. Take {instead}, or fewer "
            "columns, as TruncatedSVD makes them."
        )


def rows_used(x, residuals):
    """The rows with a residual: (x (m, d) dense, R (m, K)), C-ordered float64."""
    used = np.flatnonzero((residuals != 0).any(axis=0))
    r = np.ascontiguousarray(residuals[:, used].T, dtype=np.float64)
    return dense_rows(x, used), r


def dense_rows(x, places):
    """Some of the rows, dense, C-ordered float64."""
    some = x[places]
    some = some.toarray() if issparse(some) else some
    return np.ascontiguousarray(some, dtype=np.float64)


def relu_ascents(x, r, starts, max_evaluations, steps=None, looks=NO_LOOKS):
    """Ascents from rows of ``starts`` (m, d), with first ``steps`` (m,).

    ``looks`` (L, 2): after how many evaluations an ascent ends that promises less than
    what.
    """
    if not len(x):  # no row has a residual: nothing to climb
        starts = starts[:0]
    coefs, directions = np.empty_like(starts), np.empty((len(starts), r.shape[1]))
    values = np.empty((len(starts), 5))
    if steps is None or not len(x):
        steps = np.full(len(starts), FIRST_STEP)
    columns, ends = np.ascontiguousarray(x.T), (coefs, directions, values)
    ascend_all(x, columns, r, starts, steps, max_evaluations, looks, ends)
    value, intercept, used, *others = values.T.copy()
    return Ascents(value, coefs, intercept, directions, used.sum(), *others)


def ascent_work(n_inputs, n_outputs):
    """Multiplications of an evaluation in an ascent, for each row, about."""
    return 2 * n_inputs + 3 * n_outputs + 5


def starting_points(x, r, units, n_units, n_random, rng):
    """Directions (m, d): the units that are missed most, and random ones."""
    units = units[np.linalg.norm(units, axis=1) > 0]
    if n_units == 0:
        units = units[:0]
    elif len(units) > n_units and len(x):
        scores = relu_ascents(x, r, units, max_evaluations=1).values
        units = units[np.argsort(-scores, kind="stable")[:n_units]]
    random = rng.normal(size=(n_random, x.shape[1]))
    starts = np.ascontiguousarray(np.vstack([units, random]), dtype=np.float64)
    return starts


def relu_search(x, r, units, n_units, n_random, rng, max_evaluations=200):
    """Ascents of relu units; x (n, d), r (n, K), units (m, d). Returns all of them.

    Returns
    -------
    ascents : Ascents
    """
    starts = starting_points(x, r, units, n_units, n_random, rng)
    return relu_ascents(x, r, starts, max_evaluations)
