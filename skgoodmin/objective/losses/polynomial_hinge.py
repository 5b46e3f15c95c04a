"""The polynomial hinge: l(m) = max(0, 1 - m)^p with the margin m = y f."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ...kernels.losses.hinge import hinge
from ...kernels.losses.labels import signs
from ..duals.hinge import HingeDual
from .loss import KernelLoss, OutputwiseLoss


@dataclass(frozen=True)
class PolynomialHinge(KernelLoss, OutputwiseLoss):
    """Polynomial hinge l(m) = max(0, 1 - m)^p.

    The loss of the paper: convex, p - 1 times continuously differentiable, and every
    critical point is a minimum at a margin of at least 1 (LSLS18, Assumption 1).
    """

    degree: float = 3.0

    kernel: ClassVar = hinge
    link: ClassVar = "hinge"
    attains_minimum: ClassVar = True
    unit_margin: ClassVar = True
    auto_alpha: ClassVar = 1.0
    has_closed_minimum: ClassVar = True

    def minimum(self, counts):
        """Least loss of groups of identical rows that all get one raw prediction.

        With n+ and n- the weights of the two labels and q = 1 / (p - 1) it is
        2^p n+ n- / (n+^q + n-^q)^(p-1), summed over the outputs.

        Parameters
        ----------
        counts : ndarray of shape (n_groups, n_outputs, 2)
            Weight of the negative and of the positive label.

        Returns
        -------
        minimum : ndarray of shape (n_groups,)
        """
        q = 1.0 / (self.degree - 1.0)
        largest = counts.max(axis=-1)
        ratio = counts.min(axis=-1) / np.where(largest > 0, largest, 1.0)
        ratio = np.where(ratio > 1e-290, ratio, 0.0)  # the rest rounds too much
        # 2^p overflows where its quotient does not.
        power = (2.0 / (1.0 + ratio**q)) ** (self.degree - 1.0)
        least = np.where(ratio > 0, 2.0 * largest * ratio * power, 0.0)
        return least.sum(axis=-1)

    @property
    def parameter(self):
        """Of the kernel."""
        return self.degree

    @property
    def rounding(self):
        """Of ``minimum``: ratio^q is wrong by 745 q eps, its power by (p - 1) times."""
        return 1000.0 + 8.0 * self.degree

    def curvature(self, raw, labels):
        """d2l/df2 = p (p - 1) max(0, 1 - m)^(p-2), elementwise on (n, n_outputs)."""
        violation = np.maximum(0.0, 1.0 - signs(labels, raw.shape[1]) * raw)
        power = violation ** (self.degree - 2.0) * (violation > 0)
        return self.degree * (self.degree - 1.0) * power

    def dual(self, labels, shares, n_outputs):
        """The loss on given rows as duality sees it."""
        return HingeDual(signs(labels, n_outputs).T, shares, self.degree)

    def _edge(self):
        """|f| at which the smaller probability is 1e-9."""
        root = 1e-9 ** (1.0 / (self.degree - 1.0))
        return (1.0 - root) / (1.0 + root)

    def probabilities(self, raw):
        """P(y = 1 | f), the inverse of the pointwise minimiser, elementwise.

        P = (1 + f)^(p-1) / ((1 + f)^(p-1) + (1 - f)^(p-1)) for |f| < 1. From
        P = 1e-9 on outwards (and for |f| >= 1, where P would be 0 or 1) the odds go
        on like 1 / distance, so that P stays inside (0, 1) and monotone in f.
        """
        f = np.asarray(raw, dtype=np.float64)
        size, edge = np.abs(f), self._edge()
        inside = np.minimum(size, edge)
        odds = ((1.0 - inside) / (1.0 + inside)) ** (self.degree - 1.0)
        with np.errstate(over="ignore"):
            odds = odds / (1.0 + np.maximum(size - edge, 0.0))
        small = np.maximum(odds / (1.0 + odds), np.finfo(np.float64).eps)
        return np.where(f > 0, 1.0 - small, small)

    def onnx(self, graph, raw):
        """The smaller probability is max(odds / (1 + odds), eps).

        The odds are ((1 - g) / (1 + g))^(p-1) / (1 + |f| - g) with g = min(|f|, edge).
        """
        size, edge = graph("Abs", raw), self._edge()
        inside = graph("Min", size, edge)
        ratio = graph("Div", graph("Sub", 1.0, inside), graph("Add", 1.0, inside))
        beyond = graph("Add", 1.0, graph("Sub", size, inside))
        odds = graph("Div", graph("Pow", ratio, float(self.degree) - 1.0), beyond)
        small = graph("Div", odds, graph("Add", 1.0, odds))
        small = graph("Max", small, np.finfo(np.float64).eps)
        positive = graph("Greater", raw, 0.0)
        return graph("Where", positive, graph("Sub", 1.0, small), small)
