"""Joint training: J~ as the paper has it.

All parameters (theta, w, beta, a) together, then the neuron is dropped and theta goes
on alone. Where no local minimum of J~ exists the descent would run to beta = infinity,
so beta is bounded (of the monomial neuron, w and b). Measurably worse than no neuron;
it is here to be compared with.
"""

from dataclasses import replace

import numpy as np

from .objective import AugmentedObjective
from .solver import minimize
from .special_neuron import (
    RANK_ROWS,
    general_degree,
    random_neuron,
    sufficient_degree,
)

# The neuron's exponent on the training rows stays below this in joint training.
LARGEST_EXPONENT = 10.0
LARGEST_WEIGHT = 10.0  # of a monomial neuron


def degree_that_suffices(data):
    """Smallest degree of a monomial neuron for the theorem to hold on ``data``.

    Of more than ``RANK_ROWS`` distinct rows it is that of rows in general position.
    """
    distinct = data.take(np.flatnonzero(data.opens_group))
    if distinct.n_rows > RANK_ROWS:
        return general_degree(distinct.n_rows, data.n_features)
    rows = distinct.block()
    return sufficient_degree(rows if isinstance(rows, np.ndarray) else rows.toarray())


def train_joint(objective, theta0, rng, neuron_alpha, budget, degree=0):
    """Train J~ as the paper has it, drop the neuron, polish theta.

    Returns
    -------
    solution : Solution
        Of the polish, with the evaluations of both runs.
    neuron : ndarray
        (w, b, a) before it was dropped.
    contribution : float
        max_i |a exp(w.x_i + b)| before it was dropped, or max_i |a (w.x_i + b)^p|.
    """
    augmented = AugmentedObjective(objective, neuron_alpha, degree)
    n_theta, n_features = objective.n_parameters, objective.layout.sizes[0]
    start = np.concatenate(
        [theta0, random_neuron(rng, n_features, objective.layout.sizes[-1])]
    )
    bounds = np.tile([-np.inf, np.inf], (len(start), 1))
    if degree == 0:
        bounds[n_theta + n_features, 1] = LARGEST_EXPONENT
    else:
        bounds[n_theta : n_theta + n_features + 1] = [-LARGEST_WEIGHT, LARGEST_WEIGHT]
    first = minimize(
        augmented,
        start,
        max_iter=budget.max_iter,
        max_fun=budget.max_fun,
        tol=budget.tol,
        bounds=bounds,
    )
    neuron = first.theta[n_theta:].copy()
    w, amplitude = neuron[:n_features], np.abs(neuron[n_features + 1 :]).max()
    if degree == 0:
        contribution = float(np.exp(neuron[n_features]) * amplitude)
        neuron[n_features] -= augmented.largest_exponent(w)[0]
    else:
        largest = np.abs(objective.data.dot(w) + neuron[n_features]).max()
        contribution = float(largest**degree * amplitude)
    polish = minimize(
        objective,
        first.theta[:n_theta],
        max_iter=budget.max_iter,
        max_fun=max(budget.max_fun - first.n_fun, 1),
        tol=budget.tol,
    )
    polish = replace(polish, n_fun=first.n_fun + polish.n_fun)
    return polish, neuron, contribution
