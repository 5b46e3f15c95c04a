"""Along the kinks of relu: which rows are held, and what it is good for."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from problems import random_objective
from scipy.sparse import csr_array
from sklearn.datasets import make_classification
from sklearn.preprocessing import scale

from skgoodmin import GoodMinimaClassifier
from skgoodmin.estimator.setup import posed_again
from skgoodmin.kernels.kinks import hold, nearest_rows, project, span
from skgoodmin.training.kinks import Held, descend
from skgoodmin.training.lbfgs import minimize


def _problem(loss="poly_hinge", n_outputs=1, sparse=False):
    """An objective, a point on its way down, its rows and its dual."""
    objective, theta = random_objective(
        (12,), "relu", loss, n_outputs, alpha=0.01, sparse=sparse, n=60
    )
    theta = minimize(objective, theta, max_iter=60, max_fun=10**4, tol=1e-9).theta
    data = objective.data
    dual = objective.loss.dual(data.labels, objective.shares, objective.n_outputs)
    return objective, theta, data.block(), dual


def _z(objective, theta, x):
    (w, _), (b, _) = objective.layout.unpack(theta)
    return np.asarray(x @ w) + b


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize(
    ("loss", "n_outputs"), [("poly_hinge", 1), ("log_loss", 3), ("poly_hinge", 3)]
)
def test_what_is_held_stays_on_its_kink(loss, n_outputs, sparse):
    objective, theta, x, dual = _problem(loss, n_outputs, sparse)
    held = Held(objective, theta, x, dual)
    assert 0 < held.n_held.sum()
    kinks = abs(_z(objective, held.start, x)) < 1e-12
    assert_array_equal(kinks.sum(axis=0), held.n_held)
    moved = minimize(held, held.start, max_iter=5, max_fun=100, tol=0.0)
    assert (abs(_z(objective, moved.theta, x))[kinks] < 1e-11).all()
    assert moved.value < held.value_and_gradient(held.start)[0]
    value, along = held.value_and_gradient(held.start)
    whole = objective.value_and_gradient(held.start)
    assert value == whole[0]
    # What is left is a projection: the rest is orthogonal to it.
    assert_allclose(along @ (whole[1] - along), 0.0, atol=1e-12)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_it_comes_further_than_across():
    """From a network that rests in its kinks L-BFGS does not find a step."""
    X, y = make_classification(150, 20, n_informative=10, random_state=0)
    model = GoodMinimaClassifier(
        "auto", training="grow", alpha=0.02, max_iter=3, random_state=0
    )
    objective, theta, _ = posed_again(model.fit(scale(X), y), scale(X), y)
    dual = objective.loss.dual(objective.data.labels, objective.shares, 1)
    x, before = objective.data.block(), objective.value_and_gradient(theta)[0]
    along, n_fun = descend(objective, theta, x, dual, 1e-9, (100, 200), 0.0)
    across = minimize(objective, theta, max_iter=4 * n_fun, max_fun=4 * n_fun, tol=0.0)
    fall = before - objective.value_and_gradient(along)[0]
    assert fall > 2e-3 * before and before - across.value < 0.5 * fall


def test_a_point_that_gets_no_lower_stays():
    objective, theta, x, dual = _problem()
    theta, _ = descend(objective, theta, x, dual, 1e-9, (2000, 4000), 0.0)
    value = objective.value_and_gradient(theta)[0]
    again, _ = descend(objective, theta, x, dual, 1e-9, (100, 200), 0.0)
    assert objective.value_and_gradient(again)[0] <= value
    none, n_fun = descend(objective, theta, x, dual, 1e-9, (0, 0), 0.0)
    assert none is theta and n_fun == 1


def _held(z, slope, rest, x=None, margin=0.1, most=2):
    """The number of rows that one unit is held at."""
    x = np.eye(len(z)) if x is None else x
    bases, n_held = np.zeros((1, most, x.shape[1] + 1)), np.zeros(1, dtype=np.int64)
    arrays = (np.array([a], dtype=float) for a in (z, slope, rest))
    hold(x, *arrays, np.ones(1), margin, 1e-6, bases, n_held)
    return int(n_held[0])


def test_a_row_is_held_by_a_multiplier_that_its_kink_has():
    """Row 0 at its kink: the rest pushes with 1 along (x_0, 1), which is (1, 1)."""
    x = np.array([[1.0]])
    for slope, share in ((2.0, 0.5), (1.0, 1.0), (0.95, 1 / 0.95), (1e9, 1e-9)):
        assert _held([0.0], [slope], [-1.0, -1.0], x, most=1) == 1, share
    assert _held([0.0], [0.8], [-1.0, -1.0], x, most=1) == 0  # more than it holds
    assert _held([0.0], [2.0], [1.0, 1.0], x, most=1) == 0  # away from the row
    assert _held([0.0], [-2.0], [-1.0, -1.0], x, most=1) == 0  # concave
    assert _held([2.0], [2.0], [-1.0, -1.0], x, most=1) == 0  # far from it
    # On its active side the gradient has the slope of the row in it.
    assert _held([0.5], [2.0], [1.0, 1.0], x, most=1) == 1
    assert _held([0.5], [2.0], [-1.0, -1.0], x, most=1) == 0


def test_the_nearest_rows_are_held_and_none_twice():
    rows = np.empty(2, dtype=np.int64)
    distance, slope = np.array([0.3, -0.1, 0.2, 0.0]), np.array([1.0, 1.0, 1.0, 0.0])
    assert nearest_rows(distance, 1.0, slope, rows) == 2
    assert_array_equal(rows, [1, 2])
    assert nearest_rows(distance, 0.15, slope, rows) == 1 and rows[0] == 1
    x = np.array([[1.0, 2.0], [1.0, 2.0], [3.0, 0.0]])
    basis, triangle = np.zeros((3, 3)), np.zeros((3, 3))
    rows = np.arange(3)
    assert span(x, rows, 3, 1e-6, basis, triangle) == 2
    assert_array_equal(rows[:2], [0, 2])
    assert_allclose(basis[:2] @ basis[:2].T, np.eye(2), atol=1e-15)
    assert_allclose(
        triangle[:2, :2].T @ basis[:2], x[[0, 2]] @ np.eye(2, 3) + [0, 0, 1], atol=1e-15
    )


def test_a_projection():
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.normal(size=(4, 2)))[0].T[None].repeat(2, axis=0)
    w, b = rng.normal(size=(3, 2)), rng.normal(size=2)
    before = np.vstack([w, b])
    project(basis, np.array([2, 0]), w, b)
    after = np.vstack([w, b])
    assert_allclose(basis[0] @ after[:, 0], 0.0, atol=1e-15)
    moved = before[:, 0] - after[:, 0]
    assert_allclose(basis[0].T @ (basis[0] @ moved), moved, atol=1e-15)
    assert_array_equal(after[:, 1], before[:, 1])


def test_sparse_rows_are_held_as_dense_ones_are():
    objective, theta, x, dual = _problem()
    dense = Held(objective, theta, x, dual)
    sparse = Held(objective, theta, csr_array(x), dual)
    assert_array_equal(dense.n_held, sparse.n_held)
    assert_allclose(dense.start, sparse.start, rtol=1e-9, atol=1e-12)
