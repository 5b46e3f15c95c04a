"""Small calls of kernels that are the same whatever the loss and the rows are.

For a process that only compiles (:mod:`skgoodmin.estimator.second_compiler`).
"""

import numpy as np

from ..certificates.ascents import relu_ascents
from ..kernels.group_descent import descend
from ..kernels.kinks import hold, project
from ..kernels.process_lock import alone
from .compact_lbfgs import compact_steps


def _steps():
    """Of L-BFGS."""
    steps = compact_steps(np.zeros(1), 0.0, 1)
    next(steps)
    steps.send((0.0, np.ones(1)))


def _ascents():
    """Of the polar."""
    relu_ascents(np.eye(2), np.eye(2), np.eye(2), 1)


def _amplitudes():
    """Of growing."""
    v = np.zeros((1, 2))
    descend(np.ones((1, 1, 2, 2)), np.zeros(2), 1, v, v.copy())


def _kinks():
    """Of growing, too."""
    x, bases, n_held = np.eye(2), np.zeros((2, 1, 3)), np.zeros(2, dtype=np.int64)
    hold(x, x, x, np.zeros((2, 3)), np.ones(2), 0.5, 0.5, bases, n_held)
    project(bases, n_held, np.eye(2), np.ones(2))


CALLS = {
    "steps": _steps,
    "ascents": _ascents,
    "kinks": _kinks,
    "amplitudes": _amplitudes,
}


def compile_kernels(folder, names):
    """Compile what is not in the cache yet, unless another process does so.

    Parameters
    ----------
    folder : str
        Where compiled code is kept.
    names : iterable of str
        Of ``CALLS``.
    """
    with alone(folder, __name__, patience=0.0) as mine:
        for name in names if mine else ():
            CALLS[name]()
