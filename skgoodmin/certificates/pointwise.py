"""The pointwise lower bound: what contradicting labels cost any network.

A network gives identical rows one raw prediction. So the loss of each group of
identical rows is at least its minimum over a single raw prediction, and the sum of
these minima is a lower bound of the data loss of all networks of any size (the last
step of the proof of LSLS18, Theorem 1).
"""

import numpy as np

from .bound import Bound, Known


def pointwise_bound(objective):
    """The :class:`Bound` of the mean loss over all networks."""
    value = float(group_minima(objective)[1].sum())
    return Bound(value, "data loss", "network of any size", Known.PROVEN)


def group_minima(objective):
    """Least loss of the groups of identical rows with different labels.

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
    counts = loss.counts(data.labels[mixed], data.weights[mixed], group, n_outputs)
    return groups, loss.minimum(counts) / data.weights.sum()
