"""Displays: the curve of a fit, a slice of its landscape, and its certificate.

After scikit-learn's convention: ``from_estimator`` computes and draws, ``plot`` draws
again, the arrays are attributes. matplotlib is imported when something is drawn.
"""

from dataclasses import dataclass, replace

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from .certificates.certificate import Status
from .certificates.pointwise import group_minima
from .estimator.setup import pose, validated
from .objective.predictions import Predictions
from .objective.with_neuron import AugmentedObjective


def _axes(ax):
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            "Drawing needs matplotlib; install it with 'pip install skgoodmin[plot]'."
        ) from error
    return plt.subplots()[1] if ax is None else ax


def _problem(estimator, X, y, sample_weight=None):
    """(objective on these data, theta of the fitted estimator)."""
    check_is_fitted(estimator)
    X, y, sample_weight = validated(estimator, X, y, sample_weight, reset=False)
    classes = estimator.classes_
    objective = pose(estimator, X, y, sample_weight, classes).objective
    theta = objective.layout.pack(estimator.coefs_, estimator.intercepts_)
    layout = objective.layout.holding(theta)
    return replace(objective, alpha=estimator.alpha_, layout=layout), theta


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
        estimator : GoodMinimaClassifier
        ax : matplotlib Axes, default=None
        **kwargs : dict
            For the lines.

        Returns
        -------
        display : LossCurveDisplay
        """
        check_is_fitted(estimator)
        display = cls(estimator.history_, estimator.best_init_)
        return display.plot(ax=ax, **kwargs)

    def plot(self, *, ax=None, **kwargs):
        """Draw on ``ax``; returns the display."""
        self.ax_ = _axes(ax)
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


@dataclass
class LandscapeDisplay:
    """A two-dimensional slice of the objective around the trained parameters.

    Parameters
    ----------
    x, y : ndarray of shape (n_points,)
        Steps along the two directions; 0 is the trained model.
    objective : ndarray of shape (n_points, n_points)
        Objective at the steps; rows belong to y.
    labels : tuple of str
        Names of the two directions.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    contours_ : matplotlib QuadContourSet
    model_ : matplotlib Line2D
        The marker of the trained model.
    """

    x: np.ndarray
    y: np.ndarray
    objective: np.ndarray
    labels: tuple = ("first direction", "second direction")

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        y,
        *,
        sample_weight=None,
        directions=None,
        neuron=False,
        span=1.0,
        n_points=41,
        random_state=None,
        ax=None,
        **kwargs,
    ):
        """Draw the landscape of a fitted estimator.

        Parameters
        ----------
        estimator : GoodMinimaClassifier
        X, y, sample_weight
            Data on which the objective is evaluated.
        directions : ndarray of shape (2, n_parameters), default=None
            Directions in the space of all weights, then all intercepts. Without them
            they are random and filter-normalised (Li et al. 2018, "Visualizing the
            Loss Landscape of Neural Nets"): the part that enters a unit is as long as
            what enters that unit now.
        neuron : bool, default=False
            The second direction is the amplitude of a special neuron instead, and the
            augmented objective is drawn: that of the witness of the certificate, or a
            random one. A descent along it is what makes a minimum a bad one.
        span : float, default=1.0
            Longest step along either direction; for the neuron in multiples of the
            amplitude of the witness.
        n_points : int, default=41
            Steps along either direction.
        random_state : int, RandomState instance or None, default=None
        ax : matplotlib Axes, default=None
        **kwargs : dict
            For ``contourf``.

        Returns
        -------
        display : LandscapeDisplay
        """
        objective, theta = _problem(estimator, X, y, sample_weight)
        rng = check_random_state(random_state)
        if directions is None:
            directions = [_filter_normalised(objective, theta, rng) for _ in range(2)]
        directions = np.asarray(directions, dtype=np.float64)
        if directions.shape != (2, len(theta)):
            raise ValueError(
                f"directions must have shape (2, {len(theta)}), got {directions.shape}."
            )
        labels = ("first direction", "second direction")
        axis = np.linspace(-span, span, n_points)
        if neuron:
            augmented = AugmentedObjective(objective, estimator.neuron_alpha)
            point = augmented.widen(theta, rng)
            witness = estimator.certificate_.witness
            n_outputs = objective.layout.sizes[-1]
            amplitude = np.ones(n_outputs)
            if witness is not None:
                w, amplitude = witness.coef, witness.amplitude
                point[len(theta) : len(theta) + len(w)] = w
            steps = np.zeros((2, len(point)))
            steps[0, : len(theta)] = directions[0]
            steps[1, -n_outputs:] = amplitude
            objective, theta, directions = augmented, point, steps
            labels = ("direction", "amplitude of the special neuron")
        first, second = directions
        values = [
            [
                objective.value_and_gradient(theta + s * first + t * second)[0]
                for s in axis
            ]
            for t in axis
        ]
        display = cls(axis, axis, np.array(values), labels)
        return display.plot(ax=ax, **kwargs)

    def plot(self, *, ax=None, **kwargs):
        """Draw on ``ax``; returns the display."""
        self.ax_ = _axes(ax)
        self.figure_ = self.ax_.figure
        # Levels at quantiles show a valley as well as its walls.
        quantiles = np.unique(np.quantile(self.objective, np.linspace(0, 1, 16)))
        levels = quantiles if len(quantiles) > 3 else 16
        style = {"levels": levels, "cmap": "viridis"} | kwargs
        self.contours_ = self.ax_.contourf(self.x, self.y, self.objective, **style)
        self.figure_.colorbar(self.contours_, ax=self.ax_, label="objective")
        (self.model_,) = self.ax_.plot(0, 0, "*", color="C3", ms=12, label="model")
        self.ax_.set(xlabel=self.labels[0], ylabel=self.labels[1])
        self.ax_.legend()
        return self


def _filter_normalised(objective, theta, rng):
    """Random direction, as long for each unit as what enters the unit."""
    layout = objective.layout
    direction = rng.normal(size=len(theta))
    for (coef, c), (by_coef, by_c) in zip(
        zip(*layout.unpack(theta), strict=True),
        zip(*layout.unpack(direction), strict=True),
        strict=True,
    ):
        size = np.sqrt((coef**2).sum(axis=0) + c**2)
        length = np.sqrt((by_coef**2).sum(axis=0) + by_c**2)
        by_coef *= size / length
        by_c *= size / length
    return direction


@dataclass
class CertificateDisplay:
    """Margins of the rows, and which of them carry the gap.

    Parameters
    ----------
    margins : ndarray of shape (n_rows,)
        Of the distinct rows, ascending: y f, the smallest one over the outputs.
    gap_shares : ndarray of shape (n_rows,)
        What the group of each row adds to the gap, in the same order.
    status : Status

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    points_ : matplotlib PathCollection
    """

    margins: np.ndarray
    gap_shares: np.ndarray
    status: Status

    @classmethod
    def from_estimator(cls, estimator, X, y, *, sample_weight=None, ax=None, **kwargs):
        """Draw the certificate of a fitted estimator.

        Parameters
        ----------
        estimator : GoodMinimaClassifier
        X, y, sample_weight
            The training data.
        ax : matplotlib Axes, default=None
        **kwargs : dict
            For ``scatter``.

        Returns
        -------
        display : CertificateDisplay
        """
        objective, theta = _problem(estimator, X, y, sample_weight)
        raw = Predictions(objective, theta).raw
        margins = (objective.signs() * raw).min(axis=1)
        order = np.argsort(margins, kind="stable")
        shares = gap_by_row(objective, raw)
        display = cls(margins[order], shares[order], estimator.certificate_.status)
        return display.plot(ax=ax, **kwargs)

    def plot(self, *, ax=None, **kwargs):
        """Draw on ``ax``; returns the display."""
        self.ax_ = _axes(ax)
        self.figure_ = self.ax_.figure
        style = {"c": self.gap_shares, "cmap": "Reds", "edgecolors": "0.6", "s": 18}
        self.points_ = self.ax_.scatter(
            np.arange(len(self.margins)), self.margins, **(style | kwargs)
        )
        self.figure_.colorbar(self.points_, ax=self.ax_, label="share in the gap")
        self.ax_.axhline(0, color="0.4", lw=0.8)
        self.ax_.set(
            xlabel="rows by margin",
            ylabel="margin",
            title=f"{self.status.name}, gap {self.gap_shares.sum():.3g}",
        )
        return self


def gap_by_row(objective, raw):
    """What each row adds to the gap: its loss less its part in the group's minimum.

    raw : (n_rows, n_outputs), of the canonical rows. Returns (n_rows,), which sum up to
    the gap.
    """
    data = objective.data
    loss = np.array(
        [objective.data_loss(raw[i : i + 1], i)[0] for i in range(data.n_rows)]
    )
    by_group = np.bincount(data.group, loss)
    groups, minima = group_minima(objective)
    by_group[groups] -= minima
    size = np.bincount(data.group, objective.shares)
    return by_group[data.group] * objective.shares / size[data.group]
