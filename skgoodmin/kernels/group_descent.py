"""Coordinate descent on a quadratic with a group norm, one group of K at a time.

    q(v) = sum_k [ g_k . (v_k - v0_k) + 1/2 (v_k - v0_k)' H_k (v_k - v0_k) ]
           + sum_j penalty_j || v_.j ||_2

v (K, m), H (K, m, m). With the gradient G of the smooth part at v kept up to date, and
L_j = max_k H_kjj, a group moves to

    v_.j <- (1 - penalty_j / (L_j ||z||))_+ z,   z = v_.j - G_.j / L_j

which is its exact minimum for K = 1. Groups without a penalty take each output's own
step. A step costs K m where the group moves, and K where it stays.
"""

import numpy as np

from .jit import njit


@njit
def descend(hessian, penalty, n_sweeps, tol, v, gradient):
    """Sweeps over all groups; v and gradient are brought up to date.

    hessian : (K, m, m), penalty : (m,), v, gradient : (K, m). Ends early where no
    group moved by more than tol in units of the gradient. Returns the sweeps done.
    """
    n_outputs, m = v.shape
    for sweep in range(n_sweeps):
        largest = 0.0
        for j in range(m):
            curvature = 0.0
            for k in range(n_outputs):
                curvature = max(curvature, hessian[k, j, j])
            if not curvature > 0.0:
                continue
            keep = 1.0
            if penalty[j] > 0.0:
                size = 0.0
                for k in range(n_outputs):
                    z = v[k, j] - gradient[k, j] / curvature
                    size += z * z
                size = np.sqrt(size)
                limit = penalty[j] / curvature
                keep = 1.0 - limit / size if size > limit else 0.0
            for k in range(n_outputs):
                own = curvature if penalty[j] > 0.0 else hessian[k, j, j]
                if not own > 0.0:
                    continue
                step = keep * (v[k, j] - gradient[k, j] / own) - v[k, j]
                if step == 0.0:
                    continue
                largest = max(largest, abs(step) * own)
                v[k, j] += step
                for i in range(m):
                    gradient[k, i] += step * hessian[k, j, i]
        if largest <= tol:
            return sweep + 1
    return n_sweeps
