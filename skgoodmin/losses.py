"""Pointwise losses on raw predictions: value, derivative, minimum, probabilities.

With a label y = +1 or -1 and the margin m = y f:

============== ============================ ===================================
loss           l(f)                         dl/df
============== ============================ ===================================
hinge          max(0, 1 - m)^p, p >= 2      -p y max(0, 1 - m)^(p-1)
logistic       log(1 + e^-m)                -y / (1 + e^m)
softmax        log(sum_k e^f_k) - f_label   e^f_k / sum_j e^f_j - [k = label]
============== ============================ ===================================

Several outputs: the hinge and the logistic loss add over the outputs, one against the
rest for several classes and one label each for multilabel; softmax is one loss of all
outputs. Value and derivative come from one and the same function, however far the raw
predictions are out; no probability is ever clipped on the way.

Conventions: raw predictions of a block have shape (n_outputs, n_rows), labels have
shape (n_rows, 1) with the class number, or (n_rows, n_outputs) with 0 and 1 for
multilabel.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, softmax, xlogy

from .elementary import exp64, log1p64
from .jit import njit

# Codes of the kernels, and of a loss that is none: see ``sum_rows``.
HINGE, LOGISTIC, SOFTMAX, PREDICT, GIVEN = range(5)


def signs(labels, n_outputs):
    """+1 and -1 for the labels of rows, (n, n_outputs) int8."""
    if labels.shape[1] == n_outputs:
        positive = labels == 1
    else:
        positive = labels == np.arange(n_outputs)
    return np.where(positive, np.int8(1), np.int8(-1))


@njit(inline=True)
def is_positive(labels, i, k, n_outputs):
    """Whether row i has label +1 at output k."""
    if labels.shape[1] > 1:
        return labels[i, k] == 1
    return labels[i, 0] == (1 if n_outputs == 1 else k)


@njit(inline=True)
def _negligible(itemsize):
    """Exponents below this give 0: their derivative would end up subnormal."""
    return -60.0 if itemsize == 4 else -460.0


@njit
def _hinge(degree, raw, labels, weights, value):
    """Hinge of all outputs; adds to ``value``, turns raw into the gradient."""
    n_outputs = raw.shape[0]
    for k in range(n_outputs):
        for i in range(raw.shape[1]):
            sign = 1.0 if is_positive(labels, i, k, n_outputs) else -1.0
            violation = 1.0 - sign * np.float64(raw[k, i])
            violation = 0.0 if violation < 0.0 else violation
            power = violation * violation
            if degree == 2.0:
                power = violation
            elif degree != 3.0:
                power = violation ** (degree - 1.0)
            value[i] += weights[i] * power * violation
            raw[k, i] = -degree * sign * weights[i] * power


@njit
def _logistic(raw, labels, weights, value):
    """Logistic loss of all outputs; adds to ``value``, raw becomes the gradient."""
    n_outputs, smallest = raw.shape[0], _negligible(raw.itemsize)
    for k in range(n_outputs):
        for i in range(raw.shape[1]):
            sign = 1.0 if is_positive(labels, i, k, n_outputs) else -1.0
            margin = sign * np.float64(raw[k, i])
            size = -abs(margin)
            u = exp64(size)
            u = 0.0 if size < smallest else u
            value[i] += weights[i] * (log1p64(u) - min(margin, 0.0))
            wrong = u / (1.0 + u) if margin > 0.0 else 1.0 / (1.0 + u)
            raw[k, i] = -sign * weights[i] * wrong


@njit
def _softmax(raw, labels, weights, value, largest, total):
    """Softmax loss; adds to ``value``, raw becomes the gradient."""
    n_outputs, n = raw.shape
    smallest = _negligible(raw.itemsize)
    for i in range(n):
        largest[i] = raw[0, i]
        total[i] = 0.0
    for k in range(1, n_outputs):
        for i in range(n):
            largest[i] = raw[k, i] if raw[k, i] > largest[i] else largest[i]
    for i in range(n):
        # Left finite so far where the label's prediction is not the largest one.
        value[i] += weights[i] * (largest[i] - raw[labels[i, 0], i])
    for k in range(n_outputs):
        for i in range(n):
            size = np.float64(raw[k, i]) - largest[i]
            u = exp64(size)
            u = 0.0 if size < smallest else u
            total[i] += 0.0 if labels[i, 0] == k else u
            raw[k, i] = u
    for i in range(n):
        # Exact where the label's prediction leads: u = 1, and the others are small.
        others, u = total[i], raw[labels[i, 0], i]
        value[i] += weights[i] * np.log1p(others - (1.0 - u))
        total[i] = weights[i] / (others + u)
    for k in range(n_outputs):
        for i in range(n):
            raw[k, i] *= total[i]
    for i in range(n):
        k = labels[i, 0]
        # p - 1 = -(sum of the others), without the cancellation of p near 1.
        others = 0.0
        for j in range(n_outputs):
            others += raw[j, i] if j != k else 0.0
        raw[k, i] = -others


@njit(reassoc=True)
def _sum(values):
    """Sum of a vector, several accumulators at once."""
    total = 0.0
    for i in range(values.size):
        total += values[i]
    return total


@njit
def loss_gradient(code, degree, raw, labels, weights, work):
    """Weighted sum of the loss over a block; raw becomes d(sum)/d(raw), in place.

    raw : (n_outputs, n), labels : (n, 1 or n_outputs), weights : (n,),
    work : float64 (>= 3 n,).
    """
    n = raw.shape[1]
    value = work[:n]
    value[:] = 0.0
    if code == HINGE:
        _hinge(degree, raw, labels, weights, value)
    elif code == LOGISTIC:
        _logistic(raw, labels, weights, value)
    else:
        _softmax(raw, labels, weights, value, work[n : 2 * n], work[2 * n : 3 * n])
    return _sum(value)


class CompiledLoss:
    """A loss that is a kernel."""

    def into_gradient(self, raw, labels, weights, several_classes):
        """Weighted sum of the loss; raw becomes its gradient, in place.

        Parameters
        ----------
        raw : ndarray of shape (n_outputs, n)
        labels : ndarray of shape (n, 1 or n_outputs)
        weights : ndarray of shape (n,)
        several_classes : bool
        """
        work = np.empty(3 * raw.shape[1])
        code = self.code(several_classes)
        return loss_gradient(code, float(self.degree), raw, labels, weights, work)


@dataclass(frozen=True)
class PolynomialHinge(CompiledLoss):
    """Polynomial hinge l(m) = max(0, 1 - m)^p.

    The loss of the paper: convex, p - 1 times continuously differentiable, and every
    critical point is a minimum at a margin of at least 1 (LSLS18, Assumption 1).
    """

    degree: float = 3.0

    attains_minimum = True
    unit_margin = True  # 0 from margin 1 on, and at least 1 on the wrong side

    def link_name(self, several_classes):
        """Name of the link from raw predictions to probabilities."""
        return "hinge"

    def code(self, several_classes):
        """Number of the kernel."""
        return HINGE

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
        least = 2.0**self.degree * largest * ratio / (1 + ratio**q) ** (1 / q)
        return least.sum(axis=-1)

    def curvature(self, raw, signs, several_classes):
        """d2l/df2 = p (p - 1) max(0, 1 - m)^(p-2), elementwise on (n, n_outputs)."""
        violation = np.maximum(0.0, 1.0 - signs * raw)
        power = violation ** (self.degree - 2.0) * (violation > 0)
        return self.degree * (self.degree - 1.0) * power

    def probabilities(self, raw):
        """P(y = 1 | f), the inverse of the pointwise minimiser, elementwise.

        P = (1 + f)^(p-1) / ((1 + f)^(p-1) + (1 - f)^(p-1)) for |f| < 1. From
        P = 1e-9 on outwards (and for |f| >= 1, where P would be 0 or 1) the odds go
        on like 1 / distance, so that P stays inside (0, 1) and monotone in f.
        """
        f = np.asarray(raw, dtype=np.float64)
        size, exponent = np.abs(f), self.degree - 1.0
        # |f| at which the smaller probability is 1e-9.
        root = 1e-9 ** (1.0 / exponent)
        edge = (1.0 - root) / (1.0 + root)
        inside = np.minimum(size, edge)
        odds = ((1.0 - inside) / (1.0 + inside)) ** exponent
        with np.errstate(over="ignore"):
            odds = odds / (1.0 + np.maximum(size - edge, 0.0))
        small = np.maximum(odds / (1.0 + odds), np.finfo(np.float64).eps)
        return np.where(f > 0, 1.0 - small, small)


@dataclass(frozen=True)
class LogLoss(CompiledLoss):
    """Log-loss: logistic for two classes and multilabel, softmax for several classes.

    Its infimum is not attained on a group with one label, so the theorem of LSLS18
    says nothing about it; bound and gap remain valid.
    """

    degree: float = 0.0

    attains_minimum = False
    unit_margin = False

    def link_name(self, several_classes):
        """Name of the link from raw predictions to probabilities."""
        return "softmax" if several_classes else "logistic"

    def code(self, several_classes):
        """Number of the kernel."""
        return SOFTMAX if several_classes else LOGISTIC

    def minimum(self, counts):
        """Entropy of the labels of each group; see :class:`PolynomialHinge`."""
        total = counts.sum(axis=-1, keepdims=True)
        share = counts / np.where(total > 0, total, 1.0)
        return -xlogy(counts, share).sum(axis=(-1, -2))

    def curvature(self, raw, signs, several_classes):
        """d2l/df2 = P (1 - P), elementwise on (n, n_outputs)."""
        p = softmax(raw, axis=1) if several_classes else expit(raw)
        return p * (1.0 - p)

    def probabilities(self, raw):
        """P(y = 1 | f) = 1 / (1 + e^-f), kept inside (0, 1), elementwise."""
        eps = np.finfo(np.float64).eps
        return np.clip(expit(np.asarray(raw, dtype=np.float64)), eps, 1.0 - eps)


def class_probabilities(loss, raw, multilabel):
    """Probabilities of the classes from raw predictions.

    Parameters
    ----------
    loss : PolynomialHinge, LogLoss or CustomLoss
    raw : ndarray of shape (n_samples, n_outputs)
    multilabel : bool
        Outputs are labels of their own and are not normalised.

    Returns
    -------
    probabilities : ndarray of shape (n_samples, n_classes), float64
    """
    if raw.shape[1] > 1 and not multilabel and loss.code(True) == SOFTMAX:
        return softmax(raw.astype(np.float64), axis=1)
    positive = loss.probabilities(raw)
    if multilabel:
        return positive
    if raw.shape[1] == 1:
        return np.hstack([1.0 - positive, positive])
    return positive / positive.sum(axis=1, keepdims=True)
