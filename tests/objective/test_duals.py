"""Conjugates against brute force, and the points that they are taken at."""

import numpy as np
import pytest
from dual_cases import LOSSES, loss_of, make_dual, rows
from numpy.testing import assert_allclose
from scipy.optimize import minimize

from skgoodmin.objective.duals.softmax import SoftmaxDual


def random_point(dual, n_outputs, rng, spread=2.0):
    raw = spread * rng.normal(size=(n_outputs, len(dual.shares)))
    return raw, dual.balance(dual.loss_and_gradient(raw)[1])


@pytest.mark.parametrize("loss", LOSSES)
def test_value_is_the_minimum_over_all_predictions(loss):
    rng = np.random.default_rng(0)
    dual = make_dual(loss, rows(9, 2, rng, weights=True)[2], 2, rng)
    _, point = random_point(dual, 2, rng, spread=0.5)
    grid = np.linspace(-40.0, 40.0, 160_001)
    least = 0.0
    for k in range(2):
        values = loss_of(dual, np.broadcast_to(grid, (2, 9, len(grid))))
        # One output at a time: the other one's part at its own best place.
        single = dual.take(np.arange(9))
        for name in ("signs", "targets"):
            if hasattr(single, name):
                setattr(single, name, getattr(single, name)[k : k + 1])
        values = loss_of(single, np.broadcast_to(grid, (1, 9, len(grid))))
        least += (values - point[k][:, None] * grid).min(axis=1).sum()
    assert dual.value(point) <= least + 1e-12
    # The centre of the squared loss drops out of balanced points only.
    assert_allclose(dual.value(point), least, atol=2e-6)


def test_value_of_softmax_is_the_minimum_over_all_predictions():
    rng = np.random.default_rng(1)
    dual = make_dual("softmax", rows(7, 2, rng, weights=True)[2], 3, rng)
    _, point = random_point(dual, 3, rng)

    def lagrangian(f):
        raw = f.reshape(3, 7)
        value, gradient = dual.loss_and_gradient(raw)
        return value - (point * raw).sum(), (gradient - point).ravel()

    least = minimize(lagrangian, np.zeros(21), jac=True, options={"gtol": 1e-10}).fun
    assert dual.value(point) <= least + 1e-12
    assert_allclose(dual.value(point), least, atol=1e-8)


@pytest.mark.parametrize("loss", [*LOSSES, "softmax"])
def test_no_prediction_is_below_the_value(loss):
    rng = np.random.default_rng(2)
    n_outputs = 3 if loss == "softmax" else 2
    for _ in range(20):
        dual = make_dual(loss, rows(12, 2, rng, weights=True)[2], n_outputs, rng)
        _, point = random_point(dual, n_outputs, rng, rng.choice([0.1, 1.0, 6.0]))
        value = dual.value(point)
        assert np.isfinite(value)
        for t in (0.0, 0.3, 0.9, 1.0):
            raw = rng.normal(size=point.shape) * rng.choice([0.1, 1.0, 10.0])
            loss_at = dual.loss_and_gradient(raw)[0]
            assert dual.value(t * point) <= loss_at - t * (point * raw).sum() + 1e-12


@pytest.mark.parametrize("loss", [*LOSSES, "softmax"])
def test_gradient_and_value_of_the_loss(loss):
    rng = np.random.default_rng(3)
    n_outputs = 3 if loss == "softmax" else 2
    dual = make_dual(loss, rows(6, 2, rng, weights=True)[2], n_outputs, rng)
    raw = rng.normal(size=(n_outputs, 6))
    value, gradient = dual.loss_and_gradient(raw)
    assert_allclose(value, loss_of(dual, raw).sum(), rtol=1e-12)
    step = 1e-6 * rng.normal(size=raw.shape)
    change = (
        dual.loss_and_gradient(raw + step)[0] - dual.loss_and_gradient(raw - step)[0]
    )
    assert_allclose(change, 2 * (gradient * step).sum(), rtol=1e-6)


@pytest.mark.parametrize("loss", LOSSES)
def test_smooth_value_and_its_gradient(loss):
    rng = np.random.default_rng(4)
    dual = make_dual(loss, rows(8, 2, rng, weights=True)[2], 2, rng)
    _, point = random_point(dual, 2, rng, spread=0.5)
    point *= 0.7
    value, gradient = dual.smooth(point)
    assert_allclose(value, dual.value(point), rtol=1e-7, atol=1e-9)
    step = 1e-6 * rng.normal(size=point.shape) * point
    change = dual.smooth(point + step)[0] - dual.smooth(point - step)[0]
    assert_allclose(change, 2 * (gradient * step).sum(), rtol=1e-4, atol=1e-12)


def test_smooth_value_of_huber_falls_fast_outside_the_domain():
    rng = np.random.default_rng(4)
    dual = make_dual("huber", rows(8, 2, rng, weights=True)[2], 2, rng)
    point = dual.shares * rng.choice([-1.0, 1.0], size=(2, 8))
    inside, within = (dual.smooth(t * point)[0] for t in (0.9, 0.99))
    assert abs(within - inside) < 1.0 < inside - dual.smooth(1.2 * point)[0]
    step = 1e-6 * rng.normal(size=point.shape) * point
    gradient = dual.smooth(1.2 * point)[1]
    up, down = (dual.smooth(1.2 * point + s * step)[0] for s in (1, -1))
    assert_allclose(up - down, 2 * (gradient * step).sum(), rtol=1e-4)


@pytest.mark.parametrize("loss", [*LOSSES, "softmax"])
@pytest.mark.parametrize("spread", [0.1, 3.0, 30.0])
def test_balanced_points_sum_to_zero_and_stay_in_the_domain(loss, spread):
    rng = np.random.default_rng(5)
    n_outputs = 3 if loss == "softmax" else 2
    dual = make_dual(loss, rows(40, 2, rng, weights=True)[2], n_outputs, rng)
    _, point = random_point(dual, n_outputs, rng, spread)
    assert_allclose(point.sum(axis=1), 0.0, atol=1e-15 * abs(point).sum())
    assert np.isfinite(dual.value(point))
    if loss == "softmax":
        assert_allclose(point.sum(axis=0), 0.0, atol=1e-16)


def test_softmax_stays_balanced_where_a_class_has_no_rows():
    rng = np.random.default_rng(6)
    dual = SoftmaxDual(rng.integers(2, size=20), 4, np.full(20, 0.05))
    _, point = random_point(dual, 4, rng)
    assert_allclose(point.sum(axis=1), 0.0, atol=1e-15)
    assert np.isfinite(dual.value(point))


def test_outside_the_domain_there_is_no_bound():
    rng = np.random.default_rng(7)
    shares = np.full(10, 0.1)
    for loss in ("hinge", "logistic", "own", "own logistic", "softmax"):
        dual = make_dual(loss, shares, 3 if loss == "softmax" else 1, rng)
        raw = rng.normal(size=(3 if loss == "softmax" else 1, 10))
        gradient = dual.loss_and_gradient(raw)[1]
        assert dual.value(-gradient) == -np.inf
        if "hinge" not in loss and loss != "own":
            assert dual.value(50 * gradient) == -np.inf
    huber = make_dual("huber", shares, 1, rng)
    steep = huber.loss_and_gradient(np.full((1, 10), 9.0))[1]
    assert np.isfinite(huber.value(0.99 * steep))
    assert huber.value(1.01 * steep) == -np.inf


@pytest.mark.parametrize("loss", [*LOSSES, "softmax"])
def test_pointwise_point_is_worth_what_equal_rows_cost(loss):
    rng = np.random.default_rng(8)
    n_outputs = 3 if loss == "softmax" else 2
    _, group, shares = rows(30, 1, rng, rounded=True, weights=True)
    dual = make_dual(loss, shares, n_outputs, rng)
    point = dual.pointwise(group)
    for k in range(n_outputs):
        assert_allclose(np.bincount(group, point[k]), 0.0, atol=1e-15)

    def loss_of_groups(f):
        raw = f.reshape(n_outputs, -1)[:, group]
        value, gradient = dual.loss_and_gradient(raw)
        return value, np.array([np.bincount(group, g) for g in gradient]).ravel()

    start = np.zeros(n_outputs * (group[-1] + 1))
    least = minimize(loss_of_groups, start, jac=True, options={"gtol": 1e-9}).fun
    assert dual.value(point) <= least + 1e-12
    assert_allclose(dual.value(point), least, atol=1e-6)


def test_no_group_of_several_rows_no_point():
    rng = np.random.default_rng(9)
    for loss in ("hinge", "softmax", "squared"):
        dual = make_dual(loss, np.full(5, 0.2), 2, rng)
        assert dual.pointwise(np.arange(5)) is None
