"""The scout: which unit a stalled network would gain most from.

To second order, with q_i the second derivatives of the loss, Q = diag(q) and
F = [values, 1] what the output layer has already, the best amplitude of a unit
phi = act(w.z + b) lowers the loss by

    h^2 / (2 c),   h = r^T phi - s^T A^-1 F^T r,   c = phi^T Q phi - s^T A^-1 s,

    A = F^T Q F,  s = F^T Q phi,

the other weights following.

**With weight decay** on one hidden layer of relu, a unit with ||w|| = 1 and the output
weights v costs alpha ||v||, shared by the weights into it and out of it. It lowers the
objective where h, over all outputs, is longer than alpha:

    (||h|| - alpha)^2 / (2 sum_k u_k^2 c_k),   u = h / ||h||,

where A has the decay of the present output weights V in it, and F^T r + alpha V is
their gradient. Some candidates are where ascents of the polar end. Where none is worth
anything a random one is taken: the run has come to rest, and that moves it.
"""

import functools

import numpy as np
from scipy.sparse import issparse

from ..certificates.ascents import ascent_work, relu_ascents, rows_used
from ..certificates.neuron_search import (
    SUBSPACE,
    Neuron,
    best_neurons,
    named_directions,
    random_directions,
    refined,
    through_random_rows,
)

RIDGE = 0.02  # of the mean diagonal of the quadratic model
SMALLEST_SPREAD = 1e-3  # of a unit that the others almost make up, relative to its own
NAMED_SHARE = 0.75  # largest share of the directions that the series of G names
N_ASCENTS, N_STEPS = 6, 20
LARGEST = 2**22  # numbers in a dense copy of sparse rows


def quadratic_model(features, residuals, curvature, decay):
    """(A, F^T r) of one output, with a ridge that makes A safe to invert.

    features : (n, n_features) F, residuals, curvature : (n,), decay : (n_features,)
    """
    hessian = features.T @ (curvature[:, None] * features) + np.diag(decay)
    ridge = RIDGE * np.trace(hessian) / len(hessian) + np.finfo(float).tiny
    hessian[np.diag_indices_from(hessian)] += ridge
    return hessian, features.T @ residuals


def left_over(phi, view, weights=None, alpha=0.0):
    """(h, c): slopes and curvatures of units once the others follow, (K, n_units) each.

    Parameters
    ----------
    phi : ndarray of shape (n, n_units)
    view : LayerView
    weights : ndarray of shape (n_present, K), optional
        Those out of the units that there are.
    alpha : float, default=0.0
        Their decay.
    """
    features = np.column_stack([view.values, np.ones(len(phi))])
    decay = np.append(np.full(features.shape[1] - 1, alpha), 0.0)
    slopes, spreads = np.empty((2, len(view.residuals), phi.shape[1]))
    for k, (r, q) in enumerate(zip(view.residuals, view.curvature, strict=True)):
        hessian, gradient = quadratic_model(features, r, q, decay)
        if weights is not None:
            gradient[:-1] += alpha * weights[:, k]
        shared = features.T @ (q[:, None] * phi)
        solved = np.linalg.solve(hessian, np.column_stack([shared, gradient]))
        slopes[k] = r @ phi - shared.T @ solved[:, -1]
        alone = q @ (phi * phi)
        spread = alone - (shared * solved[:, :-1]).sum(axis=0)
        # A unit that the others almost make up has no spread of its own.
        spreads[k] = np.maximum(spread, SMALLEST_SPREAD * alone)
    return slopes, spreads + np.finfo(float).tiny


def predicted_decrease(phi, view):
    """Decrease of the quadratic model by each unit, (n_units,), summed over outputs.

    phi : (n, n_units)
    """
    slopes, spreads = left_over(phi, view)
    return (slopes * slopes / (2.0 * spreads)).sum(axis=0)


def decrease_with_decay(phi, view, weights, alpha):
    """The same with weight decay, for units with ||w|| = 1; see :func:`left_over`."""
    slopes, spreads = left_over(phi, view, weights, alpha)
    size = np.sqrt((slopes * slopes).sum(axis=0)) + np.finfo(float).tiny
    curvature = ((slopes / size) ** 2 * spreads).sum(axis=0) + np.finfo(float).tiny
    excess = np.maximum(size - alpha, 0.0)
    return excess * excess / (2.0 * curvature)


def candidates(view, rng, n_directions):
    """(w (n_inputs, n_directions), b, z w) of units, the last ones random.

    Up to three quarters are from the series of G. Each hyperplane w.z + b = 0 goes
    through a random row.
    """
    w = random_directions(view, rng, n_directions)
    if n_directions > 1:
        named = named_directions(view, rng)[:, : int(NAMED_SHARE * n_directions)]
        w[:, : named.shape[1]] = named
    inside = np.asarray(view.z @ w)
    return w, through_random_rows(inside, rng), inside


def find_unit(view, activation, rng, n_directions):
    """The unit act(w.z + b) with the largest predicted decrease, as a :class:`Neuron`.

    ``n_directions`` are tried, and half as many around the best; a single one is
    random, the control.
    """
    w, b, inside = candidates(view, rng, n_directions)
    if n_directions == 1:
        values = activation.function(inside + b)
        return Neuron(w[:, 0], b[0], inside[:, 0], values[:, 0], 0.0)
    score = functools.partial(predicted_decrease, view=view)
    best = best_neurons(w, b, inside, activation.function, score)[0]
    n_near = n_directions // 2
    return refined(best, view, activation.function, score, rng, n_near)


def missing_unit(view, weights, alpha, activation, rng, n_directions):
    """The unit with ||w|| = 1 that lowers the objective most with weight decay.

    ``n_directions`` are tried, and where some ascents of the polar end.
    """
    w, b, inside = candidates(view, rng, n_directions)
    if can_ascend(view):
        x, r = rows_used(view.z, view.residuals)
        starts = np.ascontiguousarray(random_directions(view, rng, N_ASCENTS).T)
        found = relu_ascents(x, r, starts, N_STEPS)
        w, b = np.column_stack([w, found.coefs.T]), np.append(b, found.intercepts)
        inside = np.asarray(view.z @ w)
    size = np.sqrt((w * w).sum(axis=0))
    w, b, inside = w / size, b / size, inside / size
    values = activation.function(inside + b)
    scores = decrease_with_decay(values, view, weights, alpha)
    best = int(np.argmax(scores)) if scores.any() else n_directions - 1
    return Neuron(w[:, best], b[best], inside[:, best], values[:, best], scores[best])


def can_ascend(view):
    """Whether ascents, which need dense rows, are within reach."""
    return not issparse(view.z) or np.prod(view.z.shape) <= LARGEST


def scout_work(layout, layer, n_directions, ascends):
    """Multiplications of the search before a layer, for each row.

    ascends : bool
        Whether it is :func:`missing_unit`.
    """
    (n_inputs, n_units), n_outputs = layout.fans[layer], layout.fans[layer + 1][1]
    series = n_outputs * (4 * min(SUBSPACE, n_inputs) + 1) * n_inputs
    one = n_inputs + n_outputs * (n_units + 4)
    if ascends:
        tries, climb = n_directions + N_ASCENTS, ascent_work(n_inputs, n_outputs)
        return series + tries * one + N_ASCENTS * N_STEPS * climb
    return series + 1.5 * n_directions * one
