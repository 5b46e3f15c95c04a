"""Early stopping on rows that the training does not see."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ..objective.objective import Objective
from ..objective.predictions import Predictions


@dataclass
class HeldOut:
    """Callback of the solver that stops when the validation score stalls.

    Parameters
    ----------
    objective : Objective
        On the validation rows.
    merit : callable(raw, labels) -> (n,)
        What the mean over the rows is the score of.
    patience : int
        Iterations without an improvement by more than ``tol`` before the stop.
    tol : float
    """

    objective: Objective
    merit: Callable[[np.ndarray, np.ndarray], np.ndarray]
    patience: int
    tol: float
    scores: list = field(default_factory=list)
    best_theta: np.ndarray | None = None
    best_score: float = -np.inf
    waited: int = 0

    def score(self, theta):
        """Weighted mean at ``theta``."""
        data = self.objective.data
        merits = self.merit(Predictions(self.objective, theta).raw, data.labels)
        return float(np.average(merits, weights=data.weights))

    def __call__(self, theta):
        """Score ``theta``; True once the patience is over."""
        score = self.score(theta)
        self.scores.append(score)
        improved = score > self.best_score + self.tol
        self.waited = 0 if improved else self.waited + 1
        if score > self.best_score:
            self.best_score, self.best_theta = score, theta.copy()
        return self.waited >= self.patience
