"""The link from raw predictions to probabilities, and its fit on left-out rows.

The hinge wants margins of 1 and no more, so its raw predictions are no log-odds: how
far a margin is to be trusted depends on the data. Where rows were left out anyway, to
choose alpha, one number is fitted on them, the slope s of

    P = 1 / (1 + e^-sf),      for several classes      P_k = e^(s f_k) / sum_j e^(s f_j)

(Platt 1999, without an offset: the likeliest class stays the one that is predicted).
The slope has the largest mean log-likelihood where one label of n + 2 is drawn anew, as
Platt does it, so that it stays finite where all left-out rows are right.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar

from ..objective.losses import LOSSES, ClassLoss

FITTED = ("hinge",)  # links that are a fitted one where rows were left out
STEEPEST = 12.0  # of log(slope), in either direction


@dataclass(frozen=True)
class FittedLink:
    """The link of log-loss at ``slope`` times the raw predictions.

    Parameters
    ----------
    slope : float
    log_loss : ClassLoss
    """

    slope: float
    log_loss: ClassLoss

    @property
    def link(self):
        """Name of the link."""
        return self.log_loss.link

    def probabilities(self, raw):
        """P(y = 1 | f) for each output, inside (0, 1), elementwise."""
        p = self.log_loss.probabilities(self.slope * np.asarray(raw, np.float64))
        return np.maximum(p, np.finfo(np.float64).eps)

    def onnx(self, graph, raw):
        """Adds the link to an ONNX graph; the name of the probabilities."""
        return self.log_loss.onnx(graph, graph("Mul", raw, self.slope))


def link_of(loss, target, slope):
    """What gives probabilities: the loss, or the fitted link with this slope."""
    if slope is None:
        return loss
    return FittedLink(slope, target.choose_loss(LOSSES["log_loss"], 0.0))


def fitted_slope(target, raw, labels, weights):
    """The slope for raw predictions of rows that were left out.

    Parameters
    ----------
    target : Target
    raw : ndarray of shape (n, n_outputs)
    labels : ndarray of shape (n, 1 or n_outputs)
    weights : ndarray of shape (n,)

    Returns
    -------
    slope : float
    """
    log_loss, anew = target.choose_loss(LOSSES["log_loss"], 0.0), 1.0 / (len(raw) + 2)

    def value(log_slope):
        link = FittedLink(np.exp(log_slope), log_loss)
        p = target.probabilities(link, raw)
        right, any_label = target.log_likelihoods(p, labels)
        return -np.average((1.0 - anew) * right + anew * any_label, weights=weights)

    found = minimize_scalar(
        value,
        bounds=(-STEEPEST, STEEPEST),
        method="bounded",
        options={"xatol": 1e-3},  # of the slope, relative
    )
    return float(np.exp(found.x))
