"""What a network sees of a wide table: the columns that are used, the span of the rows.

A column that is 0 in all rows, as most columns of hashed texts are, brings nothing to
X W: of sparse rows that are too large for a dense copy only the others are seen. And
with fewer rows than columns left, X^T = Q R with Q orthonormal, so that

    X = Z Q^T,  Z = R^T (n, n),        X W = Z V  with  V = Q^T W.

What a network sees of its inputs is the coordinates Z. The columns of Q are the basis.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..kernels.rows import rows_of

LARGEST = 2**25  # numbers in a dense copy of sparse rows
FEW_USED = 0.5  # share of columns in use up to which sparse rows lose the others


@dataclass(frozen=True)
class Span:
    """The span of canonical rows.

    Parameters
    ----------
    n_features : int
    columns : ndarray of shape (m,), or slice(None) for all
        That are used.
    basis : ndarray of shape (m, n_rows), float64, or None
        Q, orthonormal columns; None where rows are many: the columns are seen as they
        are.
    coordinates : ndarray of shape (n_rows, n_rows), float64, or CSR (n_rows, m)
        Z, or the columns; those of equal rows are equal to the last bit.
    """

    n_features: int
    columns: Any
    basis: np.ndarray | None
    coordinates: Any

    def rows(self, data):
        """Any canonical rows on the coordinates, as far as they lie in the span."""
        return in_place_of_features(data, self.of_rows(data.block()))

    def of_rows(self, x):
        """Rows (.., n_features) on the coordinates."""
        x = x[:, self.columns]
        return x if self.basis is None else np.asarray(x @ self.basis)

    def project(self, weights):
        """Weights (n_features, ..) on the coordinates."""
        some = weights[self.columns]
        return some if self.basis is None else self.basis.T @ some

    def lift(self, weights):
        """Weights on the coordinates, on all features."""
        lifted = np.zeros((self.n_features, *weights.shape[1:]))
        lifted[self.columns] = weights if self.basis is None else self.basis @ weights
        return lifted


def span_of(data):
    """The :class:`Span` of canonical rows; None where they have all columns to see."""
    n_rows, n_features = data.n_rows, data.n_features
    too_large = data.rows.sparse and n_rows * n_features > LARGEST
    if n_rows >= n_features and not too_large:
        return None
    columns: Any = slice(None)
    if too_large:
        columns = _few_used(data)
        if not len(columns):
            return None
    X = data.block()[:, columns]
    if too_large and (n_rows >= X.shape[1] or n_rows * X.shape[1] > LARGEST):
        return Span(n_features, columns, None, X)
    X = X.toarray() if data.rows.sparse else X
    # The sign of a column of the basis is that of a number of X: -0.0 becomes 0.0.
    basis, triangle = np.linalg.qr(X.T.astype(np.float64) + 0.0)
    first = np.flatnonzero(data.opens_group)
    return Span(n_features, columns, basis, triangle.T[first][data.group])


def _few_used(data):
    """Columns of sparse rows that some row has, ascending; none if they are many."""
    used = np.zeros(data.n_features, dtype=bool)
    for rows in data.slices():
        some = data.block(rows.start, rows.stop)
        used[some.indices[some.data != 0]] = True
        if used.sum() > FEW_USED * data.n_features:
            used[:] = False
            break
    return np.flatnonzero(used)


def in_place_of_features(data, coordinates):
    """Canonical rows with ``coordinates`` (n_rows, n) as their features."""
    return replace(data, rows=rows_of(coordinates.astype(data.dtype)))
