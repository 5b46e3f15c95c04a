"""Rows of X, dense or sparse, as the kernels read them.

    hash(row) = sum_j mix(j, x_j) over the x_j != 0

The sum does not depend on the order of the features and skips zeros, so a sparse row
hashes as its dense twin does. Rows that share a hash are compared by content.
"""

from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import issparse

from .jit import njit, read_only


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


def rows_of(X):
    """Rows of X, an ndarray or CSR, in their original order."""
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
def hash_rows(sparse, dense, data, indices, indptr, index, out):
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
