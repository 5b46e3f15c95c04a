"""The finish: without weight decay, a hinge that separates all rows can be made 0.

Once the mean loss is less than the share of every single row, each row is on its right
side, and scaling the output layer makes the loss 0.
"""

import numpy as np

from ..objective.predictions import Predictions
from .stall import may_vanish


def is_separated(objective, value):
    """Whether the objective alone shows that every row is on its right side.

    The loss of a row that is not is at least 1, and carries the mean above its share.
    """
    certain = may_vanish(objective) and objective.loss.unit_margin
    return certain and value < objective.shares.min()


def finish(objective, theta):
    """theta with the output layer scaled so that the smallest margin is at least 1."""
    raw = Predictions(objective, theta).raw
    margin = objective.loss.by_row(raw, objective.data.labels).min()
    scaled = theta.copy()
    if 0 < margin < 1:
        coefs, intercepts = objective.layout.unpack(scaled)
        factor = (1.0 + 1e3 * np.finfo(objective.data.dtype).eps) / margin
        coefs[-1][:] *= factor
        intercepts[-1][:] *= factor
    return scaled
