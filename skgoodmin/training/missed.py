"""The unit that a network misses most under weight decay, and what it may be worth.

With alpha > 0 a unit pays where its polar, ||sum_i R_i relu(w.x_i + b)|| / ||w||, is
above alpha (:mod:`skgoodmin.certificates.polar`): that is the neuron to look for, in
place of the exponential one of the world without decay. With Z the largest one found,

    gap = 1 - D(R min(1, alpha / Z)) / J

estimates how far J is above the best network of any width. Where it is small there is
nothing to escape from.
"""

from typing import NamedTuple

import numpy as np

from ..certificates.polar import search
from ..kernels.activations import Form
from ..objective.predictions import Predictions

N_UNITS, N_RANDOM, N_STEPS = 1, 2, 40  # ascents from units and random directions


class Missed(NamedTuple):
    """The best neuron found."""

    gap: float  # relative to the objective
    w: np.ndarray  # (n_features,) of length 1
    b: float


def has_polar(objective):
    """Whether a unit's worth is its polar: one hidden layer of relu, weight decay."""
    one, corner = len(objective.layout.sizes) == 3, Form.CORNER
    return one and objective.alpha > 0 and objective.activation.form is corner


def missed(objective, theta, value, rng):
    """The unit missed most at theta, where the objective is ``value``."""
    data = objective.data
    dual = objective.loss.dual(data.labels, objective.shares, objective.n_outputs)
    raw = np.ascontiguousarray(Predictions(objective, theta).raw.T)
    residuals = dual.balance(dual.loss_and_gradient(raw)[1])
    coefs, intercepts = objective.layout.unpack(theta)
    numbers = N_UNITS, N_RANDOM, N_STEPS
    w, b = coefs[0].T, intercepts[0]
    x, act = data.block(), objective.activation
    found = search(x, residuals, act, w, b, rng, *numbers)
    bound = dual.value(residuals * min(1.0, objective.alpha / max(found.polar, 1e-300)))
    gap = 1.0 - bound / value if value > 0 else 0.0
    return Missed(gap, found.coef, found.intercept)


def missed_cost(objective):
    """What the search takes, in evaluations: multiplications over those of one."""
    d, m, n_outputs = objective.layout.sizes
    evaluations = (N_UNITS + N_RANDOM) * N_STEPS
    work = d * m + evaluations * (d + 2 * n_outputs + np.log2(objective.data.n_rows))
    return work / (2.0 * d * m + 3.0 * m * n_outputs)
