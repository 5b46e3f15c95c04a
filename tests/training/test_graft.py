"""Scout and graft against exact linear algebra and against the loss itself."""

import numpy as np
import pytest
import skgoodmin.scout
from problems import random_objective
from skgoodmin.scout import graft, graft_cost, look, promise, scout, series_directions
from skgoodmin.witness import data_loss, raw_predictions

OUTPUTS = [{"n_outputs": 1}, {"n_outputs": 3}, {"n_outputs": 3, "multilabel": True}]


@pytest.mark.parametrize("outputs", OUTPUTS, ids=str)
@pytest.mark.parametrize("loss", ["poly_hinge", "log_loss"])
def test_curvature_is_the_derivative_of_the_residuals(loss, outputs):
    objective, theta = random_objective((5,), "tanh", loss, weights=True, **outputs)
    raw = raw_predictions(objective, theta)
    curvature = objective.curvature(raw)
    for k in range(raw.shape[1]):
        step = np.zeros_like(raw)
        step[:, k] = 1e-6
        _, above = data_loss(objective, raw + step)
        _, below = data_loss(objective, raw - step)
        numerical = (above[k] - below[k]) / 2e-6
        np.testing.assert_allclose(curvature[k], numerical, atol=1e-8)


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("hidden", [(5,), (4, 3)])
def test_look_sees_the_network(hidden, sparse):
    objective, theta = random_objective(hidden, "tanh", sparse=sparse)
    stall = look(objective, theta)[-1]
    coefs, intercepts = objective.layout.unpack(theta)
    inside = np.asarray(stall.z @ coefs[-2]) + intercepts[-2]
    np.testing.assert_allclose(stall.values, np.tanh(inside), rtol=1e-12)
    raw = stall.values @ coefs[-1] + intercepts[-1]
    np.testing.assert_allclose(raw, raw_predictions(objective, theta), rtol=1e-12)
    assert stall.z.shape[1] == objective.layout.sizes[-3]


@pytest.mark.parametrize("sparse", [False, True])
def test_series_directions_are_those_of_the_taylor_series(sparse):
    objective, theta = random_objective((5,), "tanh", n_features=4, sparse=sparse)
    stall = look(objective, theta)[-1]
    z = stall.z.toarray() if sparse else stall.z
    z, r = z / stall.deviation, stall.residuals[0] - stall.residuals[0].mean()
    slope, *strongest = series_directions(stall, np.random.RandomState(0)).T
    np.testing.assert_allclose(slope, z.T @ r / np.linalg.norm(z.T @ r), rtol=1e-10)
    second = z.T @ (r[:, None] * z)
    values = np.linalg.eigvalsh(second)
    values = values[np.argsort(-np.abs(values))]
    for v, value in zip(strongest, values[:2], strict=True):
        np.testing.assert_allclose(second @ v, value * v, atol=1e-10)


@pytest.mark.parametrize("outputs", OUTPUTS, ids=str)
def test_promise_is_the_decrease_of_the_quadratic_model(outputs, monkeypatch):
    monkeypatch.setattr(skgoodmin.scout, "RIDGE", 0.0)
    objective, theta = random_objective((4,), "tanh", **outputs)
    stall = look(objective, theta)[-1]
    phi = np.tanh(stall.z @ np.array([1.0, -2.0, 0.5]) + 0.3)
    old = np.column_stack([stall.values, np.ones(len(phi))])
    expected = 0.0
    for r, q in zip(stall.residuals, stall.curvature, strict=True):
        decrease = []
        for features in (old, np.column_stack([old, phi])):
            hessian = features.T @ (q[:, None] * features)
            gradient = features.T @ r
            decrease.append(0.5 * gradient @ np.linalg.solve(hessian, gradient))
        expected += decrease[1] - decrease[0]
    found = promise(phi[:, None], stall)[0]
    np.testing.assert_allclose(found, expected, rtol=1e-8)


@pytest.mark.parametrize("outputs", OUTPUTS, ids=str)
@pytest.mark.parametrize("hidden", [(6,), (5, 6)])
@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "silu"])
def test_a_graft_changes_one_unit_and_the_output_layer(activation, hidden, outputs):
    objective, theta = random_objective(hidden, activation, **outputs)
    grafted = graft(objective, theta, np.random.RandomState(0), 16)
    assert np.isfinite(grafted).all() and 0 < graft_cost(objective, 16) < 100
    before, after = (objective.layout.unpack(t)[0] for t in (theta, grafted))
    for old, new in zip(before[:-2], after[:-2], strict=True):
        np.testing.assert_array_equal(old, new)
    assert (before[-2] != after[-2]).any(axis=0).sum() == 1


def test_the_scouted_unit_promises_more_than_random_ones():
    objective, theta = random_objective((5,), "tanh", n=200, n_features=5)
    stall = look(objective, theta)[-1]
    wins = 0
    for seed in range(30):
        rng = np.random.RandomState(seed)
        scouted = scout(stall, "tanh", rng, 16)[2]
        random = scout(stall, "tanh", rng, 1)[2]
        gains = promise(np.column_stack([scouted, random]), stall)
        wins += gains[0] > gains[1]
    assert wins >= 27
