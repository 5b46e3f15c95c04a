"""The memory of L-BFGS, and the direction that it gives.

Of the last m steps s_i and changes y_i of the gradient, the rows of S and Y, the
inverse Hessian of L-BFGS makes of a gradient g (Byrd, Nocedal and Schnabel 1994, 3.1)

    H g = gamma g + S^T u - gamma Y^T v,   R v = S g,
          R^T u = D v + gamma (Y Y^T v - Y g),   gamma = s.y / y.y of the last pair,

with R the upper triangle of S Y^T in the order of time, and D its diagonal. S and Y
are read twice: for the products with the new y and with g, and for the sum. L-BFGS-B
takes two to three times as long, from some hundred parameters on
(``benchmarks/solver.py --large``).
"""

import numpy as np

from .jit import njit

EPS = np.finfo(np.float64).eps


@njit(reassoc=True)
def dot(a, b):
    """a.b"""
    total = 0.0
    for j in range(a.size):
        total += a[j] * b[j]
    return total


@njit(reassoc=True)
def remember(x, g, new_x, new_g, steps, changes, order, n_pairs):
    """Keep the way between two points x with gradients g, (n,); the number of pairs.

    steps, changes : S and Y (m, n); a pair keeps its place, a new one takes that of the
    oldest. order : (m,), the places of the first ``n_pairs``, the oldest first. A way
    without curvature says nothing and is left out.
    """
    m, n = steps.shape
    curvature, square = 0.0, 0.0
    for j in range(n):
        change = new_g[j] - g[j]
        curvature += (new_x[j] - x[j]) * change
        square += change * change
    if not curvature > EPS * square:
        return n_pairs
    place = n_pairs
    if n_pairs == m:
        place = order[0]
        for a in range(m - 1):
            order[a] = order[a + 1]
        n_pairs -= 1
    order[n_pairs] = place
    for j in range(n):
        steps[place, j] = new_x[j] - x[j]
        changes[place, j] = new_g[j] - g[j]
    return n_pairs + 1


@njit(reassoc=True)
def direction(steps, changes, products, order, n_pairs, gradient, solved, way):
    """way = -H g; returns way.g.

    products : (2, m, m), S Y^T and Y Y^T by places, of which those with the newest pair
    are brought up to date; solved : (2, m), to work in; way : (n,). For the rest see
    :func:`remember`.
    """
    for j in range(way.size):
        way[j] = -gradient[j]
    if n_pairs == 0:
        return dot(way, gradient)
    by_step, by_change, u, v = products[0], products[1], solved[0], solved[1]
    newest = order[n_pairs - 1]
    last = changes[newest]
    for a in range(n_pairs):
        i = order[a]
        s, y = steps[i], changes[i]
        s_last, y_last, s_g, y_g = 0.0, 0.0, 0.0, 0.0
        for j in range(way.size):
            s_last += s[j] * last[j]
            y_last += y[j] * last[j]
            s_g += s[j] * gradient[j]
            y_g += y[j] * gradient[j]
        by_step[i, newest] = s_last
        by_change[i, newest] = by_change[newest, i] = y_last
        v[a], u[a] = s_g, -y_g
    gamma = by_step[newest, newest] / by_change[newest, newest]
    for a in range(n_pairs - 1, -1, -1):  # R v = S g, in the order of time
        i = order[a]
        for b in range(a + 1, n_pairs):
            v[a] -= by_step[i, order[b]] * v[b]
        v[a] /= by_step[i, i]
    for a in range(n_pairs):  # R^T u = D v + gamma (Y Y^T v - Y g)
        i = order[a]
        for b in range(n_pairs):
            u[a] += by_change[i, order[b]] * v[b]
        u[a] = by_step[i, i] * v[a] + gamma * u[a]
        for b in range(a):
            u[a] -= by_step[order[b], i] * u[b]
        u[a] /= by_step[i, i]
    for j in range(way.size):
        way[j] *= gamma
    for a in range(n_pairs):
        s, y = steps[order[a]], changes[order[a]]
        by_s, by_y = u[a], gamma * v[a]
        for j in range(way.size):
            way[j] += by_y * y[j] - by_s * s[j]
    return dot(way, gradient)
