"""Degree of the monomial neuron: that of exact arithmetic, whatever the rows."""

from fractions import Fraction

import numpy as np
import pytest
from scipy.sparse import csr_array

from skgoodmin import GoodMinimaClassifier
from skgoodmin.objective.canonical_rows import canonical_rows
from skgoodmin.training import neuron_degree
from skgoodmin.training.neuron_degree import (
    degree_that_suffices,
    general_degree,
    sufficient_degree,
)


def test_sufficient_degrees():
    """Those of the derivation, for rows in general position and not."""
    rng = np.random.RandomState(0)
    assert sufficient_degree(rng.normal(size=(50, 2))) == 9
    assert sufficient_degree(rng.normal(size=(200, 5))) == 5
    assert general_degree(1000, 10) == 4 and general_degree(569, 30) == 3
    line = np.outer(np.arange(6.0), [1.0, 2.0])  # as bad as can be
    assert sufficient_degree(line) == 5
    assert sufficient_degree(1e3 + 1e-3 * line) == 5
    assert sufficient_degree(np.array([[-1.0], [0.0], [1.0]])) == 2


def test_the_classifier_takes_or_warns_of_the_degree():
    X = np.array([[-1.0], [0.0], [0.0], [1.0]])
    y = np.array([1, 0, 0, 1])
    joint = GoodMinimaClassifier(
        (2,),
        special_neuron="monomial",
        training="joint",
        alpha=0,
        max_iter=200,
        random_state=0,
        tol=1e-3,
    )
    model = joint.fit(X, y)
    assert model.neuron_degree_ == 2 and np.isfinite(model.neuron_coef_).all()
    inside = X @ model.neuron_coef_ + model.neuron_intercept_
    contribution = np.abs(model.neuron_amplitude_).max() * (inside**2).max()
    reported = model.certificate_.neuron_contribution
    np.testing.assert_allclose(contribution, reported, rtol=1e-10)
    with pytest.warns(UserWarning, match="smallest sufficient degree is 2"):
        joint.set_params(neuron_degree=1).fit(X, y)
    assert joint.neuron_degree_ == 1


@pytest.mark.parametrize(
    ("n", "n_features", "degree"),
    [(1, 1, 1), (2, 1, 1), (3, 1, 2), (6, 2, 2), (7, 2, 3), (10, 3, 2), (11, 3, 3)],
)
def test_general_degree_counts_monomials(n, n_features, degree):
    assert general_degree(n, n_features) == degree
    z = np.random.RandomState(0).normal(size=(n, n_features))
    assert sufficient_degree(z) == degree


def test_rows_on_a_line_need_as_many_powers_as_rows():
    z = np.linspace(0, 1, 6)[:, None] * [[1.0, 2.0]]
    assert sufficient_degree(z) == 5 and general_degree(6, 2) == 2
    assert sufficient_degree(np.zeros((1, 2))) == 1


@pytest.mark.parametrize("seed", range(12))
def test_the_degree_is_that_of_exact_arithmetic(seed):
    """Rank of ((1 + z_k.z_l)^p) for rows of whole numbers, computed in fractions."""
    rng = np.random.RandomState(seed)
    z = np.unique(rng.randint(-2, 3, size=(12, 1 + seed % 3)), axis=0)

    def rank(matrix):
        matrix, rank = [[Fraction(int(v)) for v in row] for row in matrix], 0
        for column in range(len(matrix)):
            pivots = [i for i in range(rank, len(matrix)) if matrix[i][column]]
            if not pivots:
                continue
            first = matrix.pop(pivots[0])
            for row in matrix[rank:]:
                ratio = row[column] / first[column]
                row[:] = [a - ratio * b for a, b in zip(row, first, strict=True)]
            matrix.insert(rank, first)
            rank += 1
        return rank

    kernel = 1 + z @ z.T
    full = [p for p in range(1, len(z) + 1) if rank(kernel**p) == len(z)]
    assert sufficient_degree(z.astype(float)) == full[0]


def test_the_degree_of_many_rows_on_a_curve():
    """On a parabola polynomials of degree p are those of degree 2p in one variable."""
    t = np.linspace(-1, 1, 160)
    assert sufficient_degree(np.column_stack([t, t * t])) == 80


@pytest.mark.parametrize("scale", [1e-290, 1e-9, 1e9, 1e290])
def test_the_degree_does_not_depend_on_where_the_rows_are_and_how_long(scale):
    z = np.random.RandomState(0).uniform(size=(7, 2))
    assert sufficient_degree(scale * z) == sufficient_degree(scale * (z + 1e11)) == 3


def test_the_degree_of_features_that_are_scales_apart():
    z = np.array([[1e250, 1e-200], [-1e250, 1e-200], [1e250, -1e-200]])
    assert sufficient_degree(z) == sufficient_degree(np.sign(z) * [[1, 1e-300]])


def test_rows_that_rounding_makes_one_need_the_degree_that_always_suffices():
    z = np.array([[0.0], [1.0], [1.0 + 2.0**-50], [1.0 + 2.0**-49]])
    assert sufficient_degree(z) == 3


def test_the_degree_of_float32_rows():
    """Also of rows that are all one: no division of 0 by 0 in float32."""
    z = np.random.RandomState(0).normal(size=(7, 2))
    assert sufficient_degree(z.astype(np.float32)) == sufficient_degree(z) == 3
    assert sufficient_degree(np.ones((1, 2), dtype=np.float32)) == 1


@pytest.mark.parametrize("sparse", [False, True])
def test_only_distinct_rows_count(sparse, monkeypatch):
    z = np.repeat(np.arange(6.0), 3)[:, None] * [1.0, 2.0]  # on a line
    labels = (np.arange(18) % 2).astype(np.int32)[:, None]
    data = canonical_rows(csr_array(z) if sparse else z, labels)
    assert degree_that_suffices(data) == 5
    monkeypatch.setattr(neuron_degree, "RANK_ROWS", 5)
    assert degree_that_suffices(data) == general_degree(6, 2) == 2
