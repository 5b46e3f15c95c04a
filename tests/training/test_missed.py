"""Under weight decay the unit to graft is the one with the largest polar."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from problems import random_objective

import skgoodmin.training.start
from skgoodmin.objective.predictions import Predictions
from skgoodmin.training.missed import has_polar, missed
from skgoodmin.training.start import SMALL_GAP, Budget, Start


def trained(alpha=0.02, hidden=(2,), **kwargs):
    objective, theta = random_objective(hidden, "relu", alpha=alpha, **kwargs)
    start = Start(objective, theta, Budget(500, 2000, 1e-8), 0, 0)
    start.polish(2000)
    return objective, start.run.theta, start.value


@pytest.mark.parametrize("n_outputs", [1, 3])
def test_a_missed_unit_lowers_the_objective(n_outputs):
    objective, theta, value = trained(n_outputs=n_outputs)
    unit = missed(objective, theta, value, np.random.RandomState(0))
    assert unit.gap > SMALL_GAP
    assert_allclose(np.linalg.norm(unit.w), 1.0)
    raw = Predictions(objective, theta).raw
    loss, residuals = objective.data_loss(raw)
    phi = np.maximum(objective.data.block() @ unit.w + unit.b, 0)
    pull = residuals @ phi
    assert np.linalg.norm(pull) > objective.alpha
    amplitude = -1e-4 * pull / np.linalg.norm(pull)
    after = objective.data_loss(raw + phi[:, None] * amplitude)[0]
    assert after + objective.alpha * 1e-4 < loss


def test_where_the_polar_is_what_counts():
    for activation, hidden, alpha, expected in (
        ("relu", (3,), 0.1, True),
        ("relu", (3,), 0.0, False),
        ("relu", (3, 3), 0.1, False),
        ("tanh", (3,), 0.1, False),
    ):
        objective, _ = random_objective(hidden, activation, alpha=alpha)
        assert has_polar(objective) is expected


def test_a_start_near_the_optimum_is_not_escaped_from(monkeypatch):
    def graft(*args):
        raise AssertionError("there is nothing to escape from")

    monkeypatch.setattr(skgoodmin.training.start, "graft", graft)
    objective, theta = random_objective((60,), "relu", alpha=0.1)
    start = Start(objective, theta, Budget(500, 5000, 1e-8, max_escapes=3), 0, 0)
    start.go_on(5000)
    assert start.settled and start.n_grafts == 0 and not start.may_escape


def test_a_start_far_from_it_is():
    objective, theta = random_objective((2,), "relu", alpha=0.005, n=60)
    values = []
    for max_escapes in (0, 10):
        budget = Budget(500, 5000, 1e-8, max_escapes=max_escapes)
        start = Start(objective, theta, budget, 0, 0)
        start.go_on(5000)
        start.polish(5000)
        values.append(start.value)
    assert start.n_grafts > 0
    assert values[1] <= values[0]
