"""The dual value: a lower bound of the objective from residuals and a polar.

One hidden layer. If Z >= sup over w, b of ||sum_i R_i phi_wb(x_i)|| / ||w|| and every
row of R sums to 0, then for every t in [0, alpha / Z] and networks of every width

    mean loss + alpha/2 sum W^2 >= D(t R)

for the penalty of a unit is at least alpha ||v|| ||w||, and its part in sum R f at most
Z ||v|| ||w||. A point P that cancels in groups of identical rows has polar 0, so it can
be added: t R + (1 - t) P, at t = 0 the pointwise bound, is as good a dual point.

L hidden layers. With the product T of the norms of all L + 1 weight matrices,
|sum R f| <= Z T (Z for products of L slopes), and the penalty is at least
pen(T) = alpha (L+1)/2 T^(2/(L+1)). So

    objective >= min over T >= 0 of  pen(T) + max over u of [D(u R + ...) - u Z T]

where u may depend on T: T is a number that the network has. pen grows and the maximum
falls with T, so on a grid T_0 = 0 < T_1 < ... the minimum is at least the least
pen(T_m) + max_u [..](T_{m+1}). For L = 1 this is the first bound again.
"""

import numpy as np

N_PENALTIES = 1001  # of the grid of deep networks
TINY = np.finfo(np.float64).tiny
GOLDEN = 0.5 * (np.sqrt(5.0) - 1.0)


def maximise(function, limit, n_steps=26):
    """(largest value found, its t) of a concave function on [0, limit].

    -inf marks the outside of its domain, on the right; ``limit`` may be inf.
    """
    right = min(limit, 1.0)
    best, at = max((function(t), t) for t in (0.0, right))
    while right < limit and right < 1e6 and at == right:
        right = min(2.0 * right, limit)
        best, at = max((best, at), (function(right), right))
    if at == right == limit:
        # Concave and still rising at the end, as it does where Z > alpha.
        inner = limit * (1.0 - 1e-3)
        value = function(inner)
        if value <= best:
            return best, at
        best, at = value, inner
    a, b = 0.0, right
    c, d = b - GOLDEN * (b - a), a + GOLDEN * (b - a)
    at_c, at_d = function(c), function(d)
    for _ in range(n_steps):
        if at_c >= at_d:
            b, d, at_d = d, c, at_c
            c = b - GOLDEN * (b - a)
            at_c = function(c)
        else:
            a, c, at_c = c, d, at_d
            d = a + GOLDEN * (b - a)
            at_d = function(d)
    return max((best, at), (at_c, c), (at_d, d))


def paths(residuals, pointwise):
    """Ways t -> dual point along which the polar is t times that of R."""
    yield lambda t: t * residuals
    if pointwise is not None:
        yield lambda t: t * residuals + max(1.0 - t, 0.0) * pointwise


def shallow_bound(dual, residuals, polar, alpha, pointwise=None):
    """Lower bound of the objective of networks with one hidden layer of any width.

    Parameters
    ----------
    dual : Dual
    residuals : ndarray of shape (K, n)
        Balanced.
    polar : float
        At least the polar of the residuals.
    alpha : float
    pointwise : ndarray of shape (K, n), optional
        Cancels in groups of identical rows.

    Returns
    -------
    bound : float
    point : ndarray of shape (K, n)
        The dual point that is worth it.
    """
    best, point = -np.inf, residuals
    if not polar >= 0:  # not a number: nothing is known of it
        return best, point
    limit = alpha / polar * (1.0 - 4e-16) if polar > 0 else np.inf
    for path in paths(residuals, pointwise):
        value, t = maximise(lambda t, path=path: dual.value(path(t)), limit)
        if value > best:
            best, point = value, path(t)
    return best, point


def linear_bound(dual, residuals, moments, alpha, pointwise=None):
    """Lower bound of the objective of linear models.

    sum R f >= -||M||_F ||W||_F with the moments M = X^T R, and the least of
    alpha/2 T^2 - ||M|| T over T = ||W|| is -||M||^2 / (2 alpha), so

        mean loss + alpha/2 sum W^2 >= D(t R) - t^2 ||M||^2 / (2 alpha).

    Parameters
    ----------
    dual : Dual
    residuals : ndarray of shape (K, n)
        Balanced.
    moments : float
        At least ||M||_F.
    alpha : float
    pointwise : ndarray of shape (K, n), optional
        Cancels in groups of identical rows.

    Returns
    -------
    bound : float
    """
    square = moments * moments / (2.0 * alpha) * (1.0 + 1e-14)
    best = -np.inf
    for path in paths(residuals, pointwise):

        def value(t, path=path):
            return dual.value(path(t)) - t * t * square

        best = max(best, maximise(value, np.inf, 60)[0])
    # The difference of two numbers rounds to half a unit of the larger one.
    return best - 4e-16 * (abs(best) + square)


def deep_bound(dual, residuals, polar, alpha, n_hidden, pointwise=None, reached=np.inf):
    """Lower bound of the objective of networks with ``n_hidden`` layers of any width.

    Parameters
    ----------
    dual, residuals, polar, alpha, pointwise
        As in :func:`shallow_bound`; ``polar`` for products of slopes.
    n_hidden : int
    reached : float, default=inf
        An objective that some network has; it only says how far the grid must go.

    Returns
    -------
    bound : float
    """
    most = reached if np.isfinite(reached) else 1.0
    order = n_hidden + 1.0
    # Equal steps of the penalty: each costs the bound no more than its length.
    penalty = np.linspace(0.0, most, N_PENALTIES)
    # No less than they are, where they underflow.
    sizes = (2.0 * penalty / (alpha * order)) ** (0.5 * order) + TINY
    scales, values = [np.zeros(1)], [np.zeros(1)]
    trials = np.r_[0.0, np.geomspace(1e-3, 30.0, 50)]
    for _ in range(2):
        for path in paths(residuals, pointwise):
            scales.append(trials)
            values.append(np.array([dual.value(path(t)) for t in trials]))
        t, worth = np.concatenate(scales), np.concatenate(values)
        some = np.isfinite(worth)
        t, worth = t[some], worth[some]
        lines = worth - np.outer(sizes, t * polar)
        used = lines.argmax(axis=1)
        loss = lines[np.arange(len(sizes)), used]
        rounding = 1e-13 * (abs(worth[used]) + sizes * t[used] * polar)
        steps = penalty[:-1] * (1.0 - 1e-13) + (loss - rounding)[1:]
        # Once more, near the scale that the least step takes.
        near = t[used[1 + steps.argmin()]]
        trials = near * np.linspace(0.85, 1.18, 30)
    # The loss at the largest T holds for all beyond only where its scale is 0.
    beyond = penalty[-1] * (1.0 - 1e-13) + worth[t == 0.0].max()
    found = float(np.minimum(steps.min(), beyond))  # NaN stays
    return found if found < np.inf else -np.inf
