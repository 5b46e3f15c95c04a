"""Optimal amplitudes: a better dual point than that of the trained network.

With the incoming weights of all units held fast the rest is convex
(:mod:`.group_lasso`). At its solution ||sum_i R_i phi_ij|| <= alpha for every unit and
sum_i R_i = 0, which is what a dual point should be like. L-BFGS rests a little above,
at kinks of relu.

**Grown.** Where residuals have a polar above alpha, the neurons that say so are added
as units and the problem is solved again: the network's own way to the global optimum,
and residuals whose polar comes down to alpha.
"""

import numpy as np

from ..kernels.activations import Form
from .ascents import relu_search, rows_used
from .group_lasso import fit_amplitudes


def unit_values(x, activation, w, b):
    """act(X w + b) / ||w|| of units w (m, d), b (m,): (m, n) in float64."""
    size = np.linalg.norm(w, axis=1)[:, None]
    z = np.ascontiguousarray(w @ x.T, dtype=np.float64)
    z += b[:, None]
    values = activation.function(z)
    values /= np.where(size > 0, size, 1.0)
    return values


def optimal_amplitudes(problem, effort, rng):
    """The network of one hidden layer with optimal amplitudes, grown if asked to.

    Parameters
    ----------
    problem : Problem
    effort : Effort
    rng : numpy.random.Generator

    Returns
    -------
    fitted : Fitted
        The network as amplitudes of units with length-1 directions: once the two norms
        of each unit are made equal, its objective is that of an ordinary network.
    """
    dual, x, alpha = problem.dual, problem.x, problem.alpha
    activation = problem.activation
    # On one or two features the proof takes these residuals as they are.
    n_rounds = effort.n_grown * (3 if problem.in_the_plane else 1)
    w, b = problem.coefs[0].T, problem.intercepts[0]
    v, c = problem.coefs[1].T, problem.intercepts[1]
    size = np.linalg.norm(w, axis=1)
    live = size * np.linalg.norm(v, axis=0) > 0
    w, b, v = w[live], b[live], v[:, live] * size[live]
    phi = unit_values(x, activation, w, b)
    for k in range(n_rounds + 1):
        fitted = fit_amplitudes(dual, phi, v, c, alpha, max_iter=effort.amplitudes)
        kept = (fitted.v != 0).any(axis=0)
        w, b, phi, v, c = w[kept], b[kept], phi[kept], fitted.v[:, kept], fitted.c
        if k == n_rounds or activation.form is not Form.CORNER:
            break
        dense, r = rows_used(x, dual.balance(fitted.residuals))
        if not len(dense):
            break
        n_ascents = effort.n_units
        found = relu_search(dense, r, w, n_ascents, effort.n_random, rng, 100)
        new = found.distinct(alpha * (1.0 + 1e-4), 2 * n_ascents)
        if not len(new):
            break
        new_w, new_b = found.coefs[new], found.intercepts[new]
        w, b = np.vstack([w, new_w]), np.r_[b, new_b]
        v = np.column_stack([v, np.zeros((len(v), len(new)))])
        phi = np.vstack([phi, unit_values(x, activation, new_w, new_b)])
    return fitted
