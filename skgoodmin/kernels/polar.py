"""The polar of residuals from below: ascents over relu units, intercept eliminated.

    h(w, b) = || sum_i R_i relu(w.x_i + b) ||_2,  R_i in R^K, sum_i R_i = 0, ||w|| = 1

For a given w each component is linear in b between two breakpoints b = -z_k, with
z = X w; the norm is convex there, so its maximum is at a breakpoint. With z sorted
downwards it is || S_k - T_k z_k ||, S and T the prefix sums of R z and R: no pair of
rows is ever looked at, and beyond the last breakpoint h is constant because sum R = 0.

With u = h / ||h|| the gradient by w, b following the row k it is pinned to, is

    g = sum_{active i} (R_i.u) (x_i - x_k)

A step along the tangent part of g that fails is halved, one that succeeds is doubled.
The fixed point w <- g / ||g|| would stop at once: h is convex in w for fixed rows, so
it only walks to the nearest vertex.
"""

import numpy as np

from .jit import njit
from .sorting import descending


@njit
def best_intercept(z, order, residuals, prefix):
    """(max_k || S_k - T_k z_k ||, the place k in ``order``).

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
    prefix[:] = 0.0
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
def output_direction(z, order, residuals, at, out):
    """out_o = sum_{active i} R_io (z_i - z_k) for the breakpoint at place ``at``."""
    out[:] = 0.0
    pinned = z[order[at]]
    for k in range(at):
        i = order[k]
        for o in range(out.size):
            out[o] += residuals[i, o] * (z[i] - pinned)


@njit
def relu_gradient(x, z, order, residuals, at, direction, gradient):
    """gradient = sum_{active i} (R_i.u) (x_i - x_k), u = direction / ||direction||."""
    gradient[:] = 0.0
    output_direction(z, order, residuals, at, direction)
    size = 0.0
    for o in range(direction.size):
        size += direction[o] * direction[o]
    size = np.sqrt(size)
    if size == 0.0:
        return
    total = 0.0
    for k in range(at):
        i = order[k]
        weight = 0.0
        for o in range(direction.size):
            weight += residuals[i, o] * direction[o]
        weight /= size
        total += weight
        for j in range(gradient.size):
            gradient[j] += weight * x[i, j]
    pinned = order[at]
    for j in range(gradient.size):
        gradient[j] -= total * x[pinned, j]


@njit
def project(columns, w, z):
    """z = X w, from the columns of X, (d, n): each one is a loop over all rows."""
    z[:] = 0.0
    for j in range(w.size):
        column, factor = columns[j], w[j]
        for i in range(z.size):
            z[i] += column[i] * factor


@njit
def ascend(x, columns, residuals, w, step, max_evaluations, coef, direction):
    """One ascent from ``w``: (h, b, evaluations, step); coef and direction are filled.

    x : (n, d), columns : (d, n) its transpose, residuals : (n, K), w : (d,) not 0,
    step : the first one, coef : (d,) of length 1, direction : (K,)
    sum_i R_i relu(w.x_i + b). The step returned is that to go on with.
    """
    n, d = x.shape
    prefix = np.empty((2, residuals.shape[1]))
    gradient, trial = np.empty(d), np.empty(d)
    z, z_trial = np.empty(n), np.empty(n)
    order, order_trial = np.empty(n, np.int64), np.empty(n, np.int64)
    keys, other = np.empty(n, np.int64), np.empty(n, np.int64)
    coef[:] = w / np.sqrt((w * w).sum())
    project(columns, coef, z)
    descending(z, keys, other, order)
    value, at = best_intercept(z, order, residuals, prefix)
    used = 1
    while used < max_evaluations:
        relu_gradient(x, z, order, residuals, at, direction, gradient)
        along = (gradient * coef).sum()
        gradient -= along * coef
        size = np.sqrt((gradient * gradient).sum())
        if not size > 1e-10 * value:
            break
        found = False
        while step > 1e-5 and used < max_evaluations:
            trial[:] = coef + step / size * gradient
            trial /= np.sqrt((trial * trial).sum())
            project(columns, trial, z_trial)
            descending(z_trial, keys, other, order_trial)
            new, at_trial = best_intercept(z_trial, order_trial, residuals, prefix)
            used += 1
            if new > value * (1.0 + 1e-9):
                found = True
                break
            step *= 0.5
        if not found:
            break
        coef[:] = trial
        z, z_trial = z_trial, z
        order, order_trial = order_trial, order
        at = at_trial
        slow = new < value * (1.0 + 1e-6)
        value, step = new, min(2.0 * step, 2.0)
        if slow and step < 1e-3:
            break
    output_direction(z, order, residuals, at, direction)
    return value, -z[order[at]], used, step


@njit
def ascend_all(x, columns, residuals, starts, steps, max_evaluations, ends):
    """An ascent from every row of ``starts``, with first ``steps``.

    starts : (m, d), steps : (m,), ends : coefs (m, d), directions (m, K), and (m, 4)
    that gets h, b, evaluations and the step to go on with.
    """
    coefs, directions, values = ends
    for m in range(starts.shape[0]):
        value, intercept, used, step = ascend(
            x,
            columns,
            residuals,
            starts[m],
            steps[m],
            max_evaluations,
            coefs[m],
            directions[m],
        )
        values[m, 0] = value
        values[m, 1] = intercept
        values[m, 2] = used
        values[m, 3] = step


@njit
def score_all(columns, residuals, starts, values):
    """values_m = max_b h(w_m / ||w_m||, b), without any ascent.

    columns : (d, n), starts : (m, d), values : (m,).
    """
    n = columns.shape[1]
    prefix, z = np.empty((2, residuals.shape[1])), np.empty(n)
    order = np.empty(n, np.int64)
    keys, other = np.empty(n, np.int64), np.empty(n, np.int64)
    for m in range(starts.shape[0]):
        w = starts[m] / np.sqrt((starts[m] * starts[m]).sum())
        project(columns, w, z)
        descending(z, keys, other, order)
        values[m] = best_intercept(z, order, residuals, prefix)[0]
