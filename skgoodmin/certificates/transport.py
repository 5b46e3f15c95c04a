"""Plans that carry the positive residuals to the negative ones.

A plan is a matrix pi >= 0 (n, m) with row sums a and column sums b, sum a = sum b. Any
plan proves a bound of the polar (:mod:`skgoodmin.certificates.polar_bound`), a cheaper
one a tighter bound: so nothing here needs to be optimal, but everything feasible.

POT's network simplex solves the transport problem where it is installed. Without it
Sinkhorn's scaling comes close, and its marginals are restored exactly (Altschuler,
Weed and Rigollet 2017, algorithm 2): shrink rows, then columns, to at most what they
may have, and give what is missing to all in proportion, a rank-one plan.

Many rows are cut into blocks along a direction, each with the same mass on both sides.
"""

import importlib.util

import numpy as np

LARGEST = 4_000_000  # entries of a plan that is solved in one piece, unless told
LEVELS = 1.0, 8.0, 40.0, 200.0  # mean cost above the least over the regularisation
N_SCALINGS = 18  # of Sinkhorn's, between two changes of the kernel


def has_pot():
    """Whether POT is installed."""
    return importlib.util.find_spec("ot") is not None


def restore(plan, a, b):
    """A plan with marginals a and b next to a matrix >= 0 (changed in place)."""
    rows = plan.sum(axis=1)
    plan *= np.minimum(1.0, a / np.where(rows > 0, rows, 1.0))[:, None]
    columns = plan.sum(axis=0)
    plan *= np.minimum(1.0, b / np.where(columns > 0, columns, 1.0))
    short = np.maximum(a - plan.sum(axis=1), 0.0)
    lack = np.maximum(b - plan.sum(axis=0), 0.0)
    total = lack.sum()
    if total > 0:
        plan += np.outer(short, lack / total)
    return plan


def sinkhorn(a, b, cost):
    """Plan of entropic transport, marginals restored.

    The regularisation falls in steps to (mean cost above the least) / 200, the
    potentials going on, so that the scaling stays in the range of floats.
    """
    size = cost.mean() - cost.min()
    if not size > 0:
        return np.outer(a, b / b.sum())
    u, v = np.zeros(len(a)), np.zeros(len(b))
    p, q, kernel = np.ones(len(a)), np.ones(len(b)), np.empty(cost.shape)
    for level in LEVELS:
        eps = size / level
        for _ in range(3 if level < LEVELS[-1] else 4):
            # Take the potentials into the kernel, then scale what is left.
            shifted = (u[:, None] + v - cost) / eps
            top = shifted.max(axis=1)
            shifted -= top[:, None]
            u = u - eps * top
            # Nothing subnormal: that would be a hundred times slower.
            kernel = np.where(
                shifted > -100.0, np.exp(np.maximum(shifted, -100.0)), 0.0
            )
            p, q = np.ones(len(a)), np.ones(len(b))
            for _ in range(N_SCALINGS):
                p = a / np.maximum(kernel @ q, 1e-200)
                q = b / np.maximum(kernel.T @ p, 1e-200)
                if max(p.max(), q.max()) > 1e100:
                    break
            u = u + eps * np.log(np.maximum(p, 1e-300))
            v = v + eps * np.log(np.maximum(q, 1e-300))
    kernel *= p[:, None]
    kernel *= q
    return restore(kernel, a, b)


def solve(a, b, cost):
    """Plan (n, m) for a cost matrix, as good as the installed packages allow.

    Parameters
    ----------
    a : ndarray of shape (n,), positive
    b : ndarray of shape (m,), positive, with the same sum
    cost : ndarray of shape (n, m)

    Returns
    -------
    plan : ndarray of shape (n, m)
    """
    if len(a) == 1 or len(b) == 1:
        return np.outer(a, b / b.sum())
    if not has_pot():
        return sinkhorn(a, b, cost)
    import ot

    mass = a.sum()
    left, right = a / mass, b / b.sum()
    # Small masses and costs stop the simplex too early: both are near 1 here.
    low = cost.min()
    size = max(cost.max() - low, 1e-300)
    scaled = np.ascontiguousarray((cost - low) / size)
    plan, log = ot.emd(
        left, right, scaled, numItermax=5_000_000, log=True, check_marginals=False
    )
    if log["warning"] is not None:
        return sinkhorn(a, b, cost)
    return plan * mass


def blocks(a, b, place_a, place_b, largest):
    """Cut both sides into intervals of equal mass along a direction.

    Parameters
    ----------
    a, b : ndarray of shapes (n,) and (m,), equal sums
    place_a, place_b : ndarray of shapes (n,) and (m,)
        Projections of the rows on the direction.
    largest : int
        Entries of a plan that is solved in one piece.

    Yields
    ------
    rows, columns : index arrays
    part_a, part_b : their masses in the block, equal sums up to rounding
    """
    n_blocks = int(np.ceil(np.sqrt(len(a) * len(b) / largest)))
    if n_blocks <= 1:
        yield np.arange(len(a)), np.arange(len(b)), a, b
        return
    order_a, order_b = np.argsort(place_a), np.argsort(place_b)
    total = a.sum()
    edges = np.linspace(0.0, 1.0, n_blocks + 1) * total
    edges[-1] = np.inf
    to_a = np.cumsum(a[order_a])
    to_b = np.cumsum(b[order_b]) * (total / b.sum())
    scale = b.sum() / total
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        part_a = np.minimum(to_a, high) - np.maximum(to_a - a[order_a], low)
        part_b = np.minimum(to_b, high) - np.maximum(to_b - b[order_b] / scale, low)
        in_a, in_b = part_a > 0, part_b > 0
        part_a, part_b = part_a[in_a], part_b[in_b] * scale
        if len(part_a) and len(part_b):
            yield (
                order_a[in_a],
                order_b[in_b],
                part_a,
                part_b * (part_a.sum() / part_b.sum()),
            )


def pairs(a, b, cost, x, y, direction, largest):
    """(rows, columns, masses, deviation) of a plan, its zeros left out.

    Parameters
    ----------
    a, b : ndarray of shapes (n,) and (m,)
    cost : callable
        cost(rows, columns) gives the matrix of a block.
    x, y : ndarray of shapes (n, d) and (m, d)
    direction : ndarray of shape (d,)
        To cut along, if there are too many rows.
    largest : int
        See :func:`blocks`.

    Returns
    -------
    rows, columns, masses : ndarrays of shape (n_pairs,)
    deviation : float
        Sum of |row sums - a| and of |column sums - b|.
    """
    out, sent, received = [], np.zeros(len(a)), np.zeros(len(b))
    along = x @ direction, y @ direction
    for rows, columns, part_a, part_b in blocks(a, b, *along, largest):
        plan = solve(part_a, part_b, cost(rows, columns))
        # What is left out, a millionth of the mass at most, counts as deviation.
        plan = np.where(plan > 1e-6 * part_a.sum() / plan.size, plan, 0.0)
        i, j = np.nonzero(plan)
        out.append((rows[i], columns[j], plan[i, j]))
        sent[rows] += plan.sum(axis=1)
        received[columns] += plan.sum(axis=0)
    rows, columns, masses = (np.concatenate(part) for part in zip(*out, strict=True))
    deviation = abs(sent - a).sum() + abs(received - b).sum()
    return rows, columns, masses, float(deviation)
