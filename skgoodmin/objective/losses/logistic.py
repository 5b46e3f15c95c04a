"""The logistic loss: l(m) = log(1 + e^-m) with the margin m = y f."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import expit

from ...kernels.losses.labels import signs
from ...kernels.losses.logistic import logistic
from ..duals.logistic import LogisticDual
from .loss import KernelLoss, OutputwiseLoss, inside
from .softmax import ENTROPY_ROUNDING, label_entropy


@dataclass(frozen=True)
class Logistic(KernelLoss, OutputwiseLoss):
    """Log-loss of one output, or of several that are labels of their own.

    Its infimum is not attained on a group with one label, so the theorem of LSLS18
    says nothing about it; bound and gap remain valid.
    """

    kernel: ClassVar = logistic
    link: ClassVar = "logistic"
    attains_minimum: ClassVar = False
    auto_alpha: ClassVar = 0.25
    has_closed_minimum: ClassVar = True
    rounding: ClassVar = ENTROPY_ROUNDING

    def minimum(self, counts):
        """Entropy of the labels of each group; counts (n_groups, n_outputs, 2)."""
        return label_entropy(counts)

    def curvature(self, raw, labels):
        """d2l/df2 = P (1 - P), elementwise on (n, n_outputs)."""
        p = expit(raw)
        return p * (1.0 - p)

    def dual(self, labels, shares, n_outputs):
        """The loss on given rows as duality sees it."""
        return LogisticDual(signs(labels, n_outputs).T, shares)

    def probabilities(self, raw):
        """P(y = 1 | f) = 1 / (1 + e^-f), kept inside (0, 1), elementwise."""
        return inside(expit(np.asarray(raw, dtype=np.float64)))

    def onnx(self, graph, raw):
        """The operator Sigmoid."""
        return graph("Sigmoid", raw)
