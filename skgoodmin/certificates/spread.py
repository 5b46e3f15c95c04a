"""Largest spread of weighted differences over all directions, from above.

For differences delta_e with weights c_ke >= 0 and any tau_ke > 0, Cauchy-Schwarz gives

    (sum_e c_ke |w.delta_e|)^2 <= T_k w'M_k w,
    T_k = sum_e c_ke tau_ke,   M_k = sum_e c_ke delta_e delta_e' / tau_ke

so that for all ||w|| = 1

    sqrt( sum_k (sum_e c_ke |w.delta_e|)^2 ) <= sqrt( lambda_max( sum_k T_k M_k ) ).

The best tau are sqrt(delta_e' W delta_e) with the W >= 0 of trace 1 that maximises the
concave function sum_k (sum_e c_ke sqrt(delta_e' W delta_e))^2, whose gradient is
G(W) = sum_k T_k M_k. On the range of the best W all eigenvalues of G(W) are equal, and

    log W += 2 log G(W)

goes there. From any W this step is the best one, where one output has differences along
orthogonal axes: with the mass m_j = sum_e c_e |delta_ej| of an axis, the entries of G
are T m_j / sqrt(W_jj), and the best W_jj is proportional to m_j^2. From a multiple of
1, the W of no direction in particular, the first step is W = G G.

**In floating point.** Whatever tau is in memory is a tau > 0, so only T, M and
lambda_max are rounded. A sum of m products of d-dimensional rows has an error of at
most (m + 4) eps trace(M) in the norm (the absolute values of delta delta' have the same
trace), LAPACK's eigenvalues one of a small multiple of d eps trace. ``largest`` adds
(2 m + 20 d + 100) eps trace.
"""

import numpy as np

EPS = np.finfo(np.float64).eps
LEAST = 1e-12  # eigenvalue of G, relative to the trace, of which a log is taken
TINY = 1e-300


def largest(matrix, n_terms):
    """At least the largest eigenvalue of the exact matrix; (d, d) -> float.

    Parameters
    ----------
    matrix : ndarray of shape (d, d)
        Positive semidefinite, a sum as above.
    n_terms : int
        Number of its terms.
    """
    trace = float(np.trace(matrix))
    if not np.isfinite(matrix).all():
        return np.inf
    top = np.linalg.eigvalsh(matrix)[-1]
    return float(top + (2 * n_terms + 20 * len(matrix) + 100) * EPS * trace)


class Spread:
    """The differences of all outputs.

    Parameters
    ----------
    parts : list of (weights (m,), differences (m, d)), one an output
        Weights positive.
    """

    def __init__(self, parts):
        self.parts = parts
        self.n_features = parts[0][1].shape[1]
        self.n_terms = max(len(c) for c, _ in parts)

    def lengths(self, W=None):
        """tau_ke = sqrt(delta' W delta), kept above a small part of their mean.

        Without a W they are for W = 1.
        """
        out = []
        for c, delta in self.parts:
            turned = delta if W is None else delta @ W
            square = np.maximum((turned * delta).sum(axis=1), 0.0)
            tau = np.sqrt(square)
            mean = (c @ tau) / max(c.sum(), 1e-300)
            floor = 1e-4 * mean + 1e-150
            out.append(np.sqrt(square + floor * floor))
        return out

    def gradient(self, taus):
        """sum_k T_k M_k, (d, d), and its value at the W of the taus."""
        matrix, square = np.zeros((self.n_features, self.n_features)), 0.0
        for (c, delta), tau in zip(self.parts, taus, strict=True):
            total = float(c @ tau)
            square += total * total
            matrix += (delta.T * (total * c / tau)) @ delta
        return matrix, square

    def bound(self, W):
        """(proven spread, gradient at W, spread at W)."""
        matrix, square = self.gradient(self.lengths(W))
        top = largest(matrix, self.n_terms)
        return float(np.sqrt(max(top, 0.0))) * (1.0 + 4 * EPS), matrix, np.sqrt(square)


def exponential(log_w):
    """W = exp(log W) / trace."""
    values, vectors = np.linalg.eigh(log_w)
    values = np.exp(values - values[-1])
    return (vectors * (values / values.sum())) @ vectors.T


def logarithm(matrix):
    """log of G / trace, its eigenvalues kept above 0."""
    values, vectors = np.linalg.eigh(matrix / np.trace(matrix))
    return (vectors * np.log(np.maximum(values, LEAST))) @ vectors.T


def squared(matrix):
    """W = G G / trace, the first step; 0 of 0."""
    matrix = matrix / max(np.trace(matrix), TINY)
    matrix = matrix @ matrix
    return matrix / max(np.trace(matrix), TINY)


def tighten(spread, n_steps, log_w=None, tolerance=2e-4):
    """The best of several W for fixed differences.

    Parameters
    ----------
    spread : Spread
    n_steps : int
        How many W are tried.
    log_w : ndarray of shape (d, d), optional
        log of the first one.
    tolerance : float, default=2e-4
        Relative distance from the smallest spread there can be that is small enough.

    Returns
    -------
    best : float
        Proven spread.
    log_w : ndarray of shape (d, d) or None
        Of the last W.
    """
    if log_w is not None:
        W = exponential(log_w)
    else:
        first, _ = spread.gradient(spread.lengths())
        W = squared(first)
    best, reached = np.inf, 0.0  # no choice of tau gets below the second
    for left in reversed(range(n_steps)):
        upper, matrix, value = spread.bound(W)
        best, reached = min(best, upper), max(reached, value)
        is_number = np.isfinite(upper) and upper > 0
        if not (left and is_number and best > reached * (1.0 + tolerance)):
            break
        log_w = 2.0 * logarithm(first) if log_w is None else log_w
        log_w = log_w + 2.0 * logarithm(matrix)
        W = exponential(log_w)
    return best, log_w
