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
    neuron: np.ndarray  # (n_features + 1 + n_outputs,) w, b, a; NaN without a neuron
    certificate: Certificate
    held_out: HeldOut | None  # validation of the best start


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
    """Train from the starts, keep the best, and certify it.

    Parameters
    ----------
    objective : Objective
    starts : list of ndarray of shape (n_parameters,)
    rng : numpy.random.RandomState
    budget : Budget
    special_neuron : bool
        False: no neuron, no escape, no witness.
    joint : bool
        Train J~ instead of J, then drop the neuron.
    neuron_alpha : float
        lambda.
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
    neuron, contribution, n_escapes = np.full(objective.n_neuron, np.nan), 0.0, 0
    escapes_spent = False
    if not special_neuron:
        budget = replace(budget, max_escapes=0)
    with fit_threads() as shared_map:
        objective = replace(objective, map=shared_map)
        if joint or held_out is not None:
            share = replace(budget, max_fun=max(budget.max_fun // len(starts), 1))
            if joint:
                runs = [_joint(objective, s, rng, neuron_alpha, share) for s in starts]
            else:
                runs = [
                    _held_out(objective, s, held_out, share, verbose) for s in starts
                ]
            best = int(np.argmin([run[0] for run in runs]))
            _, solution, extra = runs[best]
            losses = [run[1].value for run in runs]
            n_fun = sum(run[1].n_fun for run in runs)
            if joint:
                neuron, contribution = extra
            else:
                held_out = extra
        else:
            climb, losses, n_fun = search(
                objective, starts, rng, budget, n_jobs, _report if verbose else None
            )
            solution, extra_fun = _polished(objective, climb, budget.max_fun - n_fun)
            best, n_escapes = climb.number, climb.n_escapes
            escapes_spent = climb.n_grafts >= budget.max_escapes
            losses[best], n_fun = solution.value, n_fun + extra_fun
        if solution.exit is Exit.OVERFLOW:
            raise OverflowError(solution.exit.value)
        # What prediction will use: in float32 the parameters are rounded.
        theta = solution.theta.astype(objective.data.dtype).astype(np.float64)
        witness = None
        if special_neuron:
            witness = find_witness(objective, theta, rng, neuron_alpha)
        certificate = certify(
            objective, theta, solution, witness, contribution, escapes_spent
        )
    return Training(
        theta,
        solution,
        np.array(losses),
        best,
        int(np.ceil(n_fun)),
        n_escapes,
        neuron,
        certificate,
        held_out,
    )


def _polished(objective, climb, max_fun):
    """(solution, evaluations) of the best climb, brought to its end."""
    if climb.won:
        theta = finish(objective, climb.run.theta)
        value, gradient = objective.value_and_gradient(theta)
        if value <= climb.run.value:
            curve = np.append(climb.solution().curve, value)
            norm = float(np.abs(gradient).max())
            done = replace(climb.solution(), theta=theta, value=value, grad_norm=norm)
            exit = Exit.CONVERGED
            return replace(done, exit=exit, curve=curve, n_iter=len(curve) - 1), 2
    before = climb.spent
    climb.polish(before + max_fun)
    return climb.solution(), climb.spent - before


def _report(climb, run):
    """Print one iteration."""
    escape = f"escape {climb.n_grafts}, " if run is not climb.first else ""
    print(
        f"Start {climb.number}, {escape}iteration {run.n_iter}: "
        f"objective {run.value:.8g}"
    )


def _joint(objective, theta0, rng, neuron_alpha, budget):
    """(rank, solution, (neuron, contribution)) of joint training from one start."""
    solution, *neuron = train_joint(objective, theta0, rng, neuron_alpha, budget)
    return _rank(solution.value), solution, neuron


def _held_out(objective, theta0, held_out, budget, verbose):
    """(rank, solution, held_out) of one start that the validation rows stop."""
    held_out = copy.deepcopy(held_out)

    def after_iteration(run):
        stop = held_out(run.theta)
        if verbose:
            print(
                f"Iteration {run.n_iter}: objective {run.value:.8g}, "
                f"validation {held_out.scores[-1]:.4f}"
            )
        return stop

    run = Run(objective, theta0, budget.tol)
    run.advance(budget.max_iter, budget.max_fun, after_iteration)
    solution = run.solution()
    if held_out.best_theta is not None:
        theta = held_out.best_theta
        value, gradient = objective.value_and_gradient(theta)
        norm = float(np.abs(gradient).max())
        solution = replace(solution, theta=theta, value=value, grad_norm=norm)
    return -held_out.best_score, solution, held_out


def _rank(value):
    return np.inf if np.isnan(value) else value
