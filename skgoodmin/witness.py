"""A special neuron that lowers J~, as a proof that theta is no local minimum of it.

With r_i the derivative of the loss by f(x_i), a special neuron (w, b) with

    G = sum_i r_i exp(w.x_i + b) != 0

lowers J~ when it is switched on with the amplitude of the right sign: theta is then no
local minimum of J~ (LSLS18, Theorem 1, step 2). The witness carries such a neuron and
the decrease.
"""

from dataclasses import dataclass

import numpy as np

from .network import predict_raw


@dataclass(frozen=True)
class Witness:
    """A special neuron that lowers J~ from the trained theta.

    Evaluated at a row x it adds amplitude_k * exp(coef.x + intercept) to output k.
    """

    coef: np.ndarray  # (n_features,) w
    intercept: float  # b
    amplitude: np.ndarray  # (n_outputs,) a
    decrease: float  # J(theta) - J~(theta, a, w, b), rounding errors taken off


def data_loss(objective, raw, first=0):
    """Mean loss of raw predictions and its derivative by each of them, in float64.

    Parameters
    ----------
    objective : Objective
    raw : ndarray of shape (n, n_outputs)
        Predictions of the n canonical rows from ``first`` on.
    first : int, default=0

    Returns
    -------
    loss : float
        The part of these rows in the mean.
    residuals : ndarray of shape (n_outputs, n)
        r_ki = d loss / d raw_ik.
    """
    rows = slice(first, first + len(raw))
    residuals = np.array(raw.T, dtype=np.float64, order="C")  # which is overwritten
    labels, shares = objective.data.labels[rows], objective.shares[rows]
    value = objective.loss.into_gradient(
        residuals, labels, shares, objective.several_classes
    )
    return value, residuals


def raw_predictions(objective, theta):
    """Raw predictions of the canonical rows, (n_rows, n_outputs) in float64."""
    coefs, intercepts = objective.layout.unpack(theta)
    n_outputs = objective.layout.sizes[-1]
    raw = np.empty((objective.data.n_rows, n_outputs))
    for rows in objective.data.slices(n_outputs):
        block = objective.data.block(rows.start, rows.stop)
        raw[rows] = predict_raw(coefs, intercepts, objective.activation, block)
    return raw


def raw_rounding(objective, theta, x):
    """First-order bound of the rounding error of raw predictions, (n, n_outputs).

    Each product A W + c of fan-in m carries (m + 2) eps (|A| |W| + |c|) besides what
    the error of A becomes; an activation has slopes of at most 1.1 in size and rounds
    to a few units in the last place.

    x : (n, n_features), the absolute values of the rows.
    """
    coefs, intercepts = objective.layout.unpack(theta)
    eps, values, error = np.finfo(np.float64).eps, x, 0.0
    for weights, intercept in zip(coefs, intercepts, strict=True):
        size = np.asarray(values @ abs(weights)) + abs(intercept)
        inherited = 0.0 if values is x else error @ abs(weights)
        error = 1.1 * (inherited + (len(weights) + 6) * eps * size)
        values = 1.1 * size + 1.0  # no less than |act(z)|
    return error


def _witness_rounding(objective, theta, raw, loss, w, b, amplitude):
    """Bound of the rounding error of a witness's decrease, to first order.

    Ten times that of the sums, and those of the exponents, of the raw predictions,
    of the amplitudes added to them and of the loss as a function of the sum.
    """
    eps = np.finfo(np.float64).eps
    rounding = 10 * eps * (len(raw) + 4) * loss
    for rows in objective.data.slices(raw.shape[1]):
        block = objective.data.block(rows.start, rows.stop)
        x = abs(block).astype(np.float64)
        added = np.exp(block @ w + b)[:, None] * amplitude
        before = data_loss(objective, raw[rows], rows.start)[1].T
        after = data_loss(objective, raw[rows] + added, rows.start)[1].T
        slopes, size = abs(before) + abs(after), abs(raw[rows]) + abs(added)
        of_exponent = eps * (len(w) + 4) * (x @ abs(w) + abs(b))
        rounding += (abs(after * added)).sum(axis=1) @ of_exponent
        rounding += (abs(after - before) * raw_rounding(objective, theta, x)).sum()
        rounding += 4 * eps * (slopes * size).sum()
    return rounding


def make_witness(objective, theta, w, neuron_alpha):
    """Switch the neuron with direction ``w`` on, as far as it pays.

    With e_i = exp(w.x_i - max w.x) the amplitudes follow -G by a line search on the
    convex function c -> J~(theta, c a, w, b). The decrease is that of the point
    itself, evaluated, less what rounding can have added.

    Returns
    -------
    witness : Witness or None
        None if the decrease is not above its rounding error.
    """
    slices = objective.data.slices(objective.layout.sizes[-1])
    e = objective.data.dot(w)
    largest = e.max()
    np.exp(np.subtract(e, largest, out=e), out=e)
    raw = raw_predictions(objective, theta)
    loss, direction = 0.0, np.zeros(raw.shape[1])
    for rows in slices:
        part, residuals = data_loss(objective, raw[rows], rows.start)
        loss += part
        direction -= residuals @ e[rows]
    size = np.abs(direction).max()
    if not (np.isfinite(size) and size > 0):
        return None
    direction /= size

    def augmented(step):
        a = step * direction
        value = 0.5 * neuron_alpha * a @ a
        for rows in slices:
            augmented_raw = raw[rows] + e[rows, None] * a
            value += data_loss(objective, augmented_raw, rows.start)[0]
        return value

    step, best = 1.0, augmented(1.0)
    for factor in (2.0, 0.5):
        while (value := augmented(step * factor)) < best:
            best, step = value, step * factor
    a = step * direction
    rounding = _witness_rounding(objective, theta, raw, loss, w, -largest, a)
    decrease = loss - best - rounding
    if not decrease > 0:
        return None
    return Witness(w.copy(), float(-largest), a, float(decrease))
