"""Raw predictions: of any rows, and of the training rows with their rounding."""

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np
from scipy.sparse import issparse

from ..kernels.cached import cached_property
from .objective import Objective

PREDICTION_ROWS = 1024  # rows that predict_raw takes at once


def hidden_values(coefs, intercepts, activation, X):
    """Values of the last hidden layer (X itself where there is none), in numpy."""
    values = X
    for weights, intercept in zip(coefs[:-1], intercepts[:-1], strict=True):
        values = np.asarray(values @ weights)
        values += intercept
        values = activation.function(values)
    return values


@np.errstate(over="ignore", invalid="ignore")  # rows far out: inf and NaN tell of it
def predict_raw(coefs, intercepts, activation, X):
    """Raw predictions, in numpy and in blocks of rows.

    Parameters
    ----------
    coefs, intercepts : lists of ndarrays
    activation : Activation
    X : ndarray or CSR of shape (n_samples, n_features)

    Returns
    -------
    raw : ndarray of shape (n_samples, n_outputs)
    """
    n = X.shape[0]
    if issparse(X):
        X = X.tocsr()
    raw = np.empty((n, coefs[-1].shape[1]), dtype=np.result_type(X.dtype, coefs[0]))
    for start in range(0, n, PREDICTION_ROWS):
        some = slice(start, start + PREDICTION_ROWS)
        values = hidden_values(coefs, intercepts, activation, X[some])
        raw[some] = np.asarray(values @ coefs[-1]) + intercepts[-1]
    return raw


@dataclass(frozen=True)
class Predictions:
    """What a network predicts on its training rows, made once for all who ask.

    Parameters
    ----------
    objective : Objective
    theta : ndarray of shape (n_parameters,)

    Attributes
    ----------
    foreign : bool
        Whether the model is not one of this package.
    """

    objective: Objective
    theta: np.ndarray

    foreign: ClassVar[bool] = False

    @cached_property
    def raw(self):
        """Raw predictions of the canonical rows, (n_rows, n_outputs) in float64."""
        return joined(self.each(_raw))

    def each(self, function):
        """``function`` of the predictions of each part of the rows, where that is."""
        return self.objective.data.each(function, self)

    def on(self, data):
        """The same on a part of the rows."""
        return replace(self, objective=self.objective.on(data))

    @property
    def slices(self):
        """Slices of the rows, for what is done piece by piece."""
        return self.objective.data.slices(self.objective.layout.sizes[-1])

    @cached_property
    def loss(self):
        """Mean loss, without any penalty."""
        return sum(
            self.objective.data_loss(self.raw[rows], rows.start)[0]
            for rows in self.slices
        )

    def rounding(self, rows):
        """First-order bound of the rounding error of ``raw[rows]``, (n, n_outputs).

        Each product A W + c of fan-in m carries (m + 2) eps (|A| |W| + |c|) besides
        what the error of A becomes; the activation rounds to a few units in the last
        place, and multiplies errors by its steepest slope.
        """
        parts = [
            self._rounding(start, min(start + PREDICTION_ROWS, rows.stop))
            for start in range(rows.start, rows.stop, PREDICTION_ROWS)
        ]
        return np.vstack(parts)

    def _rounding(self, start, stop):
        """The same for some rows of a slice."""
        coefs, intercepts = self.objective.layout.unpack(self.theta)
        steepest = max(self.objective.activation.steepest, 1.0)
        x = abs(self.objective.data.block(start, stop)).astype(np.float64)
        eps, values, error = np.finfo(np.float64).eps, x, 0.0
        for weights, intercept in zip(coefs, intercepts, strict=True):
            size = np.asarray(values @ abs(weights)) + abs(intercept)
            inherited = 0.0 if values is x else error @ abs(weights)
            error = steepest * (inherited + (len(weights) + 6) * eps * size)
            values = steepest * size + 1.0  # no less than |act(z)|
        return error


def _raw(predictions):
    """Raw predictions of the rows of a part."""
    objective = predictions.objective
    coefs, intercepts = objective.layout.unpack(predictions.theta)
    raw = np.empty((objective.data.n_rows, objective.n_outputs))
    for rows in predictions.slices:
        block = objective.data.block(rows.start, rows.stop)
        raw[rows] = predict_raw(coefs, intercepts, objective.activation, block)
    return raw


def joined(parts):
    """Arrays one after another; one alone is not copied."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


@dataclass(frozen=True)
class GivenPredictions(Predictions):
    """Raw predictions of another model.

    Parameters
    ----------
    objective : Objective
        Without weight decay.
    given : ndarray of shape (n_rows, n_outputs), float64
        Of the canonical rows.
    wrong : ndarray of the same shape
        By how much those of the rows that a canonical one stands for differ from it.
    """

    foreign: ClassVar[bool] = True
    theta: np.ndarray = field(init=False, default_factory=lambda: np.empty(0))
    given: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))
    wrong: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))

    @property
    def raw(self):
        """As they were given."""
        return self.given

    def rounding(self, rows):
        """What rows with equal features differ by."""
        return self.wrong[rows]
