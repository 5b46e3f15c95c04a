"""Dense rows in a file, in canonical order: data larger than memory.

A fit reads its rows in canonical order, over and over. Rows that are scattered over a
file would be read page by page, each page for one row. So they are written once more,
in order, in two passes that read and write whole stretches:

1. X from its first row to its last: each row goes to the end of its leaf in the file.
2. leaf by leaf: read, put in order, written back.

What is kept in memory is a leaf and two numbers a row. The operating system caches as
much of the file as there is room for, and drops it without writing when others need it.
"""

import tempfile

import numpy as np

from ..kernels.jit import read_only

LEAF = 2**26  # bytes of rows that are in memory at once


def in_sorted_file(rows, folder):
    """The same rows on disk, in their order.

    Parameters
    ----------
    rows : Rows
        Dense.
    folder : str or path-like
        Where the file is, which has no name there: it goes when the rows do.

    Returns
    -------
    rows : Rows

    Raises
    ------
    OSError
        If the file can not be written, as on a full disk. Nothing is left of it.
    """
    size = max(len(rows.index) * rows.dense.shape[1] * rows.dense.itemsize, 1)
    try:
        ordered = _written(rows, size, folder)
    except OSError as error:
        raise OSError(
            error.errno,
            f"cache_dir={str(folder)!r}: the rows need {size} bytes there, and could "
            f"not be written: {error.strerror}",
        ) from error
    index = np.arange(len(rows.index))
    return rows._replace(dense=read_only(ordered), index=read_only(index))


def _written(rows, size, folder):
    """The rows in a file of that size, as a memmap."""
    dense, index = rows.dense, rows.index
    n, n_features = len(index), dense.shape[1]
    step = max(LEAF // max(dense.itemsize * n_features, 1), 1)
    place = np.full(len(dense), -1)
    place[index] = np.arange(n)
    with tempfile.TemporaryFile(dir=folder) as file:
        file.truncate(size)
        arrived = _to_leaves(dense, place, n, step, file)
        for start in range(0, n, step):
            some = _Stretch(start, min(start + step, n) - start, n_features, dense)
            block = np.empty((some.n_rows, n_features), dense.dtype)
            block[arrived[start : start + step] - start] = some.read(file)
            some.write(file, block)
        file.flush()
        return np.memmap(file, dense.dtype, "r", shape=(n, n_features))


def _to_leaves(dense, place, n, step, file):
    """Write the rows to their leaves, in whatever order they come.

    Returns
    -------
    arrived : ndarray of shape (n,)
        Where in the end the row belongs that now stands at each place.
    """
    arrived, filled = np.empty(n, np.int64), np.zeros(-(-n // step), np.int64)
    for first in range(0, len(dense), step):
        places = place[first : first + step]
        order = np.argsort(places)[np.count_nonzero(places < 0) :]
        places, block = places[order], dense[first : first + step][order]
        ends = np.searchsorted(places, np.arange(1, len(filled) + 1) * step)
        for leaf, (a, b) in enumerate(zip([0, *ends[:-1]], ends, strict=True)):
            if a < b:
                start = leaf * step + filled[leaf]
                arrived[start : start + b - a] = places[a:b]
                _Stretch(start, b - a, dense.shape[1], dense).write(file, block[a:b])
                filled[leaf] += b - a
    return arrived


class _Stretch:
    """Neighbouring rows of the file."""

    def __init__(self, start, n_rows, n_features, dense):
        self.n_rows, self.shape, self.dtype = n_rows, (n_rows, n_features), dense.dtype
        self.offset = int(start) * n_features * dense.itemsize

    def read(self, file):
        """As an ndarray."""
        file.seek(self.offset)
        n = self.shape[0] * self.shape[1]
        return np.fromfile(file, self.dtype, n).reshape(self.shape)

    def write(self, file, block):
        """What is to stand there."""
        file.seek(self.offset)
        file.write(np.ascontiguousarray(block).data)
