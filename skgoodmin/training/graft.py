"""The graft: a unit that a search has found takes the place of the least useful one.

The network can only take over a unit phi = act(w.z + b) with its own activation, so
that is what is tried along the directions of a search. To second order, with q_i the
second derivatives of the loss, Q = diag(q) and F = [values, 1] what the output layer
has already, the best amplitude of phi lowers the loss by

    (r^T phi - c^T u)^2 / (2 (phi^T Q phi - c^T A^-1 c)),

    A = F^T Q F,  c = F^T Q phi,  u = A^-1 F^T r,

the other weights following. The unit of which that is largest is **grafted**: it takes
the place of the unit whose loss costs least, the output weights are fitted to the same
quadratic model, and the neuron is gone again, its descent kept.

The layer is the last hidden one, or each (``every_layer``), the most promising of which
takes the unit. Below the last one, what the units of the next layer sum up stands for
the outputs, its derivatives coming down the network, the second ones by Gauss and
Newton.
"""

import functools

import numpy as np

from ..certificates.neuron_search import (
    SEARCH_ROWS,
    SUBSPACE,
    LayerView,
    Neuron,
    best_neurons,
    derivatives,
    named_directions,
    random_directions,
    refined,
    standard_deviation,
    through_random_rows,
    with_floor,
)

RIDGE = 0.02  # of the mean diagonal of the quadratic model
SMALLEST_SPREAD = 1e-3  # of a unit that the others almost make up, relative to its own
NAMED_SHARE = 0.75  # largest share of the directions that the series of G names


def layer_views(objective, theta, every_layer=False):
    """:class:`LayerView` of the last hidden layer, or of each from the first on.

    The cost is about one evaluation.
    """
    coefs, intercepts = objective.layout.unpack(theta)
    values, slopes = [objective.data.head(SEARCH_ROWS)], []
    for weights, intercept in zip(coefs[:-1], intercepts[:-1], strict=True):
        z = np.asarray(values[-1] @ weights, dtype=np.float64) + intercept
        if every_layer:
            slopes.append(objective.activation.derivative(z))
        values.append(objective.activation.function(z))
    residuals, curvature = derivatives(
        objective, values[-1] @ coefs[-1] + intercepts[-1]
    )
    views = []
    for layer in range(len(coefs) - 2, -1, -1):
        z = values[layer]
        views.append(
            LayerView(z, values[layer + 1], residuals, curvature, standard_deviation(z))
        )
        if not every_layer:
            break
        slope, weights = slopes[layer].T, coefs[layer + 1]
        residuals = (weights @ residuals) * slope
        curvature = with_floor((weights**2 @ curvature) * slope**2)
    return views[::-1]


def quadratic_model(features, residuals, curvature, decay):
    """(A, F^T r) of one output, with a ridge that makes A safe to invert.

    features : (n, n_features) F, residuals, curvature : (n,), decay : (n_features,)
    """
    hessian = features.T @ (curvature[:, None] * features) + np.diag(decay)
    ridge = RIDGE * np.trace(hessian) / len(hessian) + np.finfo(float).tiny
    hessian[np.diag_indices_from(hessian)] += ridge
    return hessian, features.T @ residuals


def predicted_decrease(phi, view):
    """Decrease of the quadratic model by each unit, (n_units,), summed over outputs.

    phi : (n, n_units)
    """
    features = np.column_stack([view.values, np.ones(len(phi))])
    no_decay, total = np.zeros(features.shape[1]), np.zeros(phi.shape[1])
    for r, q in zip(view.residuals, view.curvature, strict=True):
        hessian, gradient = quadratic_model(features, r, q, no_decay)
        shared = features.T @ (q[:, None] * phi)
        solved = np.linalg.solve(hessian, np.column_stack([shared, gradient]))
        slope = r @ phi - shared.T @ solved[:, -1]
        alone = q @ (phi * phi)
        spread = alone - (shared * solved[:, :-1]).sum(axis=0)
        # A unit that the others almost make up has no spread of its own.
        spread = np.maximum(spread, SMALLEST_SPREAD * alone) + np.finfo(float).tiny
        total = total + slope * slope / (2.0 * spread)
    return total


def find_unit(view, activation, rng, n_directions):
    """The unit act(w.z + b) with the largest predicted decrease, as a :class:`Neuron`.

    ``n_directions`` are tried, up to three quarters of them from the series of G, and
    half as many around the best; a single one is random, the control. Each hyperplane
    w.z + b = 0 goes through a random row.
    """
    w = random_directions(view, rng, n_directions)
    if n_directions > 1:
        named = named_directions(view, rng)[:, : int(NAMED_SHARE * n_directions)]
        w[:, : named.shape[1]] = named
    inside = np.asarray(view.z @ w)
    b = through_random_rows(inside, rng)
    if n_directions == 1:
        values = activation.function(inside + b)
        return Neuron(w[:, 0], b[0], inside[:, 0], values[:, 0], 0.0)
    score = functools.partial(predicted_decrease, view=view)
    best = best_neurons(w, b, inside, activation.function, score)[0]
    n_near = n_directions // 2
    return refined(best, view, activation.function, score, rng, n_near)


def graft(objective, theta, rng, n_directions, every_layer=False):
    """theta with the unit that a search found in place of the least useful one.

    With F = [values, 1, phi] the quadratic model of output k has the gradient
    g = F^T r_k + alpha v and the Hessian A = F^T Q_k F + alpha; its minimum without
    unit j is u = v* - A^-1_j v*_j / A^-1_jj with v* = v - A^-1 g, and lies
    v*_j^2 / (2 A^-1_jj) above the one with all units: that is what losing j
    costs (optimal brain surgeon; Hassibi and Stork 1993).

    Raises
    ------
    numpy.linalg.LinAlgError
        If the features are too large to be squared.
    """
    views = layer_views(objective, theta, every_layer)
    found = [find_unit(v, objective.activation, rng, n_directions) for v in views]
    # Units of a next layer share what each of them is promised to gain.
    n_outputs = [len(view.residuals) for view in views]
    layer = int(
        np.argmax([unit.score / n for unit, n in zip(found, n_outputs, strict=True)])
    )
    if n_directions == 1:
        layer = rng.randint(len(views))
    view, (w, b, _, phi, _) = views[layer], found[layer]
    grafted = theta.copy()
    coefs, intercepts = objective.layout.unpack(grafted)
    coefs, intercepts = coefs[-1 - len(views) :], intercepts[-1 - len(views) :]
    (into, out), (into_c, out_c) = coefs[layer:][:2], intercepts[layer:][:2]
    if objective.activation.free_scale:
        # Its scale is free: take that of the other units, unless all are dead.
        length = np.sqrt((into**2).sum(axis=0)).mean()
        scale = length / np.sqrt(w @ w) if length > 0 else 1.0
        w, b, phi = scale * w, scale * b, scale * phi
    n_units = len(out)
    # The new unit stands last, so that the quadratic model can drop any other one.
    features = np.column_stack([view.values, np.ones(len(phi)), phi])
    weights = np.vstack([out, out_c, np.zeros(len(out_c))])
    decay = np.full(n_units + 2, objective.alpha)
    decay[n_units] = 0.0
    cost, minima = np.zeros(n_units), []
    for k, (r, q) in enumerate(zip(view.residuals, view.curvature, strict=True)):
        hessian, gradient = quadratic_model(features, r, q, decay)
        inverse = np.linalg.pinv(hessian, hermitian=True)
        best = weights[:, k] - inverse @ (gradient + decay * weights[:, k])
        diagonal = np.maximum(np.diag(inverse), np.finfo(float).tiny)
        cost += best[:n_units] ** 2 / (2.0 * diagonal[:n_units])
        minima.append((best, inverse, diagonal))
    j = int(np.argmin(cost))  # never the new unit, which is not among the first
    into[:, j], into_c[j] = w, b
    for k, (best, inverse, diagonal) in enumerate(minima):
        without = best - inverse[:, j] * (best[j] / diagonal[j])
        out[:, k] = without[:n_units]
        out[j, k] = without[n_units + 1]
        out_c[k] = without[n_units]
    return grafted


def graft_cost(objective, n_directions, every_layer=False):
    """What a graft takes, in evaluations: its multiplications over those of one."""
    fans = objective.layout.fans
    first, *others = (i * o for i, o in fans)
    evaluation = 2 * first + 3 * sum(others)
    cost, fitting = float(first + sum(others)), 0.0
    for layer in range(0 if every_layer else len(fans) - 2, len(fans) - 1):
        (n_inputs, n_units), n_outputs = fans[layer], fans[layer + 1][1]
        if n_directions > 1:
            series = n_outputs * (4 * min(SUBSPACE, n_inputs) + 1) * n_inputs
            tries = 1.5 * n_directions
            cost += series + tries * (n_inputs + n_outputs * (n_units + 4))
        fitting = max(fitting, n_outputs * (n_units + 2.0) ** 2)
    share = min(SEARCH_ROWS / objective.data.n_rows, 1.0)
    return share * (cost + fitting) / evaluation
