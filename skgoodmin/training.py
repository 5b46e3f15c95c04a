"""Training: the starts, one of the two ways to train, and the certificate."""

import copy
from dataclasses import dataclass, replace

import numpy as np

from .certificate import Certificate, certify
from .escape import finish, search
from .joint import train_joint
from .scout import find_witness
from .solver import Exit, Run, Solution
from .threads import fit_threads
from .validation import HeldOut


@dataclass(frozen=True)
class Training:
    """What a training ends with."""

    theta: np.ndarray  # (n_parameters,)
    best: Solution
    init_losses: np.ndarray  # (starts begun,) objective that each start reached
    best_init: int
    n_fun: int
    n_escapes: int
    neuron: tuple | None  # (w, b, a) before it was dropped, if it was trained
    certificate: Certificate
    held_out: HeldOut | None  # validation of the best start


@dataclass(frozen=True)
class _Outcome:
    """What one way to train ends with, before the certificate."""

    solution: Solution
    losses: list  # objective that each start reached
    best: int
    n_fun: float
    n_escapes: int = 0
    escapes_spent: bool = False
    neuron: tuple | None = None
    contribution: float = 0.0
    held_out: HeldOut | None = None


def train(
    objective,
    starts,
    rng,
    budget,
    *,
    special_neuron=True,
    augmented=None,
    neuron_alpha=1.0,
    n_jobs=None,
    held_out=None,
    verbose=False,
):
    """Train from the starts, keep the best, and certify it.

    Parameters
    ----------
    objective : Objective
    starts : list of ndarray of shape (n_parameters,)
    rng : numpy.random.RandomState
    budget : Budget
    special_neuron : bool
        False: no neuron, no escape, no witness.
    augmented : AugmentedObjective or PerLayerObjective, optional
        J~ of the objective: train it instead, then drop the neuron.
    neuron_alpha : float
        lambda of the witness.
    n_jobs : int or None
        Starts that run at once, in threads. The result does not depend on it.
    held_out : HeldOut, optional
        Stops each start early, without escapes; the start with the best validation
        score is kept.
    verbose : bool
        Print the objective after each iteration.

    Returns
    -------
    training : Training
    """
    with fit_threads() as shared_map:
        objective = replace(objective, map=shared_map)
        if augmented is not None:
            augmented = replace(augmented, plain=objective)
            outcome = _train_jointly(augmented, starts, rng, budget)
        elif held_out is not None:
            outcome = _train_held_out(objective, starts, held_out, budget, verbose)
        else:
            if not special_neuron:
                budget = replace(budget, max_escapes=0)
            outcome = _escape(objective, starts, rng, budget, n_jobs, verbose)
        solution = outcome.solution
        if solution.exit is Exit.OVERFLOW:
            raise OverflowError(solution.exit.value)
        # What prediction will use: in float32 the parameters are rounded.
        theta = solution.theta.astype(objective.data.dtype).astype(np.float64)
        witness = None
        if special_neuron:
            witness = find_witness(objective, theta, rng, neuron_alpha)
        certificate = certify(
            objective,
            theta,
            solution,
            witness,
            outcome.contribution,
            outcome.escapes_spent,
        )
    return Training(
        theta,
        solution,
        np.array(outcome.losses),
        outcome.best,
        int(np.ceil(outcome.n_fun)),
        outcome.n_escapes,
        outcome.neuron,
        certificate,
        outcome.held_out,
    )


def _escape(objective, starts, rng, budget, n_jobs, verbose):
    """Search, then bring the best climb to its end."""
    report = _report if verbose else None
    climb, losses, n_fun = search(objective, starts, rng, budget, n_jobs, report)
    before = climb.spent
    climb.polish(before + budget.max_fun - n_fun)
    solution, n_fun = climb.solution(), n_fun + climb.spent - before
    if climb.won:
        theta, n_fun = finish(objective, solution.theta), n_fun + 2
        value, gradient = objective.value_and_gradient(theta)
        if value <= solution.value:
            curve = np.append(solution.curve, value)
            solution = replace(
                solution,
                theta=theta,
                value=value,
                grad_norm=float(np.abs(gradient).max()),
                exit=Exit.CONVERGED,
                n_iter=len(curve) - 1,
                curve=curve,
            )
    losses[climb.number] = solution.value
    spent = climb.n_grafts >= budget.max_escapes
    return _Outcome(solution, losses, climb.number, n_fun, climb.n_escapes, spent)


def _report(climb, run):
    """Print one iteration."""
    escape = f"escape {climb.n_grafts}, " if run is not climb.first else ""
    print(
        f"Start {climb.number}, {escape}iteration {run.n_iter}: "
        f"objective {run.value:.8g}"
    )


def _shared(budget, starts):
    """The budget of each of several starts."""
    return replace(budget, max_fun=max(budget.max_fun // len(starts), 1))


def _train_jointly(augmented, starts, rng, budget):
    """Joint training from every start; the smallest objective is kept."""
    share = _shared(budget, starts)
    runs = [train_joint(augmented, start, rng, share) for start in starts]
    losses = [solution.value for solution, _ in runs]
    best = int(np.argmin(np.where(np.isnan(losses), np.inf, losses)))
    solution, parameters = runs[best]
    return _Outcome(
        solution,
        losses,
        best,
        sum(solution.n_fun for solution, _ in runs),
        neuron=augmented.neuron(parameters),
        contribution=augmented.contribution(parameters),
    )


def _train_held_out(objective, starts, held_out, budget, verbose):
    """Early stopping of every start; the best validation score is kept."""
    runs = []
    for theta0 in starts:
        watch = copy.deepcopy(held_out)

        def after_iteration(run, watch=watch):
            stop = watch(run.theta)
            if verbose:
                print(
                    f"Iteration {run.n_iter}: objective {run.value:.8g}, "
                    f"validation {watch.scores[-1]:.4f}"
                )
            return stop

        run = Run(objective, theta0, budget.tol)
        share = _shared(budget, starts)
        run.advance(share.max_iter, share.max_fun, after_iteration)
        solution = run.solution()
        if watch.best_theta is not None:
            theta = watch.best_theta
            value, gradient = objective.value_and_gradient(theta)
            norm = float(np.abs(gradient).max())
            solution = replace(solution, theta=theta, value=value, grad_norm=norm)
        runs.append((solution, watch))
    best = int(np.argmax([watch.best_score for _, watch in runs]))
    losses = [solution.value for solution, _ in runs]
    n_fun = sum(solution.n_fun for solution, _ in runs)
    return _Outcome(runs[best][0], losses, best, n_fun, held_out=runs[best][1])
