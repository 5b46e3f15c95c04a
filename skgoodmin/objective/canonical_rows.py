"""Canonical rows: the training data in a form that depends on its content alone.

Rows of weight 0 are dropped, rows equal in content and label are merged and their
weights added, and the rest is ordered by a hash of the content. A fit on these rows
cannot tell a weight of 2 from a repetition, nor in which order the rows came: the
floating-point sums are the very same. (The class of a row of weight 0 is known to the
target, not to these rows.)

X is not copied: ``Rows.index`` says which row of X comes next, and blocks are gathered
through it. Neighbours with equal content and different labels form a group, which is
what the lower bound of the certificate is made of.

Rows may live elsewhere, in leaves (:mod:`.leaves`): whoever needs their features asks
for what is done with each part (``each``), for a sum (``fold``) or for the first rows
(``first``), and a subclass knows where the parts are. Here there is one, all rows.

The hash skips zeros, so a sparse row stands where its dense twin does
(:mod:`skgoodmin.kernels.rows`). Rows that share a hash are compared by content.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from ..kernels.cached import cached_property
from ..kernels.jit import read_only
from ..kernels.rows import Rows, hash_rows, rows_of
from .exact_sums import exact_sums
from .leaves import RANGES, cuts_of
from .row_content import content, new_contents
from .scaling import is_scaled
from .sorted_file import in_sorted_file
from .span import span_of

SLICE = 16384  # rows of CanonicalRows.slices


class Whole(NamedTuple):
    """What has to be known of all rows where some of them are."""

    n_rows: int
    n_values: int
    weight: float  # sum of the weights
    first: bool = True  # whether these are the first ones of all

    @property
    def n_counted(self):
        """Rows by their weight, a weight of 2 being a repetition.

        At least one for each distinct row: weights that sum to 1 do not make a table
        one row long.
        """
        return max(self.weight, self.n_rows)


@dataclass(frozen=True)
class CanonicalRows:
    """Training data in canonical order.

    Parameters
    ----------
    rows : Rows
    labels : ndarray of shape (n_rows, 1 or n_outputs)
        int32 for classes and labels, float64 for real targets.
    weights : ndarray of shape (n_rows,)
        Sums of the sample weights of the merged rows, each rounded once.
    opens_group : ndarray of shape (n_rows,), bool
        Whether the content differs from that of the row before.
    cuts : ndarray of shape (n_ranges + 1,)
        Where the ranges of the hash begin, and the end of the last one.
    part_of : Whole, optional
        All rows, where these are those of some neighbouring ranges.
    """

    rows: Rows
    labels: np.ndarray
    weights: np.ndarray
    opens_group: np.ndarray
    cuts: np.ndarray
    part_of: Whole | None = None

    def __setstate__(self, state):
        """Arrays that were pickled are read-only again, for which kernels compile."""
        rows = Rows(state["rows"].sparse, *map(read_only, state["rows"][1:]))
        some = {name: read_only(state[name]) for name in ("labels", "weights")}
        self.__dict__.update(state | some | {"rows": rows})

    @cached_property
    def whole(self):
        """All rows, of which these are a part."""
        if self.part_of is not None:
            return self.part_of
        return Whole(self.n_rows, self.n_values, self.weights.sum())

    @property
    def group(self):
        """Number of the group of rows with equal content, (n_rows,), ascending."""
        return np.cumsum(self.opens_group) - 1

    @property
    def n_rows(self):
        """Number of rows that differ in content or label."""
        return len(self.weights)

    @property
    def n_features(self):
        """Number of columns of X."""
        return self.rows.dense.shape[1]

    @property
    def n_values(self):
        """Number of stored values, zeros of dense rows included."""
        if not self.rows.sparse:
            return self.n_rows * self.n_features
        return int(np.diff(self.rows.indptr)[self.rows.index].sum())

    @property
    def dtype(self):
        """float64 or float32."""
        return self.rows.dense.dtype

    def block(self, start=0, stop=None):
        """Rows ``start`` to ``stop`` as an ndarray or CSR array (a copy)."""
        rows = self.rows
        index = rows.index[start:stop]
        if not rows.sparse:
            return rows.dense[index]
        shape = (len(rows.indptr) - 1, self.n_features)
        return csr_array((rows.data, rows.indices, rows.indptr), shape=shape)[index]

    def slices(self, n_outputs=1):
        """Slices of some thousand rows: what is done with all of them, piece by piece.

        Nothing that is made of a slice grows with the number of rows, nor do the
        predictions of a slice with many outputs. Those of many rows lie in one range of
        the hash each, so that a leaf has the same ones wherever it is.
        """
        step = max(SLICE * 64 // max(n_outputs, 64), 1)
        cuts = self.cuts.tolist()
        if self.whole.n_rows <= step:
            cuts = [0, self.n_rows]
        return [
            slice(i, min(i + step, stop))
            for start, stop in zip(cuts[:-1], cuts[1:], strict=True)
            for i in range(start, stop, step)
        ]

    def leaves(self, n_leaves):
        """Ranges (start, stop) of rows: those of ``n_leaves`` leaves that are here."""
        cuts = self.cuts[:: RANGES // n_leaves].tolist()
        return list(zip(cuts[:-1], cuts[1:], strict=True))

    @cached_property
    def span(self):
        """Their :class:`.Span`, which training and the certificate share, or None."""
        return span_of(self)

    @cached_property
    def is_scaled(self):
        """Whether the columns are of a size to be used (:mod:`.scaling`)."""
        return is_scaled(self)

    def each(self, function, model=None):
        """``function`` of each part of the rows, where the part is; a list in order.

        Parameters
        ----------
        function : callable
            Takes the part; or, with a ``model``, ``model.on(part)``.
        model : Objective or Predictions, optional
            Made of these rows.
        """
        return [function(self if model is None else model)]

    def fold(self, function, model):
        """The sum of ``function(model.on(part))``, as :func:`.leaves.fold` makes it."""
        return function(model)

    def first(self, n):
        """The first n rows; nothing of them is copied."""
        if n >= self.n_rows:
            return self
        rows = self.rows._replace(index=self.rows.index[:n])
        small = self.labels[:n], self.weights[:n], self.opens_group[:n]
        return CanonicalRows(rows, *small, np.minimum(self.cuts, n))

    def dot(self, w):
        """X w for the canonical rows, (n_rows,) in float64."""
        product = np.empty(self.n_rows)
        for some in self.slices():
            product[some] = self.block(some.start, some.stop) @ w
        return product

    def take(self, places):
        """The rows at ascending ``places``; they stay canonical."""
        opens_group = np.diff(self.group[places], prepend=-1) > 0
        rows = self.rows._replace(index=read_only(self.rows.index[places]))
        return CanonicalRows(
            rows,
            read_only(self.labels[places]),
            read_only(self.weights[places]),
            opens_group,
            np.searchsorted(places, self.cuts),
        )

    def part(self, places):
        """The rows at ascending ``places``, wherever these are."""
        return self.take(places)

    def reweighted(self, factors):
        """The same rows with their weights multiplied by ``factors`` (n_rows,)."""
        heavier = replace(self, weights=read_only(self.weights * factors))
        if np.all(heavier.weights > 0):
            return heavier
        return heavier.take(np.flatnonzero(heavier.weights > 0))


def _label_keys(labels):
    """One integer per row that orders the labels, for (n, 1) and for multilabel."""
    if labels.shape[1] == 1:
        return labels[:, 0]
    return np.unique(labels, axis=0, return_inverse=True)[1].ravel()


def canonical_rows(X, labels, sample_weight=None):
    """The :class:`CanonicalRows` alone of :func:`canonical_form`."""
    return canonical_form(X, labels, sample_weight)[0]


def canonical_form(X, labels, sample_weight=None, cache_dir=None):
    """Canonical form of the training data, and what it no longer shows.

    Parameters
    ----------
    X : C-ordered ndarray or CSR of shape (n_samples, n_features)
        float64 or float32, finite.
    labels : ndarray of shape (n_samples, 1) or (n_samples, n_outputs)
        int32 for classes and labels, float64 for real targets.
    sample_weight : ndarray of shape (n_samples,) or None
        Not negative; None stands for ones.
    cache_dir : str or path-like, optional
        Folder for a file with the rows, which must be dense then, in their order; they
        are not kept in memory. Their places in X are lost.

    Returns
    -------
    canonical : CanonicalRows
    contradicting : ndarray of shape (n_contradicting,)
        Row numbers of X, ascending: rows whose content another row has with another
        label. Rows of weight 0 contradict nobody.
    """
    rows, order, new, keys, cuts = _ordered(X, labels, sample_weight)
    data = _collect(rows, order, new, labels, sample_weight, keys, cuts)
    contradicting = _contradicting(rows, order, new, keys)
    if cache_dir is not None:
        data = replace(data, rows=in_sorted_file(data.rows, cache_dir))
    return data, contradicting


def counted_rows(X, labels):
    """Canonical rows whose weights tell how often each is there, and where.

    Returns
    -------
    canonical : CanonicalRows
    numbers : ndarray of shape (n_samples,)
        Row numbers of X, in canonical order; those of merged rows are neighbours.
    """
    rows, order, new, keys, cuts = _ordered(X, labels, None)
    return _collect(rows, order, new, labels, None, keys, cuts), order


def _contradicting(rows, order, new, keys):
    """Row numbers of X where a content comes with several labels, ascending."""
    if keys is None:
        return np.empty(0, dtype=np.int64)
    first = np.flatnonzero(new)
    keys = keys[order]  # ascending in each group of equal content
    last = np.append(first[1:], len(order)) - 1
    mixed = np.repeat(keys[first] != keys[last], last - first + 1)
    return np.sort(rows.index[order[mixed]])


def _ordered(X, labels, sample_weight):
    """(rows, canonical order, where the content is new, keys of the labels, cuts).

    There are no keys where all rows differ in content.
    """
    rows = rows_of(X)
    if sample_weight is not None and not np.all(sample_weight > 0):
        rows = rows._replace(index=read_only(np.flatnonzero(sample_weight > 0)))
    hashes = np.empty(len(rows.index), dtype=np.uint64)
    hash_rows(*rows, hashes)
    order = np.argsort(hashes)
    new, collisions = new_contents(rows, order, hashes)
    cuts = cuts_of(hashes[order])
    if collisions == 0 and new.all():
        return rows, order, new, None, cuts
    # Some rows share their content: order them by label.
    keys = _label_keys(labels)[rows.index]
    if collisions:
        contents = [content(rows, place) for place in range(len(order))]
        ranks = {key: rank for rank, key in enumerate(sorted(set(contents)))}
        content_rank = np.array([ranks[key] for key in contents])
        order = np.lexsort((keys, content_rank, hashes))
        new, _ = new_contents(rows, order, hashes)
    else:  # the groups stay where they are
        order = np.lexsort((keys, hashes))
    return rows, order, new, keys, cuts


def _collect(rows, order, opens_group, labels, sample_weight, keys, cuts):
    """Merge neighbours that agree in content and label."""
    source = rows.index[order]
    weights = np.ones(len(order)) if sample_weight is None else sample_weight[source]
    if keys is not None:
        new = opens_group.copy()
        new[1:] |= keys[order][1:] != keys[order][:-1]
        first = np.flatnonzero(new)
        weights = exact_sums(weights, first)
        source, opens_group = source[first], opens_group[first]
        cuts = np.searchsorted(first, cuts)
    return CanonicalRows(
        rows._replace(index=read_only(source)),
        read_only(labels[source]),
        read_only(weights.astype(np.float64, copy=False)),
        opens_group,
        cuts,
    )
