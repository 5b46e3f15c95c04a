"""Sums over pairs of rows: what a plan with few pairs moves, and its gradient.

A pair e joins row i_e of one side with row j_e of the other, mass pi_e:

    s_i = sum_{e at i} pi_e (x_i - y_j),    t_j = -sum_{e at j} pi_e (x_i - y_j)
"""

from .jit import njit


@njit
def moved(x, y, left, right, mass, s, t, a, b):
    """Add to s (n, d), t (m, d) and the marginals a (n,), b (m,), zeros before.

    x : (n, d), y : (m, d), left, right : (E,) places, mass : (E,).
    """
    for e in range(mass.size):
        i, j, pi = left[e], right[e], mass[e]
        a[i] += pi
        b[j] += pi
        for k in range(x.shape[1]):
            step = pi * (x[i, k] - y[j, k])
            s[i, k] += step
            t[j, k] -= step


@njit(reassoc=True)
def moved_gradient(x, y, left, right, by_s, by_t, out):
    """out_e = (by_s_i - by_t_j).(x_i - y_j): the derivative by pi_e."""
    for e in range(out.size):
        i, j, total = left[e], right[e], 0.0
        for k in range(x.shape[1]):
            total += (by_s[i, k] - by_t[j, k]) * (x[i, k] - y[j, k])
        out[e] = total
