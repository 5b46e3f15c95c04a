"""The certificate of a fit: what is left to gain, and which rows carry it."""

from dataclasses import dataclass

import numpy as np
from sklearn.pipeline import Pipeline

from ..certificates.certificate import Certificate, Status
from ..certificates.digits import at_least, at_most
from ..certificates.pointwise import group_minima
from ..estimator.setup import posed_again
from ..objective.predictions import Predictions
from .axes import axes, pyplot
from .drawn import drawn

N_NAMED = 5  # rows that are named by their place in X


@dataclass
class CertificateDisplay:
    """Objective and bounds on one axis; below, the loss of each row, the largest named.

    Parameters
    ----------
    certificate : Certificate
    margins : ndarray of shape (n_rows,)
        Of the distinct rows, ascending: y f, the smallest one over the outputs; of a
        regressor the errors ``|f - y|`` in units of ``y_scale_``, the largest one.
    gap_shares : ndarray of shape (n_rows,)
        What each row adds to the loss beyond what rows that contradict each other cost
        any model, in the same order.
    rows : ndarray of shape (n_rows,)
        Places of the rows in X.
    measure : str, default='margin'
        What ``margins`` holds: 'margin' or 'error'.

    Attributes
    ----------
    bound_ax_, ax_ : matplotlib Axes
        Of the bounds and of the rows.
    figure_ : matplotlib Figure
    bars_ : matplotlib BarContainer
        Objective, and the bounds that are known.
    points_ : matplotlib PathCollection
    names_ : list of matplotlib Annotation
    """

    certificate: Certificate
    margins: np.ndarray
    gap_shares: np.ndarray
    rows: np.ndarray
    measure: str = "margin"

    @classmethod
    def from_estimator(
        cls, estimator, X, y, *, sample_weight=None, certificate=None, ax=None, **kwargs
    ):
        """Draw the certificate of a fitted estimator.

        Parameters
        ----------
        estimator : fitted estimator of this package, or a Pipeline that ends in one
        X, y, sample_weight
            The training data.
        certificate : Certificate, default=None
            Another one than ``estimator.certificate_``, as that of ``certify``.
        ax : matplotlib Axes, default=None
            It is divided in two.
        **kwargs : dict
            For ``scatter``.

        Returns
        -------
        display : CertificateDisplay

        Raises
        ------
        TypeError
            If the estimator is another one, or ``certificate`` or ``ax`` are none.
        ValueError
            If ``X``, ``y`` or ``sample_weight`` are not valid.
        """
        network = drawn(estimator, pipelines=True)
        if not isinstance(certificate, Certificate | None):
            raise TypeError(
                f"certificate must be a Certificate or None, got {certificate!r}."
            )
        if isinstance(estimator, Pipeline) and len(estimator) > 1:
            X = estimator[:-1].transform(X)
        objective, theta, _ = posed_again(network, X, y, sample_weight)
        raw = Predictions(objective, theta).raw
        margins = objective.loss.by_row(raw, objective.data.labels)
        order = np.argsort(margins, kind="stable")
        shares = gap_by_row(objective, raw)
        display = cls(
            network.certificate_ if certificate is None else certificate,
            margins[order],
            shares[order],
            objective.data.rows.index[order],
            objective.loss.of_rows,
        )
        return display.plot(ax=ax, **kwargs)

    def plot(self, *, ax=None, **kwargs):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            It is divided in two; new ones by default.
        **kwargs : dict
            For ``scatter``.

        Returns
        -------
        display : CertificateDisplay
        """
        self.bound_ax_, self.ax_, colours = _divided(ax)
        self.figure_ = self.ax_.figure
        self._plot_bounds()
        style = {"c": self.gap_shares, "cmap": "Reds", "edgecolors": "0.6", "s": 18}
        at = np.arange(len(self.margins))
        self.points_ = self.ax_.scatter(at, self.margins, **(style | kwargs))
        beside = [self.bound_ax_, self.ax_] if colours is None else None
        self.figure_.colorbar(
            self.points_, cax=colours, ax=beside, label="share in the loss"
        )
        self.ax_.axhline(0, color="0.4", lw=0.8)
        self.ax_.set(xlabel=f"rows by {self.measure}", ylabel=self.measure)
        largest = np.argsort(-self.gap_shares, kind="stable")[:N_NAMED]
        self.names_ = [
            self.ax_.annotate(
                str(self.rows[i]),
                (at[i], self.margins[i]),
                xytext=(4, -3),
                textcoords="offset points",
                fontsize="x-small",
            )
            for i in largest
            if self.gap_shares[i] > 0
        ]
        return self

    def _plot_bounds(self):
        """Objective, estimated and proven bound as bars on one axis."""
        certificate = self.certificate
        values = {
            "objective": certificate.objective,
            "estimated bound": certificate.estimated_bound,
            "proven bound": certificate.lower_bound,
        }
        known = {name: value for name, value in values.items() if np.isfinite(value)}
        names, sizes = list(known)[::-1], list(known.values())[::-1]
        colours = {"objective": "C0", "estimated bound": "0.6", "proven bound": "C2"}
        # Numbers with labels: axes inside others can not be told names.
        at = np.arange(len(names))
        self.bars_ = self.bound_ax_.barh(
            at, sizes, color=[colours[name] for name in names]
        )
        self.bound_ax_.set_yticks(at, names)
        labels = [
            at_least(size, 4) if name == "proven bound" else f"{size:.4g}"
            for name, size in zip(names, sizes, strict=True)
        ]
        self.bound_ax_.bar_label(self.bars_, labels, padding=3, fontsize="small")
        self.bound_ax_.margins(x=0.25)
        left = f"at most {at_most(100 * certificate.relative_gap, 2)} % can be gained"
        if certificate.status is Status.GLOBAL:  # a share of almost 0 says nothing
            left = f"at most {at_most(certificate.gap, 2)} can be gained"
        title = f"{certificate.status.name}: {left}"
        self.bound_ax_.set_title(title, fontsize="medium")


def _divided(ax):
    """(axes of the bounds, of the rows, of the colours or None) in place of ``ax``."""
    ratios = {"height_ratios": [1, 3]}
    if ax is None:
        figure = pyplot().figure(layout="constrained")
        grid = figure.add_gridspec(2, 1, **ratios)
    else:
        figure, place = axes(ax).figure, ax.get_subplotspec()
        ax.set_axis_off()
        if place is None or ax.get_axes_locator() is not None:  # no part of a grid
            boxes = [0.0, 0.8, 0.8, 0.2], [0.0, 0.0, 0.8, 0.6], [0.85, 0.0, 0.05, 1.0]
            return tuple(map(ax.inset_axes, boxes))
        grid = place.subgridspec(2, 1, hspace=0.4, **ratios)
    return figure.add_subplot(grid[0]), figure.add_subplot(grid[1]), None


def gap_by_row(objective, raw):
    """What each row adds to the loss beyond its part in the minimum of its group.

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
