"""The rough objective: most of a long training needs no more digits than float32 has.

A product of matrices takes half the time in float32, and an evaluation is wrong by some
1e-7 of itself. An iteration lowers the objective by far more until a run comes to rest.
So a run begins with the rough objective, and once it rests there it goes on in float64,
mostly for one evaluation (:class:`.lbfgs.Run`). What it ends with is in float64 always.
"""

import numpy as np

from .stall import least_fall, may_vanish

LEAST_FALL = 1e-5  # over ten iterations, of the objective: a hundred times the error


def rough_objective(objective, tol):
    """The objective in float32; None where that would not do, or would not pay.

    Besides what :attr:`.Objective.in_float32` says, it would not do where the objective
    may fall to 0 or ``tol`` asks for more digits.
    """
    if objective.data.dtype == np.float32 or may_vanish(objective):
        return None
    if least_fall(objective, tol) < LEAST_FALL:
        return None
    return objective.in_float32
