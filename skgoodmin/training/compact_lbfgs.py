"""L-BFGS without bounds, step by step: :mod:`.kernels.lbfgs_step` and its arrays."""

import numpy as np

from ..kernels.lbfgs_step import END, EVALUATE, step
from ..kernels.line_search import N_FIELDS


def compact_steps(theta, tol, m):
    """L-BFGS step by step; the generator of :func:`.lbfgs.lbfgsb_steps`.

    It yields a point and expects (value, gradient) there, or it yields None at a new
    iterate. It ends where no component of the gradient is above ``tol``, or where a
    line search fails.

    Parameters
    ----------
    theta : ndarray of shape (n,)
    tol : float
    m : int
        Pairs of a step and a change of the gradient that are kept.
    """
    n, point, gradient = len(theta), theta.copy(), np.empty(len(theta))
    memory = np.empty((2, m, n)), np.empty((2, m, m)), np.empty((2, m))
    state = np.empty(N_FIELDS), np.zeros(2, np.int64), np.empty(m, np.int64)
    arrays = gradient, float(tol), point, np.empty((3, n)), *memory, *state
    asked = EVALUATE
    while asked != END:
        if asked == EVALUATE:
            value, gradient[:] = yield point
        else:
            yield None
        asked = step(float(value), *arrays)
