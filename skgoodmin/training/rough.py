"""The rough objective: most of a long training needs no more digits than float32 has.

A product of matrices takes half the time in float32, and an evaluation is wrong by some
1e-7 of itself. An iteration lowers the objective by far more until a run comes to rest.
So a run begins with the rough objective, and once it rests there it goes on in float64,
mostly for one evaluation (:class:`.lbfgs.Run`). What it ends with is in float64 always.
"""

from dataclasses import replace

import numpy as np

from ..objective.scaling import is_scaled
from .stall import least_fall, may_vanish

LEAST_FALL = 1e-5  # over ten iterations, of the objective: a hundred times the error


def rough_objective(objective, tol):
    """The objective in float32; None where that would not do, or would not pay.

    It pays where the rows are summed in several leaves: one that is small is evaluated
    in less time than it takes to compile a second kernel. It would not do where the
    objective may fall to 0 or ``tol`` asks for more digits, and where columns are far
    too large or small.
    """
    if objective.data.dtype == np.float32 or may_vanish(objective):
        return None
    if least_fall(objective, tol) < LEAST_FALL or not bears_float32(objective):
        return None
    return replace(objective, precision=np.float32)


def bears_float32(objective):
    """Whether a large table has columns of a size for float32."""
    return objective.n_leaves > 1 and is_scaled(objective.data)
