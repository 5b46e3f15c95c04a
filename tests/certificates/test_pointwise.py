"""The pointwise bound, against sums over the groups by hand."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from dual_cases import SquaredHinge
from problems import tiny_objective
from scipy.optimize import minimize_scalar

from skgoodmin.certificates.bound import Known
from skgoodmin.certificates.pointwise import group_minima, pointwise_bound
from skgoodmin.kernels.activations import ACTIVATIONS
from skgoodmin.objective.canonical_rows import canonical_rows
from skgoodmin.objective.layout import ParameterLayout
from skgoodmin.objective.losses import CustomLoss, Logistic, PolynomialHinge, Softmax
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
        "no network of any size has a smaller data loss than 0.999999 (proven)"
    )


def _exact_hinge(groups, total):
    """Mean of the group minima of the squared hinge, 4 a b / (a + b), as a fraction."""
    least = Fraction(0)
    for a, b in groups:
        a, b = sum(map(Fraction, a)), sum(map(Fraction, b))
        least += 4 * a * b / (a + b) if a and b else 0
    return least / total


def _random_groups(rng, scale):
    """(X, labels, weights, groups of weights of the two labels)."""
    rows, labels, weights, groups = [], [], [], []
    for g in range(rng.integers(1, 12)):
        groups.append(([], []))
        for _ in range(rng.integers(1, 40)):
            label = int(rng.integers(2))
            weight = float(10.0 ** rng.uniform(-scale, scale))
            rows.append([float(g)])
            labels.append([label])
            weights.append(weight)
            groups[-1][label].append(weight)
    arrays = np.array(rows), np.array(labels, dtype=np.int32), np.array(weights)
    return *arrays, groups


@pytest.mark.parametrize("scale", [0, 1, 8, 100])
def test_never_above_the_exact_value_in_fractions(scale):
    rng = np.random.default_rng(scale)
    layout, relu = ParameterLayout((1, 1)), ACTIVATIONS["relu"]
    for _ in range(60):
        X, labels, weights, groups = _random_groups(rng, scale)
        data = canonical_rows(X, labels, weights)
        objective = Objective(data, layout, relu, PolynomialHinge(2.0), 0.0)
        found = pointwise_bound(objective).value
        exact = _exact_hinge(groups, sum(map(Fraction, weights)))
        assert Fraction(found) <= exact
        assert Fraction(found) >= exact * Fraction(1 - 1e-11) - Fraction(1e-299)


@pytest.mark.parametrize("loss", [
    *(PolynomialHinge(p) for p in (2.0, 2.5, 3.0, 4.0, 10.0)), Logistic(), Softmax(),
], ids=str)  # fmt: skip
@pytest.mark.parametrize("scale", [0, 1, 18, 60])
def test_never_above_the_value_in_extended_precision(scale, loss):
    """With labels of one to 1e-18 and less of the weight, too."""
    rng, long = np.random.default_rng(scale), np.longdouble
    layout = ParameterLayout((1, 2 if isinstance(loss, Softmax) else 1))
    for _ in range(40):
        X, labels, weights, groups = _random_groups(rng, scale)
        data = canonical_rows(X, labels, weights)
        found = pointwise_bound(
            Objective(data, layout, ACTIVATIONS["relu"], loss, 0.0)
        ).value
        exact, total = long(0), sum(map(long, weights))
        for down, up in groups:
            a, b = sorted((sum(map(long, down)), sum(map(long, up))))
            if not a > 0:
                continue
            if isinstance(loss, PolynomialHinge):
                p = long(loss.degree)
                ratio = (a / b) ** (1 / (p - 1))
                exact += 2**p * a / (1 + ratio) ** (p - 1)
            else:
                exact += a * np.log1p(b / a) + b * np.log1p(a / b)
        exact /= total
        assert long(found) <= exact
        assert found >= exact * (1 - long(1e-10)) - long(1e-280)


def test_a_degree_whose_power_of_two_overflows():
    for degree in (300.0, 2000.0, 1e6):
        bound = pointwise_bound(tiny_objective([0, 0], [1, -1], (), degree=degree))
        np.testing.assert_allclose(bound.value, 1.0, rtol=1e-7)
        assert bound.value <= 1.0


def test_a_minimum_of_the_users_is_no_proof():
    class Liar(SquaredHinge):
        def minimum(self, negative, positive):
            return 5.0 * negative * positive / (negative + positive + 1e-300)

    labels = np.array([[0], [1], [1], [1], [0], [1], [1]], dtype=np.int32)
    data = canonical_rows(X, labels)
    objective = Objective(
        data, ParameterLayout((1, 1)), ACTIVATIONS["relu"], CustomLoss(Liar()), 0.0
    )
    bound = pointwise_bound(objective)
    exact = 4 * (1 / 2 + 2 / 3) / 7
    assert bound.value <= exact and bound.known is Known.PROVEN
    np.testing.assert_allclose(bound.value, exact, rtol=1e-8)
    alone = tiny_objective([0, 1, 2], [1, -1, 1], ())
    alone = replace(alone, loss=CustomLoss(Liar()))
    assert pointwise_bound(alone).value == 0.0
