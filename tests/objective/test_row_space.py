"""Training in the space of the rows is training on all features."""

from dataclasses import replace

import numpy as np
import pytest
from problems import random_objective
from scipy.sparse import csr_array, issparse, random_array
from sklearn.datasets import make_classification

from skgoodmin import GoodMinimaClassifier
from skgoodmin.objective.canonical_rows import canonical_rows
from skgoodmin.objective.layout import ParameterLayout
from skgoodmin.objective.row_space import row_space
from skgoodmin.training.lbfgs import minimize

OUTPUTS = [{"n_outputs": 1}, {"n_outputs": 3}, {"n_outputs": 3, "multilabel": True}]


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("outputs", OUTPUTS, ids=str)
@pytest.mark.parametrize("hidden", [(), (4,), (4, 3)])
def test_objective_and_gradient_are_those_of_all_features(hidden, outputs, sparse):
    objective, theta = random_objective(
        hidden, "tanh", n=9, n_features=40, sparse=sparse, weights=True, **outputs
    )
    space = row_space(objective)
    narrow = space.objective(objective)
    assert narrow.layout.sizes == (9, *objective.layout.sizes[1:])
    inside = space.lift(space.project(theta))  # without what no row sees
    value, gradient = objective.value_and_gradient(inside)
    found, found_gradient = narrow.value_and_gradient(space.project(theta))
    np.testing.assert_allclose(found, value, rtol=1e-12)
    np.testing.assert_allclose(space.lift(found_gradient), gradient, atol=1e-12)
    np.testing.assert_allclose(space.project(inside), space.project(theta), atol=1e-12)


def test_l_bfgs_takes_the_same_way():
    objective, theta = random_objective((5,), "tanh", n=12, n_features=30, alpha=0.05)
    space = row_space(objective)
    options = {"max_iter": 30, "max_fun": 100, "tol": 0.0}
    inside = space.lift(space.project(theta))
    wide = minimize(objective, inside, **options)
    narrow = minimize(space.objective(objective), space.project(theta), **options)
    np.testing.assert_allclose(narrow.curve, wide.curve, rtol=1e-6)
    np.testing.assert_allclose(space.lift(narrow.theta), wide.theta, atol=1e-4)


def test_no_space_where_rows_are_many():
    objective, _ = random_objective(n=37, n_features=3)
    assert row_space(objective) is None


def test_no_dense_copy_of_large_sparse_rows():
    """Texts: 20,000 rows of 50,000 words would be 8 GB."""
    n = 3000
    X = random_array((n, 20 * n), density=1e-4, format="csr", rng=0)
    data = canonical_rows(X, (np.arange(n) % 2).astype(np.int32)[:, None])
    space = row_space(_wide(data))  # on the columns that are used, no more
    assert space.span.basis is None and issparse(space.training_rows.block())
    assert space.narrow.sizes[0] == len(np.unique(X.indices)) < 10 * n
    few = row_space(_wide(data.take(np.arange(20))))
    assert few.span.basis.shape == (20 * n, 20)
    X = random_array((n, 20 * n), density=1e-3, format="csr", rng=0)
    data = canonical_rows(X, (np.arange(n) % 2).astype(np.int32)[:, None])
    assert row_space(_wide(data)) is None  # most columns are used


def _wide(data):
    """An objective on rows."""
    objective, _ = random_objective((2,), n_features=3)
    layout = ParameterLayout((data.n_features, 2, 1))
    return replace(objective, data=data, layout=layout)


def test_equal_rows_stay_equal():
    rng = np.random.RandomState(0)
    X = rng.normal(size=(5, 30))[[0, 1, 2, 0, 3, 4, 1]]
    y = [0, 0, 1, 1, 0, 1, 1]
    model = GoodMinimaClassifier((5,), alpha=0, random_state=0).fit(X, y)
    assert model.certificate_.lower_bound > 0
    assert set(model.certificate_.contradictions) == {0, 1, 3, 6}
    raw = model.decision_function(X)  # a product of BLAS rounds rows by their place
    np.testing.assert_allclose(raw[[0, 1]], raw[[3, 6]], rtol=0, atol=1e-14)


@pytest.mark.parametrize("parameters", [{}, {"alpha": 0.0}, {"early_stopping": True}])
@pytest.mark.parametrize("sparse", [False, True])
def test_wide_fits_keep_the_promises(parameters, sparse):
    X, y = make_classification(40, 90, n_informative=10, random_state=0)
    X[np.abs(X) < 0.4] = 0
    order = np.random.RandomState(1).permutation(40)
    weight = np.ones(40)
    weight[:7] = 2
    repeated = np.repeat(np.arange(40), weight.astype(int))
    rows = csr_array(X) if sparse else X
    model = GoodMinimaClassifier((6,), random_state=0, **parameters)

    def bits(index, w=None):
        model.fit(rows[index], y[index], w)
        return model.coefs_[0].tobytes(), model.certificate_.objective

    first = bits(np.arange(40))
    assert bits(order) == first
    assert bits(np.arange(40), weight) == bits(repeated)
    assert model.n_features_in_ == 90 and model.coefs_[0].shape == (90, 6)
    # Nothing of the weights is orthogonal to all rows.
    if not parameters.get("early_stopping"):
        left = model.coefs_[0] - np.linalg.pinv(X) @ (X @ model.coefs_[0])
        assert np.abs(left).max() < 1e-10


def test_single_precision_and_callbacks_see_all_features():
    X, y = make_classification(30, 80, n_informative=10, random_state=0)
    model = GoodMinimaClassifier((4,), random_state=0).fit(X.astype(np.float32), y)
    assert model.coefs_[0].dtype == np.float32 and model.score(X, y) == 1.0
    sklearn_callback = pytest.importorskip("sklearn.callback")
    assert sklearn_callback is not None
    from skgoodmin import ValidationMonitor

    monitor = ValidationMonitor(X, y)
    model = GoodMinimaClassifier((4,), random_state=0).set_callbacks(monitor)
    assert model.fit(X, y).score(X, y) == monitor.curve_[-1]


def test_the_sign_of_a_zero_does_not_matter():
    """Householder's reflections take it from the pivot."""
    for seed in range(12):
        rng = np.random.RandomState(seed)
        X = rng.normal(size=(5, 9)).round() + 0.0
        y, fits = np.arange(5) % 2, []
        for some in (X, np.where(X == 0, -0.0, X)):
            model = GoodMinimaClassifier((4,), alpha=0.01, random_state=seed)
            fits.append(model.fit(some, y))
        np.testing.assert_array_equal(fits[0].coefs_[0], fits[1].coefs_[0])
        assert fits[0].loss_ == fits[1].loss_
