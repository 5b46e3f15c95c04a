"""One start: its present run, its stalls, and the grafts that lead on from them."""

import functools
from dataclasses import dataclass, field, replace

import numpy as np

from ..objective.losses.target_loss import TargetLoss
from .adam import adam
from .finish import is_separated
from .graft import graft, graft_cost
from .idle import has_room
from .lbfgs import Exit, Run
from .progress import Progress
from .promise import misses_nothing, promise_cost
from .rough import rough_objective
from .stall import PATIENCE, least_fall, stall_rule
from .stop import StopRequest


@dataclass(frozen=True)
class Budget:
    """How much work a training may do."""

    max_iter: int  # iterations of one run of the solver
    max_fun: int  # evaluations of all runs together
    tol: float  # largest component of the gradient
    max_escapes: int = 0  # grafts per start
    n_directions: int = 16  # that a graft tries; 1 grafts a random unit, the control
    every_layer: bool = False  # units are looked for before every hidden layer
    fresh: bool = True  # the starts are random, rather than an earlier fit's
    stop: StopRequest = field(default_factory=StopRequest)  # ends all runs

    def rough(self, objective):
        """What a run begins with; None where it has no evaluation for a change."""
        return rough_objective(objective, self.tol) if self.max_fun >= 2 else None


def without_constants(objective, theta):
    """Parameters that predict targets which are 0 on all rows, and so go on to do.

    A constant among several targets is such a one, and has no gradient there.
    """
    if not isinstance(objective.loss, TargetLoss):
        return theta
    constant = ~objective.data.labels.any(axis=0)
    theta = theta.copy()
    coefs, intercepts = objective.layout.unpack(theta)
    coefs[-1][:, constant] = intercepts[-1][constant] = 0.0
    return theta


class Start:
    """One start and what became of it: the present run, and those that grafts ended.

    ``spent`` counts evaluations, those that grafts are worth by their flops included;
    ``trace`` lists (escape, evaluations, objective) of all iterations.
    """

    def __init__(self, objective, theta0, budget, number, seed, on_iteration=None):
        self.objective, self.budget, self.number = objective, budget, number
        self.rng, self.on_iteration = np.random.RandomState(seed), on_iteration
        self.rough = budget.rough(objective)
        theta0 = without_constants(objective, theta0)
        theta0, before = adam(objective, theta0, budget)
        self.run = self._run(theta0)
        self.spent, self.won, self.level = before + self.run.n_fun, False, 0
        self.n_grafts, self.n_escapes, self.curves = 0, 0, []
        self.trace = [(0, self.spent, self.run.value)]
        self.escape = 0  # the one that the present run began with
        self.settled = False  # no graft promises anything
        self.idle = False  # nothing was left to do, or no budget for it
        self.rule = stall_rule(objective)

    def _run(self, theta):
        tol = self.budget.tol
        fall = least_fall(self.objective, tol)
        return Run(self.objective, theta, tol, least_fall=fall, rough=self.rough)

    @property
    def value(self):
        """Objective of the present run."""
        return self.run.value

    def go_on(self, max_fun):
        """To the next stall, and away from it as long as grafts pay."""
        before = self.spent
        # Patience doubles each time the start is resumed.
        self._advance(self.run, self.escape, PATIENCE * 2**self.level, max_fun)
        self.level += 1
        while self.may_escape and self._escape(max_fun):
            pass
        self.idle = self.spent == before

    def _escape(self, max_fun):
        """Graft a unit and train on until that run stalls; whether it has paid."""
        max_fun -= self.run.rough is not None  # its last evaluation is yet to come
        cost = promise_cost(self.objective)
        if self.spent + cost > max_fun:
            return False
        self.spent += cost
        with np.errstate(all="ignore"):
            point = self.run.theta, self.value, self.rng
            self.settled = misses_nothing(self.objective, *point)
        if self.settled:
            return False
        view = self.budget.n_directions, self.budget.every_layer
        cost = graft_cost(self.objective, *view)
        if self.spent + cost + 1 > max_fun:
            return False
        self.n_grafts += 1
        try:
            with np.errstate(all="ignore"):
                theta = graft(self.objective, self.run.theta, self.rng, *view)
        except np.linalg.LinAlgError:  # from features too large to be squared
            return False
        if not np.isfinite(theta).all():
            return False
        grafted = self._run(theta)
        self.spent += cost + grafted.n_fun
        self.trace.append((self.n_grafts, self.spent, grafted.value))
        self._advance(grafted, self.n_grafts, PATIENCE, max_fun)
        if not (self.rule.paid(self.run.value, grafted.value) or self.won):
            if grafted.exit is Exit.STOPPED:
                self.run.exit = Exit.STOPPED
            return False
        self.curves.append(self.run.curve)
        self.run, self.level = grafted, 1
        self.n_escapes, self.escape = self.n_escapes + 1, self.n_grafts
        return True

    def _advance(self, run, escape, window, max_fun):
        """Advance ``run`` until it stalls, wins, ends or its budget does."""
        before = run.n_fun - self.spent
        limit = run.n_fun + max(int(max_fun - self.spent), 0)
        tell = None
        if self.on_iteration is not None:
            tell = functools.partial(self._tell, escape, before)
        while not self.won:
            if self.budget.stop.made and not run.ended:
                run.exit = Exit.STOPPED
            self.won = is_separated(self.objective, run.value)
            goal = min(run.n_iter + 1, self.budget.max_iter)
            stalled = self.rule.stalled(run.curve, window)
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
        self._advance(self.run, self.escape, np.inf, max_fun)

    def _tell(self, escape, before, run):
        n_fun = run.n_fun - before
        point = escape, run.n_iter, n_fun, run.value, run.theta
        return self.on_iteration(Progress(self.number, *point))

    @property
    def may_escape(self):
        """Whether a graft is left, and possible."""
        return (
            not (self.won or self.settled)
            and self.n_grafts < self.budget.max_escapes
            and self.run.exit not in (Exit.OVERFLOW, Exit.STOPPED)
            and len(self.objective.layout.sizes) > 2
            and not has_room(self.objective, self.run.theta, self.value)
        )

    @property
    def may_go_on(self):
        """Whether there is anything left to try from here."""
        going = not self.run.ended and self.run.n_iter < self.budget.max_iter
        return not self.won and not self.idle and (going or self.may_escape)

    def solution(self):
        """The present point and run; the curve is of all runs that led there."""
        before = self.run.n_fun
        last = self.run.solution()
        self.spent += self.run.n_fun - before  # the last evaluation of a rough run
        return replace(last, curve=np.concatenate([*self.curves, last.curve]))
