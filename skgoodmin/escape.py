"""Training: starts, the joint training of the paper, and the scout.

The scout makes the theorem constructive. At a theta that is not globally optimal some
special neuron has a first-order effect; the scout looks for a strong one,

    maximise  sum_k (sum_i r_ki e_i)^2 / sum_i s_i e_i^2,   e_i = exp(u.z_i),

over directions u with |u_j| <= 3, where z are the standardised features. It is the
squared cosine between the neuron and the residuals up to a factor, and the decrease
that the neuron can buy is proportional to it.
"""

import copy
from dataclasses import dataclass, replace

import numpy as np
from joblib import Parallel, delayed

from .certificate import (
    Certificate,
    certify,
    data_loss,
    make_witness,
    raw_predictions,
)
from .objective import AugmentedObjective
from .solver import Exit, Solution, minimize
from .special_neuron import random_neuron
from .threads import fit_threads
from .validation import HeldOut

# The neuron's exponent on the training rows stays below this in joint training: where
# no local minimum exists, descent would send it to infinity.
LARGEST_EXPONENT = 10.0
SCOUT_BOX = 3.0


@dataclass(frozen=True)
class Budget:
    """How much work a training may do."""

    max_iter: int  # iterations of one run of the solver
    max_fun: int  # evaluations of all runs together
    tol: float  # largest component of the gradient


@dataclass(frozen=True)
class Training:
    """What a training ends with."""

    theta: np.ndarray  # (n_parameters,)
    best: Solution
    init_losses: np.ndarray  # (n_starts,) objective that each start reached
    best_init: int
    n_fun: int
    n_escapes: int
    neuron: np.ndarray  # (n_features + 1 + n_outputs,) w, b, a; NaN without a neuron
    certificate: Certificate
    held_out: HeldOut | None  # validation of the best start


class Scout:
    """Objective of the scout, for :func:`~skgoodmin.solver.minimize`.

    Parameters
    ----------
    z : ndarray of shape (n, n_features)
        Standardised features.
    residuals : ndarray of shape (n_outputs, n)
    shares : ndarray of shape (n,)
    """

    def __init__(self, z, residuals, shares):
        self.z, self.shares = z, shares
        size = np.sqrt((residuals**2 / shares).sum())
        self.residuals = residuals / size if size > 0 else residuals

    def value_and_gradient(self, u):
        """Minus the quotient, and its gradient by u."""
        exponent = self.z @ u
        e = np.exp(exponent - exponent.max())
        g = self.residuals @ e
        square = self.shares @ (e * e)
        value = (g @ g) / square
        by_e = 2.0 * ((g @ self.residuals) - value * self.shares * e) / square
        return -value, -((by_e * e) @ self.z)


def scout(data, residuals, shares, rng, n_tries=3, max_iter=15):
    """Directions in which a special neuron lowers the loss, the best first.

    Parameters
    ----------
    data : ndarray or CSR array of shape (n, n_features)
        What the neuron sees.
    residuals : ndarray of shape (n_outputs, n)
        Derivative of the loss by each raw prediction.
    shares : ndarray of shape (n,)
        Weights of the rows, of sum 1.
    rng : numpy.random.RandomState
    n_tries, max_iter : int
        Random directions to start from, iterations from each.

    Returns
    -------
    directions : list of ndarray of shape (n_features,)
        In units of the features as they are.
    n_evaluations : int
    """
    mean, scale = weighted_moments(data, shares)
    if hasattr(data, "toarray"):
        # Directions only: centring shifts all exponents alike and cancels.
        z = data.multiply(1.0 / scale).tocsr()
    else:
        z = (data - mean) / scale
    problem = Scout(z, residuals, shares)
    found, n_evaluations = [], 0
    bounds = np.tile([-SCOUT_BOX, SCOUT_BOX], (data.shape[1], 1))
    for _ in range(n_tries):
        u = rng.normal(size=data.shape[1])
        u *= 1.5 / max(np.sqrt(u @ u), 1e-12)
        solution = minimize(
            problem, u, max_iter=max_iter, max_fun=2 * max_iter, tol=1e-9, bounds=bounds
        )
        n_evaluations += solution.n_fun
        found.append((solution.value, solution.theta / scale))
    return [w for _, w in sorted(found, key=lambda pair: pair[0])], n_evaluations


def weighted_moments(data, shares):
    """Mean and standard deviation of the columns; 1 in place of a deviation of 0."""
    if hasattr(data, "toarray"):
        mean = shares @ data
        square = shares @ data.multiply(data)
    else:
        mean, square = shares @ data, shares @ (data * data)
    deviation = np.sqrt(np.maximum(square - mean * mean, 0.0))
    return mean, np.where(deviation > 1e-8 * np.sqrt(square), deviation, 1.0)


def find_witness(objective, theta, rng, neuron_alpha):
    """The witness of the best scouted direction, or None."""
    _, residuals = data_loss(objective, raw_predictions(objective, theta))
    if not np.isfinite(residuals).all() or not residuals.any():
        return None
    directions, _ = scout(objective.data.block(), residuals, objective.shares, rng)
    for w in directions:
        witness = make_witness(objective, theta, w, neuron_alpha)
        if witness is not None:
            return witness
    return None


def train_joint(objective, theta0, rng, neuron_alpha, budget):
    """Train J~ as the paper has it, drop the neuron, polish theta.

    Returns
    -------
    solution : Solution
        Of the polish, with the evaluations of both runs.
    neuron : ndarray
        (w, b, a) before it was dropped.
    contribution : float
        max_i |a exp(w.x_i + b)| before it was dropped.
    """
    augmented = AugmentedObjective(objective, neuron_alpha)
    n_theta, n_features = objective.n_parameters, objective.layout.sizes[0]
    start = np.concatenate(
        [theta0, random_neuron(rng, n_features, objective.layout.sizes[-1])]
    )
    bounds = np.tile([-np.inf, np.inf], (len(start), 1))
    bounds[n_theta + n_features, 1] = LARGEST_EXPONENT
    first = minimize(
        augmented,
        start,
        max_iter=budget.max_iter,
        max_fun=budget.max_fun,
        tol=budget.tol,
        bounds=bounds,
    )
    neuron = first.theta[n_theta:].copy()
    contribution = float(
        np.exp(neuron[n_features]) * np.abs(neuron[n_features + 1 :]).max()
    )
    neuron[n_features] -= augmented.largest_exponent(neuron[:n_features])[0]
    polish = minimize(
        objective,
        first.theta[:n_theta],
        max_iter=budget.max_iter,
        max_fun=max(budget.max_fun - first.n_fun, 1),
        tol=budget.tol,
    )
    polish = replace(polish, n_fun=first.n_fun + polish.n_fun)
    return polish, neuron, contribution


def _run(objective, theta0, seed, joint, neuron_alpha, budget, held_out, verbose):
    """One start; top level so that joblib can send it to a worker."""
    with fit_threads() as shared_map:
        objective = replace(objective, map=shared_map)
        if joint:
            rng = np.random.RandomState(seed)
            return *train_joint(objective, theta0, rng, neuron_alpha, budget), None
        held_out = copy.deepcopy(held_out)

        def after_iteration(run):
            stop = held_out is not None and held_out(run.theta)
            if verbose:
                score = f", validation {held_out.scores[-1]:.4f}" if held_out else ""
                print(f"Iteration {run.n_iter}: objective {run.value:.8g}{score}")
            return stop

        solution = minimize(
            objective,
            theta0,
            max_iter=budget.max_iter,
            max_fun=budget.max_fun,
            tol=budget.tol,
            callback=after_iteration if verbose or held_out else None,
        )
        if held_out and held_out.best_theta is not None:
            theta = held_out.best_theta
            value, gradient = objective.value_and_gradient(theta)
            norm = float(np.abs(gradient).max())
            solution = replace(solution, theta=theta, value=value, grad_norm=norm)
        return solution, None, 0.0, held_out


def train(
    objective,
    starts,
    rng,
    budget,
    *,
    special_neuron=True,
    joint=False,
    neuron_alpha=1.0,
    n_jobs=None,
    held_out=None,
    verbose=False,
):
    """Train from every start and keep the best.

    Parameters
    ----------
    objective : Objective
    starts : list of ndarray of shape (n_parameters,)
    rng : numpy.random.RandomState
    budget : Budget
        ``max_fun`` is shared out evenly among the starts.
    special_neuron : bool
        False: no neuron, no scout, no witness.
    joint : bool
        Train J~ instead of J, then drop the neuron.
    neuron_alpha : float
        lambda.
    n_jobs : int or None
        Starts that run at once, as in joblib. The result does not depend on it.
    held_out : HeldOut, optional
        Stops each start early; the start with the best validation score is kept.
    verbose : bool
        Print the objective after each iteration.

    Returns
    -------
    training : Training
    """
    seeds = rng.randint(np.iinfo(np.int32).max, size=len(starts))
    share = replace(budget, max_fun=max(budget.max_fun // len(starts), 1))
    runs = Parallel(n_jobs=n_jobs)(
        delayed(_run)(
            objective, theta0, seed, joint, neuron_alpha, share, held_out, verbose
        )
        for theta0, seed in zip(starts, seeds, strict=True)
    )
    losses = np.array([run[0].value for run in runs])
    ranks = [run[0].value if run[3] is None else -run[3].best_score for run in runs]
    best = int(np.argmin(np.where(np.isnan(ranks), np.inf, ranks)))
    solution, neuron, contribution, held_out = runs[best]
    if solution.exit is Exit.OVERFLOW:
        raise OverflowError(solution.exit.value)
    # What prediction will use: in float32 the parameters are rounded.
    theta = solution.theta.astype(objective.data.dtype).astype(np.float64)
    witness = None
    if special_neuron:
        witness = find_witness(objective, theta, rng, neuron_alpha)
    certificate = certify(objective, theta, solution, witness, contribution)
    if neuron is None:
        neuron = np.full(objective.n_neuron, np.nan)
    return Training(
        theta,
        solution,
        losses,
        best,
        sum(run[0].n_fun for run in runs),
        0,
        neuron,
        certificate,
        held_out,
    )
