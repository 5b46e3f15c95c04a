"""The polar of one and two features against every neuron there is."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from dual_cases import exact_polar, rows
from numpy.testing import assert_allclose
from scipy.sparse import csr_array

from skgoodmin import GoodMinimaClassifier
from skgoodmin.certificates.ascents import relu_ascents
from skgoodmin.certificates.effort import effort_of
from skgoodmin.certificates.plane import plane_polar
from skgoodmin.certificates.polar import search
from skgoodmin.certificates.polar_bound import (
    Points,
    central_bound,
    polar_bound,
    product_range,
)
from skgoodmin.kernels.activations import ACTIVATIONS
from skgoodmin.objective.duals.dual import shrink_to_balance


def ascents(n_units, n_random):
    """An effort with so many of them."""
    return replace(effort_of(1), n_units=n_units, n_random=n_random)


def balanced(n_outputs, n, rng):
    return np.array([shrink_to_balance(r) for r in rng.normal(size=(n_outputs, n))])


@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("n_features", [1, 2])
@pytest.mark.parametrize("rounded", [False, True])
def test_polar_against_all_neurons(n_outputs, n_features, rounded):
    rng = np.random.default_rng(n_outputs)
    for _ in range(3):
        x, _, _ = rows(12, n_features, rng, rounded=rounded)
        residuals = balanced(n_outputs, 12, rng)
        exact = exact_polar(x, residuals)
        points = Points(x, residuals)
        if points.radius == 0:
            continue
        upper, lower, _, _ = plane_polar(points, points.residuals, 1e-4, 100_000)
        assert lower <= exact * (1 + 1e-3) and exact <= upper
        assert_allclose(upper, exact, rtol=3e-3)
        found = search(
            x,
            residuals,
            ACTIVATIONS["relu"],
            np.eye(n_features),
            np.zeros(n_features),
            rng,
            ascents(2, 40),
        )
        assert found.polar <= upper
        assert_allclose(found.polar, exact, rtol=0.02)
        proven = polar_bound(points, ACTIVATIONS["relu"], n_rounds=10)
        assert exact <= proven * (1 + 1e-9)


@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("max_arcs", [1, 33, 64, 200])
def test_the_bound_of_few_arcs_holds_and_is_not_far(max_arcs, n_outputs):
    rng = np.random.default_rng(max_arcs)
    for _ in range(20):
        x, _, _ = rows(12, 2, rng)
        points = Points(x, balanced(n_outputs, 12, rng))
        exact = exact_polar(x, points.residuals)
        upper, lower, _, _ = plane_polar(points, points.residuals, 1e-9, max_arcs)
        assert lower <= exact * (1 + 1e-3) and exact <= upper
        if max_arcs == 200:  # with arcs halved depth first some are 9 % above
            assert upper < 1.01 * exact


@pytest.mark.parametrize("activation", ACTIVATIONS.values(), ids=ACTIVATIONS)
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_found_is_attained_and_below_proven(activation, n_outputs):
    rng = np.random.default_rng(3)
    x = rng.normal(size=(30, 4))
    residuals = balanced(n_outputs, 30, rng)
    units, offsets = rng.normal(size=(5, 4)), rng.normal(size=5)
    found = search(x, residuals, activation, units, offsets, rng, ascents(5, 10))
    value = activation.function(x @ found.coef + found.intercept)
    h = residuals @ value
    size = np.linalg.norm(found.coef)
    assert_allclose(np.linalg.norm(h) / size, found.polar, rtol=1e-9)
    assert found.direction @ h <= -(1 - 1e-9) * np.linalg.norm(h)
    proven = polar_bound(Points(x, residuals), activation, n_rounds=8)
    assert found.polar <= proven
    for w in 10.0 ** rng.uniform(-2, 2, size=(200, 1)) * rng.normal(size=(200, 4)):
        b = rng.normal() * np.linalg.norm(w)
        h = residuals @ activation.function(x @ w + b)
        assert np.linalg.norm(h) <= proven * np.linalg.norm(w)


@pytest.mark.parametrize("activation", ACTIVATIONS.values(), ids=ACTIVATIONS)
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_no_neuron_is_above_the_central_bound(activation, n_outputs):
    rng = np.random.default_rng(6)
    for n, d in ((30, 4), (7, 2), (3, 1)):
        x = 5.0 + rng.normal(size=(n, d)) * 10.0 ** rng.uniform(-2, 2)
        residuals = balanced(n_outputs, n, rng)
        points, slopes = Points(x, residuals), activation.slopes
        proven = central_bound(points, slopes, 5, np.inf)
        for w in 10.0 ** rng.uniform(-2, 2, size=(300, 1)) * rng.normal(size=(300, d)):
            b = (rng.normal() - 5.0 * w.sum()) * rng.choice([1.0, np.linalg.norm(w)])
            h = np.linalg.norm(residuals @ activation.function(x @ w + b))
            # Far from the origin h itself loses digits.
            assert h <= (proven + 1e-13) * np.linalg.norm(w)
        # What is found out at once does not depend on what is asked for.
        assert central_bound(points, slopes, 5, 1.01 * proven) == proven
        assert central_bound(points, slopes, 5, 0.1 * proven) == np.inf


def test_central_bound_of_residuals_of_a_constant_is_near():
    """Two classes apart, all rows of one sign: relu along the line between them."""
    rng = np.random.default_rng(7)
    labels = np.repeat([1.0, -1.0], 20)
    x = rng.normal(size=(40, 3)) + 4.0 * labels[:, None]
    proven = central_bound(Points(x, labels[None] / 40), (0.0, 1.0), 40, np.inf)
    relu = ACTIVATIONS["relu"]
    found = search(
        x, labels[None] / 40, relu, np.eye(3), np.zeros(3), rng, ascents(3, 10)
    )
    assert found.polar <= proven <= 1.05 * found.polar


def test_ascents_do_not_rest_on_ridges():
    """Binary columns have many; hardly a neighbour of where ascents end is higher."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 2, size=(200, 8)) - 0.5
    labels = rng.choice([-1.0, 1.0], 200)
    phi = np.maximum(x @ rng.normal(size=(8, 60)) + rng.normal(size=60), 0)
    fitted = phi @ np.linalg.solve(phi.T @ phi + np.eye(60), phi.T @ labels)
    r = (labels - fitted - (labels - fitted).mean())[:, None]
    found = relu_ascents(x, r, rng.normal(size=(50, 8)), 300)
    for distance in (0.01, 0.003):
        step = distance * rng.normal(size=(50 * 100, 8))
        near = relu_ascents(x, r, np.repeat(found.coefs, 100, axis=0) + step, 1)
        highest = near.values.reshape(50, 100).max(axis=1)
        assert (highest > found.values * (1 + 1e-4)).sum() <= 2


def test_an_ascent_ends_at_a_look_where_it_promises_too_little():
    """A promise: the height, and twice what was gained since the last look."""
    rng = np.random.default_rng(1)
    x, residuals = rng.normal(size=(80, 5)), balanced(1, 80, rng)
    r, starts = np.ascontiguousarray(residuals.T), rng.normal(size=(40, 5))
    at = {n: relu_ascents(x, r, starts, n).values for n in (1, 4, 9, 30)}
    first, second = 3 * at[4] - 2 * at[1], 3 * at[9] - 2 * at[4]
    looks = np.array([(4, np.quantile(first, 0.3)), (9, np.quantile(second, 0.5))])
    found = relu_ascents(x, r, starts, 30, looks=looks)
    early = first < looks[0, 1]
    late = ~early & (second < looks[1, 1])
    assert early.any() and late.any() and not (early | late).all()
    expected = np.where(early, at[4], np.where(late, at[9], at[30]))
    assert_allclose(found.values, expected, rtol=1e-12)
    n_whole = (~early & ~late).sum()
    assert found.n_evaluations <= 4 * early.sum() + 9 * late.sum() + 30 * n_whole
    assert_allclose(found.promises[early], first[early], rtol=1e-9)
    assert_allclose(found.promises[late], second[late], rtol=1e-9)


def test_identity_is_exact():
    rng = np.random.default_rng(4)
    x, residuals = rng.normal(size=(20, 3)), balanced(2, 20, rng)
    found = search(
        x,
        residuals,
        ACTIVATIONS["identity"],
        np.eye(3),
        np.zeros(3),
        rng,
        ascents(1, 1),
    )
    size = np.linalg.norm(residuals @ x, 2)
    assert_allclose(found.polar, size, rtol=1e-12)
    proven = polar_bound(Points(x, residuals), ACTIVATIONS["identity"], n_tighten=200)
    assert size <= proven <= size * 1.01


@pytest.mark.parametrize("activation", ACTIVATIONS.values(), ids=ACTIVATIONS)
def test_slopes_stay_in_their_range(activation):
    z = np.linspace(-40.0, 40.0, 400_001)
    slope = activation.derivative(z)
    low, high = activation.slopes
    assert low <= slope.min() and slope.max() <= high
    step = z[1] - z[0]
    by_differences = np.diff(activation.function(z)) / step
    assert low - 1e-9 <= by_differences.min() and by_differences.max() <= high + 1e-9
    products = np.sort([low, high])
    assert product_range(activation, 1) == tuple(products)
    corners = [a * b * c for a, b, c in itertools.product((low, high), repeat=3)]
    assert_allclose(product_range(activation, 3), [min(corners), max(corners)])


def test_sparse_rows_and_more_columns_than_rows():
    rng = np.random.default_rng(5)
    x = rng.normal(size=(9, 40)) * (rng.uniform(size=(9, 40)) < 0.3)
    residuals = balanced(1, 9, rng)
    for activation in (ACTIVATIONS["relu"], ACTIVATIONS["tanh"]):
        dense = search(
            x, residuals, activation, np.eye(40)[:3], np.zeros(3), rng, ascents(3, 30)
        )
        sparse = search(
            csr_array(x),
            residuals,
            activation,
            np.eye(40)[:3],
            np.zeros(3),
            np.random.default_rng(5),
            ascents(3, 30),
        )
        proven = polar_bound(Points(csr_array(x), residuals), activation)
        assert max(dense.polar, sparse.polar) <= proven


def test_effort_grows():
    small, large = effort_of(0), effort_of(1)
    assert small.n_neighbours < large.n_neighbours
    assert sum(n for _, n in small.stages) < sum(n for _, n in large.stages)


def test_iterations_are_made_where_they_are_short():
    """Of a fit: all of them, fewer, and none with hundreds of features."""
    fit, certify = effort_of(0), effort_of(1)
    ((_, whole),) = fit.stages
    assert fit.affordable(2000, 30, 1) == fit.stages
    ((_, fewer),) = fit.affordable(30_000, 287, 1)
    assert 2 <= fewer < whole
    assert fit.affordable(5000, 800, 1) == ()
    assert fit.steps(30) == 2 and fit.steps(800) == 1
    assert certify.steps(30) == 20 and certify.steps(800) == 10
    long = certify.affordable(20_000, 800, 1)
    assert [power for power, _ in long] == [power for power, _ in certify.stages]
    assert all(n < m for (_, n), (_, m) in zip(long, certify.stages, strict=True))


def test_a_fit_proves_something_of_hundreds_of_features():
    rng = np.random.RandomState(0)
    X = rng.normal(size=(700, 660))
    y = (X[:, :5].sum(axis=1) > 0).astype(int)
    model = GoodMinimaClassifier((5,), alpha=0.1, random_state=0).fit(X, y)
    certificate = model.certificate_
    assert 0.1 * model.loss_ < certificate.lower_bound < model.loss_
