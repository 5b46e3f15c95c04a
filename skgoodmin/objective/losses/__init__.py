"""Losses, one file each, and the names by which the user chooses them.

============== ============================ ===================================
loss           l(f)                         dl/df
============== ============================ ===================================
hinge          max(0, 1 - m)^p, p >= 2      -p y max(0, 1 - m)^(p-1)
logistic       log(1 + e^-m)                -y / (1 + e^m)
softmax        log(sum_k e^f_k) - f_label   e^f_k / sum_j e^f_j - [k = label]
squared error  e^2 / 2                      e
huber          e^2 / (2 epsilon) or, from   e / epsilon, at most 1 in size
               |e| = epsilon on, |e| - eps. / 2
============== ============================ ===================================

with a label y = +1 or -1 and the margin m = y f, or a real target t and the error
e = f - t. Several outputs: the hinge and the
logistic loss add over the outputs, one against the rest for several classes and one
label each for multilabel; softmax is one loss of all outputs. Losses of real targets
add over them.
"""

from collections.abc import Callable
from typing import NamedTuple

from .custom import CustomLoss
from .custom_target import CustomTargetLoss
from .huber import Huber
from .logistic import Logistic
from .loss import ClassLoss, Loss
from .polynomial_hinge import PolynomialHinge
from .softmax import Softmax
from .squared_error import SquaredError


class NamedLoss(NamedTuple):
    """What a name of the parameter ``loss`` stands for.

    Both entries make the loss from the parameter ``degree``.
    """

    of_labels: Callable[[float], ClassLoss]  # a single output, or labels of their own
    of_classes: Callable[[float], ClassLoss]  # several classes, one of which a row has


LOSSES = {
    "poly_hinge": NamedLoss(PolynomialHinge, PolynomialHinge),
    "log_loss": NamedLoss(lambda degree: Logistic(), lambda degree: Softmax()),
}

# What a name of a regressor's ``loss`` stands for, made from its ``epsilon``.
TARGET_LOSSES: dict[str, Callable[[float], Loss]] = {
    "squared_error": lambda epsilon: SquaredError(),
    "huber": Huber,
}

__all__ = [
    "LOSSES",
    "TARGET_LOSSES",
    "ClassLoss",
    "CustomLoss",
    "CustomTargetLoss",
    "Huber",
    "Logistic",
    "Loss",
    "NamedLoss",
    "PolynomialHinge",
    "Softmax",
    "SquaredError",
]
