"""A neuron that lowers the objective when it is added to the network, as a proof.

Without weight decay it is the special neuron of LSLS18: with r_i the derivative of the
loss by f(x_i),

    G = sum_i r_i exp(w.x_i + b) != 0

lowers J~ when the neuron is switched on with the amplitude of the right sign, and theta
is no local minimum of J~ (Theorem 1, step 2).

With weight decay it is a unit of the network's own kind, phi(x) = act(w.x + b): where
|sum_i r_i phi(x_i)| > alpha ||w||, the unit with a small output weight of the right
sign lowers the loss by more than the penalty grows.

Either way the witness carries the neuron and the decrease, which is that of the point
itself, evaluated, less what rounding can have added.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import NamedTuple

import numpy as np

from ..objective.duals.custom import rounding_of_values
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
EPS, TINY = np.finfo(np.float64).eps, np.finfo(np.float64).tiny


@dataclass(frozen=True)
class Witness:
    """A neuron that lowers the objective when it is added to the trained network.

    Evaluated at a row x it adds amplitude_k * act(coef.x + intercept) to output k, with
    act = exp for the exponential neuron.

    Attributes
    ----------
    kind : str
        'exponential neuron', or 'relu unit' and the like.
    coef : ndarray of shape (n_features,)
    intercept : float
    amplitude : ndarray of shape (n_outputs,)
    decrease : float
        By how much the objective falls at least, the neuron's own penalty included.
    """

    kind: str
    coef: np.ndarray
    intercept: float
    amplitude: np.ndarray
    decrease: float


class Candidate(NamedTuple):
    """A neuron that may be switched on."""

    kind: str
    w: np.ndarray  # (n_features,)
    b: float
    function: Callable[[np.ndarray], np.ndarray]  # z -> values, z may be overwritten
    # (|values|, errors of z) -> no less than what the values change by
    change: Callable[[np.ndarray, np.ndarray], np.ndarray]
    penalty: Callable[[np.ndarray], float]  # amplitude -> what it costs
    scale: Callable[[np.ndarray], float]  # amplitude -> factor of (w, b), and divisor


def exponential(w, largest, neuron_alpha):
    """exp(w.x - largest), at a cost of neuron_alpha/2 sum_k a_k^2."""
    return Candidate(
        "exponential neuron",
        w,
        -largest,
        np.exp,
        lambda values, of_z: np.maximum(values, TINY) * np.expm1(of_z),
        lambda a: 0.5 * neuron_alpha * (a @ a),
        lambda a: 1.0,
    )


def unit(w, b, activation, alpha):
    """act(w.x + b), at a cost of alpha/2 (||w||^2 + ||a||^2).

    Where the scale is free, as for relu, w is scaled so that the cost is least: it is
    alpha ||w|| ||a|| then.
    """
    length, steepest = np.sqrt(w @ w), activation.steepest
    free = activation.free_scale and length > 0
    return Candidate(
        f"{activation.name} unit",
        w,
        b,
        activation.function,
        lambda values, of_z: steepest * of_z,
        (lambda a: alpha * length * np.sqrt(a @ a))
        if free
        else (lambda a: 0.5 * alpha * (w @ w + a @ a)),
        (lambda a: np.sqrt(np.sqrt(a @ a) / length)) if free else (lambda a: 1.0),
    )


def _rounding(predictions, neuron, amplitude):
    """Bound of the rounding error of a witness's decrease.

    Ten times that of the sums, and those of the rows. Of a row f is computed with an
    error e, and v = a phi(x) with an error e'. The loss l is convex, so with y the sum
    of f and v as they are

        l(f + e) >= l(f) + l'(f) e
        l(y)     <= l(f + v) + l'(y) (e + e')

    and the decrease is wrong by |l'(y) - l'(f)| |e| + |l'(y)| |e'| at most.
    """
    of_sums = 10 * EPS * (len(predictions.raw) + 4) * predictions.loss
    of_rows = predictions.each(partial(_rounding_of_rows, neuron, amplitude))
    return sum(chain.from_iterable(of_rows), of_sums)


def _slopes_within(objective, raw, error, first):
    """l' where it is least and largest within ``error`` of raw, (n, K) each.

    Of outputs that add up it grows with f. A probability of softmax, and 1 less it,
    change by a factor of at most exp(2 e), e the largest error of the row.
    """
    if objective.loss.couples_outputs:
        slopes = objective.data_loss(raw, first)[1].T
        factor = np.exp(2.0 * error.max(axis=1, keepdims=True))
        return slopes / factor, slopes * factor
    ends = raw - error, raw + error
    return tuple(objective.data_loss(end, first)[1].T for end in ends)


def _rounding_of_rows(neuron, amplitude, predictions):
    """Those of the rows of a part, the terms of slice after slice."""
    objective, raw, terms = predictions.objective, predictions.raw, []
    for rows in predictions.slices:
        block = objective.data.block(rows.start, rows.stop)
        x = abs(block).astype(np.float64)
        values = neuron.function(np.asarray(block @ neuron.w + neuron.b))
        added = values[:, None] * amplitude
        size = abs(raw[rows]) + abs(added)
        of_z = EPS * (len(neuron.w) + 4) * (x @ abs(neuron.w) + abs(neuron.b))
        of_values = neuron.change(abs(values), of_z)[:, None] * abs(amplitude)
        of_values += 4.0 * EPS * size
        of_raw = predictions.rounding(rows)
        before = objective.data_loss(raw[rows], rows.start)[1].T
        wrong = of_raw + of_values
        ends = _slopes_within(objective, raw[rows] + added, wrong, rows.start)
        steepest = np.maximum(*map(abs, ends))
        further = np.maximum(*(abs(end - before) for end in ends))
        terms += [
            (further * of_raw).sum(),
            (steepest * of_values).sum(),
            4.0 * EPS * (abs(before) * size).sum(),
            rounding_of_own(objective, rows, size),
        ]
    return terms


def rounding_of_own(objective, rows, size):
    """What the mean of a loss of the user's own is wrong by on rows, 0 of another one.

    Its value may be a difference.

    size : (n, K) no less than their raw predictions.
    """
    if objective.loss.kernel is not None:
        return 0.0
    labels, shares = objective.data.labels[rows], objective.shares[rows]
    dual = objective.loss.dual(labels, shares, size.shape[1])
    wrong = rounding_of_values(dual.loss, size, dual.targets.T)
    return float(shares @ wrong.sum(axis=1))


def switched_on(predictions, neuron):
    """Switch a neuron on, as far as it pays.

    The amplitudes follow the negative derivative of the loss by them, by a line search
    on a convex function.

    Parameters
    ----------
    predictions : Predictions
    neuron : Candidate

    Returns
    -------
    witness : Witness or None
        None if the decrease is not above its rounding error.
    """
    objective, raw = predictions.objective, predictions.raw
    values = objective.data.dot(neuron.w)
    values = neuron.function(np.add(values, neuron.b, out=values))
    direction = np.zeros(raw.shape[1])
    for rows in predictions.slices:
        _, residuals = objective.data_loss(raw[rows], rows.start)
        direction -= residuals @ values[rows]
    size = np.abs(direction).max()
    if not (np.isfinite(size) and size > 0):
        return None
    direction /= size

    def objective_with(step):
        a = step * direction
        value = neuron.penalty(a)
        for rows in predictions.slices:
            with_neuron = raw[rows] + values[rows, None] * a
            value += objective.data_loss(with_neuron, rows.start)[0]
        return value

    step, best = 1.0, objective_with(1.0)
    for factor in (2.0, 0.5):
        while (value := objective_with(step * factor)) < best:
            best, step = value, step * factor
    a = step * direction
    decrease = predictions.loss - best - _rounding(predictions, neuron, a)
    if not decrease > 0:
        return None
    scale = neuron.scale(a)
    return Witness(
        neuron.kind,
        scale * neuron.w,
        float(scale * neuron.b),
        a / scale,
        float(decrease),
    )


def make_witness(predictions, w, neuron_alpha):
    """Switch the exponential neuron exp(w.x - max w.x) on, as far as it pays."""
    largest = predictions.objective.data.dot(w).max()
    return switched_on(predictions, exponential(w, largest, neuron_alpha))


@np.errstate(over="ignore", invalid="ignore", under="ignore")
def find_witness(predictions, rng, neuron_alpha):
    """The witness of the most promising special neuron on the inputs, or None.

    exp(w.x - max w.x) is looked at in the directions that the series of G names, and in
    ``N_DIRECTIONS`` random ones.
    """
    objective = predictions.objective
    X = objective.data.first(SEARCH_ROWS).block()
    residuals, curvature = derivatives(objective, predictions.raw[:SEARCH_ROWS])
    no_units = np.empty((len(residuals.T), 0))
    view = LayerView(X, no_units, residuals, curvature, standard_deviation(X))
    if not np.isfinite(residuals).all() or not residuals.any():
        return None
    try:
        named = named_directions(view, rng)
    except np.linalg.LinAlgError:  # features too large to be squared
        return None

    def score(phi):
        """Twice the decrease of the quadratic model, summed over the outputs."""
        gains = (residuals @ phi) ** 2 / (curvature @ (phi * phi) + TINY)
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
