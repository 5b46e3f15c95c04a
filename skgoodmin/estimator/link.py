"""The link from raw predictions to probabilities, and its fit on left-out rows.

The hinge wants margins of 1 and no more, so its raw predictions f are no log-odds: how
far a margin is to be trusted depends on the data, and what is far beyond 1 the network
extrapolates. So odds do not grow exponentially there, but as a power of f: the link is
that of log-loss at s g with g = arsinh f,

    P = 1 / (1 + e^-sg), which are odds of (f + sqrt(1 + f^2))^s,

and for several classes P_k = e^(s g_k) / sum_j e^(s g_j). Where rows were left out
anyway, to choose alpha, one number is fitted on them, the slope s (Platt 1999, without
an offset: the likeliest class stays the predicted one).

The slope has the largest mean log-likelihood where one label of n + 2 is drawn anew, as
Platt does it, so that it stays finite where all left-out rows are right. With
d_k = max_j g_j - g_k, what k is behind (among 0 and g for two classes), it is where

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
    """The link of log-loss at ``slope`` times arsinh of the raw predictions.

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
        g = np.arcsinh(np.asarray(raw, np.float64))
        return self.log_loss.probabilities(self.slope * g)

    def onnx(self, graph, raw):
        """Adds the link to an ONNX graph; the name of the probabilities."""
        # log m + log(|f|/m + sqrt(1/m^2 + (f/m)^2)), m = max(|f|, 1): f^2 overflows.
        size = graph("Abs", raw)
        most = graph("Max", size, 1.0)
        part, one = graph("Div", size, most), graph("Div", 1.0, most)
        square = graph("Add", graph("Mul", part, part), graph("Mul", one, one))
        rest = graph("Log", graph("Add", part, graph("Sqrt", square)))
        g = graph("Mul", graph("Sign", raw), graph("Add", graph("Log", most), rest))
        return self.log_loss.onnx(graph, graph("Mul", g, self.slope))


def link_of(loss, target, slope):
    """What gives probabilities: the loss, or the fitted link with this slope."""
    if slope is None:
        return loss
    return FittedLink(slope, target.choose_loss(LOSSES["log_loss"], 0.0))


def fitted_slope(raw, labels, weights, n_rows=None):
    """The slope for raw predictions of rows that were left out.

    Parameters
    ----------
    raw : ndarray of shape (n, n_outputs)
    labels : ndarray of shape (n, 1 or n_outputs)
    weights : ndarray of shape (n,)
    n_rows : float, optional
        How many rows they stand for; by default they are n.

    Returns
    -------
    slope : float
    """
    anew, n_labels = 1.0 / ((n_rows or len(raw)) + 2), labels.shape[1]
    g = np.arcsinh(raw.astype(np.float64))
    if raw.shape[1] == n_labels:  # each output is on its own: 0 and g
        g = np.stack([np.zeros_like(g), g], axis=-1).reshape(-1, 2)
    share = np.repeat(weights / (n_labels * weights.sum()), n_labels)
    behind = np.ascontiguousarray((g.max(axis=1, keepdims=True) - g).T)
    of_label = np.take_along_axis(behind, labels.reshape(1, -1), axis=0)[0]
    by_chance = (share * behind.mean(axis=0)).sum()
    wanted = (1.0 - anew) * (share * of_label).sum() + anew * by_chance
    if wanted >= by_chance:
        return FLATTEST
    low, slope, high = FLATTEST, USUAL, STEEPEST
    for _ in range(MOST_STEPS):
        p = np.exp(-slope * behind)
        p /= p.sum(axis=0)
        mean = (p * behind).sum(axis=0)
        variance = (p * behind * behind).sum(axis=0) - mean * mean
        expected, fall = (share * mean).sum(), (share * variance).sum()
        low, high = (slope, high) if expected > wanted else (low, slope)
        before = slope
        if expected > 0 and fall > 0:
            slope += np.log(expected / wanted) * expected / fall
        if not low < slope < high:
            slope = np.sqrt(low * high)
        if abs(slope - before) <= EXACT * slope:
            break
    return float(slope)
