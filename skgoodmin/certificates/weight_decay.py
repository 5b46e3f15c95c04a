"""Bounds of the objective with weight decay, over networks of every width.

    objective = mean loss + alpha/2 (sum of the squared weights)

What is *proven* needs a dual point and a bound of its polar from above
(:mod:`.relaxation` and :mod:`.relaxation_pairs`; :mod:`.polar_bound` for softmax). What is
*estimated* takes the best neuron found for the polar (:mod:`.polar`).

For deep networks the proof is one over all widths at the same depth and activation; an
estimate there is none.
"""

from dataclasses import dataclass

import numpy as np

from .amplitudes import optimal_amplitudes
from .duality import deep_bound, shallow_bound
from .plane import plane_neuron, plane_polar
from .polar import Neuron, search
from .polar_bound import SLOPES, Points, polar_bound, product_range
from .relaxation import Plan, optimise
from .relaxation_pairs import PairPlan
from .spread import isotropic, tighten


@dataclass(frozen=True)
class Bounds:
    """What is known of the objective of networks of any width.

    Attributes
    ----------
    objective, loss, penalty : float
        Of the given network.
    proven : float
        No network of any width, same depth and activation, has a smaller objective.
    pointwise : float
        The part of it that holds for every function: equal rows, different labels.
    estimated : float
        What ``proven`` could be if there were no better neuron than the one found;
        NaN for deep networks.
    neuron : Neuron or None
        The best one found: it lowers the objective if its polar is above alpha.
    polar_below : float
        Polar of the network's own residuals as far as it was found; NaN if not looked
        for.
    attained : float
        The least objective that is known of: that of the network, or of the one with
        optimal amplitudes and a few neurons more.
    """

    objective: float
    loss: float
    penalty: float
    proven: float
    pointwise: float
    estimated: float
    neuron: Neuron | None
    polar_below: float
    attained: float


@dataclass(frozen=True)
class Effort:
    """How much work.

    Attributes
    ----------
    n_neighbours : int
        Of each row, in a plan.
    stages : tuple of (power, iterations)
        See :func:`.relaxation.optimise`.
    n_tighten : int
        Steps of W at the end.
    n_units, n_random, n_steps : int
        Ascents from units and random directions, and evaluations of each.
    amplitudes : int
        Iterations of the convex amplitudes; 0 leaves them out.
    n_rounds : int
        Plans for softmax.
    arcs : (tolerance, number)
        For one and two features.
    n_grown : int
        Rounds of neurons added.
    """

    n_neighbours: int
    stages: tuple
    n_tighten: int
    n_units: int
    n_random: int
    amplitudes: int
    n_rounds: int
    arcs: tuple
    n_grown: int
    n_steps: int


def effort_of(effort):
    """Numbers for an effort: 0 is what a fit does by the way, 1 what certify does."""
    if effort <= 0:
        return Effort(5, ((30.0, 8),), 3, 1, 2, 0, 1, (1e-2, 500), 0, 60)
    stages = ((30.0, 150), (100.0, 150), (300.0, 120))
    stages = tuple((p, max(int(n * effort), 10)) for p, n in stages)
    ascents = max(int(12 * effort), 2)
    return Effort(
        20,
        stages,
        40,
        ascents,
        ascents,
        200,
        max(int(12 * effort), 3),
        (1e-3, 20_000),
        3,
        200,
    )


def prove(dual, x, residuals, activation, alpha, n_hidden, effort, pointwise, reached):
    """Proven lower bound of the objective, from residuals (K, n) to start from.

    Parameters
    ----------
    dual : Dual
    x : ndarray or CSR of shape (n, d)
    residuals : ndarray of shape (K, n)
        Balanced.
    activation : str
    alpha : float
    n_hidden : int
    effort : Effort
    pointwise : ndarray of shape (K, n) or None
    reached : float
        Objective of the given network.
    """
    points = Points(x, residuals)
    if not len(points.used):
        return -np.inf
    slopes = product_range(activation, n_hidden)
    slope = max(abs(v) for v in slopes)

    def bound(r, polar):
        factor = alpha / polar if polar > 0 else 1.0
        scaled = factor * r
        polar = factor * polar * (1.0 + 1e-14)
        if n_hidden == 1:
            return shallow_bound(dual, scaled, polar, alpha, pointwise)[0]
        return deep_bound(dual, scaled, polar, alpha, n_hidden, pointwise, reached)

    if activation == "relu" and n_hidden == 1 and points.x.shape[1] <= 2:
        return bound(residuals, plane_polar(points, points.residuals, *effort.arcs)[0])
    some = dual.take(points.used)
    if points.radius == 0 or some.smooth(points.residuals) is None:
        found = polar_bound(
            x, residuals, activation, n_hidden, effort.n_rounds, effort.n_tighten
        )
        return bound(residuals, found.value)
    x = points.x / points.radius
    near = alpha / points.radius
    if SLOPES[activation][2] and n_hidden == 1 and len(residuals) == 1:
        plan = Plan(some, x, points.residuals[0], near, effort.n_neighbours)
    else:
        near = near * _typical(reached, alpha, n_hidden)
        plan = PairPlan(some, x, points.residuals, near, effort.n_neighbours, slopes)
    stages = [
        (p, _affordable(n, len(plan.start) * x.shape[1])) for p, n in effort.stages
    ]
    z = optimise(
        plan, stages, max(abs(plan.value_and_gradient(plan.start, 30.0)[0]), 1e-300)
    )
    r, spreads = plan.proof(z)
    polar = 0.0
    for spread in spreads:
        start = isotropic(x.shape[1])[0]
        polar = max(polar, tighten(spread, start, effort.n_tighten)[0])
    n_terms = max(spread.n_terms for spread in spreads)
    polar = polar * points.radius * (1.0 + 1e-14)
    polar += points.slack(r, slope, 0.0, n_terms)
    whole = np.zeros(residuals.shape)
    whole[:, points.used] = r
    return bound(whole, polar)


def _typical(penalty, alpha, n_hidden):
    """pen'(T) / alpha where the penalty is about ``penalty``: 1 for one layer."""
    order = n_hidden + 1.0
    size = (2.0 * penalty / (alpha * order)) ** (0.5 * order)
    return max(size, 1e-300) ** (2.0 / order - 1.0)


def _affordable(n_iterations, work):
    """Fewer iterations where each one is long."""
    return int(
        np.clip(n_iterations * 4e6 / max(work, 1), min(n_iterations, 10), n_iterations)
    )


def bounds(
    dual, x, raw, activation, alpha, coefs, intercepts, effort=1, rng=None, group=None
):
    """Lower bounds of the objective at a network, and the neuron that is missed most.

    Parameters
    ----------
    dual : Dual
        The loss on the rows.
    x : ndarray or CSR of shape (n, d)
    raw : ndarray of shape (n, K)
        Raw predictions of the network.
    activation : str
    alpha : float, positive
    coefs, intercepts : lists of ndarrays
        Of the network, as in scikit-learn.
    effort : float, default=1
        0 is what a fit does by the way.
    rng : numpy.random.Generator, optional
        Of the random starts.
    group : ndarray of shape (n,), optional
        Number of the group of identical rows, ascending.

    Returns
    -------
    bounds : Bounds
    """
    effort = effort_of(effort)
    rng = np.random.default_rng(0) if rng is None else rng
    loss, gradient = dual.loss_and_gradient(
        np.ascontiguousarray(raw.T, dtype=np.float64)
    )
    penalty = 0.5 * alpha * sum(float((w.astype(np.float64) ** 2).sum()) for w in coefs)
    objective, n_hidden = loss + penalty, len(coefs) - 1
    pointwise = None if group is None else dual.pointwise(group)
    proven = 0.0 if pointwise is None else max(dual.value(pointwise), 0.0)
    least = proven
    neuron, estimated = None, np.nan
    residuals = dual.balance(gradient)
    flat = activation == "relu" and n_hidden == 1 and x.shape[1] <= 2

    def look(residuals):
        """The best neuron, and what the bound is if there is no better one."""
        if flat:
            found = plane_neuron(x, residuals, *effort.arcs)
        else:
            units = coefs[0].T.astype(np.float64), intercepts[0].astype(np.float64)
            numbers = effort.n_units, effort.n_random, effort.n_steps
            found = search(x, residuals, activation, *units, rng, *numbers)
        polar = max(found.polar, 1e-300)
        return found, shallow_bound(dual, residuals, polar, alpha, pointwise)[0]

    if n_hidden == 1:
        neuron, estimated = look(residuals)
    starts, attained = [residuals], objective
    if effort.amplitudes and n_hidden == 1:
        better = optimal_amplitudes(
            dual,
            x,
            activation,
            coefs,
            intercepts,
            alpha,
            effort.amplitudes,
            effort.n_grown * (3 if x.shape[1] <= 2 else 1),
            effort.n_units,
            rng,
        )
        attained = min(attained, better.objective)
        starts = [dual.balance(better.residuals)]
        estimated = max(estimated, look(starts[0])[1])
    if n_hidden >= 1:
        reached = objective if n_hidden == 1 else max(penalty, 1e-300)
        for start in starts:
            args = activation, alpha, n_hidden, effort, pointwise, reached
            proven = max(proven, prove(dual, x, start, *args))
    return Bounds(
        objective,
        loss,
        penalty,
        proven,
        least,
        max(estimated, proven) if np.isfinite(estimated) else estimated,
        neuron,
        np.nan if neuron is None else neuron.polar,
        attained,
    )
