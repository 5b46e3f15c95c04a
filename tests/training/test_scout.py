"""The unit that weight decay leaves missing, against the objective itself."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from problems import random_objective
from scipy.optimize import minimize
from scipy.sparse import csr_array

from skgoodmin.kernels.activations import ACTIVATIONS
from skgoodmin.training import scout
from skgoodmin.training.graft import graft, graft_cost, layer_views
from skgoodmin.training.scout import can_ascend, decrease_with_decay, missing_unit

RELU = ACTIVATIONS["relu"]


def posed(n_outputs=1, alpha=0.02, **options):
    """(objective, theta, view, weights out of its units)."""
    objective, theta = random_objective(
        (4,), "relu", n_outputs=n_outputs, alpha=alpha, **options
    )
    (view,) = layer_views(objective, theta)
    return objective, theta, view, objective.layout.unpack(theta)[0][1]


@pytest.mark.parametrize("n_outputs", [1, 3])
def test_the_decrease_is_that_of_the_model_with_the_norm(n_outputs, monkeypatch):
    """min over v and the others: slope.v + v' C v / 2 + alpha ||v||, to 2nd order."""
    monkeypatch.setattr(scout, "RIDGE", 0.0)
    objective, _, view, weights = posed(n_outputs)
    n, alpha = len(view.z), objective.alpha
    w = np.random.RandomState(3).normal(size=(3, 5))
    w /= np.linalg.norm(w, axis=0)
    phi = np.maximum(view.z @ w + 0.3, 0.0)
    found = decrease_with_decay(phi, view, weights, alpha)
    present = np.column_stack([view.values, np.ones(n)])
    decay = np.append(np.full(4, alpha), 0.0)
    now = np.vstack([weights, np.zeros(n_outputs)])
    for unit, decrease in zip(phi.T, found, strict=True):
        slopes, curvatures = np.empty((2, n_outputs))
        for k, (r, q) in enumerate(zip(view.residuals, view.curvature, strict=True)):
            # The others follow v phi: one linear system for any v.
            hessian = present.T @ (q[:, None] * present) + np.diag(decay)
            gradient = present.T @ r + decay * now[:, k]
            shared = present.T @ (q * unit)
            slopes[k] = r @ unit - shared @ np.linalg.solve(hessian, gradient)
            follows = shared @ np.linalg.solve(hessian, shared)
            curvatures[k] = q @ unit**2 - follows
        size = np.linalg.norm(slopes)
        if size <= alpha:
            assert decrease == 0.0
            continue
        u = slopes / size
        along = u**2 @ curvatures
        best = minimize(
            lambda t, h, c: -t[0] * h + t[0] ** 2 * c / 2 + alpha * abs(t[0]),
            [1e-3],
            args=(size, along),
            method="Nelder-Mead",
            options={"xatol": 1e-12, "fatol": 1e-16},
        )
        assert_allclose(decrease, -best.fun, rtol=1e-5)


def test_no_unit_is_worth_anything_beyond_its_decay():
    _, _, view, weights = posed()
    phi = np.maximum(view.z @ np.eye(3), 0.0)
    assert decrease_with_decay(phi, view, weights, 1e-3).all()
    assert not decrease_with_decay(phi, view, weights, 1e3).any()


@pytest.mark.parametrize("n_outputs", [1, 3])
def test_a_missing_unit_is_of_length_1_and_promises_most(n_outputs, monkeypatch):
    objective, _, view, weights = posed(n_outputs)
    how = weights, objective.alpha, RELU
    unit = missing_unit(view, *how, np.random.RandomState(0), 16)
    assert_allclose(np.linalg.norm(unit.w), 1.0)
    assert_allclose(unit.values, np.maximum(view.z @ unit.w + unit.b, 0.0), atol=1e-12)
    assert_allclose(unit.inside, view.z @ unit.w, atol=1e-12)
    worth = decrease_with_decay(unit.values[:, None], view, weights, objective.alpha)
    assert unit.score == pytest.approx(worth[0]) and unit.score > 0
    # Ascents find better ones than directions do, mostly; they are never in the way.
    monkeypatch.setattr(scout, "can_ascend", lambda view: False)
    scores = [
        missing_unit(view, *how, np.random.RandomState(seed), 16).score
        for seed in range(8)
    ]
    assert unit.score > np.median(scores)


def test_where_nothing_is_missing_the_unit_is_random():
    objective, _, view, weights = posed()
    units = [
        missing_unit(view, weights, 1e3, RELU, np.random.RandomState(seed), 16)
        for seed in range(6)
    ]
    assert all(unit.score == 0.0 for unit in units)
    angles = np.abs(np.array([u.w for u in units]) @ units[0].w)[1:]
    assert angles.max() < 0.9999


def test_a_graft_with_decay_takes_the_missing_unit(monkeypatch):
    objective, theta, view, weights = posed()
    seen = []

    def missing(*arguments):
        seen.append(arguments)
        return missing_unit(*arguments)

    monkeypatch.setattr("skgoodmin.training.graft.missing_unit", missing)
    grafted = graft(objective, theta, np.random.RandomState(0), 16)
    ((_, given, alpha, *_),) = seen
    np.testing.assert_array_equal(given, weights)
    assert alpha == objective.alpha
    unit = missing_unit(
        view, weights, objective.alpha, RELU, np.random.RandomState(0), 16
    )
    into = objective.layout.unpack(grafted)[0][0]
    along = unit.w @ into / np.linalg.norm(into, axis=0)
    assert along.max() == pytest.approx(1.0)
    # Neither the control nor other networks look for it.
    graft(objective, theta, np.random.RandomState(0), 1)
    graft(replace(objective, alpha=0.0), theta, np.random.RandomState(0), 16)
    tanh, theta = random_objective((4,), "tanh", alpha=0.02)
    graft(tanh, theta, np.random.RandomState(0), 16)
    deep, theta = random_objective((4, 3), "relu", alpha=0.02)
    graft(deep, theta, np.random.RandomState(0), 16)
    assert len(seen) == 1


def test_ascents_are_counted():
    """By multiplications: 6 ascents of 20 evaluations, and no search near the best."""
    objective, *_ = posed(n_outputs=3)
    without = replace(objective, alpha=0.0)
    evaluation = 4 * (2 * 3 + 3 * 3)
    one = 3 + 3 * (4 + 4)
    more = 6 * 20 * (2 * 3 + 3 * 3 + 5) + (6 - 8) * one
    extra = graft_cost(objective, 16) - graft_cost(without, 16)
    assert_allclose(extra, more / evaluation)


@pytest.mark.parametrize("dense", [True, False])
@pytest.mark.parametrize("n_inputs", [3, 2**21])
def test_only_sparse_rows_can_be_too_many_to_ascend_on(dense, n_inputs):
    shape = 20, n_inputs
    z = np.broadcast_to(0.0, shape) if dense else csr_array(shape)
    _, _, view, _ = posed()
    assert can_ascend(view._replace(z=z)) == (dense or n_inputs == 3)
