"""L-BFGS without bounds: :mod:`.kernels.lbfgs_step` and its arrays.

Step by step, for whoever asks for every iterate, or some iterations at once.
"""

from dataclasses import replace

import numpy as np

from ..kernels.descent import descend
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
    arrays = _arrays(theta, tol, m)
    gradient, _, point, *_ = arrays
    asked = EVALUATE
    while asked != END:
        if asked == EVALUATE:
            value, gradient[:] = yield point
        else:
            yield None
        asked = step(float(value), *arrays)


def short_runs(objective, alphas, theta, tol, m, max_iter, max_fun):
    """The iterates after some iterations at once, one for each strength of decay.

    For runs so short that nobody asks for an iterate in between: an evaluation of a
    small network takes half as long as from Python.

    Parameters
    ----------
    objective : Objective
    alphas : iterable of float
        In place of that of the objective.
    theta, tol, m
        See :func:`compact_steps`.
    max_iter, max_fun : int
        Iterations and evaluations, at least 1.

    Yields
    ------
    theta : ndarray of shape (n_parameters,), or None where J overflows at the start
    """
    arrays, call = _arrays(theta, tol, m), objective.as_kernel()
    if call is not None:
        kernel, before, after = call
        point, gradient = arrays[2], arrays[0]
        evaluate = kernel.pointer(*before(1.0), point, *after, gradient)
        next_step = step.pointer(0.0, *arrays)
    for alpha in alphas:
        arrays = _arrays(theta, tol, m)
        if call is not None:
            given = evaluate, next_step, before(float(alpha)), after
            began = descend(*given, arrays, max_iter, max_fun)
        else:  # the same in Python
            given = _in_python(replace(objective, alpha=float(alpha))), step, (), ()
            began = descend.function(*given, arrays, max_iter, max_fun)
        yield arrays[3][0] if began else None


def _in_python(objective):
    """What :func:`.kernels.descent.descend` calls in place of a kernel."""

    def evaluate(point, gradient):
        value, gradient[:] = objective.value_and_gradient(point)
        return float(value)

    return evaluate


def _arrays(theta, tol, m):
    """The arguments of :func:`.kernels.lbfgs_step.step` after the value."""
    n = len(theta)
    memory = np.empty((2, m, n)), np.empty((2, m, m)), np.empty((2, m))
    state = np.empty(N_FIELDS), np.zeros(2, np.int64), np.empty(m, np.int64)
    return np.empty(n), float(tol), theta.copy(), np.empty((3, n)), *memory, *state
