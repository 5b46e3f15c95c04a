"""Advice: what to change where a fit did not come to rest."""

import numpy as np

from ..objective.scaling import is_scaled
from ..training.lbfgs import Exit

SCALE = "scale the data"
REMEDIES = {
    Exit.MAX_ITER: ["increase max_iter"],
    Exit.MAX_FUN: ["increase max_fun"],
    Exit.PRECISION: ["raise tol"],
    Exit.OVERFLOW: ["lower degree"],
}


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
    if not is_scaled(data):
        remedies.insert(1 if exit in (Exit.MAX_ITER, Exit.MAX_FUN) else 0, SCALE)
    if exit is Exit.PRECISION and data.dtype == np.float32:
        remedies.append("convert the data to float64")
    return f"{exit.value.rstrip('.')}; {' or '.join(remedies)}."
