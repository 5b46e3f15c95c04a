"""Contents of rows of X: which ones are equal, where their hashes are.

Zeros are no content: a sparse row has that of its dense twin, and -0.0 that of 0.0.
"""

import numpy as np
from scipy.sparse import csr_array

LARGE = 2**20  # values that are compared at once, about


def content(rows, place):
    """Key that two rows share exactly if their content is equal."""
    row = rows.index[place]
    if rows.sparse:
        span = slice(rows.indptr[row], rows.indptr[row + 1])
        features, values = rows.indices[span], rows.data[span]
    else:
        features, values = np.arange(rows.dense.shape[1]), rows.dense[row]
    used = values != 0
    return tuple(zip(features[used].tolist(), values[used].tolist(), strict=True))


def new_contents(rows, order, hashes):
    """(whether each row has another content than the one before it, collisions).

    Parameters
    ----------
    rows : Rows
    order : ndarray of shape (n_rows,)
        Places of ``rows.index``, in which equal hashes are neighbours.
    hashes : ndarray of shape (n_rows,)
        Of the rows at the places.

    Returns
    -------
    new : ndarray of shape (n_rows,), bool
    collisions : int
        Neighbours with one hash and different contents.
    """
    new = np.ones(len(order), dtype=bool)
    again = np.flatnonzero(hashes[order[1:]] == hashes[order[:-1]]) + 1
    step = max(LARGE // max(rows.dense.shape[1], 1), 1)
    for start in range(0, len(again), step):
        some = again[start : start + step]
        new[some] = _differ(rows, rows.index[order[some]], rows.index[order[some - 1]])
    return new, int(new[again].sum())


def _differ(rows, a, b):
    """Whether rows a_i and b_i of X differ, (n,)."""
    if not rows.sparse:
        return (rows.dense[a] != rows.dense[b]).any(axis=1)
    shape = len(rows.indptr) - 1, rows.dense.shape[1]
    X = csr_array((rows.data, rows.indices, rows.indptr), shape=shape)
    return np.diff((X[a] != X[b]).indptr) > 0
