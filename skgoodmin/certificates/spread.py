"""Largest spread of weighted differences over all directions, from above.

For differences delta_e with weights c_ke >= 0 and any tau_ke > 0, Cauchy-Schwarz gives

    (sum_e c_ke |w.delta_e|)^2 <= T_k w'M_k w,
    T_k = sum_e c_ke tau_ke,   M_k = sum_e c_ke delta_e delta_e' / tau_ke

so that for all ||w|| = 1

    sqrt( sum_k (sum_e c_ke |w.delta_e|)^2 ) <= sqrt( lambda_max( sum_k T_k M_k ) ).

The best tau are sqrt(delta_e' W delta_e) with the W >= 0 of trace 1 that maximises the
concave function sum_k (sum_e c_ke sqrt(delta_e' W delta_e))^2, whose gradient is
sum_k T_k M_k: mirror ascent, log W += step * gradient / lambda_max.

**In floating point.** Whatever tau is in memory is a tau > 0, so only T, M and
lambda_max are rounded. A sum of m products of d-dimensional rows has an error of at
most (m + 4) eps trace(M) in the norm (the absolute values of delta delta' have the same
trace), LAPACK's eigenvalues one of a small multiple of d eps trace. ``largest`` adds
(2 m + 20 d + 100) eps trace.
"""

import numpy as np

EPS = np.finfo(np.float64).eps


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
    log_w : ndarray of shape (d, d), optional
        log W to begin with; by default that of no direction in particular.
    """

    def __init__(self, parts, log_w=None):
        self.parts = parts
        self.n_features = parts[0][1].shape[1]
        self.log_w = isotropic(self.n_features)[0] if log_w is None else log_w
        self.n_terms = max(len(c) for c, _ in parts)

    def lengths(self, W):
        """tau_ke = sqrt(delta' W delta), kept above a small part of their mean."""
        out = []
        for c, delta in self.parts:
            square = np.maximum(((delta @ W) * delta).sum(axis=1), 0.0)
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


def isotropic(n_features):
    """(log W, W) of no direction in particular."""
    return np.zeros((n_features, n_features)), np.eye(n_features) / n_features


def exponential(log_w):
    """W = exp(log W) / trace."""
    values, vectors = np.linalg.eigh(log_w)
    values = np.exp(values - values[-1])
    return (vectors * (values / values.sum())) @ vectors.T


def tighten(spread, log_w, n_iterations, tolerance=2e-4, step=1.5):
    """Mirror ascent in W for fixed differences.

    Returns
    -------
    best : float
        Proven spread.
    log_w : ndarray of shape (d, d)
        Where the ascent ended.
    """
    best, reached = np.inf, 0.0  # no choice of tau gets below the second
    for k in range(n_iterations):
        upper, matrix, value = spread.bound(exponential(log_w))
        best, reached = min(best, upper), max(reached, value)
        if not np.isfinite(upper) or upper == 0 or best <= reached * (1.0 + tolerance):
            break
        log_w = log_w + step / np.sqrt(1.0 + 0.1 * k) * matrix / (upper * upper)
    return best, log_w
