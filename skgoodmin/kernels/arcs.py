"""The polar of relu units on two features, from both sides: branch and bound on arcs.

For a direction at angle t let h(t) = max_b || sum_i R_i relu(w(t).x_i + b) ||, found by
a sort (:func:`best_in_order`). On the arc between two angles, c and e its
centre and half its width, u_i = w(c).x_i, v_i = w'(c).x_i and T = tan e, every
direction is, but for a factor of at most 1, w(c) + tau w'(c) with |tau| <= T. A relu is
below its chord in tau, by at most T |v_i| / 2 and only where it has its kink: u_i + b
within T |v_i| of 0. So

    h <= max(h(left), h(right)) / cos e + T/2 max_b sum_(i with a kink) ||R_i|| |v_i|

which is off by O(e^2). Arcs whose bound is near the best value found are done, the
others are halved, the widest first: where not all can be, none is left that is wide.
"""

import numpy as np

from .jit import njit
from .sorting import descending


@njit
def best_in_order(z, order, residuals, prefix):
    """(max_k || S_k - T_k z_k ||, the place k in ``order``).

    S and T are the prefix sums of R z and R. Every breakpoint is looked at: what is
    proven here does not lean on the bins of :func:`.polar.best_intercept`.

    z : (n,), order : (n,) descending z, residuals : (n, K), prefix : (2, K) to work in.
    """
    best, at = 0.0, 0
    if residuals.shape[1] == 1:  # the same, in registers
        S, T = 0.0, 0.0
        for k in range(order.size):
            i = order[k]
            S += residuals[i, 0] * z[i]
            T += residuals[i, 0]
            h = abs(S - T * z[i])
            if h > best:
                best, at = h, k
        return best, at
    for o in range(residuals.shape[1]):
        prefix[0, o] = prefix[1, o] = 0.0
    for k in range(order.size):
        i = order[k]
        total = 0.0
        for o in range(residuals.shape[1]):
            prefix[0, o] += residuals[i, o] * z[i]
            prefix[1, o] += residuals[i, o]
            h = prefix[0, o] - prefix[1, o] * z[i]
            total += h * h
        if total > best:
            best, at = total, k
    return np.sqrt(best), at


@njit
def at_angle(x, residuals, angle, z, prefix, keys, other, order):
    """(h at an angle, the intercept).

    x : (n, 2); z, keys, other, order : (n,) and prefix : (2, K) to work in.
    """
    c, s = np.cos(angle), np.sin(angle)
    for i in range(z.size):
        z[i] = c * x[i, 0] + s * x[i, 1]
    descending(z, keys, other, order)
    value, at = best_in_order(z, order, residuals, prefix)
    return value, -z[order[at]]


@njit
def kinks(x, sizes, angle, tangent, ends, changes, keys, other, order):
    """T/2 max_b sum_{|u_i + b| <= T |v_i|} sizes_i |v_i|.

    sizes : (n,) ||R_i||; ends, changes, keys, other, order : (2 n,) to work in.
    """
    n = sizes.size
    c, s = np.cos(angle), np.sin(angle)
    for i in range(n):
        u = c * x[i, 0] + s * x[i, 1]
        v = abs(c * x[i, 1] - s * x[i, 0])
        ends[i], ends[n + i] = u + tangent * v, u - tangent * v  # from above
        changes[i], changes[n + i] = sizes[i] * v, -sizes[i] * v
    # Ends before beginnings at equal places would miss an overlap: go by place, and
    # take a sum over all that begins at a place before what ends there is taken off.
    descending(ends, keys, other, order)
    total, most, k = 0.0, 0.0, 0
    while k < 2 * n:
        stop = k
        while stop < 2 * n and ends[order[stop]] == ends[order[k]]:
            if changes[order[stop]] > 0.0:
                total += changes[order[stop]]
            stop += 1
        most = max(most, total)
        for e in range(k, stop):
            if changes[order[e]] < 0.0:
                total += changes[order[e]]
        k = stop
    return 0.5 * tangent * most


@njit
def push(queue, place, left, value_left, right, value_right):
    """Row ``place`` of the queue <- an arc: its two angles and h there."""
    queue[place, 0], queue[place, 1] = left, value_left
    queue[place, 2], queue[place, 3] = right, value_right


@njit
def polar_of_arcs(x, residuals, sizes, first, tolerance, max_arcs, best):
    """Upper bound of the polar but for rounding; best gets (h, angle, intercept).

    x : (n, 2), residuals : (n, K), first : number of arcs to begin with,
    tolerance : relative, max_arcs : arcs looked at.
    """
    n = sizes.size
    z, prefix = np.empty(n), np.empty((2, residuals.shape[1]))
    ends, changes = np.empty(2 * n), np.empty(2 * n)
    keys, other = np.empty(2 * n, np.int64), np.empty(2 * n, np.int64)
    order = np.empty(2 * n, np.int64)
    at_z = keys[:n], other[:n], order[:n]
    queue = np.empty((first + 2 * max_arcs, 4))
    full = 2.0 * np.pi * (1.0 + 1e-12)
    n_arcs, upper, looked = 0, 0.0, 0
    left = 0.0
    value_left, b = at_angle(x, residuals, left, z, prefix, *at_z)
    best[0], best[1], best[2] = value_left, left, b
    for k in range(first):
        right = full * (k + 1) / first
        value, b = at_angle(x, residuals, right, z, prefix, *at_z)
        if value > best[0]:
            best[0], best[1], best[2] = value, right, b
        push(queue, n_arcs, left, value_left, right, value)
        n_arcs += 1
        left, value_left = right, value
    while looked < n_arcs:
        left, value_left = queue[looked, 0], queue[looked, 1]
        right, value_right = queue[looked, 2], queue[looked, 3]
        half = 0.5 * (right - left) * (1.0 + 1e-12)
        middle = left + 0.5 * (right - left)
        bound = max(value_left, value_right) / np.cos(half)
        bound += (1.0 + 1e-9) * kinks(
            x, sizes, middle, np.tan(half), ends, changes, keys, other, order
        )
        looked += 1
        if bound <= best[0] * (1.0 + tolerance) or looked >= max_arcs:
            upper = max(upper, bound)
            continue
        value, b = at_angle(x, residuals, middle, z, prefix, *at_z)
        if value > best[0]:
            best[0], best[1], best[2] = value, middle, b
        push(queue, n_arcs, left, value_left, middle, value)
        push(queue, n_arcs + 1, middle, value, right, value_right)
        n_arcs += 2
    return max(upper, best[0])
