"""The span of the rows of a wide table: as many coordinates as rows.

With fewer rows than columns, X^T = Q R with Q (d, n) orthonormal, so that

    X = Z Q^T,  Z = R^T (n, n),        X W = Z V  with  V = Q^T W.

What a network sees of its inputs is the coordinates Z. The columns of Q are the basis.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import issparse

from ..kernels.rows import rows_of

LARGEST = 2**25  # numbers in a dense copy of sparse rows


@dataclass(frozen=True)
class Span:
    """The span of canonical rows.

    Parameters
    ----------
    basis : ndarray of shape (n_features, n_rows), float64
        Q, orthonormal columns.
    coordinates : ndarray of shape (n_rows, n_rows), float64
        Z; those of equal rows are equal to the last bit.
    """

    basis: np.ndarray
    coordinates: np.ndarray

    def rows(self, data):
        """Any canonical rows on the coordinates, as far as they lie in the span."""
        return in_place_of_features(data, np.asarray(data.block() @ self.basis))


def span_of(data):
    """The :class:`Span` of canonical rows.

    None where rows are many, or sparse and too large for a dense copy.
    """
    if data.n_rows >= data.n_features:
        return None
    if data.rows.sparse and data.n_rows * data.n_features > LARGEST:
        return None
    X = data.block()
    X = X.toarray() if issparse(X) else X
    # The sign of a column of the basis is that of a number of X: -0.0 becomes 0.0.
    basis, triangle = np.linalg.qr(X.T.astype(np.float64) + 0.0)
    first = np.flatnonzero(data.opens_group)
    return Span(basis, triangle.T[first][data.group])


def in_place_of_features(data, coordinates):
    """Canonical rows with ``coordinates`` (n_rows, n) as their features."""
    return replace(data, rows=rows_of(coordinates.astype(data.dtype)))
