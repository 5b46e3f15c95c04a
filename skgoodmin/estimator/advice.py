"""Advice: what to change where a fit did not come to rest.

Whether to scale the data is decided by them. With r_j the root mean square of column j
and q_j that of its entries that are not 0, they are scaled where all

    r_j <= 10  and  q_j >= 0.001,

which holds after a StandardScaler, a MinMaxScaler, a MaxAbsScaler of sparse data, and
for one-hot columns and TF-IDF.
"""

import numpy as np
from scipy.sparse import issparse

from ..training.lbfgs import Exit

SMALL, LARGE = 1e-3, 10.0
SCALE = "scale the data"
REMEDIES = {
    Exit.MAX_ITER: ["increase max_iter"],
    Exit.MAX_FUN: ["increase max_fun"],
    Exit.PRECISION: ["raise tol"],
    Exit.OVERFLOW: ["lower degree"],
}


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


def advice(exit, data):
    """Why a fit on ``data`` ended, and what to change if it is not at rest.

    Parameters
    ----------
    exit : Exit
    data : CanonicalRows

    Returns
    -------
    sentence : str
    """
    remedies = list(REMEDIES.get(exit, ()))
    if not remedies:
        return exit.value
    if not is_scaled(data):
        remedies.insert(1 if exit in (Exit.MAX_ITER, Exit.MAX_FUN) else 0, SCALE)
    if exit is Exit.PRECISION and data.dtype == np.float32:
        remedies.append("convert the data to float64")
    return f"{exit.value.rstrip('.')}; {' or '.join(remedies)}."
