"""What the choice of alpha was made from."""

from dataclasses import dataclass

import numpy as np

from .axes import axes
from .drawn import drawn


@dataclass
class AlphaDisplay:
    """Scores of the strengths among which alpha was chosen.

    Parameters
    ----------
    scores : ndarray of shape (n_alphas,)
        ``alpha_scores_`` of a fitted :class:`~skgoodmin.GoodMinimaClassifier` or
        :class:`~skgoodmin.GoodMinimaClassifierCV`.
    alpha : float
        The strength that was chosen.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    scores_ : matplotlib ErrorbarContainer
        Mean score of each strength over the folds, with its standard error.
    chosen_ : matplotlib Line2D
        The strength that was chosen.
    """

    scores: np.ndarray
    alpha: float

    @classmethod
    def from_estimator(cls, estimator, *, ax=None, **kwargs):
        """Draw the scores of a fitted estimator.

        Parameters
        ----------
        estimator : fitted estimator of this package, or a Pipeline that ends in one
        ax : matplotlib Axes, default=None
        **kwargs : dict
            For the line with its error bars.

        Returns
        -------
        display : AlphaDisplay

        Raises
        ------
        TypeError
            If the estimator is another one, or ``ax`` is none.
        ValueError
            If alpha was given or follows from the rule: then there are no scores.
        """
        estimator = drawn(estimator, pipelines=True, needs="alpha_scores_")
        if estimator.alpha_scores_ is None:
            why = estimator.alpha_reason_ or "it was given"
            raise ValueError(f"alpha={estimator.alpha_:.4g} has no scores: {why}.")
        return cls(estimator.alpha_scores_, estimator.alpha_).plot(ax=ax, **kwargs)

    def plot(self, *, ax=None, **kwargs):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            New ones by default.
        **kwargs : dict
            For the line with its error bars.

        Returns
        -------
        display : AlphaDisplay
        """
        self.ax_ = axes(ax)
        self.figure_ = self.ax_.figure
        style = {"marker": "o", "capsize": 3, "label": "mean of the folds"} | kwargs
        table = self.scores
        self.scores_ = self.ax_.errorbar(
            table["alpha"], table["score"], table["error"], **style
        )
        self.chosen_ = self.ax_.axvline(self.alpha, ls="--", color="C3", label="chosen")
        if table["alpha"].min() > 0:
            self.ax_.set_xscale("log")
        self.ax_.set(xlabel="alpha", ylabel="score")
        self.ax_.legend()
        return self
