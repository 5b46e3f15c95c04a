"""The identity that forces the amplitudes to 0, and what the neuron adds."""

import numpy as np
import pytest
from problems import random_objective

from skgoodmin.objective import AugmentedObjective


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("loss", ["poly_hinge", "log_loss"])
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

    from skgoodmin.certificate import data_loss, raw_predictions

    exponent = plain.data.block() @ w
    e = np.exp(beta + exponent - exponent.max())
    raw = raw_predictions(plain, theta) + e[:, None] * a
    np.testing.assert_allclose(value, data_loss(plain, raw)[0] + a @ a, rtol=1e-13)


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
