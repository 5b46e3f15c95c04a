"""What a training tells of an iteration."""

from typing import NamedTuple

import numpy as np


class Progress(NamedTuple):
    """What a training tells after each iteration."""

    start: int
    escape: int  # 0 before the first one; 1 in joint training, the neuron dropped
    n_iter: int  # iterations of this run
    n_fun: float  # evaluations of this start, grafts and scouts included
    value: float  # objective
    theta: np.ndarray  # (n_parameters,) of the plain network; not to be kept
    score: float | None = None  # on the validation rows of early stopping
