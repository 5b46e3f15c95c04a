"""Convex amplitudes: a better dual point than that of the trained network.

With the incoming weights of all units held fast the rest is convex:

    min over v, c of  mean loss(sum_j v_j phi_j + c) + alpha sum_j ||v_j||,
    phi_ij = act(w_j.x_i + b_j) / ||w_j||

At its solution ||sum_i R_i phi_ij|| <= alpha for every unit and sum_i R_i = 0, which is
what a dual point should be like. L-BFGS rests a little above, at kinks of relu.

One output: v_j keeps the sign it has (columns of both signs would double the work), and
L-BFGS-B with bounds solves it. Several outputs: proximal gradients with momentum, which
starts anew where the objective rises.
"""

import numpy as np
from scipy.optimize import minimize


def solve_one(dual, columns, amplitudes, intercept, alpha, n_iterations):
    """Amplitudes >= 0 of columns (n, m), one output: (amplitudes, intercept, residuals).

    Returns residuals of shape (1, n).
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


def columns_of(x, activation, units, intercepts):
    """phi (n, m), the columns of the units divided by ||w||, and ||w|| (m,)."""
    from .polar import ACTIVATIONS

    size = np.linalg.norm(units, axis=1)
    z = np.asarray(x @ units.T) + intercepts
    return ACTIVATIONS[activation](z)[0] / np.where(size > 0, size, 1.0), size


def better_residuals(dual, x, activation, coefs, intercepts, alpha, n_iterations=300):
    """Residuals (K, n) of the network with convex amplitudes, not balanced.

    Parameters
    ----------
    dual : Dual
    x : ndarray or CSR of shape (n, d)
    activation : str
    coefs, intercepts : lists of two ndarrays
        Of one hidden layer.
    alpha : float
    n_iterations : int
    """
    units, v, c = coefs[0].T, coefs[1], intercepts[1]
    columns, size = columns_of(x, activation, units, intercepts[0])
    live = size * np.linalg.norm(v, axis=1) > 0
    columns, amplitudes = columns[:, live], v[live] * size[live, None]
    if v.shape[1] == 1:
        sign = np.sign(amplitudes[:, 0])
        amplitudes = abs(amplitudes[:, 0])
        return solve_one(dual, columns * sign, amplitudes, c[0], alpha, n_iterations)[2]
    return solve_several(dual, columns, amplitudes, c, alpha, n_iterations)[2]
