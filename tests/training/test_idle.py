"""Networks with room: a quarter of their units are idle."""

from dataclasses import replace

import numpy as np
import pytest
from problems import random_objective

from skgoodmin import GoodMinimaClassifier
from skgoodmin.training.idle import IDLE, has_room


@pytest.mark.parametrize("hidden", [(8,), (5, 8)])
@pytest.mark.parametrize("side", ["into", "out"])
def test_a_quarter_of_the_units_is_enough(hidden, side):
    objective, theta = random_objective(hidden, "relu", alpha=0.1)
    theta[:] = 1.0
    coefs, _ = objective.layout.unpack(theta)
    assert not has_room(objective, theta)
    weights = coefs[-2].T if side == "into" else coefs[-1]
    for n, room in [(1, False), (2, True), (8, True)]:
        weights[:n] = 0.0
        assert has_room(objective, theta) == room


def test_what_is_idle_is_compared_with_the_mean():
    objective, theta = random_objective((4,), "relu", alpha=0.1)
    coefs, _ = objective.layout.unpack(theta)
    for size, room in [(0.9, True), (1.1, False)]:
        p = np.array([3.0, 3.0, 3.0, 9.0 * IDLE / (4.0 - IDLE) * size])
        coefs[0][:] = np.sqrt(p / len(coefs[0]))
        coefs[1][:] = np.sqrt(p / coefs[1].shape[1])[:, None]
        for scale in (1e-6, 1.0, 1e6):
            assert has_room(objective, scale * theta) == room


def test_without_weight_decay_no_network_has_room():
    objective, theta = random_objective((8,), "relu", alpha=0.1)
    assert has_room(objective, 0.0 * theta)
    assert not has_room(replace(objective, alpha=0.0), 0.0 * theta)


def test_a_wide_network_tries_no_escape_and_a_narrow_one_does():
    rng = np.random.RandomState(0)
    X = rng.normal(size=(200, 4))
    y = X[:, 0] * X[:, 1] > 0
    tried = [
        GoodMinimaClassifier((n,), alpha=0.01, random_state=0).fit(X, y).history_
        for n in (3, 100)
    ]
    assert tried[0]["escape"].max() > 0 and tried[1]["escape"].max() == 0
