"""Advice: what to change where a fit did not come to rest."""

import numpy as np

from ..training.lbfgs import Exit

SCALE = "scale the data"
REMEDIES = {
    Exit.MAX_ITER: ["increase max_iter"],
    Exit.MAX_FUN: ["increase max_fun"],
    Exit.PRECISION: ["raise tol"],
    Exit.WORSE: ["lower alpha"],
}
LARGE_ALPHA = 1e150  # whose penalty may overflow at an ordinary start


def advice(exit, data):
    """Why a fit on ``data`` ended, and what to change if it is not at rest.

    Parameters
    ----------
    exit : Exit
    data : CanonicalRows

    Returns
    -------
    sentence : str
    """
    remedies = list(REMEDIES.get(exit, ()))
    if not remedies:
        return exit.value
    if exit is Exit.WORSE and not data.is_scaled:
        remedies = [SCALE]  # whatever alpha is
    elif not data.is_scaled:
        remedies.insert(1 if exit in (Exit.MAX_ITER, Exit.MAX_FUN) else 0, SCALE)
    if exit is Exit.PRECISION and data.dtype == np.float32:
        remedies.append("convert the data to float64")
    return _told(exit, remedies)


def advice_on_overflow(objective):
    """What to change where the objective overflows at the start.

    Parameters
    ----------
    objective : Objective

    Returns
    -------
    sentence : str
    """
    if objective.alpha > LARGE_ALPHA:
        why = _told(Exit.OVERFLOW, [f"give one below {LARGE_ALPHA:g}"])
        return f"alpha={objective.alpha:g}: {why}"
    degree = getattr(objective.loss, "degree", 0)
    lower = ["lower degree"] if degree > 3 else []
    if lower and objective.data.is_scaled:
        return f"degree={degree:g}: {_told(Exit.OVERFLOW, lower)}"
    return f"X: {_told(Exit.OVERFLOW, [SCALE, *lower])}"


def _told(exit, remedies):
    """The reason of an exit, and the remedies."""
    return f"{exit.value.rstrip('.')}; {' or '.join(remedies)}."
