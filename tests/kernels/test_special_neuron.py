"""The identity that forces the amplitudes to 0, and what the neuron adds."""

import numpy as np
import pytest
from problems import five_point, random_objective, tiny_objective
from scipy.sparse import csr_array

from skgoodmin.kernels.special_neuron import (
    exponents,
    natural_power,
    neuron_backward,
    neuron_forward,
)
from skgoodmin.objective.canonical_rows import canonical_rows
from skgoodmin.objective.losses import LOSSES
from skgoodmin.objective.predictions import Predictions
from skgoodmin.objective.with_neuron import AugmentedObjective


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("n_outputs", [1, 4])
@pytest.mark.parametrize("seed", range(3))
def test_identity(n_outputs, loss, sparse, seed):
    """sum_k a_k dJ~/da_k - dJ~/dbeta = lambda sum_k a_k^2, at any point."""
    plain, theta = random_objective(
        (5,), "relu", loss, n_outputs, sparse=sparse, seed=seed
    )
    strength = 0.3
    augmented = AugmentedObjective(plain, strength)
    neuron = np.random.RandomState(seed).normal(size=plain.n_neuron)
    _, gradient = augmented.value_and_gradient(np.concatenate([theta, neuron]))
    by_beta, by_a = gradient[-1 - n_outputs], gradient[-n_outputs:]
    a = neuron[-n_outputs:]
    scale = np.abs(gradient).max()
    assert abs(a @ by_a - by_beta - strength * a @ a) < 1e-13 * scale


def test_contribution_is_what_the_formula_says():
    plain, theta = random_objective((5,), n_outputs=3, alpha=0.0)
    rng = np.random.RandomState(0)
    w, beta, a = rng.normal(size=3), 0.4, rng.normal(size=3)
    augmented = AugmentedObjective(plain, 2.0)
    value, _ = augmented.value_and_gradient(np.concatenate([theta, w, [beta], a]))

    exponent = plain.data.block() @ w
    e = np.exp(beta + exponent - exponent.max())
    raw = Predictions(plain, theta).raw + e[:, None] * a
    np.testing.assert_allclose(value, plain.data_loss(raw)[0] + a @ a, rtol=1e-13)


def test_no_overflow_on_the_training_rows():
    plain, theta = random_objective((5,))
    augmented = AugmentedObjective(plain, 1.0)
    neuron = np.array([1e6, -1e6, 1e6, 3.0, 0.5])
    value, gradient = augmented.value_and_gradient(np.concatenate([theta, neuron]))
    assert np.isfinite(value) and np.isfinite(gradient).all()


def test_equivalent_strengths():
    """TC10: lambda' at (a, w, b) is lambda at (a c, w, b - log c), c^2 = l'/l."""
    plain, theta = random_objective((5,))
    w, b, a = np.array([0.3, -0.2, 0.5]), 0.2, 0.7
    c = np.sqrt(5.0)
    first = AugmentedObjective(plain, 5.0).value_and_gradient(
        np.concatenate([theta, w, [b, a]])
    )
    second = AugmentedObjective(plain, 1.0).value_and_gradient(
        np.concatenate([theta, w, [b - np.log(c), a * c]])
    )
    np.testing.assert_allclose(first[0], second[0], rtol=1e-14)


@pytest.mark.parametrize("degree", [1, 2, 5])
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("n_outputs", [1, 4])
def test_identity_and_gradient_of_the_monomial(n_outputs, sparse, degree):
    """a.dJ~/da - (w.dJ~/dw + b dJ~/db) / p = lambda a^2, and finite differences."""
    plain, theta = random_objective((5,), "tanh", n_outputs=n_outputs, sparse=sparse)
    strength = 0.3
    augmented = AugmentedObjective(plain, strength, degree)
    neuron = 0.5 * np.random.RandomState(degree).normal(size=plain.n_neuron)
    point = np.concatenate([theta, neuron])
    _, gradient = augmented.value_and_gradient(point)
    numerical = five_point(lambda p: augmented.value_and_gradient(p)[0], point)
    scale = np.abs(gradient).max()
    np.testing.assert_allclose(gradient, numerical, atol=1e-8 * scale)
    by_neuron, a = gradient[len(theta) :], neuron[-n_outputs:]
    inside = slice(0, plain.layout.sizes[0] + 1)
    euler = by_neuron[inside] @ neuron[inside] / degree
    assert abs(a @ by_neuron[-n_outputs:] - euler - strength * a @ a) < 1e-13 * scale


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, 6, 7, 10**9])
@pytest.mark.parametrize("z", [-1.0 - 1e-9, 1.0 - 1e-9, 0.0])
def test_a_natural_power(z, exponent):
    """By squaring: a thousand million multiplications would take a second."""
    assert abs(natural_power(z, exponent) - z**exponent) < 1e-6


def test_tc7_low_degrees_see_nothing():
    """dJ~/da at w = 0.4, b = 0.3 is 0, -0.96, -0.864, -0.672 for p = 1 ... 4."""
    objective = tiny_objective([-1, 0, 0, 1], [1, -1, -1, 1], ())
    theta, neuron = np.zeros(2), np.array([0.4, 0.3, 0.0])
    found = [
        4 * objective.evaluate(theta, neuron, degree)[1][-1] for degree in (1, 2, 3, 4)
    ]
    np.testing.assert_allclose(found, [0, -0.96, -0.864, -0.672], atol=1e-14)


@pytest.mark.parametrize("degree", [0, 1, 4])
@pytest.mark.parametrize("sparse", [False, True])
def test_kernels_on_a_block(sparse, degree):
    """Forward and backward of rows 5 to 12 against the formulas in numpy."""
    rng = np.random.RandomState(0)
    X = np.where(rng.uniform(size=(15, 3)) < 0.4, 0.0, rng.normal(size=(15, 3)))
    data = canonical_rows(
        csr_array(X) if sparse else X, np.zeros((15, 1), dtype=np.int32)
    )
    first, n, n_outputs = 5, 7, 2
    block = data.block(first, first + n)
    block = block.toarray() if sparse else block
    x = np.empty((n, 0)) if sparse else block
    neuron = rng.normal(size=3 + 1 + n_outputs)
    w, b, a = neuron[:3], neuron[3], neuron[4:]
    z = block @ w + b

    out = np.empty(n)
    exponents(data.rows, x, first, w, out)
    np.testing.assert_allclose(out, z - b, rtol=1e-12, atol=1e-14)

    e, slope, before = np.empty(n), np.empty(n), rng.normal(size=(n_outputs, n))
    raw = before.copy()
    neuron_forward(data.rows, x, first, neuron, degree, e, slope, raw)
    expected = np.exp(z) if degree == 0 else z**degree
    by_z = np.exp(z) if degree == 0 else degree * z ** (degree - 1)
    np.testing.assert_allclose(e, expected, rtol=1e-12)
    np.testing.assert_allclose(slope, by_z, rtol=1e-12)
    np.testing.assert_allclose(raw, before + a[:, None] * expected, rtol=1e-12)

    delta = rng.normal(size=(n_outputs, n))
    start = rng.normal(size=len(neuron))
    gradient = start.copy()
    neuron_backward(data.rows, x, first, neuron, e, slope, delta, gradient)
    h = (a @ delta) * by_z
    by_neuron = np.concatenate([h @ block, [h.sum()], delta @ expected])
    np.testing.assert_allclose(gradient - start, by_neuron, rtol=1e-11)
