"""Whether the columns of the data are of a size that a network can use.

With r_j the root mean square of column j and q_j that of its entries that are not 0,
they are scaled where all

    r_j <= 10  and  q_j >= 0.001,

which holds after a StandardScaler, a MinMaxScaler, a MaxAbsScaler of sparse data, and
for one-hot columns and TF-IDF.
"""

import numpy as np
from scipy.sparse import issparse

SMALL, LARGE = 1e-3, 10.0


def is_scaled(data):
    """Whether the columns of canonical rows are of a size that a network can use."""
    squares = np.zeros(data.n_features)
    counts = np.zeros(data.n_features)
    with np.errstate(over="ignore"):
        for some in data.slices():
            block = data.block(some.start, some.stop)
            if issparse(block):
                values, columns = block.data.astype(np.float64), block.indices
                squares += np.bincount(columns, values**2, data.n_features)
                counts += np.bincount(columns[values != 0], minlength=data.n_features)
            else:
                squares += (block.astype(np.float64) ** 2).sum(axis=0)
                counts += np.count_nonzero(block, axis=0)
    used = counts > 0
    if not used.any():
        return True
    smallest = np.sqrt((squares[used] / counts[used]).min())
    return bool(smallest >= SMALL and np.sqrt(squares.max() / data.n_rows) <= LARGE)
