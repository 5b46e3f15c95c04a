"""The scout: where to go from a theta at which the training has stalled.

The proof of the theorem is a recipe. With r_i the derivative of the loss by f(x_i), a
special neuron that is switched on at the input z with a small amplitude a changes the
loss by a G(w), G(w) = sum_i r_i exp(w.z_i), and unless theta is globally optimal some
term of the Taylor series of G does not vanish,

    G(w) = sum_i r_i + w . (sum_i r_i z_i) + w^T (sum_i r_i z_i z_i^T) w / 2 + ...

Its first two terms name the directions in which G grows fastest; random ones stand for
the rest of the series. The network can only take over a unit phi = act(w.z + b) with
its own activation, so that is what is tried along these directions. To second order,
with q_i the second derivatives of the loss, Q = diag(q) and F = [values, 1] what the
output layer has already, the best amplitude of phi lowers the loss by

    (r^T phi - c^T u)^2 / (2 (phi^T Q phi - c^T A^-1 c)),

    A = F^T Q F,  c = F^T Q phi,  u = A^-1 F^T r,

the other weights following. The unit of which that is largest is **grafted**: it takes
the place of the one that is missed least, the output weights are fitted to the same
quadratic model, and the neuron is gone again, its descent kept.

Conventions: z (n, n_inputs) are the inputs of a hidden layer, which are what a special
neuron of that layer sees: of the last one, or of each (``every_layer``), the most
promising of which takes the unit. Below the last one, what the units of the next layer
sum up stands for the outputs, its derivatives coming down the network, the second ones
by Gauss and Newton. A problem of many rows is scouted on the first ``SCOUT_ROWS``
canonical ones, which are a random sample, for their order is a hash.
"""

from typing import NamedTuple

import numpy as np

from .activations import CODES, FUNCTIONS, activate, apply_slope
from .network import hidden_values
from .witness import data_loss, make_witness

SCOUT_ROWS = 4096
RIDGE = 0.02  # of the mean diagonal of the quadratic model
SUBSPACE = 8  # dimensions in which the second term of G is looked at
OUTPUTS = 64  # of which directions are named
LENGTHS = 4  # tried along each direction that a term of G names
SMALLEST_SCALE, LARGEST_SCALE = 0.5, 3.0  # of a direction, in standard deviations
NEIGHBOURHOOD = 0.6  # of the best direction, relative to its length


class Stall(NamedTuple):
    """The rows as the scout sees them from a theta, before one of the layers."""

    z: np.ndarray  # (n, n_inputs), ndarray or CSR
    values: np.ndarray  # (n, n_units) of the layer
    residuals: np.ndarray  # (n_outputs, n) first derivatives of the loss
    curvature: np.ndarray  # (n_outputs, n) second derivatives, with a floor
    deviation: np.ndarray  # (n_inputs,) of z


def look(objective, theta, every_layer=False):
    """:class:`Stall` of the last hidden layer, or of each from the first on.

    The cost is about one evaluation.
    """
    coefs, intercepts = objective.layout.unpack(theta)
    values, slopes = [objective.data.block(0, SCOUT_ROWS)], []
    for weights, intercept in zip(coefs[:-1], intercepts[:-1], strict=True):
        z = np.asarray(values[-1] @ weights, dtype=np.float64) + intercept
        slopes.append(_slope(objective.activation, z) if every_layer else None)
        values.append(FUNCTIONS[objective.activation](z))
    residuals, curvature = derivatives(
        objective, values[-1] @ coefs[-1] + intercepts[-1]
    )
    stalls = []
    for layer in range(len(coefs) - 2, -1, -1):
        z = values[layer]
        stalls.append(
            Stall(z, values[layer + 1], residuals, curvature, standard_deviation(z))
        )
        if not every_layer:
            break
        slope, weights = slopes[layer].T, coefs[layer + 1]
        residuals = (weights @ residuals) * slope
        curvature = with_floor((weights**2 @ curvature) * slope**2)
    return stalls[::-1]


def _slope(activation, z):
    """act'(z), elementwise."""
    code = CODES[activation]
    value, stored, slope = z.copy(), np.empty_like(z), np.ones_like(z)
    activate(code, value, np.zeros(z.shape[1]), stored)
    apply_slope(code, value.ravel(), stored.ravel(), slope.ravel())
    return slope


def derivatives(objective, raw):
    """(residuals, curvature) of the first rows, from their raw predictions."""
    _, residuals = data_loss(objective, raw)
    return residuals, with_floor(objective.curvature(raw))


def with_floor(curvature):
    """Second derivatives (n_outputs, n), a tenth of their mean added."""
    return curvature + 0.1 * curvature.mean(axis=1, keepdims=True)


def standard_deviation(z):
    """Standard deviation of the columns; 1 in place of 0."""
    if hasattr(z, "toarray"):
        mean, square = z.mean(axis=0), z.multiply(z).mean(axis=0)
    else:
        mean, square = z.mean(axis=0), (z * z).mean(axis=0)
    deviation = np.sqrt(np.maximum(square - mean * mean, 0.0))
    return np.where(deviation > 1e-8 * np.sqrt(square), deviation, 1.0)


def quadratic_model(features, residuals, curvature, decay):
    """(A, F^T r) of one output, with a ridge that makes A safe to invert.

    features : (n, n_features) F, residuals, curvature : (n,), decay : (n_features,)
    """
    hessian = features.T @ (curvature[:, None] * features) + np.diag(decay)
    ridge = RIDGE * np.trace(hessian) / len(hessian) + np.finfo(float).tiny
    hessian[np.diag_indices_from(hessian)] += ridge
    return hessian, features.T @ residuals


def promise(phi, stall):
    """Decrease of the quadratic model by each unit, (n_units,), summed over outputs.

    phi : (n, n_units)
    """
    features = np.column_stack([stall.values, np.ones(len(phi))])
    no_decay, total = np.zeros(features.shape[1]), np.zeros(phi.shape[1])
    for r, q in zip(stall.residuals, stall.curvature, strict=True):
        hessian, gradient = quadratic_model(features, r, q, no_decay)
        shared = features.T @ (q[:, None] * phi)
        solved = np.linalg.solve(hessian, np.column_stack([shared, gradient]))
        slope = r @ phi - shared.T @ solved[:, -1]
        alone = q @ (phi * phi)
        spread = alone - (shared * solved[:, :-1]).sum(axis=0)
        # A unit that the others almost make up has no spread of its own.
        spread = np.maximum(spread, 1e-3 * alone) + np.finfo(float).tiny
        total = total + slope * slope / (2.0 * spread)
    return total


def series_directions(stall, rng):
    """Unit vectors in standardised z that the first terms of G name, as columns.

    The gradient sum_i r_i z_i and the two strongest eigenvectors of
    sum_i r_i z_i z_i^T, for each output (of many outputs those with the largest
    residuals); of many inputs, in a random subspace on which the matrix acts most (one
    block power step).
    """
    z = stall.z / stall.deviation if isinstance(stall.z, np.ndarray) else (
        stall.z.multiply(1.0 / stall.deviation).tocsr()
    )  # fmt: skip
    size, found = np.abs(stall.residuals).sum(axis=1), []
    for k in np.sort(np.argsort(-size, kind="stable")[:OUTPUTS]):
        r = stall.residuals[k] - stall.residuals[k].mean()
        probe = rng.normal(size=(z.shape[1], min(SUBSPACE, z.shape[1])))
        basis = np.linalg.qr(z.T @ (r[:, None] * (z @ probe)))[0]
        inside = z @ basis
        values, vectors = np.linalg.eigh(inside.T @ (r[:, None] * inside))
        strongest = np.argsort(-np.abs(values))[:2]
        found += [z.T @ r, *(basis @ vectors[:, strongest]).T]
    found = np.array(found).T
    return found / np.sqrt((found * found).sum(axis=0) + np.finfo(float).tiny)


def random_directions(stall, rng, n):
    """``n`` random directions in units of z, (n_inputs, n)."""
    w = rng.normal(size=(len(stall.deviation), n))
    return scaled(w / np.sqrt((w * w).sum(axis=0)), stall, rng)


def scaled(w, stall, rng):
    """Unit vectors in standardised z with random lengths and signs, in units of z."""
    length = rng.uniform(SMALLEST_SCALE, LARGEST_SCALE, size=w.shape[1])
    sign = rng.choice([-1.0, 1.0], size=w.shape[1])
    return w * (sign * length) / stall.deviation[:, None]


def scout(stall, activation, rng, n_directions):
    """The most promising unit (w, b, its values, its promise).

    ``n_directions`` are tried, up to three quarters of them from the series of G, and
    half as many around the best; a single one is random. Each hyperplane w.z + b = 0
    goes through a random row.
    """
    w = random_directions(stall, rng, n_directions)
    if n_directions > 1:
        series = np.repeat(series_directions(stall, rng), LENGTHS, axis=1)
        series = scaled(series, stall, rng)[:, : 3 * n_directions // 4]
        w[:, : series.shape[1]] = series
    inside = np.asarray(stall.z @ w)
    b = -inside[rng.randint(len(inside), size=n_directions), np.arange(n_directions)]
    phi = FUNCTIONS[activation](inside + b)
    if n_directions == 1:
        return w[:, 0], b[0], phi[:, 0], 0.0
    best = np.argmax(promise(phi, stall))
    w, b, phi, inside = w[:, best], b[best], phi[:, best], inside[:, best]
    n_near = n_directions // 2
    size = np.sqrt(np.mean((w * stall.deviation) ** 2))
    step = rng.normal(size=(len(w), n_near)) / stall.deviation[:, None]
    near = np.column_stack([w, w[:, None] + NEIGHBOURHOOD * size * step])
    near_b = b + NEIGHBOURHOOD * inside.std() * np.append(0, rng.normal(size=n_near))
    near_phi = FUNCTIONS[activation](np.asarray(stall.z @ near) + near_b)
    promised = promise(near_phi, stall)
    best = np.argmax(promised)
    return near[:, best], near_b[best], near_phi[:, best], promised[best]


def graft(objective, theta, rng, n_directions, every_layer=False):
    """theta with the scouted unit in place of the one that is missed least.

    With F = [values, 1, phi] the quadratic model of output k has the gradient
    g = F^T r_k + alpha v and the Hessian A = F^T Q_k F + alpha; its minimum without
    unit j is u = v* - A^-1_j v*_j / A^-1_jj with v* = v - A^-1 g, and lies
    v*_j^2 / (2 A^-1_jj) above the one with all units: that is how much j is missed
    (optimal brain surgeon).
    """
    stalls = look(objective, theta, every_layer)
    found = [scout(s, objective.activation, rng, n_directions) for s in stalls]
    # Units of a next layer share what each of them is promised to gain.
    n_outputs = [len(stall.residuals) for stall in stalls]
    layer = int(
        np.argmax([unit[3] / n for unit, n in zip(found, n_outputs, strict=True)])
    )
    if n_directions == 1:
        layer = rng.randint(len(stalls))
    stall, (w, b, phi, _) = stalls[layer], found[layer]
    grafted = theta.copy()
    coefs, intercepts = objective.layout.unpack(grafted)
    coefs, intercepts = coefs[-1 - len(stalls) :], intercepts[-1 - len(stalls) :]
    (into, out), (into_c, out_c) = coefs[layer:][:2], intercepts[layer:][:2]
    if objective.activation == "relu":
        # Its scale is free: take that of the other units, unless all are dead.
        length = np.sqrt((into**2).sum(axis=0)).mean()
        scale = length / np.sqrt(w @ w) if length > 0 else 1.0
        w, b, phi = scale * w, scale * b, scale * phi
    n_units = len(out)
    features = np.column_stack([stall.values, np.ones(len(phi)), phi])
    weights = np.vstack([out, out_c, np.zeros(len(out_c))])
    decay = np.full(n_units + 2, objective.alpha)
    decay[n_units] = 0.0
    missed, minima = np.zeros(n_units), []
    for k, (r, q) in enumerate(zip(stall.residuals, stall.curvature, strict=True)):
        hessian, gradient = quadratic_model(features, r, q, decay)
        inverse = np.linalg.pinv(hessian, hermitian=True)
        best = weights[:, k] - inverse @ (gradient + decay * weights[:, k])
        diagonal = np.maximum(np.diag(inverse), np.finfo(float).tiny)
        missed += best[:n_units] ** 2 / (2.0 * diagonal[:n_units])
        minima.append((best, inverse, diagonal))
    j = int(np.argmin(missed))
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
    share = min(SCOUT_ROWS / objective.data.n_rows, 1.0)
    return share * (cost + fitting) / evaluation


@np.errstate(over="ignore", invalid="ignore", under="ignore")
def find_witness(objective, theta, rng, neuron_alpha, n_directions=32):
    """The witness of the most promising special neuron on the inputs, or None.

    exp(w.x - max w.x) is looked at in the directions of a scout: those that the series
    of G names, and ``n_directions`` random ones.
    """
    coefs, intercepts = objective.layout.unpack(theta)
    X = objective.data.block(0, SCOUT_ROWS)
    values = hidden_values(coefs, intercepts, objective.activation, X)
    raw = np.asarray(values @ coefs[-1], dtype=np.float64) + intercepts[-1]
    residuals, curvature = derivatives(objective, raw)
    stall = Stall(X, values, residuals, curvature, standard_deviation(X))
    if not np.isfinite(residuals).all() or not residuals.any():
        return None
    try:
        series = np.repeat(series_directions(stall, rng), LENGTHS, axis=1)
    except np.linalg.LinAlgError:  # features too large to be squared
        return None
    w = np.column_stack(
        [scaled(series, stall, rng), random_directions(stall, rng, n_directions)]
    )
    exponent = np.asarray(X @ w, dtype=np.float64)
    phi = np.exp(exponent - exponent.max(axis=0))
    tiny = np.finfo(np.float64).tiny
    gains = (residuals @ phi) ** 2 / (stall.curvature @ (phi * phi) + tiny)
    for k in np.argsort(-gains.sum(axis=0))[:3]:
        witness = make_witness(objective, theta, w[:, k], neuron_alpha)
        if witness is not None:
            return witness
    return None
