"""A special neuron that lowers J~, as a proof that theta is no local minimum of it.

With r_i the derivative of the loss by f(x_i), a special neuron (w, b) with

    G = sum_i r_i exp(w.x_i + b) != 0

lowers J~ when it is switched on with the amplitude of the right sign: theta is then no
local minimum of J~ (LSLS18, Theorem 1, step 2). The witness carries such a neuron and
the decrease.
"""

from dataclasses import dataclass

import numpy as np

from ..objective.predictions import hidden_values
from .neuron_search import (
    SEARCH_ROWS,
    LayerView,
    best_neurons,
    derivatives,
    named_directions,
    random_directions,
    standard_deviation,
)

N_DIRECTIONS = 32  # random ones that are looked at, besides those of the series of G
N_TRIED = 3  # neurons that are switched on, the most promising first


@dataclass(frozen=True)
class Witness:
    """A special neuron that lowers J~ from the trained theta.

    Evaluated at a row x it adds amplitude_k * exp(coef.x + intercept) to output k.
    """

    coef: np.ndarray  # (n_features,) w
    intercept: float  # b
    amplitude: np.ndarray  # (n_outputs,) a
    decrease: float  # J(theta) - J~(theta, a, w, b), rounding errors taken off


def _witness_rounding(predictions, w, b, amplitude):
    """Bound of the rounding error of a witness's decrease, to first order.

    Ten times that of the sums, and those of the exponents, of the raw predictions,
    of the amplitudes added to them and of the loss as a function of the sum.
    """
    objective, raw = predictions.objective, predictions.raw
    eps = np.finfo(np.float64).eps
    rounding = 10 * eps * (len(raw) + 4) * predictions.loss
    for rows in predictions.slices:
        block = objective.data.block(rows.start, rows.stop)
        x = abs(block).astype(np.float64)
        added = np.exp(block @ w + b)[:, None] * amplitude
        before = objective.data_loss(raw[rows], rows.start)[1].T
        after = objective.data_loss(raw[rows] + added, rows.start)[1].T
        slopes, size = abs(before) + abs(after), abs(raw[rows]) + abs(added)
        of_exponent = eps * (len(w) + 4) * (x @ abs(w) + abs(b))
        rounding += (abs(after * added)).sum(axis=1) @ of_exponent
        rounding += (abs(after - before) * predictions.rounding(rows)).sum()
        rounding += 4 * eps * (slopes * size).sum()
    return rounding


def make_witness(predictions, w, neuron_alpha):
    """Switch the neuron with direction ``w`` on, as far as it pays.

    With e_i = exp(w.x_i - max w.x) the amplitudes follow -G by a line search on the
    convex function c -> J~(theta, c a, w, b). The decrease is that of the point
    itself, evaluated, less what rounding can have added.

    Returns
    -------
    witness : Witness or None
        None if the decrease is not above its rounding error.
    """
    objective, raw = predictions.objective, predictions.raw
    e = objective.data.dot(w)
    largest = e.max()
    np.exp(np.subtract(e, largest, out=e), out=e)
    direction = np.zeros(raw.shape[1])
    for rows in predictions.slices:
        _, residuals = objective.data_loss(raw[rows], rows.start)
        direction -= residuals @ e[rows]
    size = np.abs(direction).max()
    if not (np.isfinite(size) and size > 0):
        return None
    direction /= size

    def augmented(step):
        a = step * direction
        value = 0.5 * neuron_alpha * a @ a
        for rows in predictions.slices:
            augmented_raw = raw[rows] + e[rows, None] * a
            value += objective.data_loss(augmented_raw, rows.start)[0]
        return value

    step, best = 1.0, augmented(1.0)
    for factor in (2.0, 0.5):
        while (value := augmented(step * factor)) < best:
            best, step = value, step * factor
    a = step * direction
    rounding = _witness_rounding(predictions, w, -largest, a)
    decrease = predictions.loss - best - rounding
    if not decrease > 0:
        return None
    return Witness(w.copy(), float(-largest), a, float(decrease))


@np.errstate(over="ignore", invalid="ignore", under="ignore")
def find_witness(predictions, rng, neuron_alpha):
    """The witness of the most promising special neuron on the inputs, or None.

    exp(w.x - max w.x) is looked at in the directions that the series of G names, and in
    ``N_DIRECTIONS`` random ones.
    """
    objective, theta = predictions.objective, predictions.theta
    coefs, intercepts = objective.layout.unpack(theta)
    X = objective.data.block(0, SEARCH_ROWS)
    values = hidden_values(coefs, intercepts, objective.activation, X)
    raw = np.asarray(values @ coefs[-1], dtype=np.float64) + intercepts[-1]
    residuals, curvature = derivatives(objective, raw)
    view = LayerView(X, values, residuals, curvature, standard_deviation(X))
    if not np.isfinite(residuals).all() or not residuals.any():
        return None
    try:
        named = named_directions(view, rng)
    except np.linalg.LinAlgError:  # features too large to be squared
        return None

    def score(phi):
        """Twice the decrease of the quadratic model, summed over the outputs."""
        tiny = np.finfo(np.float64).tiny
        gains = (residuals @ phi) ** 2 / (curvature @ (phi * phi) + tiny)
        return gains.sum(axis=0)

    w = np.column_stack([named, random_directions(view, rng, N_DIRECTIONS)])
    inside = np.asarray(X @ w, dtype=np.float64)
    largest = inside.max(axis=0)
    best = best_neurons(w, -largest, inside, np.exp, score, N_TRIED)
    promising = [neuron.w for neuron in best]
    del inside, best  # values of all neurons, of no more use
    for w in promising:
        witness = make_witness(predictions, w, neuron_alpha)
        if witness is not None:
            return witness
    return None
