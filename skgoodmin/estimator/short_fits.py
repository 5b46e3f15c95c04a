"""Fits that are short, for they are only compared, and when they are too short.

What a strength of weight decay is worth shows long before a fit comes to rest. But
where fits so short see next to nothing in the rows, as of a wave with many bends, all
strengths look alike: then even a weak one leaves most of what a constant has to lose,

    share = mean loss(f) / min over c of mean loss(c).

In such a fold fits take ``MANY`` iterations in place of ``FEW``, if these leave less:
of noise, too, unless its rows are many.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ..certificates.diagnosis import constant_loss
from ..objective.row_space import row_space
from ..training.lbfgs import Run
from ..training.threads import fit_threads

BLIND = 0.65  # share that fits leave which have seen next to nothing
FEW, MANY, SEES_MORE = 20, 100, 0.95  # iterations in a fold; MANY leave so much less
IN_A_FOLD = "These iterations are enough in a fold."


def share_left(objective, theta):
    """The data loss as a share of that of a constant; 0 where a fit overflows."""
    if theta is None:
        return 0.0
    loss, _ = replace(objective, alpha=0.0).value_and_gradient(theta)
    return loss / max(constant_loss(objective), 1e-300)


def iterations(objective):
    """How many a fit in a fold takes: ``FEW``, or ``MANY``.

    Parameters
    ----------
    objective : Objective
        Of the fold, with the weakest strength.
    """
    space = row_space(objective)
    if space is not None:
        objective = space.objective(objective)
    rng, gain = np.random.RandomState(0), objective.activation.gain
    with fit_threads() as shared_map, np.errstate(all="ignore"):
        objective = replace(objective, map=shared_map)
        run = Run(objective, objective.layout.start(rng, gain), tol=0.0)
        run.advance(FEW, 2 * FEW)
        left = share_left(objective, run.theta)
        if not left > BLIND:
            return FEW
        run.advance(MANY, 2 * MANY)
        return MANY if share_left(objective, run.theta) < SEES_MORE * left else FEW


class FitInFold(NamedTuple):
    """A short fit, whose certificate nobody reads.

    Attributes
    ----------
    name : str
        What to call it.
    n_iter : int
        Iterations of a run at most.
    """

    name: str
    n_iter: int

    def budget(self, whole):
        """The :class:`~skgoodmin.training.start.Budget`, without escapes."""
        max_iter = min(whole.max_iter, self.n_iter)
        return replace(whole, max_iter=max_iter, max_escapes=0)

    def cut_short(self, n_iter, max_iter):
        """Whether a fit ended after the iterations that are enough in a fold."""
        return self.n_iter <= n_iter < max_iter
