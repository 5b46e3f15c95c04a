"""The rows that are dealt to the folds in which alpha is chosen.

Folds are made of canonical rows, rows of equal content in one fold, dealt class by
class. So they depend on the content of the rows alone: neither on their order nor on
``random_state``, but for the rows that early stopping sets aside, and a weight of 2 is
a repetition. Of many rows a sample is dealt.

A class that has fewer rows than there are folds would have nothing to score in some of
them. So its rows are not dealt, and short fits have no output for it: what they show of
the other classes is taken for all of them.
"""

from dataclasses import dataclass, replace

import numpy as np

from ..kernels.jit import read_only
from ..objective.canonical_rows import CanonicalRows
from .target import Target

N_FOLDS = 4
FAIR = 0.25  # share of the distinct rows that tells enough of all classes
LEAST = 25  # groups of a class that are dealt, at least


@dataclass(frozen=True)
class Deal:
    """Rows that are dealt to the folds.

    Parameters
    ----------
    data : CanonicalRows
        Their labels are those of ``target``.
    target : Target
        Without the classes that are not dealt.
    fold : ndarray of shape (n_rows,)
    share : float
        Of the distinct rows, all classes counted.
    """

    data: CanonicalRows
    target: Target
    fold: np.ndarray
    share: float


def too_few(data, target):
    """Why the rows can not be dealt to folds; empty if they can.

    Of classes, two must have a row for each fold, and all that have must hold the
    share ``FAIR`` of the rows; any other y has to be so long.
    """
    if (data.labels == data.labels[0]).all():
        return "y is constant"
    sizes = sorted(target.sizes(data), key=lambda pair: pair[1])
    name, n_rows = sizes[-2:][0]
    if n_rows < N_FOLDS:
        return f"{name} has too few distinct rows for {N_FOLDS} folds ({n_rows})"
    counts = np.array([size for _, size in sizes])
    if counts[counts >= N_FOLDS].sum() < FAIR * counts.sum():
        return f"most classes have too few distinct rows for {N_FOLDS} folds"
    return ""


def dealt(data, target, most):
    """The :class:`Deal` of canonical rows: class by class, in canonical order.

    A group of rows with equal content goes with its heaviest label. Of more than
    ``most`` groups each class has its share in the sample, but no fewer than
    ``LEAST``, and weights that make up for it (the largest factor is 1).
    """
    target, rows, labels = target.common(data.labels, N_FOLDS)
    opens_group = np.diff(data.group[rows], prepend=-1) > 0
    group, first = np.cumsum(opens_group) - 1, np.flatnonzero(opens_group)
    n, of_group = len(first), labels
    if n < len(rows):
        of_group = labels[np.lexsort((-data.weights[rows], group))[first]]
    strata = target.strata(of_group)
    strata = np.zeros(n) if strata is None else strata
    fold, factors, n_dealt = np.full(n, -1, dtype=np.int8), np.ones(n), 0
    for stratum in np.unique(strata):
        places = np.flatnonzero(strata == stratum)
        least = min(LEAST, len(places))
        size = min(max(-(-len(places) * most // n), least), len(places))
        sample = places[np.linspace(0, len(places) - 1, size).astype(np.intp)]
        fold[sample] = (n_dealt + np.arange(size)) % N_FOLDS
        factors[sample] = len(places) / size
        n_dealt += size
    taken = np.flatnonzero(fold[group] >= 0)
    if len(taken) == data.n_rows:
        return Deal(data, target, fold[group], 1.0)
    sample = data.take(rows[taken])
    factors = factors[group[taken]] / factors.max()
    sample = replace(
        sample,
        labels=read_only(labels[taken]),
        weights=read_only(sample.weights * factors),
    )
    return Deal(sample, target, fold[group[taken]], n_dealt / data.opens_group.sum())
