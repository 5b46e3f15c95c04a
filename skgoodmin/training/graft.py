"""The graft: a unit that a search has found takes the place of the least useful one.

The network can only take over a unit phi = act(w.z + b) with its own activation, so
that is what the scout looks for (:mod:`.scout`). The unit that promises most is
**grafted**: it takes the place of the unit whose loss costs least, the output weights
are fitted to the same quadratic model, and the neuron is gone again, its descent kept.

The layer is the last hidden one, or each (``every_layer``), the most promising of which
takes the unit. Below the last one, what the units of the next layer sum up stands for
the outputs, its derivatives coming down the network, the second ones by Gauss and
Newton.
"""

import numpy as np

from ..certificates.neuron_search import (
    SEARCH_ROWS,
    LayerView,
    derivatives,
    standard_deviation,
    with_floor,
)
from .idle import is_shrunk_layer
from .scout import find_unit, missing_unit, quadratic_model, scout_work


def layer_views(objective, theta, every_layer=False):
    """:class:`LayerView` of the last hidden layer, or of each from the first on.

    The cost is about one evaluation.
    """
    coefs, intercepts = objective.layout.unpack(theta)
    values, slopes = [objective.data.first(SEARCH_ROWS).block()], []
    for weights, intercept in zip(coefs[:-1], intercepts[:-1], strict=True):
        z = np.asarray(values[-1] @ weights, dtype=np.float64) + intercept
        if every_layer:
            slopes.append(objective.activation.derivative(z))
        values.append(objective.activation.function(z))
    residuals, curvature = derivatives(
        objective, values[-1] @ coefs[-1] + intercepts[-1]
    )
    n = values[0].shape[0]
    if n < objective.data.n_rows:  # of a sample: their mean, beside which alpha stands
        share = objective.shares[:n].sum()
        residuals, curvature = residuals / share, curvature / share
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
    how = objective.activation, rng, n_directions
    if n_directions > 1 and is_shrunk_layer(objective):
        (view,), weights = views, objective.layout.unpack(theta)[0][1]
        found = [missing_unit(view, weights, objective.alpha, *how)]
    else:
        found = [find_unit(view, *how) for view in views]
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
    layout, fans = objective.layout, objective.layout.fans
    first, *others = (i * o for i, o in fans)
    evaluation = 2 * first + 3 * sum(others)
    cost, fitting = float(first + sum(others)), 0.0
    for layer in range(0 if every_layer else len(fans) - 2, len(fans) - 1):
        (_, n_units), n_outputs = fans[layer], fans[layer + 1][1]
        if n_directions > 1:
            shrunk = is_shrunk_layer(objective)
            cost += scout_work(layout, layer, n_directions, shrunk)
        fitting = max(fitting, n_outputs * (n_units + 2.0) ** 2)
    share = min(SEARCH_ROWS / objective.data.n_rows, 1.0)
    return share * (cost + fitting) / evaluation
