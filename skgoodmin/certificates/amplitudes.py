"""Convex amplitudes: a better dual point than that of the trained network.

With the incoming weights of all units held fast the rest is convex:

    min over v, c of  mean loss(sum_j v_j phi_j + c) + alpha sum_j ||v_j||,
    phi_ij = act(w_j.x_i + b_j) / ||w_j||

At its solution ||sum_i R_i phi_ij|| <= alpha for every unit and sum_i R_i = 0, which is
what a dual point should be like. L-BFGS rests a little above, at kinks of relu.

One output: v_j keeps the sign it has (columns of both signs would double the work), and
L-BFGS-B with bounds solves it. Several outputs: proximal gradients with momentum, which
starts anew where the objective rises.

**Grown.** Where residuals have a polar above alpha, the neurons that say so are added
as columns and the problem is solved again: the network's own way to the global optimum,
and residuals whose polar comes down to alpha.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from ..kernels.activations import Form
from .polar import relu_search, rows_used


def solve_one(dual, columns, amplitudes, intercept, alpha, n_iterations):
    """Amplitudes >= 0 of columns (n, m), for one output.

    Returns amplitudes (m,), the intercept and residuals (1, n).
    """

    def value_and_gradient(t):
        f = columns @ t[:-1] + t[-1]
        value, residuals = dual.loss_and_gradient(f[None])
        gradient = np.r_[residuals[0] @ columns + alpha, residuals.sum()]
        return value + alpha * t[:-1].sum(), gradient

    m = columns.shape[1]
    t = minimize(
        value_and_gradient,
        np.r_[amplitudes, intercept],
        jac=True,
        method="L-BFGS-B",
        bounds=[(0.0, None)] * m + [(None, None)],
        options={
            "maxiter": n_iterations,
            "maxfun": 2 * n_iterations,
            "ftol": 1e-12,
            "gtol": 1e-7,
            "maxcor": 20,
        },
    ).x
    f = columns @ t[:-1] + t[-1]
    return t[:-1], t[-1], dual.loss_and_gradient(f[None])[1]


def solve_several(dual, columns, amplitudes, intercept, alpha, n_iterations):
    """The same for K outputs: amplitudes (m, K), intercept (K,), residuals (K, n)."""
    v, c = amplitudes.copy(), intercept.copy()

    def at(v, c):
        value, residuals = dual.loss_and_gradient((columns @ v + c).T)
        return value, residuals

    ahead, c_ahead, momentum = v, c, 1.0
    # A step that the first trial is sure to halve: curvature of l'' = 1, shares 1 / n.
    curvature = max((columns * columns).sum(axis=1).mean() + 1.0, 1e-300) / 8.0
    last = np.inf
    for _ in range(n_iterations):
        value, residuals = at(ahead, c_ahead)
        g, g_c = (residuals @ columns).T, residuals.sum(axis=1)
        while True:
            new = ahead - g / curvature
            size = np.linalg.norm(new, axis=1, keepdims=True)
            keep = np.maximum(1.0 - alpha / curvature / np.maximum(size, 1e-300), 0.0)
            new, c_new = new * keep, c_ahead - g_c / curvature
            step, c_step = new - ahead, c_new - c_ahead
            model = value + (g * step).sum() + g_c @ c_step
            model += 0.5 * curvature * ((step * step).sum() + c_step @ c_step)
            trial = at(new, c_new)[0]
            if trial <= model * (1.0 + 1e-12) or curvature > 1e300:
                break
            curvature *= 2.0
        objective = trial + alpha * np.linalg.norm(new, axis=1).sum()
        if objective > last:
            momentum, ahead, c_ahead, last = 1.0, v, c, np.inf
            continue
        if last - objective < 1e-9 * abs(objective):
            v, c = new, c_new
            break
        following = 0.5 * (1.0 + np.sqrt(1.0 + 4.0 * momentum * momentum))
        pull = (momentum - 1.0) / following
        ahead, c_ahead = new + pull * (new - v), c_new + pull * (c_new - c)
        v, c, momentum, last = new, c_new, following, objective
        curvature *= 0.9
    return v, c, at(v, c)[1]


@dataclass(frozen=True)
class Amplitudes:
    """A network whose output weights are optimal, given its units.

    Attributes
    ----------
    residuals : ndarray of shape (K, n)
        Its gradient by the raw predictions, not balanced.
    objective : float
        mean loss + alpha sum ||w_j|| ||v_j||: what it has as an ordinary network, once
        the two norms of each unit are made equal.
    n_units : int
        Units that are not 0.
    """

    residuals: np.ndarray
    objective: float
    n_units: int


def _column(x, activation, w, b):
    """act(X w + b) / ||w|| for directions w (m, d), b (m,)."""
    size = np.linalg.norm(w, axis=1)
    z = np.asarray(x @ w.T) + b
    return activation.function(z) / np.where(size > 0, size, 1.0)


def _distinct(found, alpha, most):
    """Places of ascents above alpha that differ in (w, b), best first."""
    values, coefs, intercepts, _ = found
    chosen: list[int] = []
    for k in np.argsort(-values, kind="stable"):
        if values[k] <= alpha * (1.0 + 1e-4) or len(chosen) == most:
            break
        new = True
        for j in chosen:
            near = abs(intercepts[k] - intercepts[j]) < 1e-4 * (1 + abs(intercepts[j]))
            new &= not (near and coefs[k] @ coefs[j] > 1.0 - 1e-6)
        if new:
            chosen.append(k)
    return np.array(chosen, dtype=int)


def optimal_amplitudes(problem, effort, rng):
    """The network of one hidden layer with optimal amplitudes, grown if asked to.

    Parameters
    ----------
    problem : Problem
    effort : Effort
    rng : numpy.random.Generator

    Returns
    -------
    amplitudes : Amplitudes
    """
    dual, x, alpha = problem.dual, problem.x, problem.alpha
    activation, n_iterations = problem.activation, effort.amplitudes
    # On one or two features the proof takes these residuals as they are.
    n_rounds = effort.n_grown * (3 if problem.in_the_plane else 1)
    w, b = problem.coefs[0].T, problem.intercepts[0]
    v, c = problem.coefs[1], problem.intercepts[1]
    size = np.linalg.norm(w, axis=1)
    live = size * np.linalg.norm(v, axis=1) > 0
    w, b, v = w[live], b[live], v[live] * size[live, None]
    columns = _column(x, activation, w, b)
    for k in range(n_rounds + 1):
        if v.shape[1] == 1:
            sign = np.where(v[:, 0] < 0, -1.0, 1.0)
            u, c, residuals = solve_one(
                dual, columns * sign, abs(v[:, 0]), np.ravel(c)[0], alpha, n_iterations
            )
            v = (u * sign)[:, None]
        else:
            v, c, residuals = solve_several(dual, columns, v, c, alpha, n_iterations)
        kept = np.linalg.norm(v, axis=1) > 0
        w, b, v, columns = w[kept], b[kept], v[kept], columns[:, kept]
        if k == n_rounds or activation.form is not Form.CORNER:
            break
        dense, r = rows_used(x, dual.balance(residuals))
        if not len(dense):
            break
        n_ascents = effort.n_units
        found = relu_search(dense, r, w, n_ascents, effort.n_random, rng, 100)
        new = _distinct(found, alpha, 2 * n_ascents)
        if not len(new):
            break
        new_w, new_b = found[1][new], found[2][new]
        w, b = np.vstack([w, new_w]), np.r_[b, new_b]
        # A tiny amplitude carries the sign.
        v = np.vstack([v, -1e-12 * found[3][new] / found[0][new, None]])
        columns = np.hstack([columns, _column(x, activation, new_w, new_b)])
    raw = (columns @ v + np.ravel(c)).T
    loss = dual.loss_and_gradient(raw)[0]
    objective = loss + alpha * np.linalg.norm(v, axis=1).sum()
    return Amplitudes(residuals, float(objective), len(w))
