"""The polar of residuals from below: ascents over relu units, intercept eliminated.

    h(w, b) = || sum_i R_i relu(w.x_i + b) ||_2,  R_i in R^K, sum_i R_i = 0, ||w|| = 1

For a given w each component is linear in b between two breakpoints b = -z_k, with
z = X w; the norm is convex there, so its maximum is at a breakpoint. Sums over bins of
rows find it: no pair of rows is ever looked at, and beyond the last breakpoint h is
constant because sum R = 0.

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
from .network import ZERO, matrix_view
from .sorting import BINS, extent, merge

TOGETHER = 16  # ascents that climb at once
IN_BIN = 8  # rows in a bin, where these are few
SHORTER, LONGER = 0.7, 1.5  # a step after one that fails, and after one that succeeds
AHEAD = 2.0  # how often an ascent is expected to rise again as it has of late


@njit
def put_in_bins(z, largest, scale, residuals, sizes, sums, keys, of_bin, then):
    """sums_b <- sums of R_i, R_i y_i and ||R_i|| over the rows in the bin b.

    The rows of a bin are a list: ``of_bin`` has the last one, ``then`` the one before.
    """
    n_outputs, last = residuals.shape[1], of_bin.size - 1
    for b in range(of_bin.size):
        of_bin[b] = -1
        for o in range(2 * n_outputs + 1):
            sums[b, o] = 0.0
    for i in range(z.size):
        place = (largest - z[i]) * scale
        keys[i] = int(place) if place < last else last
    if n_outputs == 1:  # where a loop over outputs takes longer than what is in it
        for i in range(z.size):
            key, r = keys[i], residuals[i, 0]
            then[i], of_bin[key] = of_bin[key], i
            sums[key, 0] += r
            sums[key, 1] += r * (largest - z[i])
            sums[key, 2] += sizes[i]
        return
    for i in range(z.size):
        y, key = largest - z[i], keys[i]
        then[i], of_bin[key] = of_bin[key], i
        for o in range(n_outputs):
            sums[key, o] += residuals[i, o]
            sums[key, n_outputs + o] += residuals[i, o] * y
        sums[key, 2 * n_outputs] += sizes[i]


@njit
def heights_of_edges(sums, width, edges):
    """edges_b <- h where the bin b begins; the largest. ``sums`` become cumulated."""
    n_bins, n_outputs = sums.shape[0], sums.shape[1] // 2
    for b in range(n_bins + 1):
        edges[b] = 0.0
    for o in range(n_outputs):
        t = v = 0.0
        for b in range(n_bins):
            t, v = t + sums[b, o], v + sums[b, n_outputs + o]
            sums[b, o], sums[b, n_outputs + o] = t, v
            h = t * (width * (b + 1)) - v
            edges[b + 1] += h * h
    highest = 0.0
    for b in range(1, n_bins + 1):
        edges[b] = np.sqrt(edges[b])
        highest = max(highest, edges[b])
    return highest


@njit
def best_intercept(z, residuals, sizes, work, best):
    """(h at the highest breakpoint, its row k), best <- sum_i R_i relu(z_i - z_k).

    With y = max z - z that sum is T y_k - Y, where T and Y add up R_i and R_i y_i over
    the rows with a smaller y. Rows are dealt to bins by y. At the edges of a bin T and
    Y are sums over whole bins. Inside, each relu is below its chord from edge to edge,
    by at most a quarter of the width s, so that

        h <= max(h(edge), h(next edge)) + s/4 sum_{i in the bin} ||R_i||,

    and only the few bins where that is above the best value known have to be sorted.

    z : (n,), residuals : (n, K), sizes : (n,) || R_i ||, work : see :func:`ascend_all`,
    best : (K,)
    """
    sums, edges, ahead, packed, keys, of_bin, then, members, other, order = work
    n_outputs, n_bins = best.size, edges.size - 1
    largest, least = extent(z)
    spread = largest - least
    width = spread / n_bins if spread < np.inf else 0.0
    # No scale among equal z: all are in one bin.
    put_in_bins(
        z, largest, 1.0 / width, residuals, sizes, sums, keys, of_bin[:n_bins], then
    )
    highest = heights_of_edges(sums, width, edges)
    value, row = 0.0, 0
    for o in range(n_outputs):
        best[o] = 0.0
    for b in range(n_bins):
        size = sums[b, 2 * n_outputs]
        most = max(edges[b], edges[b + 1]) + 0.25 * width * size
        if size == 0.0 or most < max(highest * (1.0 - 1e-9), value):
            continue
        n_members, i = 0, of_bin[b]
        while i >= 0:
            members[n_members], packed[n_members] = i, z[i]
            n_members, i = n_members + 1, then[i]
        merge(packed[:n_members], other, order)
        for o in range(2 * n_outputs):
            ahead[o] = sums[b - 1, o] if b > 0 else 0.0
        for p in range(n_members):
            i = members[order[p]]
            y, total = largest - z[i], 0.0
            for o in range(n_outputs):
                ahead[o] += residuals[i, o]
                ahead[n_outputs + o] += residuals[i, o] * y
                h = ahead[o] * y - ahead[n_outputs + o]
                total += h * h
            if np.sqrt(total) > value:
                value, row = np.sqrt(total), i
                for o in range(n_outputs):
                    best[o] = ahead[o] * y - ahead[n_outputs + o]
    return value, row


@njit(reassoc=True)
def active_weights(z, row, residuals, direction, weights):
    """weights_i = R_i.u of active rows, z_i > z_row, less their sum for ``row``.

    With them the gradient is sum_i weights_i x_i; u = direction / ||direction||.
    """
    size = norm(direction)
    total, pinned, scale = 0.0, z[row], 1.0 / size if size > 0.0 else 0.0
    if direction.size == 1:
        u = direction[0] * scale
        for i in range(z.size):
            weights[i] = residuals[i, 0] * u if z[i] > pinned else 0.0
    else:
        for i in range(z.size):
            along = 0.0
            for o in range(direction.size):
                along += residuals[i, o] * direction[o]
            weights[i] = along * scale if z[i] > pinned else 0.0
    for i in range(z.size):
        total += weights[i]
    weights[row] = -total


@njit(reassoc=True)
def norm(w):
    """|| w ||_2."""
    total = 0.0
    for j in range(w.size):
        total += w[j] * w[j]
    return np.sqrt(total)


@njit(reassoc=True)
def project_out(gradient, coef):
    """gradient -= (gradient.coef) coef; returns its length."""
    along = 0.0
    for j in range(coef.size):
        along += gradient[j] * coef[j]
    for j in range(coef.size):
        gradient[j] -= along * coef[j]
    return norm(gradient)


@njit(reassoc=True)
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
def ascend_all(x, columns, residuals, starts, steps, max_evaluations, looks, ends):
    """An ascent from every row of ``starts``, with first ``steps``.

    ``TOGETHER`` of them climb at once, so that what goes through all of X is a matrix
    product; where one has ended, the next one begins.

    x : (n, d), columns : (d, n) its transpose, residuals : (n, K),
    starts : (m, d) not 0, steps : (m,), looks : (L, 2) after how many evaluations an
    ascent ends that promises less than what, ends : coefs (m, d) of length 1,
    directions (m, K), sum_i R_i relu(w.x_i + b), and (m, 5) that gets h, b,
    evaluations, the step to go on with and h at the last look.
    """
    n, d = x.shape
    coefs, directions, values = ends
    most = min(starts.shape[0], TOGETHER)
    of_rows, of_columns = np.empty((2, most * n)), np.empty((2, most * d))
    way = np.empty((most, d))
    number, higher, ended = np.empty((3, most), np.int64)
    n_outputs, n_bins = residuals.shape[1], min(n // IN_BIN + 1, BINS)
    sums, edges = np.empty((n_bins, 2 * n_outputs + 1)), np.empty(n_bins + 1)
    packed, sizes, best = np.empty(n), np.empty(n), np.empty(n_outputs)
    keys, of_bin, then, members, other, order = np.empty((6, n), np.int64)
    ahead = np.empty(2 * n_outputs)
    work = sums, edges, ahead, packed, keys, of_bin, then, members, other, order
    for i in range(n):
        sizes[i] = norm(residuals[i])
    going, begun = ZERO, ZERO
    while going > 0 or begun < starts.shape[0]:
        trial = matrix_view(of_columns[0], ZERO, most, d)
        while going < most and begun < starts.shape[0]:
            number[going] = begun
            step_from(starts[begun], 0.0, starts[begun], trial[going])
            values[begun, 0] = values[begun, 2] = 0.0
            values[begun, 3] = steps[begun]
            begun += 1
            going += 1
        trial = matrix_view(of_columns[0], ZERO, going, d)
        gradient = matrix_view(of_columns[1], ZERO, going, d)
        z = matrix_view(of_rows[0], ZERO, going, n)
        weights = matrix_view(of_rows[1], ZERO, going, n)
        np.dot(trial, columns, z)
        for p in range(going):
            m = number[p]
            new, row = best_intercept(z[p], residuals, sizes, work, best)
            higher[p], ended[p] = judged(new, values[m], max_evaluations, looks)
            if higher[p]:
                values[m, 1] = -z[p, row]
                copy_to(coefs[m], trial[p])
                copy_to(directions[m], best)
            active_weights(z[p], row, residuals, best, weights[p])
        np.dot(weights, x, gradient)
        kept = ZERO
        for p in range(going):
            m = number[p]
            size = project_out(gradient[p], coefs[m])
            if higher[p]:
                copy_to(way[p], gradient[p])
            else:
                size = towards_shortest(way[p], gradient[p])
            if ended[p] or not size > 1e-10 * values[m, 0]:
                continue
            step_from(coefs[m], values[m, 3] / size, way[p], trial[kept])
            copy_to(way[kept], way[p])
            number[kept] = m
            kept += 1
        going = kept


@njit
def judged(new, end, max_evaluations, looks):
    """(whether ``new`` is higher, whether the ascent ends), ``end`` being updated.

    end : (5,), the row of :func:`ascend_all` for this ascent.
    """
    first, slow = end[2] == 0.0, new < end[0] * (1.0 + 1e-6)
    end[2] += 1.0
    higher = first or new > end[0] * (1.0 + 1e-9)
    if higher:
        end[0] = new
    if first:
        end[4] = new
    else:
        end[3] = min(LONGER * end[3], 2.0) if higher else SHORTER * end[3]
    resting = higher and slow and not first and end[3] < 1e-3
    over = resting or end[2] >= max_evaluations or not end[3] > 1e-5
    for k in range(looks.shape[0]):
        if end[2] == looks[k, 0] and not over:
            over = end[0] + AHEAD * (end[0] - end[4]) < looks[k, 1]
            if not over:
                end[4] = end[0]
    return higher, over
