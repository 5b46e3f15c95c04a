"""The pointwise lower bound: what contradicting labels cost any network.

A network gives identical rows one raw prediction. So the loss of each group of
identical rows is at least its minimum over a single raw prediction, and the sum of
these minima is a lower bound of the data loss of all networks of any size (the last
step of the proof of LSLS18, Theorem 1).

**Rounded down.** A group's minimum is homogeneous and monotone in its weights: weights
that are wrong by a factor in [1 - d, 1 + d] make it wrong by no more than that factor.
All that is summed is not negative, so a sum of m terms is wrong by a factor of
1 +- m u, with u = eps / 2. The weights of merged rows are sums that are rounded once,
however many rows these were. They are multiplied by the class weights (quotients of
such sums, one for each column of labels) and divided by the sum over all n distinct
rows; the formulas of the minima are wrong by a known factor (``Loss.rounding``).
``pointwise_bound`` takes off some eight times that, and what underflow can hide.

**Real targets** have no such formula, and **a loss of the user's own** comes with a
``minimum`` that is the user's word, compared with the loss at five mixtures of labels
only. The bound is the value of the dual point of the groups then, from the conjugate or
from tangents of the loss itself.
"""

import numpy as np

from ..objective.duals.dual import TINY
from .bound import Bound, Known


def pointwise_bound(objective):
    """The :class:`Bound` of the mean loss over all networks."""
    if objective.loss.has_closed_minimum:
        value = float(group_minima(objective)[1].sum())
        value = value * (1.0 - _rounding(objective)) - TINY
    else:
        value = _dual_value(objective)
    # Not negative, and a number: no loss is below 0.
    value = float(value) if value > 0 else 0.0
    return Bound(value, "data loss", "network of any size", Known.PROVEN)


def _rounding(objective):
    """Relative rounding error of the sum of the minima, generously."""
    data, eps = objective.data, np.finfo(np.float64).eps
    n_sums = data.labels.shape[1] + 3
    return 4 * eps * (n_sums * (data.n_rows + 16) + objective.loss.rounding)


def _dual_value(objective):
    """What the best dual point of the groups is worth; -inf if nothing is known."""
    data = objective.data
    if data.opens_group.all():
        return 0.0
    dual = objective.loss.dual(data.labels, objective.shares, objective.n_outputs)
    with np.errstate(all="ignore"):
        point = dual.pointwise(data.group)
        return 0.0 if point is None else dual.value(point)


def group_minima(objective):
    """Least loss of the groups of identical rows with different labels or targets.

    A group with one label has none: a network can fit it alone.

    Returns
    -------
    groups : ndarray of shape (n_mixed,)
        Their numbers, ascending.
    minima : ndarray of shape (n_mixed,)
        Their parts in the mean loss, if each were fitted as well as possible.
    """
    data, loss, n_outputs = objective.data, objective.loss, objective.layout.sizes[-1]
    if data.opens_group.all():
        return np.empty(0, dtype=np.int64), np.empty(0)
    size = np.bincount(data.group)
    mixed = np.flatnonzero(size[data.group] > 1)
    groups, group = np.unique(data.group[mixed], return_inverse=True)
    shares = objective.shares[mixed]
    return groups, loss.least(data.labels[mixed], shares, group, n_outputs)
