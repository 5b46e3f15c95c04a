"""Degree of the monomial neuron a (w.x + b)^p that the theorem needs.

It is the smallest p at which the matrix ((1 + z_k.z_l)^p) of the distinct rows z has
full rank; see :mod:`skgoodmin.kernels.special_neuron`.
"""

import numpy as np
from scipy.linalg import qr
from scipy.special import comb

RANK_ROWS = 500  # distinct rows of which a rank is computed


def degree_that_suffices(data):
    """Smallest degree of a monomial neuron for the theorem to hold on ``data``.

    Of more than ``RANK_ROWS`` distinct rows it is that of rows in general position.
    """
    distinct = data.take(np.flatnonzero(data.opens_group))
    if distinct.n_rows > RANK_ROWS:
        return general_degree(distinct.n_rows, data.n_features)
    rows = distinct.block()
    return sufficient_degree(rows if isinstance(rows, np.ndarray) else rows.toarray())


def general_degree(n, n_features):
    """Smallest p with (n_features + p over p) >= n: enough for rows in general place.

    No degree below it is enough for any ``n`` distinct rows.
    """
    degree = 1
    while comb(n_features + degree, degree, exact=True) < n:
        degree += 1
    return degree


def sufficient_degree(z):
    """Smallest degree of a monomial neuron for which the theorem holds.

    It is the smallest p at which the matrix ((1 + z_k.z_l)^p) has full rank, that is,
    at which polynomials of degree p take any values on the rows. A basis of these
    values is built degree by degree, each orthogonal to those before (Brubeck,
    Nakatsukasa and Trefethen 2021, "Vandermonde with Arnoldi"): powers would lose all
    digits.

    Parameters
    ----------
    z : ndarray of shape (n_distinct_rows, n_features)
        Distinct rows, some hundred at most.

    Returns
    -------
    degree : int
    """
    n, n_features = z.shape
    z = z.astype(np.float64)
    # The rank does not depend on where the rows are and how long they are.
    z = z / max(np.abs(z).max(), np.finfo(float).tiny)  # its squares can not overflow
    z = z - z.mean(axis=0)
    z = z / max(np.sqrt((z * z).sum(axis=1).max()), np.finfo(float).tiny)
    basis = new = np.full((n, 1), n**-0.5)
    degree = 0
    while basis.shape[1] < n and new.shape[1] > 0:
        degree += 1
        values = (z[:, :, None] * new[:, None, :]).reshape(n, -1)
        for _ in range(2):  # once is not enough in floating point
            values = values - basis @ (basis.T @ values)
        vectors, sizes, _ = qr(values, mode="economic", pivoting=True)
        new = vectors[:, np.abs(np.diag(sizes)) > 1e-10]
        basis = np.column_stack([basis, new])
    return max(degree, 1) if basis.shape[1] == n else n - 1
