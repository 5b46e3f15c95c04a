"""What a unit more promises, where weight decay keeps one hidden layer of relu small.

With r_i the derivative of the loss by f(x_i), a unit of weights w, ||w|| = 1, and a
small output weight t against h lowers the objective by

    t (||h|| - alpha) - t^2 c / 2,    h = sum_i r_i relu(w.x_i + b),
    c = sum_ik u_k^2 q_ik relu(w.x_i + b)^2,    u = h / ||h||,

q the second derivatives of the loss: by (||h|| - alpha)^2 / (2 c) at the best t. The
largest ||h|| is looked for by the ascents of the certificate
(:mod:`skgoodmin.certificates.polar`).

A graft changes one unit. Of few units each does much of the work, and another one in
its place may lead anywhere. Of many each does little, and where none that is not there
promises anything, grafts are not worth their time.
"""

import numpy as np

from ..certificates.ascents import ascent_work, relu_search, rows_used
from ..certificates.neuron_search import SEARCH_ROWS
from .graft import layer_views
from .idle import is_shrunk_layer
from .scout import can_ascend

MANY = 64  # units of which each does little
LEAST = 1e-3  # of the objective: what a unit that is missed promises at least
N_RANDOM, N_STEPS = 2, 60  # ascents besides that of the best unit, and steps of each


def has_many_units(objective):
    """Whether a layer of relu has so many units that each one does little."""
    return objective.layout.sizes[1] >= MANY and is_shrunk_layer(objective)


def promise_cost(objective):
    """What :func:`misses_nothing` takes, in evaluations, by its multiplications."""
    if not has_many_units(objective):
        return 0.0
    n_inputs, n_units, n_outputs = objective.layout.sizes
    steps = n_units + (1 + N_RANDOM) * N_STEPS
    evaluation = n_units * (2 * n_inputs + 3 * n_outputs)
    work = steps * ascent_work(n_inputs, n_outputs)
    return (0.5 + work / evaluation) * min(SEARCH_ROWS / objective.data.n_rows, 1.0)


def misses_nothing(objective, theta, value, rng):
    """Whether there are many units, and none that is not there promises anything.

    Parameters
    ----------
    objective : Objective
    theta : ndarray of shape (n_parameters,)
    value : float
        Objective at ``theta``.
    rng : numpy.random.RandomState
    """
    if not has_many_units(objective):
        return False
    (view,) = layer_views(objective, theta)
    if not can_ascend(view):
        return False
    n = len(view.residuals.T)
    # Of a sample one half finds the unit and the other half says what it is worth: on
    # the rows that found it, it would be worth more than on all.
    middle = n if n == objective.data.n_rows else n // 2
    half, rest = slice(middle), slice(middle % n, n)
    x, r = rows_used(view.z[half], view.residuals[:, half])
    units = objective.layout.unpack(theta)[0][0].T
    found = relu_search(x, r, units, 1, N_RANDOM, rng, N_STEPS)
    return _promised(found, view, rest, objective) <= LEAST * value


def _promised(found, view, rows, objective):
    """By how much the best unit of some ascents lowers the objective on some rows."""
    if not (len(found.values) and found.values.max() > 0):
        return 0.0
    at = int(np.argmax(found.values))
    h, shares = found.directions[at], objective.shares[: len(view.residuals.T)]
    share = shares[rows].sum() / shares.sum()
    u = h / np.linalg.norm(h)
    phi = np.maximum(view.z[rows] @ found.coefs[at] + found.intercepts[at], 0.0)
    excess = u @ view.residuals[:, rows] @ phi / share - objective.alpha
    if not excess > 0:
        return 0.0
    curvature = (u * u) @ view.curvature[:, rows] @ (phi * phi) / share
    return excess * excess / (2.0 * curvature)
