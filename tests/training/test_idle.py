"""Networks with room: a quarter of their units are idle."""

from dataclasses import replace

import numpy as np
import pytest
from problems import random_objective

from skgoodmin import GoodMinimaClassifier
from skgoodmin.training.idle import ALIVE, IDLE, has_room


def _ones(hidden=(8,), activation="relu"):
    """(objective, theta, weights into the last hidden layer, weights out of it)."""
    objective, theta = random_objective(hidden, activation, alpha=0.1)
    theta[:] = 1.0
    coefs, _ = objective.layout.unpack(theta)
    return objective, theta, coefs[-2], coefs[-1]


@pytest.mark.parametrize("side", ["into", "out"])
def test_a_quarter_of_the_units_is_enough(side):
    objective, theta, into, out = _ones()
    assert not has_room(objective, theta, 1.0)
    weights = into.T if side == "into" else out
    for n, room in [(1, False), (2, True), (7, True)]:
        weights[:n] = 0.0
        assert has_room(objective, theta, 1.0) == room


def test_what_is_idle_is_compared_with_the_mean():
    objective, theta, into, out = _ones((4,))
    for size, room in [(0.9, True), (1.1, False)]:
        p = np.array([3.0, 3.0, 3.0, 9.0 * IDLE / (4.0 - IDLE) * size])
        into[:] = np.sqrt(p / len(into))
        out[:] = np.sqrt(p / out.shape[1])[:, None]
        for scale in (1e-3, 1.0, 1e3):
            assert has_room(objective, scale * theta, scale**2) == room


def test_a_constant_network_may_be_at_a_saddle():
    objective, theta, into, _ = _ones()
    into[:, :4] = 0.0
    penalty = objective.alpha * 4 * np.sqrt(len(into) * objective.n_outputs)
    for share, room in [(1.1, True), (0.9, False)]:
        assert has_room(objective, theta, share * penalty / ALIVE) == (not room)
    assert not has_room(objective, 0.0 * theta, 1.0)


@pytest.mark.parametrize(
    "hidden, activation, alpha, room",
    [
        ((8,), "relu", 0.1, True),
        ((8,), "relu", 0.0, False),
        ((8,), "tanh", 0.1, False),
        ((5, 8), "relu", 0.1, False),
    ],
)
def test_where_the_theorem_speaks(hidden, activation, alpha, room):
    objective, theta, into, _ = _ones(hidden, activation)
    into[:, :4] = 0.0
    assert has_room(replace(objective, alpha=alpha), theta, 1.0) == room


def test_a_wide_network_tries_no_escape_and_a_narrow_one_does():
    rng = np.random.RandomState(0)
    X = rng.normal(size=(200, 4))
    y = X[:, 0] * X[:, 1] > 0
    tried = [
        GoodMinimaClassifier((n,), alpha=0.03, random_state=0).fit(X, y).history_
        for n in (3, 100)
    ]
    assert tried[0]["escape"].max() > 0 and tried[1]["escape"].max() == 0
