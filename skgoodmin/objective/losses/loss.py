"""What the package asks of a loss.

A loss is one file here, with its formulas in numpy, and one in
:mod:`skgoodmin.kernels.losses`, with its kernel; the line in ``__init__`` makes it
known to the estimators.

Conventions: raw predictions of rows have shape (n, n_outputs), in ``into_gradient``
(n_outputs, n). Labels have shape (n, 1) with the class number, or (n, n_outputs) with
0 and 1. A *group* are rows with identical features, which get one raw prediction
whatever the network.
"""

from typing import Any, ClassVar, Protocol

import numpy as np

from ...kernels.jit import Kernel
from ...kernels.losses.labels import signs
from ..duals.dual import Dual


class Loss(Protocol):
    """A convex loss of raw predictions, with the infimum 0 for a single label."""

    @property
    def name(self) -> str:
        """As the user writes it."""

    @property
    def kernel(self) -> Kernel | None:
        """``sum_losses``, bound to the loss; None for a loss written in Python."""

    @property
    def degree(self) -> float:
        """What the kernel gets as its degree."""

    @property
    def link(self) -> str:
        """Name of the link from raw predictions to probabilities."""

    @property
    def attains_minimum(self) -> bool:
        """Whether the infimum is a minimum, as the theorem of LSLS18 asks."""

    @property
    def unit_margin(self) -> bool:
        """Whether the loss is 0 from margin 1 on, and at least 1 on the wrong side."""

    @property
    def has_closed_minimum(self) -> bool:
        """Whether ``minimum`` is a formula that a proof may rest on."""

    @property
    def rounding(self) -> float:
        """Relative rounding error of ``minimum``, in eps, for many classes as well."""

    @property
    def auto_alpha(self) -> float:
        """Factor that ``alpha='auto'`` takes for this loss."""

    def into_gradient(
        self, raw: np.ndarray, labels: np.ndarray, weights: np.ndarray
    ) -> float:
        """Weighted sum of the loss; raw (n_outputs, n) becomes its gradient."""

    def curvature(self, raw: np.ndarray, signs: np.ndarray) -> np.ndarray:
        """d2l/df2 by each raw prediction, elementwise on (n, n_outputs)."""

    def counts(
        self, labels: np.ndarray, weights: np.ndarray, group: np.ndarray, n_outputs: int
    ) -> np.ndarray:
        """Weights of the labels in each group, the form that ``minimum`` takes."""

    def minimum(self, counts: np.ndarray) -> np.ndarray:
        """Least loss of groups of identical rows, (n_groups,)."""

    def dual(self, labels: np.ndarray, shares: np.ndarray, n_outputs: int) -> Dual:
        """The loss on given rows as duality sees it: its conjugate."""

    def probabilities(self, raw: np.ndarray) -> np.ndarray:
        """P(y = 1 | f) for each output, inside (0, 1), elementwise."""

    def onnx(self, graph: Any, raw: str) -> str:
        """Adds the link to an ONNX graph; the name of the probabilities."""


class KernelLoss:
    """What losses that are kernels share."""

    kernel: ClassVar[Kernel]
    degree: float

    def into_gradient(self, raw, labels, weights):
        """Weighted sum of the loss; raw becomes its gradient, in place.

        Parameters
        ----------
        raw : ndarray of shape (n_outputs, n)
        labels : ndarray of shape (n, 1 or n_outputs)
        weights : ndarray of shape (n,)
        """
        work = np.empty(3 * raw.shape[1])
        return self.kernel(float(self.degree), raw, labels, weights, work)


class OutputwiseLoss:
    """What losses share that add up over the outputs, each with the label +1 or -1."""

    def counts(self, labels, weights, group, n_outputs):
        """Weight of the negative and of the positive label, (n_groups, n_outputs, 2).

        labels : (n, 1 or n_outputs), weights : (n,), group : (n,) from 0 on
        """
        sign = signs(labels, n_outputs)
        counts = np.zeros((group.max(initial=-1) + 1, n_outputs, 2))
        for i in (0, 1):
            of_sign = weights[:, None] * (sign == 2 * i - 1)
            np.add.at(counts[:, :, i], group, of_sign)
        return counts
