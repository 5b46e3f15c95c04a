"""A slice of the landscape around a trained network."""

from dataclasses import dataclass, replace
from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, validate_parameter_constraints

from ..estimator.setup import naming, posed_again
from ..objective.layout import ParameterLayout
from ..objective.with_neuron import AugmentedObjective
from .axes import axes
from .drawn import drawn

CONSTRAINTS = {
    "neuron": ["boolean"],
    "span": [Interval(Real, 0, None, closed="neither")],
    "n_points": [Interval(Integral, 2, None, closed="left")],
    "random_state": ["random_state"],
}


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
        estimator : fitted estimator of this package
        X, y, sample_weight
            Data on which the objective is evaluated.
        directions : ndarray of shape (2, n_parameters), default=None
            Directions in the space of all weights, then all intercepts. Without them
            they are random and filter-normalised (Li et al. 2018, "Visualizing the
            Loss Landscape of Neural Nets"): the part that enters a unit is as long as
            what enters that unit now.
        neuron : bool, default=False
            The second direction is that of the certificate's witness instead. With
            weight decay it is a further unit, whose weights all grow with the step;
            else the amplitude of a special neuron, a random one without a witness, and
            the augmented objective is drawn. A descent along it is what makes a minimum
            a bad one.
        span : float, default=1.0
            Longest step along either direction; for the neuron in multiples of the
            witness.
        n_points : int, default=41
            Steps along either direction.
        random_state : int, RandomState instance or None, default=None
        ax : matplotlib Axes, default=None
        **kwargs : dict
            For ``contourf``.

        Returns
        -------
        display : LandscapeDisplay

        Raises
        ------
        TypeError
            If the estimator is another one, or ``ax`` is none.
        ValueError
            If a parameter or an array is not valid.
        """
        estimator = drawn(estimator)
        validate_parameter_constraints(
            CONSTRAINTS,
            {
                "neuron": neuron,
                "span": span,
                "n_points": n_points,
                "random_state": random_state,
            },
            "LandscapeDisplay.from_estimator",
        )
        objective, theta, _ = posed_again(estimator, X, y, sample_weight)
        rng = check_random_state(random_state)
        if directions is None:
            directions = [_filter_normalised(objective, theta, rng) for _ in range(2)]
        with naming("directions"):
            directions = np.asarray(directions, dtype=np.float64)
        if directions.shape != (2, len(theta)):
            raise ValueError(
                f"directions must have shape (2, {len(theta)}), got {directions.shape}."
            )
        if not np.isfinite(directions).all():
            raise ValueError("directions must hold finite numbers, got inf or NaN.")
        labels = ("first direction", "second direction")
        axis = np.linspace(-span, span, n_points)
        witness = estimator.certificate_.witness if neuron else None
        if witness is not None and witness.kind.endswith("unit"):
            widen, objective, unit = _with_unit(objective, witness)
            theta, directions = widen(theta), (widen(directions[0]), unit)
            labels = ("direction", f"a further {witness.kind}")
        elif neuron:
            augmented = AugmentedObjective(objective, estimator._learner.neuron_alpha)
            point = augmented.widen(theta, rng)
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
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            New ones by default.
        **kwargs : dict
            For ``contourf``.

        Returns
        -------
        display : LandscapeDisplay
        """
        self.ax_ = axes(ax)
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


def _with_unit(objective, witness):
    """(widen, objective with a further unit, the direction that is the unit).

    ``widen`` gives parameters a unit of zeros.
    """
    layout = objective.layout
    first, last = layout.sizes[0], layout.sizes[-1]
    wider = ParameterLayout((first, layout.sizes[1] + 1, last))

    def widen(theta, w=0.0, b=0.0, a=0.0):
        (inner, outer), (inner_c, outer_c) = layout.unpack(theta)
        w, a = np.broadcast_to(w, (first, 1)), np.broadcast_to(a, (1, last))
        coefs = [np.hstack([inner, w]), np.vstack([outer, a])]
        return wider.pack(coefs, [np.append(inner_c, b), outer_c])

    unit = widen(
        np.zeros(layout.n_parameters),
        witness.coef[:, None],
        witness.intercept,
        witness.amplitude,
    )
    return widen, replace(objective, layout=wider), unit


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
