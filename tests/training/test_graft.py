"""Grafts against exact linear algebra and against the loss itself."""

import numpy as np
import pytest
from problems import random_objective

from skgoodmin.certificates.neuron_search import SEARCH_ROWS
from skgoodmin.kernels.activations import ACTIVATIONS
from skgoodmin.objective.predictions import Predictions
from skgoodmin.training import scout
from skgoodmin.training.graft import graft, graft_cost, layer_views
from skgoodmin.training.scout import find_unit, predicted_decrease

OUTPUTS = [{"n_outputs": 1}, {"n_outputs": 3}, {"n_outputs": 3, "multilabel": True}]


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("hidden", [(5,), (4, 3)])
def test_a_view_sees_the_network(hidden, sparse):
    objective, theta = random_objective(hidden, "tanh", sparse=sparse)
    view = layer_views(objective, theta)[-1]
    coefs, intercepts = objective.layout.unpack(theta)
    inside = np.asarray(view.z @ coefs[-2]) + intercepts[-2]
    np.testing.assert_allclose(view.values, np.tanh(inside), rtol=1e-12)
    raw = view.values @ coefs[-1] + intercepts[-1]
    np.testing.assert_allclose(raw, Predictions(objective, theta).raw, rtol=1e-12)
    assert view.z.shape[1] == objective.layout.sizes[-3]


def test_views_of_every_layer():
    """Derivatives by the sums that enter the next layer, by differences."""
    objective, theta = random_objective((4, 3), "tanh", n_outputs=2, multilabel=True)
    views = layer_views(objective, theta, every_layer=True)
    assert [view.z.shape[1] for view in views] == [3, 4]
    assert [len(view.residuals) for view in views] == [3, 2]
    (_, w2, w3), (_, c2, c3) = objective.layout.unpack(theta)
    sums = views[0].values @ w2 + c2
    for unit in range(3):
        step = 1e-6 * np.eye(3)[unit]
        above, below = (
            objective.data_loss(np.tanh(sums + sign * step) @ w3 + c3)[0]
            for sign in (1, -1)
        )
        total = views[0].residuals[unit].sum()
        np.testing.assert_allclose((above - below) / 2e-6, total, rtol=1e-6)
    last = layer_views(objective, theta)
    assert len(last) == 1
    np.testing.assert_array_equal(last[0].residuals, views[1].residuals)


@pytest.mark.parametrize("outputs", OUTPUTS, ids=str)
def test_predicted_decrease_is_the_decrease_of_the_quadratic_model(
    outputs, monkeypatch
):
    monkeypatch.setattr(scout, "RIDGE", 0.0)
    objective, theta = random_objective((4,), "tanh", **outputs)
    view = layer_views(objective, theta)[-1]
    phi = np.tanh(view.z @ np.array([1.0, -2.0, 0.5]) + 0.3)
    old = np.column_stack([view.values, np.ones(len(phi))])
    expected = 0.0
    for r, q in zip(view.residuals, view.curvature, strict=True):
        decrease = []
        for features in (old, np.column_stack([old, phi])):
            hessian = features.T @ (q[:, None] * features)
            gradient = features.T @ r
            decrease.append(0.5 * gradient @ np.linalg.solve(hessian, gradient))
        expected += decrease[1] - decrease[0]
    found = predicted_decrease(phi[:, None], view)[0]
    np.testing.assert_allclose(found, expected, rtol=1e-8)


@pytest.mark.parametrize("outputs", OUTPUTS, ids=str)
@pytest.mark.parametrize("hidden", [(6,), (5, 6)])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_graft_changes_one_unit_and_the_output_layer(activation, hidden, outputs):
    objective, theta = random_objective(hidden, activation, **outputs)
    grafted = graft(objective, theta, np.random.RandomState(0), 16)
    assert np.isfinite(grafted).all()
    before, after = (objective.layout.unpack(t)[0] for t in (theta, grafted))
    for old, new in zip(before[:-2], after[:-2], strict=True):
        np.testing.assert_array_equal(old, new)
    assert (before[-2] != after[-2]).any(axis=0).sum() == 1


@pytest.mark.parametrize("hidden", [(6,), (5, 6), (4, 5, 6)])
def test_a_graft_in_any_layer_changes_that_one_and_the_next(hidden):
    objective, theta = random_objective(hidden, "tanh", n_outputs=3)
    layers = set()
    for n_directions in (16, 1):
        for seed in range(8):
            rng = np.random.RandomState(seed)
            grafted = graft(objective, theta, rng, n_directions, every_layer=True)
            before, after = (objective.layout.unpack(t)[0] for t in (theta, grafted))
            changed = [(a != b).any() for a, b in zip(before, after, strict=True)]
            layer = int(np.argmax(changed))
            expected = [layer <= i <= layer + 1 for i in range(len(before))]
            assert changed == expected
            assert (before[layer] != after[layer]).any(axis=0).sum() == 1
            layers.add((n_directions, layer))
    # The control takes any layer; the search what is promised most, of one view.
    assert {layer for n, layer in layers if n == 1} == set(range(len(hidden)))


def test_only_a_free_scale_is_adapted():
    """A relu's unit gets the mean length of the others, a tanh keeps its own."""
    for activation in ("relu", "tanh"):
        objective, theta = random_objective((6,), activation)
        coefs, _ = objective.layout.unpack(theta)
        coefs[0][:] *= 100
        length = np.sqrt((coefs[0] ** 2).sum(axis=0)).mean()
        grafted = graft(objective, theta, np.random.RandomState(0), 16)
        into = objective.layout.unpack(grafted)[0][0]
        unit = into[:, (into != coefs[0]).any(axis=0)][:, 0]
        same = np.isclose(np.linalg.norm(unit), length, rtol=1e-12)
        assert same == (activation == "relu") == ACTIVATIONS[activation].free_scale


@pytest.mark.parametrize(
    ("hidden", "n_outputs", "n_directions", "every_layer", "expected"),
    [
        # Forward, series 13 x 3, 24 tries of 3 + 10, a fit of (6 + 2)^2; over
        # 2 x 18 + 3 x 6.
        ((6,), 1, 16, False, (24 + 39 + 312 + 64) / 54),
        # A random unit is neither searched nor tried.
        ((6,), 1, 1, False, (24 + 64) / 54),
        # Only the last layer: series 3 x 21 x 5, 24 tries of 5 + 3 x 10, 3 x 8^2.
        ((5, 6), 3, 16, False, (63 + 315 + 840 + 192) / (30 + 3 * 48)),
        # The first besides, whose outputs are the 6 units of the next.
        ((5, 6), 3, 16, True, (63 + 315 + 840 + 234 + 1368 + 294) / (30 + 3 * 48)),
    ],
)
def test_cost_of_a_graft_by_hand(
    hidden, n_outputs, n_directions, every_layer, expected
):
    objective, _ = random_objective(hidden, n_outputs=n_outputs)
    found = graft_cost(objective, n_directions, every_layer)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    many, _ = random_objective(hidden, n_outputs=n_outputs, n=4 * SEARCH_ROWS)
    found = graft_cost(many, n_directions, every_layer)
    np.testing.assert_allclose(found, expected / 4, rtol=1e-12)


def test_the_unit_found_promises_more_than_random_ones():
    objective, theta = random_objective((5,), "tanh", n=200, n_features=5)
    view = layer_views(objective, theta)[-1]
    wins = 0
    for seed in range(30):
        rng = np.random.RandomState(seed)
        found = find_unit(view, ACTIVATIONS["tanh"], rng, 16).values
        random = find_unit(view, ACTIVATIONS["tanh"], rng, 1).values
        gains = predicted_decrease(np.column_stack([found, random]), view)
        wins += gains[0] > gains[1]
    assert wins >= 27


def test_the_control_is_blind_to_the_residuals():
    """A single direction is a random one; of several, the residuals choose."""
    objective, theta = random_objective((5,), "tanh", n=200, n_features=5)
    view = layer_views(objective, theta)[-1]
    other = view._replace(residuals=view.residuals[:, ::-1])
    for n_directions in (1, 16):
        for seed in range(5):
            units = [
                find_unit(v, ACTIVATIONS["tanh"], np.random.RandomState(seed), n)
                for v, n in ((view, n_directions), (other, n_directions))
            ]
            same = np.array_equal(units[0].w, units[1].w)
            assert same == (n_directions == 1)
            assert (units[0].score == 0) == (n_directions == 1)
