"""Losses of real targets: kernels, derivatives, groups, and a user's own."""

import numpy as np
import pytest
from dual_cases import LogCosh, ScaledLogCosh
from numpy.testing import assert_allclose, assert_array_equal
from problems import (
    five_point,
    numpy_objective,
    random_objective,
    reference_loss,
    target_losses,
)
from scipy.optimize import minimize_scalar

from skgoodmin.certificates.pointwise import group_minima, pointwise_bound
from skgoodmin.kernels.activations import ACTIVATIONS
from skgoodmin.objective.canonical_rows import canonical_rows
from skgoodmin.objective.layout import ParameterLayout
from skgoodmin.objective.losses import CustomTargetLoss, SquaredError
from skgoodmin.objective.losses.checks import check_target_loss
from skgoodmin.objective.objective import Objective

ALL = [*target_losses(), CustomTargetLoss(LogCosh())]


@pytest.mark.parametrize("loss", target_losses(), ids=str)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_kernels(loss, dtype):
    rng = np.random.RandomState(0)
    raw = (2 * rng.normal(size=(3, 11))).astype(dtype)
    targets, weights = rng.normal(size=(11, 3)), rng.uniform(0.5, 2, size=11)
    found = raw.copy()
    value = loss.into_gradient(found, targets, weights)
    exact = 1e-12 if dtype == np.float64 else 2e-6
    expected = reference_loss(loss, raw.T.astype(float), targets) @ weights
    assert_allclose(value, expected, rtol=exact)
    slope = loss.derivative(raw.astype(float), targets.T) * weights
    assert_allclose(found, slope, rtol=10 * exact, atol=exact)


@pytest.mark.parametrize("loss", ALL, ids=lambda loss: type(loss).__name__)
def test_derivatives_of_a_row(loss):
    rng = np.random.RandomState(1)
    raw, targets = 2 * rng.normal(size=(9, 2)), rng.normal(size=(9, 2))
    step = 1e-5
    up, down = raw + step, raw - step
    rise = (loss.value(up, targets) - loss.value(down, targets)) / (2 * step)
    assert_allclose(loss.derivative(raw, targets), rise, atol=1e-9)
    turn = loss.derivative(up, targets) - loss.derivative(down, targets)
    assert_allclose(loss.curvature(raw, targets), turn / (2 * step), atol=1e-6)


@pytest.mark.parametrize("loss", ALL, ids=lambda loss: type(loss).__name__)
@pytest.mark.parametrize("sparse", [False, True])
def test_objective_and_gradient(loss, sparse):
    objective, theta = random_objective(
        (4, 3), loss=loss, n_outputs=2, sparse=sparse, weights=True
    )
    value, gradient = objective.value_and_gradient(theta)
    if loss.kernel is not None:
        assert_allclose(value, numpy_objective(objective, theta), rtol=1e-12)
    numerical = five_point(lambda t: objective.value_and_gradient(t)[0], theta)
    assert_allclose(gradient, numerical, atol=1e-9)


@pytest.mark.parametrize("loss", ALL, ids=lambda loss: type(loss).__name__)
def test_least_loss_of_groups(loss):
    rng = np.random.RandomState(2)
    targets, weights = rng.normal(size=(12, 2)), rng.uniform(0.5, 2, size=12)
    group = np.repeat(np.arange(4), [1, 2, 4, 5])
    found = loss.least(targets, weights, group, 2)
    for g in range(4):
        some, expected = group == g, 0.0
        for k in range(2):
            expected += minimize_scalar(
                lambda f, k=k, some=some: (
                    weights[some] @ loss.value(np.full(some.sum(), f), targets[some, k])
                ),
                bounds=(-5, 5),
                method="bounded",
                options={"xatol": 1e-10},
            ).fun
        assert_allclose(found[g], expected, atol=1e-9)


@pytest.mark.parametrize("loss", ALL, ids=lambda loss: type(loss).__name__)
def test_the_pointwise_bound_is_what_equal_rows_cost(loss):
    rng = np.random.RandomState(3)
    X, y = rng.randint(3, size=(40, 1)).astype(float), rng.normal(size=(40, 1))
    y[0] = 90.0  # out of reach for a bracket that is made for labels
    data = canonical_rows(X, y, rng.uniform(0.5, 2, size=40))
    layout = ParameterLayout((1, 1))
    objective = Objective(data, layout, ACTIVATIONS["relu"], loss, 0.0)
    bound, minima = pointwise_bound(objective).value, group_minima(objective)[1]
    assert bound <= minima.sum() * (1 + 1e-12)
    assert_allclose(bound, minima.sum(), rtol=1e-6)
    if isinstance(loss, SquaredError):
        group, shares = data.group, objective.shares
        whole = np.bincount(group, shares)
        mean = np.bincount(group, shares * data.labels[:, 0]) / whole
        variance = shares @ (data.labels[:, 0] - mean[group]) ** 2
        assert_allclose(bound, variance / 2, rtol=1e-6)


def test_constant_worse_and_by_row():
    loss = SquaredError()
    raw, z = np.array([[1.0, -2.0], [0.0, 0.5]]), np.array([[0.0, 0.0], [0.0, 1.0]])
    assert_array_equal(loss.worse(raw, z, 0 * z), [[1, -1], [1, -1]])
    steep = CustomTargetLoss(Steep())  # to its left
    beside, target = np.array([[0.1, -0.1]]), np.zeros((1, 2))
    assert_array_equal(steep.worse(beside, target, 0.5 + target), [[-1, -1]])
    assert_array_equal(steep.worse(beside, target, 0.01 + target), [[1, -1]])
    assert_array_equal(loss.by_row(raw, z), [2.0, 0.5])
    assert_array_equal(loss.constant(z, 2), z)


class Steep:
    def value(self, raw, target):
        return np.where(raw < target, 100.0, 1.0) * (raw - target) ** 2

    def derivative(self, raw, target):
        return np.where(raw < target, 200.0, 2.0) * (raw - target)


class Pinball:
    def value(self, raw, target):
        return np.maximum(0.9 * (target - raw), 0.1 * (raw - target))

    def derivative(self, raw, target):
        return np.where(raw < target, -0.9, 0.1)


class Concave:
    def value(self, raw, target):
        return np.log1p((raw - target) ** 2)

    def derivative(self, raw, target):
        return 2 * (raw - target) / (1 + (raw - target) ** 2)


class Shifted(LogCosh):
    def value(self, raw, target):
        return super().value(raw, target) + 1.0


class WrongSlope(LogCosh):
    def derivative(self, raw, target):
        return 2 * np.tanh(raw - target)


class WrongScaledSlope(ScaledLogCosh):
    def derivative(self, raw, target):
        return 4 * super().derivative(raw, target)


class Insensitive:
    """0 up to an error of 2: what is small can not be said of the next unit."""

    def value(self, raw, target):
        return np.maximum(np.abs(raw - target) - 2.0, 0.0) ** 2

    def derivative(self, raw, target):
        error = raw - target
        return 2.0 * np.sign(error) * np.maximum(np.abs(error) - 2.0, 0.0)


class Nothing:
    def value(self, raw, target):
        return np.zeros_like(raw)

    derivative = value


def test_a_loss_that_passes():
    check_target_loss(LogCosh())
    check_target_loss(ScaledLogCosh(1e-8))
    check_target_loss(ScaledLogCosh(1e8))
    check_target_loss(Insensitive())


@pytest.mark.parametrize(
    "loss, message",
    [
        (LogCosh, r"got the class LogCosh: use LogCosh\(\)"),
        (Pinball(), "not differentiable"),
        (Concave(), "not convex"),
        (Shifted(), "0 at the target"),
        (WrongSlope(), "not the derivative"),
        (Nothing(), r"between 1e-09 and 1e\+09 a unit away .* but is 0 \(y=-2\)"),
        (ScaledLogCosh(1e-12), r"but is 4\.9\d*e-11 \(y=-2\): multiply it"),
        (ScaledLogCosh(1e10), r"but is 4\.3\d*e\+09 \(y=-2\): multiply it"),
        (WrongScaledSlope(1e-7), "not the derivative"),
    ],
)
def test_what_fails_is_named(loss, message):
    with pytest.raises(ValueError, match=message):
        check_target_loss(loss)
