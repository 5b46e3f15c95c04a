"""Canonical rows: the training data in a form that depends on its content alone.

Rows of weight 0 are dropped, rows equal in content and label are merged and their
weights added, and the rest is ordered by a hash of the content. A fit on these rows
cannot tell a weight of 2 from a repetition or a weight of 0 from a removal, nor in
which order the rows came: the floating-point sums are the very same.

X is not copied: ``Rows.index`` says which row of X comes next, and blocks are gathered
through it. Neighbours with equal content and different labels form a group, which is
what the lower bound of the certificate is made of.

    hash(row) = sum_j mix(j, x_j) over the x_j != 0

The sum does not depend on the order of the features and skips zeros, so a sparse row
hashes as its dense twin does. Rows that share a hash are compared by content.
"""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_array, issparse

from .jit import njit, read_only

SLICE = 16384  # rows of CanonicalRows.slices


class Rows(NamedTuple):
    """Arrays that the kernels read, dense or CSR, in canonical order.

    One type serves both: a kernel is compiled once per precision. It crosses from
    Python field by field: numba 0.60 confuses named tuples of different arrays, and
    unpacks single arguments faster.
    """

    sparse: bool
    dense: Any  # (n_samples, n_features); empty if sparse
    data: Any  # (nnz,)
    indices: Any  # (nnz,) int32
    indptr: Any  # (n_samples + 1,) int64
    index: Any  # (n_rows,) int64, row of X at each canonical place


@njit(inline=True)
def _mix(feature, value):
    """64 well-mixed bits of (feature, value), after splitmix64."""
    h = np.float64(value).view(np.uint64) + np.uint64(feature) * np.uint64(
        0x9E3779B97F4A7C15
    )
    h = (h ^ (h >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    h = (h ^ (h >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return h ^ (h >> np.uint64(31))


@njit
def _hash_rows(sparse, dense, data, indices, indptr, index, out):
    """out_i = hash of row index_i; takes the fields of :class:`Rows` one by one."""
    rows = Rows(sparse, dense, data, indices, indptr, index)
    for i in range(out.size):
        row, total = rows.index[i], np.uint64(0)
        if rows.sparse:
            for p in range(rows.indptr[row], rows.indptr[row + 1]):
                if rows.data[p] != 0:
                    total += _mix(rows.indices[p], rows.data[p])
        else:
            for j in range(rows.dense.shape[1]):
                if rows.dense[row, j] != 0:
                    total += _mix(j, rows.dense[row, j])
        out[i] = total


@njit
def gather(rows, first, out):
    """Copy dense rows ``first`` to ``first + len(out)``; -0.0 becomes 0.0."""
    zero = out.dtype.type(0.0)
    for i in range(out.shape[0]):
        row = rows.index[first + i]
        for j in range(out.shape[1]):
            out[i, j] = rows.dense[row, j] + zero


@dataclass(frozen=True)
class CanonicalRows:
    """Training data in canonical order.

    Parameters
    ----------
    rows : Rows
    labels : ndarray of shape (n_rows, 1 or n_outputs), int32
    weights : ndarray of shape (n_rows,)
        Sums of the sample weights of the merged rows.
    opens_group : ndarray of shape (n_rows,), bool
        Whether the content differs from that of the row before.
    """

    rows: Rows
    labels: np.ndarray
    weights: np.ndarray
    opens_group: np.ndarray

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
        predictions of a slice with many outputs.
        """
        n, step = self.n_rows, max(SLICE * 64 // max(n_outputs, 64), 1)
        return [slice(i, min(i + step, n)) for i in range(0, n, step)]

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
        )

    def reweighted(self, factors):
        """The same rows with their weights multiplied by ``factors`` (n_rows,)."""
        heavier = replace(self, weights=read_only(self.weights * factors))
        if np.all(heavier.weights > 0):
            return heavier
        return heavier.take(np.flatnonzero(heavier.weights > 0))


def _arrays(X):
    """Rows of X in their original order."""
    if issparse(X):
        if not X.has_canonical_format:
            X = X.copy()
            X.sum_duplicates()
        dense = np.empty((0, X.shape[1]), dtype=X.dtype)
        data, indices, indptr = X.data, X.indices, X.indptr
    else:
        dense = X
        data = np.empty(0, dtype=X.dtype)
        indices = indptr = np.empty(0, dtype=np.int64)
    return Rows(
        issparse(X),
        read_only(dense),
        read_only(data),
        read_only(indices.astype(np.int32, copy=False)),
        read_only(indptr.astype(np.int64, copy=False)),
        read_only(np.arange(X.shape[0])),
    )


def _content(rows, place):
    """Key that two rows share exactly if their content is equal."""
    row = rows.index[place]
    if rows.sparse:
        span = slice(rows.indptr[row], rows.indptr[row + 1])
        features, values = rows.indices[span], rows.data[span]
    else:
        features, values = np.arange(rows.dense.shape[1]), rows.dense[row]
    used = values != 0
    return tuple(zip(features[used].tolist(), values[used].tolist(), strict=True))


@njit
def _equal(rows, a, b):
    """Whether rows a and b of X have the same content (dense, or sparse and sorted)."""
    if not rows.sparse:
        for j in range(rows.dense.shape[1]):
            if rows.dense[a, j] != rows.dense[b, j]:
                return False
        return True
    p, q = rows.indptr[a], rows.indptr[b]
    p_end, q_end = rows.indptr[a + 1], rows.indptr[b + 1]
    while True:
        while p < p_end and rows.data[p] == 0:
            p += 1
        while q < q_end and rows.data[q] == 0:
            q += 1
        if p == p_end or q == q_end:
            return p == p_end and q == q_end
        if rows.indices[p] != rows.indices[q] or rows.data[p] != rows.data[q]:
            return False
        p, q = p + 1, q + 1


@njit
def _differs_from_previous(
    sparse, dense, data, indices, indptr, index, order, hashes, out
):
    """out_i = 1 where row order_i has another content than row order_{i-1}.

    Returns the number of neighbours with one hash and different contents.
    """
    rows = Rows(sparse, dense, data, indices, indptr, index)
    collisions = 0
    out[0] = 1
    for i in range(1, order.size):
        out[i] = 1
        if hashes[order[i]] == hashes[order[i - 1]]:
            a, b = rows.index[order[i]], rows.index[order[i - 1]]
            if _equal(rows, a, b):
                out[i] = 0
            else:
                collisions += 1
    return collisions


def _label_keys(labels):
    """One integer per row that orders the labels, for (n, 1) and for multilabel."""
    if labels.shape[1] == 1:
        return labels[:, 0]
    return np.unique(labels, axis=0, return_inverse=True)[1].ravel()


def canonical_rows(X, labels, sample_weight=None):
    """Canonical form of the training data.

    Parameters
    ----------
    X : C-ordered ndarray or CSR of shape (n_samples, n_features)
        float64 or float32, finite.
    labels : ndarray of shape (n_samples, 1) or (n_samples, n_outputs), int32
    sample_weight : ndarray of shape (n_samples,) or None
        Not negative; None stands for ones.

    Returns
    -------
    canonical : CanonicalRows
    """
    rows = _arrays(X)
    if sample_weight is not None and not np.all(sample_weight > 0):
        rows = rows._replace(index=read_only(np.flatnonzero(sample_weight > 0)))
    hashes = np.empty(len(rows.index), dtype=np.uint64)
    _hash_rows(*rows, hashes)
    order = np.argsort(hashes)
    new = np.empty(len(order), dtype=np.uint8)
    collisions = _differs_from_previous(*rows, order, hashes, new)
    if collisions == 0 and new.all():
        return _collect(rows, order, new, labels, sample_weight)
    # Some rows share their content: order them by label, and their weights by size,
    # so that the sum of the weights does not depend on where they stood.
    keys = _label_keys(labels)[rows.index]
    weight = (
        np.zeros(len(order)) if sample_weight is None else sample_weight[rows.index]
    )
    if collisions:
        contents = [_content(rows, place) for place in range(len(order))]
        ranks = {content: rank for rank, content in enumerate(sorted(set(contents)))}
        content_rank = np.array([ranks[content] for content in contents])
        order = np.lexsort((weight, keys, content_rank, hashes))
    else:
        order = np.lexsort((weight, keys, hashes))
    _differs_from_previous(*rows, order, hashes, new)
    return _collect(rows, order, new, labels, sample_weight, keys)


def _collect(rows, order, new_content, labels, sample_weight, keys=None):
    """Merge neighbours that agree in content and label."""
    source = rows.index[order]
    weights = np.ones(len(order)) if sample_weight is None else sample_weight[source]
    opens_group = new_content.astype(bool)
    if keys is not None:
        new = opens_group.copy()
        new[1:] |= keys[order][1:] != keys[order][:-1]
        first = np.flatnonzero(new)
        weights = np.add.reduceat(weights, first)
        source, opens_group = source[first], opens_group[first]
    return CanonicalRows(
        rows._replace(index=read_only(source)),
        read_only(labels[source]),
        read_only(weights.astype(np.float64, copy=False)),
        opens_group,
    )
