"""Escape: starts, stalls, and the way on from there.

A run of L-BFGS *stalls* when the objective falls by less than a quarter over ten
iterations, or, where its floor is not known to be 0 (weight decay, log-loss), by less
than a thousandth. Where it stalls, a scouted unit is grafted into the network and
training goes on from there (:mod:`skgoodmin.scout`); a graft that has not paid by its
own stall is dropped. Stalled runs wait: of every three that wait at one level the best
one is resumed, with patience for twice as many iterations, and so is the best of all
when no start is left.

Without weight decay the hinge has a finish: once the mean loss is less than the share
of every single row, each row is on its right side, and scaling the output layer makes
the loss 0.
"""

import functools
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs

from .scout import graft, graft_cost
from .solver import Exit, Progress, Run
from .witness import raw_predictions

PATIENCE = 10  # iterations after which a run may stall
HEAT = 3  # runs that wait at one level before the best one is resumed
# Shares of the objective: what ten iterations and what a graft have to bring, where the
# objective may reach 0 and where it may not.
FALL, PAID = 0.25, 0.05
FALL_ABOVE_A_FLOOR, PAID_ABOVE_A_FLOOR = 0.001, 0.0


@dataclass(frozen=True)
class Budget:
    """How much work a training may do."""

    max_iter: int  # iterations of one run of the solver
    max_fun: int  # evaluations of all runs together
    tol: float  # largest component of the gradient
    max_escapes: int = 0  # grafts per start
    n_directions: int = 16  # that a scout tries; 1 grafts a random unit, the control
    every_layer: bool = False  # scouts look before every hidden layer


class Climb:
    """One start and what became of it: the present run, and those that grafts ended.

    ``spent`` counts evaluations, those that grafts and scouts are worth included;
    ``trace`` lists (escape, evaluations, objective) of all iterations.
    """

    def __init__(self, objective, theta0, budget, number, seed, on_iteration=None):
        self.objective, self.budget, self.number = objective, budget, number
        self.rng, self.on_iteration = np.random.RandomState(seed), on_iteration
        self.run = Run(objective, theta0, budget.tol)
        self.spent, self.won, self.level = float(self.run.n_fun), False, 0
        self.n_grafts, self.n_escapes, self.curves = 0, 0, []
        self.trace = [(0, self.spent, self.run.value)]
        self.escape = 0  # the one that the present run began with
        self.idle = False  # nothing was left to do, or no means for it
        self.fall, self.paid = FALL, PAID
        if not may_vanish(objective):
            self.fall, self.paid = FALL_ABOVE_A_FLOOR, PAID_ABOVE_A_FLOOR

    def go_on(self, max_fun):
        """To the next stall, and away from it as long as grafts pay."""
        before = self.spent
        self._climb_and_graft(max_fun)
        self.idle = self.spent == before

    def _climb_and_graft(self, max_fun):
        """One patience of the present run, then grafts until one does not pay."""
        self._climb(self.run, self.escape, PATIENCE * 2**self.level, max_fun)
        self.level += 1
        view = self.budget.n_directions, self.budget.every_layer
        while self.may_escape:
            cost = graft_cost(self.objective, *view)
            if self.spent + cost + 1 > max_fun:
                return
            self.n_grafts += 1
            try:
                with np.errstate(all="ignore"):
                    theta = graft(self.objective, self.run.theta, self.rng, *view)
            except np.linalg.LinAlgError:  # from features too large to be squared
                return
            if not np.isfinite(theta).all():
                return
            child = Run(self.objective, theta, self.budget.tol)
            self.spent += cost + child.n_fun
            self.trace.append((self.n_grafts, self.spent, child.value))
            self._climb(child, self.n_grafts, PATIENCE, max_fun)
            if not child.value < (1.0 - self.paid) * self.run.value and not self.won:
                return
            self.curves.append(self.run.curve)
            self.run, self.level, self.n_escapes = child, 1, self.n_escapes + 1
            self.escape = self.n_grafts

    def _climb(self, run, escape, window, max_fun):
        """Advance ``run`` until it stalls, wins, ends or its means do."""
        before, curve = run.n_fun - self.spent, run.curve
        limit = run.n_fun + max(int(max_fun - self.spent), 0)
        tell = None
        if self.on_iteration is not None:
            tell = functools.partial(self._tell, escape, before)
        while not self.won:
            self.won = is_separated(self.objective, run.value)
            stalled = run.n_iter >= window and (
                curve[-1 - window] - curve[-1] < self.fall * curve[-1 - window]
            )
            goal = min(run.n_iter + 1, self.budget.max_iter)
            if self.won or stalled or run.ended or goal == run.n_iter:
                break
            run.advance(goal, limit, tell)
            if run.n_iter == goal:
                self.trace.append((escape, run.n_fun - before, run.value))
            if run.exit is Exit.MAX_FUN:
                break
        self.spent = run.n_fun - before

    def polish(self, max_fun):
        """Go on to ``tol``, past all stalls."""
        self._climb(self.run, self.escape, np.inf, max_fun)

    def _tell(self, escape, before, run):
        n_fun = run.n_fun - before
        point = escape, run.n_iter, n_fun, run.value, run.theta
        return self.on_iteration(Progress(self.number, *point))

    @property
    def may_escape(self):
        """Whether a graft is left, and possible."""
        return (
            not self.won
            and self.n_grafts < self.budget.max_escapes
            and self.run.exit not in (Exit.OVERFLOW, Exit.STOPPED)
            and len(self.objective.layout.sizes) > 2
        )

    @property
    def may_go_on(self):
        """Whether there is anything left to try from here."""
        going = not self.run.ended and self.run.n_iter < self.budget.max_iter
        return not self.won and not self.idle and (going or self.may_escape)

    def solution(self):
        """The present point and run; the curve is of all runs that led there."""
        last = self.run.solution()
        return replace(last, curve=np.concatenate([*self.curves, last.curve]))


def search(objective, starts, rng, budget, n_jobs=None, on_iteration=None):
    """Climb from the starts, heat by heat, and resume what looks best.

    Parameters
    ----------
    objective : Objective
    starts : iterable of ndarray of shape (n_parameters,)
        It may be endless: ``budget.max_fun`` or a victory ends the search.
    rng : numpy.random.RandomState
    budget : Budget
    n_jobs : int or None
        Starts of a heat that run at once, in threads. The result does not depend on it.
    on_iteration : callable(Progress) -> bool, optional
        Called after each iteration; True ends the start there.

    Returns
    -------
    best : Climb
    losses : list of float
        Objective that each start reached.
    spent : float
        Evaluations of all climbs together.
    traces : list of list
        The ``trace`` of each start.
    """

    def begin(theta0, number, seed, max_fun):
        climb = Climb(objective, theta0, budget, number, seed, on_iteration)
        climb.go_on(max_fun)
        return climb

    def begin_heat(heat, left):
        seeds = rng.randint(np.iinfo(np.int32).max, size=len(heat))
        tasks = [
            (theta0, len(losses) + i, seed, left / len(heat))
            for i, (theta0, seed) in enumerate(zip(heat, seeds, strict=True))
        ]
        if len(tasks) > 1 and effective_n_jobs(n_jobs) > 1:
            parallel = Parallel(n_jobs=n_jobs, require="sharedmem")
            return parallel(delayed(begin)(*task) for task in tasks)
        return (begin(*task) for task in tasks)

    starts, waiting, losses, traces, spent = iter(starts), [], [], [], 0.0
    best, exhausted = None, False
    while spent < budget.max_fun:
        resumed = _winner_of_a_heat(waiting)
        if resumed is None and exhausted:
            resumed = min(waiting, key=_value, default=None)
            if resumed is None:
                break
        if resumed is not None:
            waiting = [climb for climb in waiting if climb.level != resumed.level]
            spent -= resumed.spent
            resumed.go_on(budget.max_fun - spent)
            climbs = [resumed]
        else:
            heat = list(islice(starts, HEAT))
            exhausted = len(heat) < HEAT
            climbs = begin_heat(heat, budget.max_fun - spent)
        for climb in climbs:
            losses[climb.number : climb.number + 1] = [climb.run.value]
            traces[climb.number : climb.number + 1] = [climb.trace]
            spent += climb.spent
            if best is None or _value(climb) < _value(best):
                best = climb
            if climb.won:
                return climb, losses, spent, traces
            if climb.may_go_on:
                waiting.append(climb)
    return best, losses, spent, traces


def _value(climb):
    value = climb.run.value
    return np.inf if np.isnan(value) else value


def _winner_of_a_heat(waiting):
    """The best of the climbs that wait at the highest full level, or None."""
    for level in sorted({climb.level for climb in waiting}, reverse=True):
        heat = [climb for climb in waiting if climb.level == level]
        if len(heat) >= HEAT:
            return min(heat, key=_value)
    return None


def may_vanish(objective):
    """Whether the theorem speaks: a large enough network has the objective 0."""
    return objective.alpha == 0 and objective.loss.attains_minimum


def is_separated(objective, value):
    """Whether the objective alone shows that every row is on its right side.

    The loss of a row that is not is at least 1, and carries the mean above its share.
    """
    certain = may_vanish(objective) and objective.loss.unit_margin
    return certain and value < objective.shares.min()


def finish(objective, theta):
    """theta with the output layer scaled so that the smallest margin is at least 1."""
    margin = (objective.signs() * raw_predictions(objective, theta)).min()
    scaled = theta.copy()
    if 0 < margin < 1:
        coefs, intercepts = objective.layout.unpack(scaled)
        factor = (1.0 + 1e3 * np.finfo(objective.data.dtype).eps) / margin
        coefs[-1][:] *= factor
        intercepts[-1][:] *= factor
    return scaled
