"""The polar of residuals from below: ascents over relu units, intercept eliminated.

    h(w, b) = || sum_i R_i relu(w.x_i + b) ||_2,  R_i in R^K, sum_i R_i = 0, ||w|| = 1

For a given w each component is linear in b between two breakpoints b = -z_k, with
z = X w; the norm is convex there, so its maximum is at a breakpoint. With z sorted
downwards it is || S_k - T_k z_k ||, S and T the prefix sums of R z and R: no pair of
rows is ever looked at, and beyond the last breakpoint h is constant because sum R = 0.

With u = h / ||h|| the gradient by w, b following the row k it is pinned to, is

    g = sum_{active i} (R_i.u) (x_i - x_k)

h has ridges, where a row with a residual against u is on the hyperplane, and a step
along the tangent part of g soon crosses one. A step that fails tells the gradient
beyond it: the next, shorter one follows the shortest point between the two (Wolfe's
conjugate subgradients, 1975), which is along the ridge. The fixed point w <- g / ||g||
would stop at once: h is convex in w for fixed rows, so it only walks to the nearest
vertex.
"""

import numpy as np

from .jit import njit
from .sorting import descending

SHORTER, LONGER = 0.7, 1.5  # a step after one that fails, and after one that succeeds


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
def output_direction(z, order, residuals, at, out):
    """out_o = sum_{active i} R_io (z_i - z_k) for the breakpoint at place ``at``."""
    for o in range(out.size):
        out[o] = 0.0
    pinned = z[order[at]]
    for k in range(at):
        i = order[k]
        for o in range(out.size):
            out[o] += residuals[i, o] * (z[i] - pinned)


@njit
def relu_gradient(x, order, residuals, at, direction, gradient):
    """gradient = sum_{active i} (R_i.u) (x_i - x_k), u = direction / ||direction||."""
    for j in range(gradient.size):
        gradient[j] = 0.0
    size = norm(direction)
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
    for i in range(z.size):
        z[i] = 0.0
    for j in range(w.size):
        factor = w[j]
        for i in range(z.size):
            z[i] += columns[j, i] * factor


@njit(contract=False)
def norm(w):
    """|| w ||_2."""
    total = 0.0
    for j in range(w.size):
        total += w[j] * w[j]
    return np.sqrt(total)


@njit(contract=False)
def project_out(gradient, coef):
    """gradient -= (gradient.coef) coef; returns its length."""
    along = 0.0
    for j in range(coef.size):
        along += gradient[j] * coef[j]
    for j in range(coef.size):
        gradient[j] -= along * coef[j]
    return norm(gradient)


@njit(contract=False)
def towards_shortest(way, gradient):
    """way <- the shortest point between the two; returns its length."""
    aligned, apart = 0.0, 0.0
    for j in range(way.size):
        difference = gradient[j] - way[j]
        aligned -= way[j] * difference
        apart += difference * difference
    share = min(max(aligned / apart, 0.0), 1.0) if apart > 0.0 else 0.0
    for j in range(way.size):
        way[j] += share * (gradient[j] - way[j])
    return norm(way)


@njit
def copy_to(target, source):
    """target_j <- source_j; the assignment of a slice takes two seconds to compile."""
    for j in range(target.size):
        target[j] = source[j]


@njit
def step_from(w, factor, gradient, out):
    """out = (w + factor gradient) / || w + factor gradient ||."""
    for j in range(w.size):
        out[j] = w[j] + factor * gradient[j]
    size = norm(out)
    for j in range(w.size):
        out[j] /= size


@njit
def ascend_all(x, columns, residuals, starts, steps, max_evaluations, ends):
    """An ascent from every row of ``starts``, with first ``steps``.

    x : (n, d), columns : (d, n) its transpose, residuals : (n, K),
    starts : (m, d) not 0, steps : (m,), ends : coefs (m, d) of length 1, directions
    (m, K), sum_i R_i relu(w.x_i + b), and (m, 4) that gets h, b, evaluations and the
    step to go on with.
    """
    n, d = x.shape
    coefs, directions, values = ends
    prefix, z = np.empty((2, residuals.shape[1])), np.empty(n)
    trial, gradient, way = np.empty(d), np.empty(d), np.empty(d)
    ahead = np.empty(residuals.shape[1])
    order, keys, other = (
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        np.empty(n, np.int64),
    )
    for m in range(starts.shape[0]):
        coef = coefs[m]
        value, intercept, size, step, used = 0.0, 0.0, 0.0, steps[m], 0
        step_from(starts[m], 0.0, starts[m], trial)
        while True:
            project(columns, trial, z)
            descending(z, keys, other, order)
            new, at = best_intercept(z, order, residuals, prefix)
            output_direction(z, order, residuals, at, ahead)
            used += 1
            higher = used == 1 or new > value * (1.0 + 1e-9)
            if higher:
                slow = new < value * (1.0 + 1e-6)
                if used > 1:
                    step = min(LONGER * step, 2.0)
                value, intercept = new, -z[order[at]]
                copy_to(coef, trial)
                copy_to(directions[m], ahead)
                if slow and step < 1e-3:
                    break
            else:
                step *= SHORTER
            if used >= max_evaluations or not step > 1e-5:
                break
            relu_gradient(x, order, residuals, at, ahead, gradient)
            size = project_out(gradient, coef)
            if higher:
                copy_to(way, gradient)
            else:
                size = towards_shortest(way, gradient)
            if not size > 1e-10 * value:
                break
            step_from(coef, step / size, way, trial)
        values[m, 0] = value
        values[m, 1] = intercept
        values[m, 2] = used
        values[m, 3] = step
