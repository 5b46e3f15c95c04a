"""Escape: many starts, their stalls, and the way on from there.

Where the objective of a run hardly falls (:mod:`skgoodmin.training.stall`), a unit that
a neuron search has found is grafted into the network and training goes on from there
(:mod:`skgoodmin.training.graft`); a graft that has not paid when its own run stalls is
dropped. Stalled starts wait, and the best of them go on
(:mod:`skgoodmin.training.race`).
"""

from dataclasses import dataclass
from itertools import islice

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs

from .race import ROUND, Race, value_of
from .start import Start


@dataclass(frozen=True)
class Found:
    """What a search ends with."""

    best: Start
    losses: list  # objective that each start reached
    spent: float  # evaluations of all starts together
    traces: list  # the trace of each start


def search(objective, starts, rng, budget, n_jobs=None, on_iteration=None):
    """Train from the starts, round by round, and go on with what looks best.

    Parameters
    ----------
    objective : Objective
    starts : iterable of ndarray of shape (n_parameters,)
        It may be endless: ``budget.max_fun`` or a separated start ends the search.
    rng : numpy.random.RandomState
    budget : Budget
    n_jobs : int or None
        Starts of a round that run at once, in threads. The result does not depend on
        it.
    on_iteration : callable(Progress) -> bool, optional
        Called after each iteration; True ends the start there.

    Returns
    -------
    found : Found
    """

    def begin(theta0, number, seed, max_fun):
        start = Start(objective, theta0, budget, number, seed, on_iteration)
        start.go_on(max_fun)
        return start

    def begin_round(thetas, left):
        seeds = rng.randint(np.iinfo(np.int32).max, size=len(thetas))
        tasks = [
            (theta0, len(losses) + i, seed, left / len(thetas))
            for i, (theta0, seed) in enumerate(zip(thetas, seeds, strict=True))
        ]
        if len(tasks) > 1 and effective_n_jobs(n_jobs) > 1:
            parallel = Parallel(n_jobs=n_jobs, require="sharedmem")
            return parallel(delayed(begin)(*task) for task in tasks)
        return (begin(*task) for task in tasks)

    starts, race, spent = iter(starts), Race(), 0.0
    losses: list[float] = []
    traces: list[list] = []
    best: Start | None = None
    none_to_begin = False
    # Grafts cost parts of an evaluation, but each start takes a whole one.
    while spent + 1 <= budget.max_fun and not (best and budget.stop.made):
        resumed = race.next(none_to_begin)
        if resumed is not None:
            spent -= resumed.spent
            resumed.go_on(budget.max_fun - spent)
            gone_on = [resumed]
        elif none_to_begin:
            break
        else:
            left = budget.max_fun - spent
            thetas = list(islice(starts, min(ROUND, int(left))))
            none_to_begin = len(thetas) < ROUND
            gone_on = begin_round(thetas, left)
        for start in gone_on:
            losses[start.number : start.number + 1] = [start.value]
            traces[start.number : start.number + 1] = [start.trace]
            spent += start.spent
            if best is None or value_of(start) < value_of(best):
                best = start
            if start.won:
                return Found(start, losses, spent, traces)
            if start.may_go_on:
                race.wait(start)
    if best is None:
        raise ValueError(f"there is no start, or no budget: {budget}.")
    return Found(best, losses, spent, traces)
