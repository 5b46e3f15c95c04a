"""The curve of a fit."""

from dataclasses import dataclass

import numpy as np

from .axes import axes
from .drawn import drawn


@dataclass
class LossCurveDisplay:
    """Objective of all starts of a fit against the evaluations spent on each.

    Parameters
    ----------
    history : ndarray of shape (n_points,)
        ``history_`` of a fitted :class:`~skgoodmin.GoodMinimaClassifier`.
    best_init : int
        The start that was kept; it is drawn in colour.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    lines_ : list of matplotlib Line2D
        One for each run: a start, or what went on from a graft.
    grafts_, stalls_ : matplotlib Line2D
        Markers where a unit was grafted, and where a run ended or stalled.
    """

    history: np.ndarray
    best_init: int

    @classmethod
    def from_estimator(cls, estimator, *, ax=None, **kwargs):
        """Draw the curve of a fitted estimator.

        Parameters
        ----------
        estimator : fitted estimator of this package
        ax : matplotlib Axes, default=None
        **kwargs : dict
            For the lines.

        Returns
        -------
        display : LossCurveDisplay

        Raises
        ------
        TypeError
            If the estimator is another one, or ``ax`` is none.
        """
        estimator = drawn(estimator)
        display = cls(estimator.history_, estimator.best_init_)
        return display.plot(ax=ax, **kwargs)

    def plot(self, *, ax=None, **kwargs):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            New ones by default.
        **kwargs : dict
            For the lines.

        Returns
        -------
        display : LossCurveDisplay
        """
        self.ax_ = axes(ax)
        self.figure_, self.lines_ = self.ax_.figure, []
        ends, begins = [], []
        for start in np.unique(self.history["start"]):
            of_start = self.history[self.history["start"] == start]
            kept = start == self.best_init
            style = {"color": "C0" if kept else "0.7", "lw": 1.5 if kept else 1.0}
            for escape in np.unique(of_start["escape"]):
                run = of_start[of_start["escape"] == escape]
                label = f"start {start}" if kept and escape == 0 else None
                style_of_run = style | {"label": label} | kwargs
                line = self.ax_.plot(run["n_fun"], run["objective"], **style_of_run)
                self.lines_ += line
                ends.append((run["n_fun"][-1], run["objective"][-1]))
                if escape > 0:
                    begins.append((run["n_fun"][0], run["objective"][0]))
        markers = {"ls": "none", "color": "C3", "ms": 5}
        where = np.reshape(ends, (-1, 2)).T
        (self.stalls_,) = self.ax_.plot(*where, "o", mfc="none", **markers)
        where = np.reshape(begins, (-1, 2)).T
        (self.grafts_,) = self.ax_.plot(*where, "^", **markers)
        self.stalls_.set_label("stall")
        self.grafts_.set_label("graft")
        positive = self.history["objective"][self.history["objective"] > 0]
        if len(positive) and positive.max() > 10 * positive.min():
            self.ax_.set_yscale("log")
        self.ax_.set(xlabel="evaluations of the start", ylabel="objective")
        self.ax_.legend()
        return self
