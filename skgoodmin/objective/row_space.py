"""Wide data in the space of its rows: as many coordinates as rows.

With fewer rows than features, X^T = Q R with Q (d, n) orthonormal, so that

    X = Z Q^T,  Z = R^T (n, n),        X W = Z V  with  V = Q^T W.

The objective depends on W through V and the penalty alone, with ||W||^2 = ||V||^2 +
||rest||^2, and L-BFGS is invariant under rotations: training V on Z is training W on X,
with d/n times less work. What is left out is the part of W that is orthogonal to all
rows. Weight decay takes it to 0; without weight decay training would leave it as it was
drawn, as noise on rows that are not in this span. Here it is 0 from the beginning.
"""

from dataclasses import dataclass, replace

import numpy as np

from ..kernels.jit import read_only
from ..kernels.rows import Rows
from .canonical_rows import CanonicalRows
from .layout import ParameterLayout

NOTHING = np.empty(0)
LARGEST = 2**25  # numbers in a dense copy of sparse rows


@dataclass(frozen=True)
class RowSpace:
    """Coordinates in the span of the training rows.

    Parameters
    ----------
    basis : ndarray of shape (n_features, n_rows), float64
        Q, orthonormal columns.
    training_rows : CanonicalRows
        Z in place of X.
    wide, narrow : ParameterLayout
        Of theta on all features, and on the coordinates.
    """

    basis: np.ndarray
    training_rows: CanonicalRows
    wide: ParameterLayout
    narrow: ParameterLayout

    def objective(self, objective):
        """The objective of the wide data on the coordinates."""
        return replace(objective, data=self.training_rows, layout=self.narrow)

    def project(self, theta):
        """theta on the coordinates; the part orthogonal to all rows is dropped."""
        (first, *others), intercepts = self.wide.unpack(theta)
        return self.narrow.pack([self.basis.T @ first, *others], intercepts)

    def lift(self, theta):
        """theta on all features."""
        (first, *others), intercepts = self.narrow.unpack(theta)
        return self.wide.pack([self.basis @ first, *others], intercepts)

    def rows(self, data):
        """Any canonical rows on the coordinates, as far as they lie in the span."""
        block = data.block()
        dense = np.asarray(block @ self.basis)
        return _on_coordinates(data, dense)


def row_space(objective):
    """The :class:`RowSpace` of an objective.

    None where rows are many, or sparse and too large for a dense copy.
    """
    data, layout = objective.data, objective.layout
    if data.n_rows >= data.n_features:
        return None
    if data.rows.sparse and data.n_rows * data.n_features > LARGEST:
        return None
    X = data.block()
    X = X.toarray() if data.rows.sparse else X
    # The sign of a column of the basis is that of a number of X: -0.0 becomes 0.0.
    basis, triangle = np.linalg.qr(X.T.astype(np.float64) + 0.0)
    narrow = ParameterLayout((data.n_rows, *layout.sizes[1:]))
    # Equal rows have to stay equal to the last bit.
    first = np.flatnonzero(data.opens_group)
    rows = _on_coordinates(data, triangle.T[first][data.group])
    return RowSpace(basis, rows, layout, narrow)


def _on_coordinates(data, dense):
    """Canonical rows whose features are replaced by the rows of ``dense``."""
    dense = read_only(dense.astype(data.dtype))
    none = read_only(NOTHING.astype(data.dtype))
    rows = Rows(
        False,
        dense,
        none,
        read_only(np.empty(0, dtype=np.int32)),
        read_only(np.empty(0, dtype=np.int64)),
        read_only(np.arange(len(dense))),
    )
    return replace(data, rows=rows)
