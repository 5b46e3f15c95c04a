"""The scout: where to go from a theta at which the training has stalled.

The proof of the theorem is a recipe. With r_i the derivative of the loss by f(x_i), a
special neuron phi that is switched on with a small amplitude a changes the loss by
a sum_i r_i phi_i; unless theta is globally optimal, some phi makes that sum nonzero.
To second order in a, with q_i the second derivative, the best amplitude lowers it by

    (sum_i r_i (phi_i - m))^2 / (2 sum_i q_i (phi_i - m)^2),

with the intercept taking out the mean m = sum_i q_i phi_i / sum_i q_i. That is what the
scout maximises over directions. The exponential is the neuron for
which the theorem guarantees an answer, and the witness of the certificate is one; the
network, however, can only take over a unit with its own activation, so that is what the
scout tries before a **graft**: the new unit takes the place of the one that is missed
least, the output weights are fitted to the same quadratic model, and the neuron is gone
again, its descent kept.

Conventions: z (n, n_inputs) are the inputs of the last hidden layer, which are what a
special neuron of that layer sees; a problem of many rows is scouted on the first
``SCOUT_ROWS`` canonical ones, which are a random sample, for their order is a hash.
"""

from typing import NamedTuple

import numpy as np

from .activations import FUNCTIONS
from .certificate import data_loss, make_witness
from .network import hidden_values

SCOUT_ROWS = 4096
RIDGE = 0.01  # of the mean diagonal of the quadratic model
SMALLEST_SCALE, LARGEST_SCALE = 0.5, 3.0  # of a direction, in standard deviations
NEIGHBOURHOOD = 0.6  # of the best direction, relative to its length


class Stall(NamedTuple):
    """The rows as the scout sees them from a theta."""

    z: np.ndarray  # (n, n_inputs), ndarray or CSR
    values: np.ndarray  # (n, n_units) of the last hidden layer
    residuals: np.ndarray  # (n_outputs, n) first derivatives of the loss
    curvature: np.ndarray  # (n_outputs, n) second derivatives, with a floor
    deviation: np.ndarray  # (n_inputs,) of z


def look(objective, theta):
    """The :class:`Stall` at ``theta``; its cost is about one evaluation."""
    coefs, intercepts = objective.layout.unpack(theta)
    X = objective.data.block(0, SCOUT_ROWS)
    z = hidden_values(coefs[:-1], intercepts[:-1], objective.activation, X)
    values = np.asarray(z @ coefs[-2], dtype=np.float64) + intercepts[-2]
    values = FUNCTIONS[objective.activation](values)
    raw = values @ coefs[-1] + intercepts[-1]
    _, residuals = data_loss(objective, raw)
    curvature = objective.curvature(raw)
    floor = 0.1 * curvature.mean(axis=1, keepdims=True)
    return Stall(z, values, residuals, curvature + floor, standard_deviation(z))


def standard_deviation(z):
    """Standard deviation of the columns; 1 in place of 0."""
    if hasattr(z, "toarray"):
        mean, square = z.mean(axis=0), z.multiply(z).mean(axis=0)
    else:
        mean, square = z.mean(axis=0), (z * z).mean(axis=0)
    deviation = np.sqrt(np.maximum(square - mean * mean, 0.0))
    return np.where(deviation > 1e-8 * np.sqrt(square), deviation, 1.0)


def promise(phi, stall):
    """Decrease of the quadratic model by each neuron, (n_neurons,).

    phi : (n, n_neurons)
    """
    r, q = stall.residuals, stall.curvature
    mean = (q @ phi) / q.sum(axis=1, keepdims=True)
    slope = r @ phi - mean * r.sum(axis=1, keepdims=True)
    spread = q @ (phi * phi) - mean * mean * q.sum(axis=1, keepdims=True)
    # What is not above the rounding of the difference is no spread at all.
    spread = np.maximum(spread, 1e-12 * (q @ (phi * phi))) + np.finfo(float).tiny
    return (slope * slope / (2.0 * spread)).sum(axis=0)


def random_directions(stall, rng, n):
    """``n`` random directions in units of z, (n_inputs, n)."""
    w = rng.normal(size=(len(stall.deviation), n))
    scale = rng.uniform(SMALLEST_SCALE, LARGEST_SCALE, size=n)
    return w * (scale / np.sqrt((w * w).sum(axis=0))) / stall.deviation[:, None]


def scout(stall, activation, rng, n_directions):
    """The most promising unit (w, b, its values) of ``1.5 n_directions`` random ones.

    The hyperplane w.z + b = 0 of each goes through a random row. A third of them are
    tried around the best of the others.
    """
    w = random_directions(stall, rng, n_directions)
    inside = np.asarray(stall.z @ w)
    b = -inside[rng.randint(len(inside), size=n_directions), np.arange(n_directions)]
    phi = FUNCTIONS[activation](inside + b)
    best = np.argmax(promise(phi, stall))
    w, b, phi, inside = w[:, best], b[best], phi[:, best], inside[:, best]
    n_near = n_directions // 2
    if n_near:
        size = np.sqrt(np.mean((w * stall.deviation) ** 2))
        step = rng.normal(size=(len(w), n_near)) / stall.deviation[:, None]
        near = w[:, None] + NEIGHBOURHOOD * size * step
        near_b = b + NEIGHBOURHOOD * inside.std() * rng.normal(size=n_near)
        near_phi = FUNCTIONS[activation](np.asarray(stall.z @ near) + near_b)
        gains = promise(np.column_stack([phi, near_phi]), stall)
        best = np.argmax(gains)
        if best > 0:
            return near[:, best - 1], near_b[best - 1], near_phi[:, best - 1]
    return w, b, phi


def graft(objective, theta, rng, n_directions):
    """theta with the scouted unit in place of the one that is missed least.

    With F = [values, 1, phi] the quadratic model of output k has the gradient
    g = F^T r_k + alpha v and the Hessian A = F^T Q_k F + alpha; its minimum without
    unit j is u = v* - A^-1_j v*_j / A^-1_jj with v* = v - A^-1 g, and lies
    v*_j^2 / (2 A^-1_jj) above the one with all units: that is how much j is missed
    (optimal brain surgeon).

    Returns
    -------
    theta : ndarray of shape (n_parameters,)
    cost : float
        What it took, in evaluations of the objective.
    """
    stall = look(objective, theta)
    w, b, phi = scout(stall, objective.activation, rng, n_directions)
    grafted = theta.copy()
    coefs, intercepts = objective.layout.unpack(grafted)
    if objective.activation == "relu":
        # Its scale is free: take that of the other units.
        scale = np.sqrt((coefs[-2] ** 2).sum(axis=0)).mean() / np.sqrt(w @ w)
        w, b, phi = scale * w, scale * b, scale * phi
    n_units = len(coefs[-1])
    features = np.column_stack([stall.values, np.ones(len(phi)), phi])
    weights = np.vstack([coefs[-1], intercepts[-1], np.zeros(len(intercepts[-1]))])
    decay = np.full(n_units + 2, objective.alpha)
    decay[n_units] = 0.0
    missed, minima = np.zeros(n_units), []
    for k, (r, q) in enumerate(zip(stall.residuals, stall.curvature, strict=True)):
        hessian = features.T @ (q[:, None] * features) + np.diag(decay)
        hessian[np.diag_indices_from(hessian)] += RIDGE * np.trace(hessian) / len(decay)
        hessian[np.diag_indices_from(hessian)] += np.finfo(float).tiny
        inverse = np.linalg.pinv(hessian, hermitian=True)
        gradient = features.T @ r + decay * weights[:, k]
        best = weights[:, k] - inverse @ gradient
        diagonal = np.maximum(np.diag(inverse), np.finfo(float).tiny)
        missed += best[:n_units] ** 2 / (2.0 * diagonal[:n_units])
        minima.append((best, inverse, diagonal))
    j = int(np.argmin(missed))
    coefs[-2][:, j], intercepts[-2][j] = w, b
    for k, (best, inverse, diagonal) in enumerate(minima):
        without = best - inverse[:, j] * (best[j] / diagonal[j])
        coefs[-1][:, k] = without[:n_units]
        coefs[-1][j, k] = without[n_units + 1]
        intercepts[-1][k] = without[n_units]
    return grafted, _cost(objective, len(phi), n_directions)


def _cost(objective, n_rows, n_directions):
    """Multiplications of a graft over those of an evaluation."""
    fans = objective.layout.fans
    first, *others = (i * o for i, o in fans)
    n_inputs, n_units = fans[-2]
    n_outputs = fans[-1][1]
    evaluation = 2 * first + 3 * sum(others)
    forward = first + sum(others)
    scouting = 1.5 * n_directions * (n_inputs + 3 * n_outputs)
    fitting = n_outputs * (n_units + 2) ** 2
    share = n_rows / objective.data.n_rows
    return share * (forward + scouting + fitting) / evaluation


def find_witness(objective, theta, rng, neuron_alpha, n_directions=64):
    """The witness of the most promising special neuron on the inputs, or None.

    exp(w.x - max w.x) is looked at in ``n_directions`` random directions w.
    """
    coefs, intercepts = objective.layout.unpack(theta)
    X = objective.data.block(0, SCOUT_ROWS)
    raw = hidden_values(coefs, intercepts, objective.activation, X)
    raw = np.asarray(raw @ coefs[-1], dtype=np.float64) + intercepts[-1]
    _, residuals = data_loss(objective, raw)
    if not np.isfinite(residuals).all() or not residuals.any():
        return None
    curvature = objective.curvature(raw)
    floor = 0.1 * curvature.mean(axis=1, keepdims=True)
    stall = Stall(X, None, residuals, curvature + floor, standard_deviation(X))
    w = random_directions(stall, rng, n_directions)
    exponent = np.asarray(X @ w, dtype=np.float64)
    phi = np.exp(exponent - exponent.max(axis=0))
    for k in np.argsort(-promise(phi, stall))[:3]:
        witness = make_witness(objective, theta, w[:, k], neuron_alpha)
        if witness is not None:
            return witness
    return None
