"""Rows of X, dense or sparse, as the kernels read them.

    hash(row) = sum_j mix(j, x_j) over the x_j != 0

The sum does not depend on the order of the features and skips zeros, so a sparse row
hashes as its dense twin does. Rows that share a hash are compared by content.
"""

from typing import Any, NamedTuple

import numpy as np

from .jit import njit


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
def differs_from_previous(
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
