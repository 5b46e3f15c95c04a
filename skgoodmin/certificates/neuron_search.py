"""The search for a neuron on the inputs of a layer: directions, values, score, refine.

Where training has stalled, the theorem asks for a neuron phi(x) = act(w.z + b) that
lowers the objective when it is switched on. With r_i the derivative of the loss by
f(x_i), an exponential one that is switched on with a small amplitude a changes the loss
by a G(w), G(w) = sum_i r_i exp(w.z_i), and unless theta is globally optimal some term
of the Taylor series of G does not vanish,

    G(w) = sum_i r_i + w . (sum_i r_i z_i) + w^T (sum_i r_i z_i z_i^T) w / 2 + ...

Its first two terms name the directions in which G grows fastest; random ones stand for
the rest of the series. What a neuron in such a direction is worth is for the caller to
score: a graft by the decrease of a quadratic model, a witness by its slope.

Conventions: z (n, n_inputs) are the inputs of a hidden layer, which are what a special
neuron of that layer sees. A problem of many rows is searched on the first
``SEARCH_ROWS`` canonical ones, which are a random sample, for their order is a hash.
"""

from typing import NamedTuple

import numpy as np

SEARCH_ROWS = 4096
SUBSPACE = 8  # dimensions in which the second term of G is looked at
OUTPUTS = 64  # of which directions are named
LENGTHS = 4  # tried along each direction that a term of G names
SMALLEST_SCALE, LARGEST_SCALE = 0.5, 3.0  # of a direction, in standard deviations
NEIGHBOURHOOD = 0.6  # of the best direction, relative to its length
CURVATURE_FLOOR = 0.1  # of its mean: where the loss is flat a step would have no end


class LayerView(NamedTuple):
    """The rows as a search sees them from a theta, before one of the layers."""

    z: np.ndarray  # (n, n_inputs), ndarray or CSR
    values: np.ndarray  # (n, n_units) of the layer
    residuals: np.ndarray  # (n_outputs, n) first derivatives of the loss
    curvature: np.ndarray  # (n_outputs, n) second derivatives, with a floor
    deviation: np.ndarray  # (n_inputs,) of z


class Neuron(NamedTuple):
    """A neuron that a search has found."""

    w: np.ndarray  # (n_inputs,)
    b: float
    inside: np.ndarray  # (n,) z w on the rows of the view
    values: np.ndarray  # (n,) function(z w + b)
    score: float


def derivatives(objective, raw):
    """(residuals, curvature) of the first rows, from their raw predictions."""
    _, residuals = objective.data_loss(raw)
    return residuals, with_floor(objective.curvature(raw))


def with_floor(curvature):
    """Second derivatives (n_outputs, n), a tenth of their mean added."""
    return curvature + CURVATURE_FLOOR * curvature.mean(axis=1, keepdims=True)


def standard_deviation(z):
    """Standard deviation of the columns; 1 in place of 0."""
    z = z.astype(np.float64)  # a square may be none of single precision
    if hasattr(z, "toarray"):
        mean, square = z.mean(axis=0), z.multiply(z).mean(axis=0)
    else:
        mean, square = z.mean(axis=0), (z * z).mean(axis=0)
    deviation = np.sqrt(np.maximum(square - mean * mean, 0.0))
    return np.where(deviation > 1e-8 * np.sqrt(square), deviation, 1.0)


def series_directions(view, rng):
    """Unit vectors in standardised z that the first terms of G name, as columns.

    The gradient sum_i r_i z_i and the two strongest eigenvectors of
    sum_i r_i z_i z_i^T, for each output (of many outputs those with the largest
    residuals); of many inputs, in a random subspace on which the matrix acts most (one
    block power step).
    """
    if isinstance(view.z, np.ndarray):
        z = view.z / view.deviation
    else:
        z = view.z.multiply(1.0 / view.deviation).tocsr()
    size, found = np.abs(view.residuals).sum(axis=1), []
    for k in np.sort(np.argsort(-size, kind="stable")[:OUTPUTS]):
        r = view.residuals[k] - view.residuals[k].mean()
        probe = rng.normal(size=(z.shape[1], min(SUBSPACE, z.shape[1])))
        basis = np.linalg.qr(z.T @ (r[:, None] * (z @ probe)))[0]
        inside = z @ basis
        values, vectors = np.linalg.eigh(inside.T @ (r[:, None] * inside))
        strongest = np.argsort(-np.abs(values))[:2]
        found += [z.T @ r, *(basis @ vectors[:, strongest]).T]
    directions = np.array(found).T
    length = np.sqrt((directions * directions).sum(axis=0) + np.finfo(float).tiny)
    return directions / length


def random_directions(view, rng, n):
    """``n`` random directions in units of z, (n_inputs, n)."""
    w = rng.normal(size=(len(view.deviation), n))
    return scaled(w / np.sqrt((w * w).sum(axis=0)), view, rng)


def scaled(w, view, rng):
    """Unit vectors in standardised z with random lengths and signs, in units of z."""
    length = rng.uniform(SMALLEST_SCALE, LARGEST_SCALE, size=w.shape[1])
    sign = rng.choice([-1.0, 1.0], size=w.shape[1])
    return w * (sign * length) / view.deviation[:, None]


def named_directions(view, rng):
    """The series directions in ``LENGTHS`` random lengths each, in units of z."""
    series = np.repeat(series_directions(view, rng), LENGTHS, axis=1)
    return scaled(series, view, rng)


def through_random_rows(inside, rng):
    """Intercepts (n_neurons,) of hyperplanes through random rows, inside = z w."""
    n_rows, n_neurons = inside.shape
    return -inside[rng.randint(n_rows, size=n_neurons), np.arange(n_neurons)]


def best_neurons(w, b, inside, function, score, n_best=1):
    """The neurons function(w.z + b) that score best, best first.

    Parameters
    ----------
    w : ndarray of shape (n_inputs, n_neurons)
    b : ndarray of shape (n_neurons,)
    inside : ndarray of shape (n, n_neurons)
        z w.
    function : callable(ndarray) -> ndarray
        Applied to z w + b.
    score : callable(values) -> ndarray of shape (n_neurons,)
        What a neuron with these values (n, n_neurons) is worth.
    n_best : int

    Returns
    -------
    neurons : list of Neuron
    """
    values = function(inside + b)
    scores = score(values)
    order = [np.argmax(scores)] if n_best == 1 else np.argsort(-scores)[:n_best]
    return [Neuron(w[:, k], b[k], inside[:, k], values[:, k], scores[k]) for k in order]


def refined(neuron, view, function, score, rng, n_near):
    """The best of a neuron and ``n_near`` random ones near it."""
    w = neuron.w
    length = np.sqrt(np.mean((w * view.deviation) ** 2))
    step = rng.normal(size=(len(w), n_near)) / view.deviation[:, None]
    near = np.column_stack([w, w[:, None] + NEIGHBOURHOOD * length * step])
    away = np.append(0, rng.normal(size=n_near))
    b = neuron.b + NEIGHBOURHOOD * neuron.inside.std() * away
    return best_neurons(near, b, np.asarray(view.z @ near), function, score)[0]
