"""Losses, one file each, and the names by which the user chooses them.

============== ============================ ===================================
loss           l(f)                         dl/df
============== ============================ ===================================
hinge          max(0, 1 - m)^p, p >= 2      -p y max(0, 1 - m)^(p-1)
logistic       log(1 + e^-m)                -y / (1 + e^m)
softmax        log(sum_k e^f_k) - f_label   e^f_k / sum_j e^f_j - [k = label]
============== ============================ ===================================

with a label y = +1 or -1 and the margin m = y f. Several outputs: the hinge and the
logistic loss add over the outputs, one against the rest for several classes and one
label each for multilabel; softmax is one loss of all outputs.
"""

from collections.abc import Callable
from typing import NamedTuple

from .custom import CustomLoss
from .logistic import Logistic
from .loss import Loss
from .polynomial_hinge import PolynomialHinge
from .softmax import Softmax


class NamedLoss(NamedTuple):
    """What a name of the parameter ``loss`` stands for.

    Both entries make the loss from the parameter ``degree``.
    """

    of_labels: Callable[[float], Loss]  # a single output, or labels of their own
    of_classes: Callable[[float], Loss]  # several classes, one of which a row has


LOSSES = {
    "poly_hinge": NamedLoss(PolynomialHinge, PolynomialHinge),
    "log_loss": NamedLoss(lambda degree: Logistic(), lambda degree: Softmax()),
}

__all__ = [
    "LOSSES",
    "CustomLoss",
    "Logistic",
    "Loss",
    "NamedLoss",
    "PolynomialHinge",
    "Softmax",
]
