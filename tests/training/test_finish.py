"""The finish: when an objective is as good as 0, and how it is made so."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from problems import random_objective, tiny_objective

from skgoodmin.training.finish import finish, is_separated

X, Y = np.array([-2.0, -1.0, 1.0, 3.0]), np.array([-1, -1, 1, 1])


def _objective(alpha=0.0, attains_minimum=True, unit_margin=True):
    loss = SimpleNamespace(attains_minimum=attains_minimum, unit_margin=unit_margin)
    shares = np.array([0.5, 0.125, 0.375])
    return SimpleNamespace(alpha=alpha, loss=loss, shares=shares)


def test_a_mean_below_the_smallest_share_separates():
    objective = _objective()
    assert is_separated(objective, 0.0)
    assert is_separated(objective, np.nextafter(0.125, 0))
    assert not is_separated(objective, 0.125)
    assert not is_separated(objective, 0.3) and not is_separated(objective, np.nan)


@pytest.mark.parametrize(
    "without", [{"alpha": 0.1}, {"attains_minimum": False}, {"unit_margin": False}]
)
def test_nothing_is_certain_of_other_objectives(without):
    assert not is_separated(_objective(**without), 0.0)


def test_one_wrong_row_carries_the_mean_above_its_share():
    """Labels of one row at a time are flipped for a perfect network."""
    rng = np.random.RandomState(0)
    objective, theta = random_objective((), alpha=0.0, weights=True, n=12)
    theta = 1e6 * rng.normal(size=theta.shape)
    f = objective.data.block() @ theta[:-1] + theta[-1]
    right = (f > 0).astype(np.int32)
    for wrong in (None, *range(len(f))):
        labels = right.copy()
        if wrong is not None:
            labels[wrong] = 1 - labels[wrong]
        data = replace(objective.data, labels=labels[:, None])
        value, _ = replace(objective, data=data).value_and_gradient(theta)
        assert is_separated(objective, value) == (wrong is None)


@pytest.mark.parametrize("hidden", [(), (2,), (3, 2)])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_smallest_margin_becomes_one(hidden, dtype):
    objective = tiny_objective(X, Y, hidden, "identity")
    if dtype == np.float32:
        objective = random_objective(
            hidden, "identity", alpha=0.0, n=9, n_features=1, dtype=dtype
        )[0]
    rng = np.random.RandomState(0)
    theta = np.abs(objective.layout.start(rng))
    coefs, intercepts = objective.layout.unpack(theta)
    for intercept in intercepts:
        intercept[:] = 0.0
    z = objective.data.block().astype(np.float64)
    product = z
    for weights in coefs:
        product = product @ weights
    sign = np.sign(z)
    data = replace(objective.data, labels=(sign > 0).astype(np.int32))
    objective = replace(objective, data=data)
    theta = objective.layout.pack([*coefs[:-1], coefs[-1] / 1e3], intercepts)
    margin = (sign * product).min() / 1e3
    assert 0 < margin < 1
    finished = finish(objective, theta)
    eps = np.finfo(dtype).eps
    new, new_intercepts = objective.layout.unpack(finished)
    old, _ = objective.layout.unpack(theta)
    for a, b in zip(old[:-1], new[:-1], strict=True):
        np.testing.assert_array_equal(a, b)
    # A little more than 1: rounding must not take it away.
    np.testing.assert_allclose(
        new[-1], old[-1] * (1 + 1e3 * eps) / margin, rtol=30 * np.finfo(float).eps
    )
    for c in new_intercepts:
        assert not c.any()


def test_the_intercept_of_the_outputs_is_scaled_too():
    objective = tiny_objective(X, Y, ())
    theta = np.array([0.02, 0.01])  # margins 0.03, 0.01, 0.03, 0.07
    before = theta.copy()
    finished = finish(objective, theta)
    np.testing.assert_array_equal(theta, before)
    np.testing.assert_allclose(finished, [2.0, 1.0], rtol=1e-12)
    assert (finished > [2.0, 1.0]).all()
    assert objective.value_and_gradient(finished)[0] == 0


def test_hidden_intercepts_stay():
    objective = tiny_objective(X, Y, (1,), "identity")
    theta = np.array([0.5, 0.1, 0.25, -0.02])  # f = 0.1 (x / 2 + 1 / 4) - 0.02
    finished = finish(objective, theta)
    factor = finished[1] / theta[1]
    np.testing.assert_allclose(factor, 1 / 0.045, rtol=1e-10)  # from x = -1
    np.testing.assert_allclose(finished, [0.5, 0.1 * factor, 0.25, -0.02 * factor])


@pytest.mark.parametrize("slope", [1.0, 1.5, 0.0, -0.1])
def test_a_network_with_margin_one_or_with_a_wrong_row_stays(slope):
    objective = tiny_objective(X, Y, ())
    theta = np.array([slope, 0.0])
    finished = finish(objective, theta)
    np.testing.assert_array_equal(finished, theta)
    assert finished is not theta
