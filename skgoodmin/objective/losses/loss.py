"""What the package asks of a loss.

A loss is one file here, with its formulas in numpy, and one in
:mod:`skgoodmin.kernels.losses`, with its kernel; the line in ``__init__`` makes it
known to the estimators.

Conventions: raw predictions of rows have shape (n, n_outputs), in ``into_gradient``
(n_outputs, n). Labels of classes have shape (n, 1) with the class number, or
(n, n_outputs) with 0 and 1; real targets have shape (n, n_outputs) and stand where
labels are asked for. A *group* are rows with identical features, which get one raw
prediction whatever the network.
"""

from typing import Any, ClassVar, Protocol

import numpy as np

from ...kernels.jit import Kernel
from ...kernels.losses.labels import signs
from ..duals.dual import Dual

CLEAR_MARGIN = 20.0  # where a loss that never gets to 0 is as good as there


def inside(p):
    """Probabilities kept inside (0, 1)."""
    eps = np.finfo(np.float64).eps
    return np.clip(p, eps, 1.0 - eps)


class Loss(Protocol):
    """A convex loss of raw predictions, with the infimum 0 for a single label."""

    @property
    def kernel(self) -> Kernel | None:
        """``sum_losses``, bound to the loss; None for a loss written in Python."""

    @property
    def parameter(self) -> float:
        """What the kernel gets as its parameter."""

    @property
    def link(self) -> str:
        """Name of the link from raw predictions to probabilities, or 'identity'."""

    @property
    def attains_minimum(self) -> bool:
        """Whether the infimum is a minimum, as the theorem of LSLS18 asks."""

    @property
    def unit_margin(self) -> bool:
        """Whether the loss is 0 from margin 1 on, and at least 1 on the wrong side."""

    @property
    def couples_outputs(self) -> bool:
        """Whether the derivative by an output depends on the others: softmax."""

    @property
    def has_closed_minimum(self) -> bool:
        """Whether ``least`` is a formula that a proof may rest on."""

    @property
    def auto_alpha(self) -> float:
        """Factor that ``alpha='auto'`` takes for this loss."""

    @property
    def of_rows(self) -> str:
        """What ``by_row`` returns, in a word."""

    def into_gradient(
        self, raw: np.ndarray, labels: np.ndarray, weights: np.ndarray
    ) -> float:
        """Weighted sum of the loss; raw (n_outputs, n) becomes its gradient."""

    def curvature(self, raw: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """d2l/df2 by each raw prediction, elementwise on (n, n_outputs)."""

    def least(
        self, labels: np.ndarray, weights: np.ndarray, group: np.ndarray, n_outputs: int
    ) -> np.ndarray:
        """Least loss of each group of identical rows, (n_groups,); group from 0 on."""

    def worse(
        self, raw: np.ndarray, labels: np.ndarray, wrong: np.ndarray
    ) -> np.ndarray:
        """+1 or -1: which of ``raw + wrong`` and ``raw - wrong`` loses more.

        For each raw prediction, (n, n_outputs), with ``wrong`` at least 0.
        """

    def constant(self, labels: np.ndarray, n_outputs: int) -> np.ndarray:
        """Raw predictions (n, n_outputs) that are as good as any for the labels."""

    def by_row(self, raw: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """How far each row is on its side, or from its target, (n,)."""

    def dual(self, labels: np.ndarray, shares: np.ndarray, n_outputs: int) -> Dual:
        """The loss on given rows as duality sees it: its conjugate."""


class ClassLoss(Loss, Protocol):
    """A loss of class labels."""

    @property
    def rounding(self) -> float:
        """Relative rounding error of ``minimum``, in eps, for many classes as well."""

    def counts(
        self, labels: np.ndarray, weights: np.ndarray, group: np.ndarray, n_outputs: int
    ) -> np.ndarray:
        """Weights of the labels in each group, the form that ``minimum`` takes."""

    def minimum(self, counts: np.ndarray) -> np.ndarray:
        """Least loss of groups of identical rows, (n_groups,)."""

    def probabilities(self, raw: np.ndarray) -> np.ndarray:
        """P(y = 1 | f) for each output, inside (0, 1), elementwise."""

    def onnx(self, graph: Any, raw: str) -> str:
        """Adds the link to an ONNX graph; the name of the probabilities."""


class LabelLoss:
    """What losses of class labels share."""

    unit_margin: ClassVar[bool] = False
    couples_outputs: ClassVar[bool] = False
    of_rows: ClassVar[str] = "margin"

    counts: Any
    minimum: Any

    def least(self, labels, weights, group, n_outputs):
        """See :class:`Loss`: a formula of the weights of the labels in a group."""
        return self.minimum(self.counts(labels, weights, group, n_outputs))

    def worse(self, raw, labels, wrong):
        """See :class:`Loss`: against the sign."""
        return -signs(labels, raw.shape[1])

    def constant(self, labels, n_outputs):
        """See :class:`Loss`: a margin of 1 where that is enough, else a large one."""
        margin = 1.0 if self.unit_margin else CLEAR_MARGIN
        return margin * signs(labels, n_outputs)

    def by_row(self, raw, labels):
        """See :class:`Loss`: margins y f, the smallest one over the outputs."""
        return (signs(labels, raw.shape[1]) * raw).min(axis=1)


class KernelLoss:
    """What losses that are kernels share."""

    kernel: ClassVar[Kernel]

    @property
    def parameter(self) -> float:
        """Of the kernel; 0 where it has none."""
        return 0.0

    def into_gradient(self, raw, labels, weights):
        """Weighted sum of the loss; raw becomes its gradient, in place.

        Parameters
        ----------
        raw : ndarray of shape (n_outputs, n)
        labels : ndarray of shape (n, 1 or n_outputs)
        weights : ndarray of shape (n,)
        """
        work = np.empty(3 * raw.shape[1])
        return self.kernel(float(self.parameter), raw, labels, weights, work)


class OutputwiseLoss(LabelLoss):
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
