"""The pointwise bound, against sums over the groups by hand."""

import numpy as np
from problems import tiny_objective
from scipy.optimize import minimize_scalar

from skgoodmin.certificates.bound import Known
from skgoodmin.certificates.pointwise import group_minima, pointwise_bound
from skgoodmin.kernels.activations import ACTIVATIONS
from skgoodmin.objective.canonical_rows import canonical_rows
from skgoodmin.objective.layout import ParameterLayout
from skgoodmin.objective.losses import PolynomialHinge, Softmax
from skgoodmin.objective.objective import Objective

# Three groups: two labels at 0, one label at 1 (twice), two labels at 2.
X = np.array([[0.0], [0.0], [1.0], [1.0], [2.0], [2.0], [2.0]])


def _objective(labels, weights, loss):
    labels = np.asarray(labels, dtype=np.int32).reshape(len(X), -1)
    several = isinstance(loss, Softmax)
    n_outputs = labels.max() + 1 if several else labels.shape[1]
    data = canonical_rows(X, labels, np.asarray(weights, dtype=float))
    layout = ParameterLayout((1, 6, n_outputs))
    return Objective(data, layout, ACTIVATIONS["relu"], loss, 0.0)


def _least(loss):
    return minimize_scalar(loss, bounds=(-5, 5), options={"xatol": 1e-12}).fun


def test_groups_of_the_hinge():
    weights = [1.0, 3.0, 1.0, 1.0, 2.0, 1.0, 1.0]
    objective = _objective([0, 1, 1, 1, 0, 1, 1], weights, PolynomialHinge(3.0))
    groups, minima = group_minima(objective)
    at_0 = _least(lambda f: max(0, 1 + f) ** 3 + 3 * max(0, 1 - f) ** 3)
    at_2 = _least(lambda f: 2 * max(0, 1 + f) ** 3 + 2 * max(0, 1 - f) ** 3)
    assert len(groups) == 2 and (np.diff(groups) > 0).all()
    np.testing.assert_allclose(np.sort(minima), np.sort([at_0, at_2]) / 10, rtol=1e-9)
    np.testing.assert_allclose(
        pointwise_bound(objective).value, (at_0 + at_2) / 10, rtol=1e-9
    )


def test_groups_of_several_labels_add_over_the_outputs():
    labels = [[0, 0], [1, 0], [1, 1], [1, 1], [0, 0], [0, 1], [0, 1]]
    objective = _objective(labels, np.ones(7), PolynomialHinge(2.0))
    # At 0 the first label is mixed, at 2 the second: 1 against 1, and 1 against 2.
    pair = _least(lambda f: max(0, 1 + f) ** 2 + max(0, 1 - f) ** 2)
    three = _least(lambda f: max(0, 1 + f) ** 2 + 2 * max(0, 1 - f) ** 2)
    np.testing.assert_allclose(
        pointwise_bound(objective).value, (pair + three) / 7, rtol=1e-9
    )


def test_groups_of_the_softmax_have_the_entropy_of_their_labels():
    objective = _objective([0, 1, 2, 2, 0, 1, 2], np.ones(7), Softmax())
    expected = (2 * np.log(2) + 3 * np.log(3)) / 7
    np.testing.assert_allclose(pointwise_bound(objective).value, expected, rtol=1e-12)


def test_no_repeated_row_no_bound():
    objective = tiny_objective([0, 1, 2], [1, -1, 1], ())
    groups, minima = group_minima(objective)
    assert len(groups) == len(minima) == 0 and groups.dtype == np.int64
    assert pointwise_bound(objective).value == 0.0


def test_what_the_bound_says():
    bound = pointwise_bound(tiny_objective([0, 0], [1, -1], ()))
    assert 1.0 - 1e-11 < bound.value < 1.0 and bound.known is Known.PROVEN
    assert str(bound) == (
        "no network of any size has a smaller data loss than 1 (proven)"
    )
