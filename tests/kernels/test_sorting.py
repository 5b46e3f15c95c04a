"""Descending order, against numpy."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skgoodmin.kernels.sorting import descending


def order_of(z):
    keys, other, order = (np.empty(len(z), np.int64) for _ in range(3))
    descending(z, keys, other, order)
    return order


@pytest.mark.parametrize("n", [1, 2, 3, 50, 700, 5000])
@pytest.mark.parametrize("kind", ["normal", "ties", "outliers", "equal", "tiny"])
def test_the_order_is_that_of_numpy(n, kind):
    rng = np.random.default_rng(n)
    z = {
        "normal": rng.normal(size=n),
        "ties": np.round(rng.normal(size=n), 1),
        "outliers": rng.standard_cauchy(n) ** 5,
        "equal": np.full(n, 0.1),
        "tiny": rng.normal(size=n) * 1e-310,
    }[kind]
    order = order_of(z)
    assert_array_equal(np.sort(order), np.arange(n))
    assert_array_equal(order, np.argsort(-z, kind="stable"))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e308, -1e308])
def test_no_place_is_lost_where_numbers_are_not_finite(bad):
    z = np.random.default_rng(0).normal(size=100)
    z[[3, 50]] = bad
    z[99] = -bad
    assert_array_equal(np.sort(order_of(z)), np.arange(100))
