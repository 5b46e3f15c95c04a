"""The link from raw predictions to probabilities, and its fit on left-out rows.

The hinge wants margins of 1 and no more, so its raw predictions are no log-odds: how
far a margin is to be trusted depends on the data. Where rows were left out anyway, to
choose alpha, one number is fitted on them, the slope s of

    P = 1 / (1 + e^-sf),      for several classes      P_k = e^(s f_k) / sum_j e^(s f_j)

(Platt 1999, without an offset: the likeliest class stays the one that is predicted).
The slope has the largest mean log-likelihood where one label of n + 2 is drawn anew, as
Platt does it, so that it stays finite where all left-out rows are right. With
d_k = max_j f_j - f_k, what k is behind (among 0 and f for two classes), it is where

    E(s) = mean of sum_k P_k d_k      is the mean of d_label, with that draw.

Since log-loss is convex in s, E falls; and log E is almost a line, on which Newton's
method takes three or four steps.
"""

from dataclasses import dataclass

import numpy as np

from ..objective.losses import LOSSES, ClassLoss

FITTED = ("hinge",)  # links that are a fitted one where rows were left out
FLATTEST, USUAL, STEEPEST = 1e-5, 4.0, 1e5  # slopes
EXACT, MOST_STEPS = 1e-3, 60  # of the slope, relative, the last step being far better


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


def fitted_slope(raw, labels, weights):
    """The slope for raw predictions of rows that were left out.

    Parameters
    ----------
    raw : ndarray of shape (n, n_outputs)
    labels : ndarray of shape (n, 1 or n_outputs)
    weights : ndarray of shape (n,)

    Returns
    -------
    slope : float
    """
    anew, n_labels = 1.0 / (len(raw) + 2), labels.shape[1]
    raw = raw.astype(np.float64)
    if raw.shape[1] == n_labels:  # each output is on its own: 0 and f
        raw = np.stack([np.zeros_like(raw), raw], axis=-1).reshape(-1, 2)
    share = np.repeat(weights / (n_labels * weights.sum()), n_labels)
    behind = np.ascontiguousarray((raw.max(axis=1, keepdims=True) - raw).T)
    of_label = np.take_along_axis(behind, labels.reshape(1, -1), axis=0)[0]
    by_chance = (share * behind.mean(axis=0)).sum()
    wanted = (1.0 - anew) * (share * of_label).sum() + anew * by_chance
    if wanted >= by_chance:
        return FLATTEST
    low, slope, high = FLATTEST, USUAL, STEEPEST
    for _ in range(MOST_STEPS):
        p = np.exp(-slope * behind)
        p /= p.sum(axis=0)
        part = p * behind
        mean = part.sum(axis=0)
        now = (share * mean).sum()
        fall = (share * ((part * behind).sum(axis=0) - mean * mean)).sum()
        low, high = (slope, high) if now > wanted else (low, slope)
        before = slope
        if now > 0 and fall > 0:
            slope += np.log(now / wanted) * now / fall
        if not low < slope < high:
            slope = np.sqrt(low * high)
        if abs(slope - before) <= EXACT * slope:
            break
    return float(slope)
