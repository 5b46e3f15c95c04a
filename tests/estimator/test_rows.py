"""Weights of the classes, against fractions."""

from fractions import Fraction

import numpy as np

from skgoodmin.estimator.rows import class_factors
from skgoodmin.estimator.targets import encode
from skgoodmin.objective.canonical_rows import canonical_rows


def test_balanced_classes_are_sums_that_are_rounded_once():
    rng = np.random.RandomState(0)
    X, y = rng.normal(size=(20_000, 1)), rng.randint(3, size=20_000)
    target, labels = encode(y)
    data = canonical_rows(X, labels, rng.uniform(0.1, 1.0, size=len(y)))
    factors = class_factors("balanced", target, data)
    total = sum(map(Fraction, data.weights))
    for k in range(3):
        of_class = data.labels[:, 0] == k
        exact = total / (3 * sum(map(Fraction, data.weights[of_class])))
        (found,) = np.unique(factors[of_class])
        assert abs(Fraction(found) / exact - 1) <= 4 * Fraction(np.finfo(float).eps)
