"""Bounds of the objective with weight decay, over networks of every width.

    objective = mean loss + alpha/2 (sum of the squared weights)

What is *proven* needs a dual point and a bound of its polar from above: for relu on one
or two features :mod:`.plane`, else :mod:`.relaxation` (one output, one hidden layer,
relu or softplus) or :mod:`.relaxation_pairs`, and for softmax :mod:`.polar_bound`. What
is *estimated* takes the best neuron found for the polar (:mod:`.polar`).

For deep networks the proof is one over all widths at the same depth and activation; an
estimate there is none.
"""

from dataclasses import replace

import numpy as np

from .amplitudes import optimal_amplitudes
from .ascents import check_dense
from .duality import linear_bound
from .polar_bound import central_bound, polar_bound, product_range
from .problem import Bounds
from .relaxation import Plan, optimise
from .relaxation_pairs import PairPlan
from .spread import EPS, tighten

# Squares of what is smaller underflow, and those of what is larger than its inverse
# overflow: a norm of 0 would prove anything.
LEAST = 1e-100
NEARBY = 1.25  # times the polar that counts: of a bound further above others prove more


def dual_point(dual, residuals):
    """A balanced dual point near the residuals (K, n), of a size that can be squared.

    Polars are homogeneous: a tiny point is multiplied by a power of two and balanced
    again. A loss without ``smooth`` has a domain that this might leave: it gets 0.
    """
    residuals = dual.balance(residuals)
    peak = abs(residuals).max(initial=0.0)
    if peak >= LEAST or peak == 0.0:
        return residuals
    if dual.smooth(residuals) is None:
        return np.zeros_like(residuals)
    return dual.balance(np.ldexp(residuals, -np.frexp(peak)[1]))


def measurable(x, alpha):
    """Whether squares of the data are numbers, and products with alpha."""
    largest = float(abs(x).max())  # single precision has no 1e100
    return alpha >= LEAST and (largest == 0.0 or LEAST <= largest <= 1.0 / LEAST)


def moments_of(points):
    """At least ||X^T R||_F for the exactly balanced R: rows are centred, it is no less.

    points : Points
    """
    products = points.x.T @ points.residuals.T
    size = abs(points.x).T @ abs(points.residuals.T)
    n_terms = sum(points.x.shape)
    rounding = 4 * EPS * (n_terms + 8) * np.linalg.norm(size)
    return float(np.linalg.norm(products) + rounding) + points.slack(
        points.residuals, 1.0
    )


def prove(problem, residuals, effort):
    """Proven lower bound of the objective, from residuals (K, n) to start from.

    Parameters
    ----------
    problem : Problem
    residuals : ndarray of shape (K, n)
        Balanced.
    effort : Effort
    """
    points, n_hidden = problem.points(residuals), problem.n_hidden
    if not len(points.used):
        return -np.inf
    slopes = product_range(problem.activation, n_hidden)
    n_steps = effort.steps(points.x.shape[1])
    known = central_bound(points, slopes, n_steps, NEARBY * problem.slope)
    best = problem.bound(residuals, known)
    dual = problem.dual.take(points.used)
    if points.radius == 0 or dual.smooth(points.residuals) is None:
        numbers = effort.n_rounds, n_steps, effort.largest
        found = polar_bound(points, problem.activation, n_hidden, *numbers)
        return max(best, problem.bound(residuals, found))
    # The solver sees rows of size 1.
    args = dual, points.x / points.radius
    near = problem.slope / points.radius
    if problem.activation.convex and n_hidden == 1 and len(residuals) == 1:
        plan: Plan | PairPlan = Plan(
            *args, points.residuals[0], near, effort.n_neighbours
        )
    else:
        plan = PairPlan(*args, points.residuals, near, effort.n_neighbours, slopes)
    sizes = plan.n_variables, points.x.shape[1], len(residuals)
    r, spreads = plan.proof(optimise(plan, effort.affordable(*sizes)))
    polar = max(tighten(spread, n_steps)[0] for spread in spreads)
    polar = polar * points.radius * (1.0 + 1e-14)
    n_terms = max(spread.n_terms for spread in spreads)
    polar += points.slack(r, max(abs(v) for v in slopes), 0.0, n_terms)
    whole = np.zeros(residuals.shape)
    whole[:, points.used] = r
    # Of millions of pairs sums are wrong by more than a few units in the last place.
    # What that is to the polar is in the slack.
    return max(best, problem.bound(problem.dual.rebalance(whole), polar))


def bounds(problem, effort, span=None):
    """Lower bounds of the objective at a network, and the neuron that is missed most.

    Parameters
    ----------
    problem : Problem
    effort : Effort
    span : Span, optional
        Of wide x: what takes time is done on the coordinates.

    Returns
    -------
    bounds : Bounds

    Raises
    ------
    ValueError
        If rows are sparse, and too large for a dense copy.
    """
    if span is not None:
        problem = problem.on_coordinates(span)
    check_dense(problem.x, "an effort above 0", "effort=0")
    found = Bounds(-np.inf)
    if measurable(problem.x, problem.alpha):
        found = of_networks(problem, effort)
    neuron = found.neuron
    if span is not None and neuron is not None:
        neuron = replace(neuron, coef=span.lift(neuron.coef))
    proven = max(problem.least, found.proven)
    return Bounds(float(proven), float(np.maximum(found.estimated, proven)), neuron)


def of_networks(problem, effort):
    """The :class:`Bounds` from the residuals of the network, and from better ones.

    Estimate and neuron are those of one hidden layer.
    """
    dual, rng = problem.dual, np.random.default_rng(0)  # the same data, the same bounds
    residuals = dual_point(dual, problem.residuals)
    if problem.n_hidden == 0:
        moments = moments_of(problem.points(residuals))
        args = residuals, moments, problem.alpha, problem.pointwise
        return Bounds(linear_bound(dual, *args))
    found = Bounds(-np.inf)
    if problem.n_hidden == 1:
        found = problem.look(residuals, effort, rng)
        if effort.amplitudes:
            better = optimal_amplitudes(problem, effort, rng)
            residuals = dual_point(dual, better.residuals)
            again = problem.look(residuals, effort, rng)
            found = Bounds(
                max(found.proven, again.proven),
                max(found.estimated, again.estimated),
                found.neuron,
            )
    if problem.in_the_plane:
        return found
    proven = prove(problem, residuals, effort)
    return found._replace(proven=max(found.proven, proven))
