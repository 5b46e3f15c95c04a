"""The softmax loss: l(f) = log(sum_k e^f_k) - f_label, one loss of all outputs."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import softmax, xlog1py

from ...kernels.losses.softmax import softmax as softmax_kernel
from ..duals.softmax import SoftmaxDual
from .loss import KernelLoss, LabelLoss, inside

ENTROPY_ROUNDING = 1000.0  # quotients and logarithms; sums over classes not counted


@dataclass(frozen=True)
class Softmax(KernelLoss, LabelLoss):
    """Log-loss of several classes, of which each row has one.

    Its infimum is not attained on a group with one label, so the theorem of LSLS18
    says nothing about it; bound and gap remain valid.
    """

    kernel: ClassVar = softmax_kernel
    link: ClassVar = "softmax"
    attains_minimum: ClassVar = False
    couples_outputs: ClassVar = True
    auto_alpha: ClassVar = 0.25
    has_closed_minimum: ClassVar = True
    rounding: ClassVar = ENTROPY_ROUNDING

    def counts(self, labels, weights, group, n_outputs):
        """Weight of each class in each group, (n_groups, 1, n_outputs).

        labels : (n, 1), weights : (n,), group : (n,) from 0 on
        """
        counts = np.zeros((group.max(initial=-1) + 1, 1, n_outputs))
        np.add.at(counts, (group, 0, labels[:, 0]), weights)
        return counts

    def minimum(self, counts):
        """Entropy of the labels of each group; counts (n_groups, 1, n_outputs)."""
        return label_entropy(counts)

    def curvature(self, raw, labels):
        """d2l/df2 = P (1 - P), elementwise on (n, n_outputs)."""
        p = softmax(raw, axis=1)
        return p * (1.0 - p)

    def dual(self, labels, shares, n_outputs):
        """The loss on given rows as duality sees it."""
        return SoftmaxDual(labels[:, 0], n_outputs, shares)

    def probabilities(self, raw):
        """e^f_k / sum_j e^f_j, kept inside (0, 1), (n, n_outputs)."""
        return inside(softmax(raw.astype(np.float64), axis=1))

    def onnx(self, graph, raw):
        """The operator Softmax."""
        return graph("Softmax", raw, axis=1)


def label_entropy(counts):
    """n_j log(n / n_j), summed over labels j and outputs; (n_groups, n_outputs, j).

    log(n / n_j) = log(1 + others / n_j) is exact to a few units in the last place also
    where n_j is almost all there is.
    """
    others = counts @ (1.0 - np.eye(counts.shape[-1]))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ratio = np.where(counts > 0, others / counts, 0.0)
    # A cap, for weights near the smallest float: less is a bound, too.
    return xlog1py(counts, np.minimum(ratio, 1e300)).sum(axis=(-1, -2))
