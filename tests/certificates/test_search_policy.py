"""The search for a neuron: which directions are tried, and which neuron is kept."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from skgoodmin.certificates import neuron_search
from skgoodmin.certificates.neuron_search import (
    SEARCH_ROWS,
    LayerView,
    Neuron,
    best_neurons,
    named_directions,
    random_directions,
    refined,
    scaled,
    series_directions,
    standard_deviation,
    through_random_rows,
    with_floor,
)


def _view(n=30, n_inputs=3, n_outputs=1, sparse=False, seed=0):
    rng = np.random.RandomState(seed)
    z = rng.normal(size=(n, n_inputs)) * np.linspace(0.5, 4, n_inputs) + 1.0
    if sparse:
        z[rng.uniform(size=z.shape) < 0.3] = 0
        z = csr_array(z)
    residuals = rng.normal(size=(n_outputs, n)) * (1 + np.arange(n_outputs))[:, None]
    values, curvature = rng.normal(size=(n, 2)), np.ones((n_outputs, n))
    return LayerView(z, values, residuals, curvature, standard_deviation(z))


def test_the_constants_that_the_documentation_names():
    assert SEARCH_ROWS == 4096
    assert neuron_search.SUBSPACE == 8 and neuron_search.OUTPUTS == 64
    assert neuron_search.LENGTHS == 4 and neuron_search.NEIGHBOURHOOD == 0.6
    assert (neuron_search.SMALLEST_SCALE, neuron_search.LARGEST_SCALE) == (0.5, 3.0)


def test_a_tenth_of_the_mean_curvature_is_its_floor():
    curvature = np.array([[0.0, 1.0, 5.0], [0.0, 0.0, 0.3]])
    expected = [[0.2, 1.2, 5.2], [0.01, 0.01, 0.31]]
    np.testing.assert_allclose(with_floor(curvature), expected, rtol=1e-14)


@pytest.mark.parametrize("sparse", [False, True])
def test_standard_deviation(sparse):
    rng = np.random.RandomState(0)
    z = rng.normal(size=(50, 4)) * [1, 10, 0.1, 1] + [0, 3, -1, 0]
    z[rng.uniform(size=z.shape) < 0.5] = 0
    z[:, 3] = 0
    expected = z.std(axis=0)
    expected[3] = 1
    found = standard_deviation(csr_array(z) if sparse else z)
    np.testing.assert_allclose(found, expected, rtol=1e-10)


@pytest.mark.parametrize("sparse", [False, True])
def test_a_constant_column_has_the_deviation_one(sparse):
    z = np.full((8, 3), 0.5) * [1, 8, 2.0**20]
    z[0, 1] += 1e-9  # rounding, not information
    found = standard_deviation(csr_array(z) if sparse else z)
    np.testing.assert_array_equal(found, 1.0)
    z = np.random.RandomState(0).normal(size=(9, 1))
    np.testing.assert_allclose(standard_deviation(0.01 * z), 0.01 * z.std(axis=0))
    # A small spread that is not rounding.
    z = np.array([[1.0], [1.0 + 1e-6]])
    np.testing.assert_allclose(standard_deviation(z), 5e-7, rtol=1e-3)


def _taylor(view, k):
    """(gradient, eigenvalues, matrix) of output k from the formulas."""
    z = view.z.toarray() if hasattr(view.z, "toarray") else view.z
    z = z / view.deviation
    r = view.residuals[k] - view.residuals[k].mean()
    second = sum(ri * np.outer(zi, zi) for ri, zi in zip(r, z, strict=True))
    values = np.linalg.eigvalsh(second)
    order = np.argsort(-np.abs(values))
    return sum(ri * zi for ri, zi in zip(r, z, strict=True)), values[order], second


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("n, n_inputs", [(30, 2), (30, 3), (30, 8), (6, 20)])
def test_the_series_names_its_gradient_and_two_eigenvectors(n, n_inputs, sparse):
    # (6, 20): the matrix has a smaller rank than the subspace has dimensions.
    view = _view(n, n_inputs, 3, sparse)
    directions = series_directions(view, np.random.RandomState(0))
    assert directions.shape == (n_inputs, 9)
    np.testing.assert_allclose(np.linalg.norm(directions, axis=0), 1.0, rtol=1e-12)
    for k in range(3):
        slope, *strongest = directions[:, 3 * k : 3 * k + 3].T
        gradient, values, second = _taylor(view, k)
        np.testing.assert_allclose(slope, gradient / np.linalg.norm(gradient))
        for v, value in zip(strongest, values, strict=False):
            np.testing.assert_allclose(second @ v, value * v, atol=1e-8)


def test_one_input_has_one_eigenvector():
    directions = series_directions(_view(30, 1), np.random.RandomState(0))
    np.testing.assert_allclose(np.abs(directions), [[1.0, 1.0]])


def test_of_many_inputs_a_subspace_on_which_the_matrix_acts_most():
    view, found = _view(400, 40), []
    # One direction dominates.
    r = np.where(view.z[:, 7] > view.z[:, 7].mean() + 4, 1.0, 0.0) * 50
    view = view._replace(residuals=r[None] + 0.01 * view.residuals)
    _, values, second = _taylor(view, 0)
    for seed in range(5):
        v = series_directions(view, np.random.RandomState(seed))[:, 1]
        found.append(abs(v @ second @ v) / abs(values[0]))
    # A random subspace without the power step has about 8 / 40 of it.
    assert min(found) > 0.6
    assert len({*found}) == 5


def test_of_many_outputs_those_with_the_largest_residuals():
    view = _view(9, 2, 70)
    order = np.random.RandomState(3).permutation(70)
    view = view._replace(residuals=view.residuals[order])
    directions = series_directions(view, np.random.RandomState(0))
    assert directions.shape == (2, 3 * 64)
    sizes = np.abs(view.residuals).sum(axis=1)
    largest = [k for k in range(70) if (sizes > sizes[k]).sum() < 64]
    expected = np.array([_taylor(view, k)[0] for k in largest])
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(directions[:, ::3].T, expected, rtol=1e-10)


def test_a_residual_that_vanishes_names_nothing_infinite():
    view = _view()._replace(residuals=np.zeros((1, 30)))
    directions = series_directions(view, np.random.RandomState(0))
    assert np.isfinite(directions).all() and not directions[:, 0].any()


def test_lengths_are_between_half_and_three_deviations_with_both_signs():
    view, rng = _view(), np.random.RandomState(0)
    unit = np.tile([[0.6], [0.0], [0.8]], 4000)
    w = scaled(unit, view, rng) * view.deviation[:, None]
    factor = w[0] / 0.6
    np.testing.assert_allclose(w, unit * factor, rtol=1e-12, atol=1e-15)
    length = np.abs(factor)
    assert 0.5 <= length.min() < 0.51 and 2.99 < length.max() <= 3.0
    np.testing.assert_allclose(length.mean(), 1.75, atol=0.05)
    np.testing.assert_allclose((factor > 0).mean(), 0.5, atol=0.05)


def test_random_directions_are_random():
    view, rng = _view(), np.random.RandomState(0)
    w = random_directions(view, rng, 4000)
    assert w.shape == (3, 4000)
    standard = w * view.deviation[:, None]
    length = np.linalg.norm(standard, axis=0)
    assert 0.5 <= length.min() < 0.51 and 2.99 < length.max() <= 3.0
    unit = standard / length
    np.testing.assert_allclose(unit.mean(axis=1), 0.0, atol=0.05)
    np.testing.assert_allclose(unit @ unit.T / 4000, np.eye(3) / 3, atol=0.03)


def test_each_named_direction_is_tried_in_four_lengths():
    view = _view(30, 3, 2)
    w = named_directions(view, np.random.RandomState(5))
    series = series_directions(view, np.random.RandomState(5))
    assert w.shape == (3, 6 * 4)
    standard = w * view.deviation[:, None]
    length = np.linalg.norm(standard, axis=0)
    assert 0.5 <= length.min() and length.max() <= 3.0 and len({*length}) == 24
    for j in range(24):
        same = standard[:, j] @ series[:, j // 4] / length[j]
        np.testing.assert_allclose(abs(same), 1.0, rtol=1e-10)


def test_hyperplanes_go_through_random_rows():
    rng = np.random.RandomState(0)
    inside = np.random.RandomState(1).normal(size=(5, 3000))
    b = through_random_rows(inside, rng)
    assert b.shape == (3000,)
    on = inside + b == 0
    assert (on.sum(axis=0) == 1).all()
    np.testing.assert_allclose(on.mean(axis=1), 0.2, atol=0.04)


def _numbered(n=6):
    """Neurons of one input whose number can be told from all they consist of."""
    w, b = np.arange(2.0 * n).reshape(2, n), 10.0 + np.arange(n)
    return w, b, np.arange(3.0 * n).reshape(3, n) * 0.1


def test_the_neurons_that_score_best_come_first():
    w, b, inside = _numbered()
    scores, seen = np.array([1.0, 5.0, 3.0, -7.0, 4.0, 0.0]), []

    def score(values):
        seen.append(values)
        return scores

    def function(z):
        return np.sin(z)

    for n_best, expected in [(1, [1]), (2, [1, 4]), (4, [1, 4, 2, 0]),
                             (99, [1, 4, 2, 0, 5, 3])]:  # fmt: skip
        found = best_neurons(w, b, inside, function, score, n_best)
        assert [neuron.score for neuron in found] == [scores[k] for k in expected]
        for neuron, k in zip(found, expected, strict=True):
            np.testing.assert_array_equal(neuron.w, w[:, k])
            assert neuron.b == b[k]
            np.testing.assert_array_equal(neuron.inside, inside[:, k])
            np.testing.assert_array_equal(neuron.values, np.sin(inside[:, k] + b[k]))
    for values in seen:
        np.testing.assert_array_equal(values, np.sin(inside + b))
    assert len(best_neurons(w, b, inside, function, score)) == 1


def test_the_first_of_equals_is_kept():
    w, b, inside = _numbered()
    found = best_neurons(w, b, inside, np.tanh, lambda values: np.ones(6))
    np.testing.assert_array_equal(found[0].w, w[:, 0])


def _neuron(view, seed=0):
    rng = np.random.RandomState(seed)
    w, b = rng.normal(size=view.z.shape[1]), 0.7
    inside = np.asarray(view.z @ w)
    return Neuron(w, b, inside, np.tanh(inside + b), 0.0)


@pytest.mark.parametrize("sparse", [False, True])
def test_what_is_refined_starts_from_the_neuron_itself(sparse):
    view = _view(sparse=sparse)
    neuron, tried = _neuron(view), []

    def score(values):
        tried.append(values)
        return -np.arange(values.shape[1], dtype=float)

    for n_near in (0, 1, 8):
        found = refined(neuron, view, np.tanh, score, np.random.RandomState(0), n_near)
        assert tried[-1].shape == (30, n_near + 1)
        np.testing.assert_array_equal(found.w, neuron.w)
        assert found.b == neuron.b
        np.testing.assert_allclose(found.values, neuron.values, rtol=1e-12)


@pytest.mark.parametrize("seed", range(10))
def test_what_is_refined_is_the_best_of_what_was_tried(seed):
    view = _view(seed=seed)
    neuron, target = _neuron(view, seed), np.random.RandomState(seed).normal(size=30)

    def score(values):
        return -((values - target[:, None]) ** 2).sum(axis=0)

    rng = np.random.RandomState(seed)
    few = refined(neuron, view, np.tanh, score, rng, 3)
    many = refined(neuron, view, np.tanh, score, rng, 300)
    own = score(neuron.values[:, None])[0]
    assert few.score >= own and many.score > own
    for found in (few, many):
        np.testing.assert_allclose(found.inside, view.z @ found.w, rtol=1e-12)
        values = np.tanh(view.z @ found.w + found.b)
        np.testing.assert_allclose(found.values, values, rtol=1e-12)
        assert found.score == pytest.approx(score(values[:, None])[0])


def test_near_is_six_tenths_of_its_length_and_of_its_spread(monkeypatch):
    view, tried = _view(), []
    neuron = _neuron(view)

    def keep(w, b, inside, function, score):
        tried.append((w, b, inside))
        return best_neurons(w, b, inside, function, score)

    monkeypatch.setattr(neuron_search, "best_neurons", keep)
    rng = np.random.RandomState(0)
    refined(neuron, view, np.tanh, lambda v: v.sum(axis=0), rng, 20000)
    ((w, b, inside),) = tried
    np.testing.assert_allclose(inside, view.z @ w, rtol=1e-12)
    # In units of the deviation all components move as much.
    moved = (w[:, 1:] - neuron.w[:, None]) * view.deviation[:, None]
    length = np.sqrt(np.mean((neuron.w * view.deviation) ** 2))
    np.testing.assert_allclose(moved.std(axis=1), 0.6 * length, rtol=0.03)
    np.testing.assert_allclose(moved.mean(axis=1), 0.0, atol=0.02 * length)
    away, spread = b[1:] - neuron.b, neuron.inside.std()
    assert b[0] == neuron.b
    np.testing.assert_allclose(away.std(), 0.6 * spread, rtol=0.03)
    np.testing.assert_allclose(away.mean(), 0.0, atol=0.02 * spread)
