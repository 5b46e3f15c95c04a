"""Objective and gradient against finite differences and against plain numpy.

Seen here: a gradient of another function than the value, in any combination of
activation, loss, depth, neuron, storage and weights, and deep in saturation. Not seen
here: an objective that is consistent but wrong; the comparison with numpy sees that.
"""

from dataclasses import replace

import numpy as np
import pytest
from problems import (
    difference_step,
    five_point,
    numpy_objective,
    random_objective,
)
from scipy.sparse import csr_array

from skgoodmin.kernels.activations import ACTIVATIONS
from skgoodmin.objective.canonical_rows import canonical_rows
from skgoodmin.objective.losses import LOSSES, PolynomialHinge
from skgoodmin.objective.objective import Objective
from skgoodmin.objective.with_neuron import AugmentedObjective

OUTPUTS = [
    {"n_outputs": 1},
    {"n_outputs": 3},
    {"n_outputs": 3, "multilabel": True},
]
SHAPES = [(), (5,), (4, 3), (3, 4, 3)]


def _relative_error(objective, theta, step=1e-3):
    value, gradient = objective.value_and_gradient(theta)
    numerical = five_point(lambda t: objective.value_and_gradient(t)[0], theta, step)
    return np.abs(gradient - numerical).max() / np.abs(gradient).max()


@pytest.mark.parametrize("weights", [False, True])
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("outputs", OUTPUTS, ids=str)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradient(activation, loss, outputs, sparse, weights):
    for hidden in SHAPES:
        objective, theta = random_objective(
            hidden, activation, loss, sparse=sparse, weights=weights, **outputs
        )
        step = difference_step(activation)
        assert _relative_error(objective, theta, step) < 1e-6


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("outputs", OUTPUTS, ids=str)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradient_with_the_neuron(activation, loss, outputs, sparse):
    for hidden in SHAPES:
        plain, theta = random_objective(
            hidden, activation, loss, sparse=sparse, weights=True, **outputs
        )
        augmented = AugmentedObjective(plain, 0.7)
        rng = np.random.RandomState(1)
        X = plain.data.block()
        X = X.toarray() if sparse else X
        neuron = rng.normal(size=plain.n_neuron)
        # A direction whose largest exponent is not about to change its row.
        tops = [np.sort(X @ w)[-2:] for w in rng.normal(size=(50, 3))]
        rng = np.random.RandomState(1)
        rng.normal(size=plain.n_neuron)
        directions = rng.normal(size=(50, 3))
        neuron[:3] = directions[np.argmax([b - a for a, b in tops])]
        parameters = np.concatenate([theta, neuron])
        step = difference_step(activation)
        assert _relative_error(augmented, parameters, step) < 1e-6


@pytest.mark.parametrize("outputs", OUTPUTS, ids=str)
@pytest.mark.parametrize("loss", LOSSES)
def test_gradient_in_saturation(loss, outputs):
    objective, theta = random_objective((4,), "tanh", loss, alpha=0.0, **outputs)
    coefs, intercepts = objective.layout.unpack(theta)
    coefs[-1][:] *= 1e3  # raw predictions of 1e3, right and wrong
    assert _relative_error(objective, theta, 1e-5) < 1e-6


@pytest.mark.parametrize("degree", [2, 2.5, 3, 4])
def test_gradient_of_any_degree(degree):
    objective, theta = random_objective((5,), "tanh", PolynomialHinge(degree))
    assert _relative_error(objective, theta) < 1e-6


@pytest.mark.parametrize("n", [37, 3000])  # one block, and several
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("outputs", OUTPUTS, ids=str)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_value_equals_plain_numpy(activation, loss, outputs, sparse, n):
    for hidden in SHAPES:
        objective, theta = random_objective(
            hidden, activation, loss, sparse=sparse, weights=True, n=n, **outputs
        )
        expected = numpy_objective(objective, theta)
        value, _ = objective.value_and_gradient(theta)
        np.testing.assert_allclose(value, expected, rtol=1e-12)


@pytest.mark.parametrize("sparse", [False, True])
def test_many_chunks_give_value_and_gradient_too(sparse):
    objective, theta = random_objective(
        (40, 30), n=40_000, n_features=30, sparse=sparse, weights=True
    )
    assert objective.n_leaves > 1
    value, _ = objective.value_and_gradient(theta)
    np.testing.assert_allclose(value, numpy_objective(objective, theta), rtol=1e-12)
    assert _relative_error_of_some(objective, theta) < 1e-6


def _relative_error_of_some(objective, theta):
    _, gradient = objective.value_and_gradient(theta)
    direction = np.random.RandomState(0).normal(size=len(theta))
    line = five_point(
        lambda t: objective.value_and_gradient(theta + t[0] * direction)[0],
        np.zeros(1),
    )
    return abs(line[0] - gradient @ direction) / abs(line[0])


def test_dense_and_sparse_agree():
    dense, theta = random_objective((6, 4), weights=True, n=2000)
    data = dense.data
    sparse = Objective(
        canonical_rows(csr_array(data.block()), data.labels, data.weights),
        dense.layout,
        dense.activation,
        dense.loss,
        dense.alpha,
    )
    for a, b in zip(
        dense.value_and_gradient(theta), sparse.value_and_gradient(theta), strict=True
    ):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("loss", LOSSES)
def test_float32_is_close_to_float64(activation, loss):
    single, theta = random_objective((6,), activation, loss, dtype=np.float32)
    double, _ = random_objective((6,), activation, loss)
    value, gradient = single.value_and_gradient(theta)
    expected_value, expected = double.value_and_gradient(theta)
    np.testing.assert_allclose(value, expected_value, rtol=1e-5)
    np.testing.assert_allclose(gradient, expected, atol=2e-5 * np.abs(expected).max())


def test_overflow_is_not_hidden():
    objective, theta = random_objective((5,), "identity")
    assert objective.value_and_gradient(theta * 1e60)[0] == np.inf


@pytest.mark.parametrize("outputs", OUTPUTS, ids=str)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_rows_beyond_their_margin_leave_the_gradient_alone(activation, outputs):
    """Few active rows, or none: the backward pass on the active ones is exact."""
    for hidden in SHAPES:
        objective, theta = random_objective(hidden, activation, **outputs)
        coefs, intercepts = objective.layout.unpack(theta)
        intercepts[-1][:] = 1.5 if outputs["n_outputs"] == 1 else -1.5
        coefs[-1][:] *= 0.5
        step = difference_step(activation)
        assert _relative_error(objective, theta, step) < 1e-6
    positive = objective.data.reweighted((objective.data.labels[:, 0] == 1) * 1.0)
    if outputs["n_outputs"] == 1:
        calm = replace(objective, data=positive)
        coefs[-1][:], intercepts[-1][:] = 0.0, 2.0
        value, gradient = calm.value_and_gradient(theta)
        weights = theta[: objective.layout.n_weights]
        np.testing.assert_allclose(value, 0.05 * weights @ weights)
        np.testing.assert_allclose(gradient[: len(weights)], 0.1 * weights)
        assert not gradient[len(weights) :].any()
