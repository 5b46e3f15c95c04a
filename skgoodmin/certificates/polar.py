"""The polar of residuals from below: the neuron that is missed most.

    h(w, b) / ||w||,  h = || sum_i R_i act(w.x_i + b) ||_2

A neuron with more than alpha lowers the objective when it is added with a small output
weight against sum_i R_i act(..): the first-order gain is (h - alpha) for each unit of
||v|| ||w||. The largest one found says how far the dual bound could go if there were no
better one: an estimate, as good as the search.

relu: :mod:`.ascents`. identity: the first singular value of X'R. Others: L-BFGS on
log h - log ||w|| in (w, b); softplus and silu become a relu for large w, so they start
from the ascents of the relu as well.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from ..kernels.activations import Form
from .ascents import relu_search, rows_used

SLICE = 2**14  # rows whose values are in memory at a time


@dataclass(frozen=True)
class BestNeuron:
    """The best neuron found.

    Attributes
    ----------
    polar : float
        h / ||w||: attained, so the polar is no less but for rounding.
    coef : ndarray of shape (n_features,)
    intercept : float
    direction : ndarray of shape (K,)
        Of the output weights that lower the objective, length 1.
    """

    polar: float
    coef: np.ndarray
    intercept: float
    direction: np.ndarray


def _nothing(n_features, n_outputs):
    return BestNeuron(0.0, np.zeros(n_features), 0.0, np.zeros(n_outputs))


def _best(values, coefs, intercepts, directions):
    """The largest of several ascents, as a :class:`BestNeuron`."""
    at = int(np.argmax(values))
    size = np.linalg.norm(directions[at])
    return BestNeuron(
        float(values[at]),
        coefs[at],
        float(intercepts[at]),
        -directions[at] / (size if size > 0 else 1.0),
    )


def _promising(x, r, activation, units, intercepts, most):
    """Places of the units with the largest h / ||w|| at their own intercepts."""
    norm = np.linalg.norm(units, axis=1)
    live = np.flatnonzero(np.isfinite(norm) & (norm > 0))
    h = np.zeros((r.shape[1], len(live)))
    for start in range(0, len(x), SLICE):
        some = slice(start, start + SLICE)
        h += r[some].T @ activation.function(x[some] @ units[live].T + intercepts[live])
    score = np.linalg.norm(h, axis=0) / norm[live]
    return live[np.argsort(-score, kind="stable")[:most]]


def _smooth_ascent(x, r, activation, w, b, n_iterations):
    """L-BFGS on log h - log ||w||: (value, w, b, direction)."""

    def value_and_gradient(t):
        w, b = t[:-1], t[-1]
        norm = np.linalg.norm(w) if np.abs(t).max() < 1e50 else np.inf
        z = x @ w + b
        slope, value = activation.derivative(z), activation.function(z)
        h = value @ r
        size = np.linalg.norm(h)
        if not (size > 0 and 0 < norm < 1e100):
            return 700.0, np.zeros_like(t)
        back = slope * (r @ h) / (size * size)
        gradient = np.r_[back @ x - w / (norm * norm), back.sum()]
        return np.log(norm) - np.log(size), -gradient

    start = np.r_[w, b]
    result = minimize(
        value_and_gradient,
        start,
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": n_iterations, "maxfun": 3 * n_iterations},
    )
    w, b = result.x[:-1], result.x[-1]
    h = activation.function(x @ w + b) @ r
    norm = np.linalg.norm(w)
    return (np.linalg.norm(h) / norm if norm > 0 else 0.0), w, b, h


def search(x, residuals, activation, units, intercepts, rng, effort):
    """The best neuron found.

    Parameters
    ----------
    x : ndarray or CSR of shape (n, d)
    residuals : ndarray of shape (K, n)
        Balanced.
    activation : Activation
    units : ndarray of shape (m, d)
        Incoming weights of the network's own units.
    intercepts : ndarray of shape (m,)
    rng : numpy.random.Generator
    effort : Effort
        How many ascents from the units that are missed most and from random directions.

    Returns
    -------
    neuron : BestNeuron
    """
    n_features = x.shape[1]
    x, r = rows_used(x, residuals)
    if not len(x):
        return _nothing(n_features, len(residuals))
    if activation.form is Form.LINE:
        left, size, right = np.linalg.svd(x.T @ r, full_matrices=False)
        return BestNeuron(float(size[0]), left[:, 0], 0.0, -right[0])
    if activation.form is Form.CORNER:
        n_units, numbers = effort.n_units, (effort.n_random, rng, effort.n_steps)
        some = _promising(x, r, activation, units, intercepts, 4 * n_units)
        found = relu_search(x, r, units[some], n_units, *numbers)
        return _best(*found[:4])
    return _smooth_search(x, r, activation, units, intercepts, rng, effort)


def _smooth_search(x, r, activation, units, intercepts, rng, effort):
    """Ascents in (w, b) on rows that are centred and of size 1."""
    n_units, n_random, n_steps = effort.n_units, effort.n_random, effort.n_steps
    centre = x.mean(axis=0)
    x = x - centre
    size = np.sqrt((x * x).sum(axis=1).mean())
    if not size > 0:
        return _nothing(x.shape[1], r.shape[1])
    x /= size
    offsets = intercepts + units @ centre
    units = units * size
    first = _promising(x, r, activation, units, offsets, n_units)
    starts = [(units[j], offsets[j]) for j in first]
    for _ in range(n_random):
        starts.append(
            (rng.normal(size=x.shape[1]) * rng.uniform(0.3, 3.0), rng.normal())
        )
    if activation.is_relu_from_afar:
        some = max(n_units // 2, 1), max(n_random // 2, 1)
        found = relu_search(x, r, units, *some, rng, n_steps)
        for w, b in zip(found.coefs[:4], found.intercepts[:4], strict=True):
            steep = 20.0 / max(np.std(x @ w), 1e-3)
            starts.append((w * steep, b * steep))
    tops = [_smooth_ascent(x, r, activation, w, b, n_steps // 3) for w, b in starts]
    values, coefs, bends, directions = (np.array(p) for p in zip(*tops, strict=True))
    bends = bends - coefs @ (centre / size)
    return _best(values * size, coefs / size, bends, directions)
