"""Whether the columns of the data are of a size that a network can use.

With r_j the root mean square of column j and q_j that of its entries that are not 0,
they are scaled where all

    r_j <= 10  and  q_j >= 0.001,

which holds after a StandardScaler, a MinMaxScaler, a MaxAbsScaler of sparse data, and
for one-hot columns and TF-IDF.
"""

from itertools import chain

import numpy as np
from scipy.sparse import issparse

SMALL, LARGE = 1e-3, 10.0


def is_scaled(data):
    """Whether the columns of canonical rows are of a size that a network can use.

    Ask ``data.is_scaled``, which knows it.
    """
    sums = np.zeros((2, data.n_features))
    for some in chain.from_iterable(data.each(_sums)):
        sums += some
    squares, counts = sums
    used = counts > 0
    if not used.any():
        return True
    smallest = np.sqrt((squares[used] / counts[used]).min())
    return bool(smallest >= SMALL and np.sqrt(squares.max() / data.n_rows) <= LARGE)


def _sums(data):
    """Squares of each column and how many are not 0, (2, n_features), by slice."""
    with np.errstate(over="ignore"):
        return [
            _sums_of(data.block(some.start, some.stop), data.n_features)
            for some in data.slices()
        ]


def _sums_of(block, n_features):
    """The sums of one block."""
    if not issparse(block):
        squares = (block.astype(np.float64) ** 2).sum(axis=0)
        return np.array([squares, np.count_nonzero(block, axis=0)])
    values, columns = block.data.astype(np.float64), block.indices
    squares = np.bincount(columns, values**2, n_features)
    counts = np.bincount(columns[values != 0], minlength=n_features)
    return np.array([squares, counts])
