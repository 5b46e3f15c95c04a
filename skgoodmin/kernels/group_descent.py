"""Coordinate descent on a quadratic with a group norm, one group of K at a time.

    q(v) = g . (v - v0) + 1/2 (v - v0)' H (v - v0) + sum_j penalty_j || v_.j ||_2

v (K, m), H_ko (m, m) between outputs k and o, or H_kk alone where outputs add up. With
the gradient G of the smooth part at v kept up to date, and L_j no less than the largest
eigenvalue of the K x K block of group j, a group moves to

    v_.j <- (1 - penalty_j / (L_j ||z||))_+ z,   z = v_.j - G_.j / L_j

which is its exact minimum for K = 1. A step costs K m (K K m with coupled outputs)
where the group moves, and K where it stays.
"""

import numpy as np

from .jit import njit


@njit
def descend(hessian, penalty, n_sweeps, v, gradient):
    """Sweeps over all groups; v and gradient are brought up to date.

    hessian : (K, 1, m, m), or (K, K, m, m) where outputs are coupled, penalty : (m,),
    v, gradient : (K, m). Ends early where no group moves. Returns the sweeps done.
    """
    n_outputs, m = v.shape
    coupled = hessian.shape[1] > 1
    z_group = np.empty(n_outputs)
    for sweep in range(n_sweeps):
        moves = False
        for j in range(m):
            curvature = 0.0
            for k in range(n_outputs):
                curvature = max(curvature, hessian[k, k * coupled, j, j])
            curvature *= 1.0 + coupled  # |H_ko| is at most H_kk for softmax
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
            # All outputs of a group step from the same gradient.
            for k in range(n_outputs):
                z_group[k] = gradient[k, j]
            for k in range(n_outputs):
                own = curvature
                if penalty[j] == 0.0 and not coupled:
                    own = hessian[k, 0, j, j]
                if not own > 0.0:
                    continue
                step = keep * (v[k, j] - z_group[k] / own) - v[k, j]
                if step == 0.0:
                    continue
                moves = True
                v[k, j] += step
                for o in range(hessian.shape[1]):
                    to = o if coupled else k
                    for i in range(m):
                        gradient[to, i] += step * hessian[k, o, j, i]
        if not moves:
            return sweep + 1
    return n_sweeps
