"""Some iterations of L-BFGS in one call.

    value = evaluate(x), the next x = step(value), and so on

What Python does around an evaluation takes as long as that of a small network.
"""

import numpy as np

from .jit import njit
from .lbfgs_step import END, ITERATE


@njit
def descend(evaluate, step, before, after, arrays, max_iter, max_fun):
    """Step by step from a point; False where f overflows there.

    Parameters
    ----------
    evaluate : pointer to a kernel
        ``evaluate(*before, x, *after, gradient)`` returns f, and adds its gradient.
    step : pointer to :func:`.lbfgs_step.step`
    before, after : tuple
    arrays : tuple
        The arguments of ``step`` after the value. The first iterate is the point in
        there, the last one is left in ``iterate[0]``.
    max_iter, max_fun : int
    """
    gradient, point = arrays[0], arrays[2]
    n_iter = 0
    for n_fun in range(max_fun):
        for j in range(gradient.size):
            gradient[j] = 0.0
        value = evaluate(*before, point, *after, gradient)
        if n_fun == 0 and not is_finite(value, gradient):
            return False
        asked = step(value, *arrays)
        if asked == ITERATE:
            n_iter += 1
            if n_iter == max_iter:
                break
            asked = step(value, *arrays)
        if asked == END:
            break
    return True


@njit
def is_finite(value, gradient):
    """Whether all of it is."""
    for j in range(gradient.size):
        if not np.isfinite(gradient[j]):
            return False
    return np.isfinite(value)
