"""The search for neurons: derivatives, directions, the best of some, and near it."""

import numpy as np
import pytest
from problems import random_objective
from scipy.sparse import csr_array

from skgoodmin.certificates import neuron_search
from skgoodmin.certificates.neuron_search import (
    best_neurons,
    derivatives,
    named_directions,
    random_directions,
    refined,
    series_directions,
    standard_deviation,
    through_random_rows,
)
from skgoodmin.objective.losses import LOSSES
from skgoodmin.objective.predictions import Predictions
from skgoodmin.training.graft import layer_views

OUTPUTS = [{"n_outputs": 1}, {"n_outputs": 3}, {"n_outputs": 3, "multilabel": True}]


def _view(**options):
    objective, theta = random_objective((5,), "tanh", n_features=4, **options)
    return layer_views(objective, theta)[-1]


@pytest.mark.parametrize("outputs", OUTPUTS, ids=str)
@pytest.mark.parametrize("loss", LOSSES)
def test_curvature_is_the_derivative_of_the_residuals(loss, outputs):
    objective, theta = random_objective((5,), "tanh", loss, weights=True, **outputs)
    raw = Predictions(objective, theta).raw
    curvature = objective.curvature(raw)
    for k in range(raw.shape[1]):
        step = np.zeros_like(raw)
        step[:, k] = 1e-6
        _, above = objective.data_loss(raw + step)
        _, below = objective.data_loss(raw - step)
        numerical = (above[k] - below[k]) / 2e-6
        np.testing.assert_allclose(curvature[k], numerical, atol=1e-8)


def test_derivatives_of_the_first_rows():
    objective, theta = random_objective((5,), n_outputs=3, weights=True)
    raw = Predictions(objective, theta).raw[:20]
    residuals, curvature = derivatives(objective, raw)
    np.testing.assert_array_equal(residuals, objective.data_loss(raw)[1])
    plain = objective.curvature(raw)
    assert (plain == 0).any()  # beyond the margin
    expected = plain + 0.1 * plain.mean(axis=1)[:, None]
    np.testing.assert_allclose(curvature, expected, rtol=1e-13)


@pytest.mark.parametrize("sparse", [False, True])
def test_standard_deviation(sparse):
    z = np.random.RandomState(0).normal(size=(64, 3)) * [1.0, 5.0, 0.0] + [0, 1, 7]
    z[z < 0.3] = 0
    found = standard_deviation(csr_array(z) if sparse else z)
    expected = z.std(axis=0)
    expected[2] = 1.0  # a constant column
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("sparse", [False, True])
def test_series_directions_are_those_of_the_taylor_series(sparse):
    objective, theta = random_objective((5,), "tanh", n_features=4, sparse=sparse)
    view = layer_views(objective, theta)[-1]
    z = view.z.toarray() if sparse else view.z
    z, r = z / view.deviation, view.residuals[0] - view.residuals[0].mean()
    slope, *strongest = series_directions(view, np.random.RandomState(0)).T
    np.testing.assert_allclose(slope, z.T @ r / np.linalg.norm(z.T @ r), rtol=1e-10)
    second = z.T @ (r[:, None] * z)
    values = np.linalg.eigvalsh(second)
    values = values[np.argsort(-np.abs(values))]
    for v, value in zip(strongest, values[:2], strict=True):
        np.testing.assert_allclose(second @ v, value * v, atol=1e-10)


def test_directions_are_scaled_to_some_standard_deviations():
    view = _view()
    series = series_directions(view, np.random.RandomState(3))
    for w, n in (
        (named_directions(view, np.random.RandomState(3)), 3 * neuron_search.LENGTHS),
        (random_directions(view, np.random.RandomState(3), 200), 200),
    ):
        assert w.shape == (4, n)
        lengths = np.linalg.norm(w * view.deviation[:, None], axis=0)
        assert 0.5 <= lengths.min() < 1.0 and 2.0 < lengths.max() <= 3.0
        assert len(np.unique(lengths)) == n
    named = named_directions(view, np.random.RandomState(3)) * view.deviation[:, None]
    along = np.repeat(series, neuron_search.LENGTHS, axis=1)
    cosines = (named * along).sum(axis=0) / np.linalg.norm(named, axis=0)
    np.testing.assert_allclose(abs(cosines), 1.0, rtol=1e-12)
    assert {-1.0, 1.0} == set(np.sign(cosines))


def test_hyperplanes_go_through_rows():
    inside = np.random.RandomState(0).normal(size=(30, 50))
    b = through_random_rows(inside, np.random.RandomState(1))
    on_it = inside + b == 0
    assert (on_it.sum(axis=0) == 1).all() and on_it.any(axis=1).sum() > 10


def test_the_best_neurons_come_first():
    rng = np.random.RandomState(0)
    w, b, inside = rng.normal(size=(4, 9)), rng.normal(size=9), rng.normal(size=(30, 9))

    def score(values):
        return values.mean(axis=0)

    scores = np.exp(inside + b).mean(axis=0)
    order = np.argsort(-scores)
    for n_best in (1, 3):
        found = best_neurons(w, b, inside, np.exp, score, n_best)
        assert len(found) == n_best
        for neuron, k in zip(found, order, strict=False):
            np.testing.assert_array_equal(neuron.w, w[:, k])
            np.testing.assert_array_equal(neuron.inside, inside[:, k])
            np.testing.assert_array_equal(neuron.values, np.exp(inside + b)[:, k])
            assert neuron.b == b[k] and neuron.score == scores[k]


def test_refining_never_loses_and_mostly_gains():
    view, gains = _view(n=200), []

    def score(values):
        return abs(view.residuals[0] @ values)

    for seed in range(20):
        rng = np.random.RandomState(seed)
        w = random_directions(view, rng, 1)
        inside = view.z @ w
        b = through_random_rows(inside, rng)
        (neuron,) = best_neurons(w, b, inside, np.tanh, score)
        better = refined(neuron, view, np.tanh, score, rng, 8)
        assert better.score >= neuron.score * (1 - 1e-12)
        values = np.tanh(view.z @ better.w + better.b)
        np.testing.assert_allclose(better.values, values, rtol=1e-9)
        assert refined(neuron, view, np.tanh, score, rng, 0).score == pytest.approx(
            neuron.score
        )
        gains.append(better.score > neuron.score)
        step = np.linalg.norm((better.w - neuron.w) * view.deviation)
        assert step < 4 * np.linalg.norm(neuron.w * view.deviation)
    assert sum(gains) >= 15
