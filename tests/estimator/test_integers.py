"""Integers that float64 can not tell apart are a warning, and nothing else is."""

import warnings
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array

from skgoodmin import (
    GoodMinimaClassifier,
    GoodMinimaClassifierCV,
    GoodMinimaRegressor,
    certify,
)
from skgoodmin.estimator.integers import tell_of_rounding

LARGE, MESSAGE = 2**53, r"^X: integers beyond 2\*\*53 are rounded"
NEAR = np.array([[LARGE, 0], [LARGE + 1, 1], [5, 1], [7, 0]])
y = np.array([0, 1, 0, 1])
FRAME = pd.DataFrame({"number": NEAR[:, 0], "size": [0.5, 1.0, 2.0, 0.0]})


def told(given, X=None):
    """Whether there is a warning."""
    X = np.asarray(given, dtype=np.float64) if X is None else X
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        tell_of_rounding(given, X)
    assert all("X: integers" in str(w.message) for w in caught)
    return len(caught) == 1


@pytest.mark.parametrize("dtype", [np.int64, np.uint64, object])
def test_the_integers_that_float64_lacks(dtype):
    numbers = {2**k + i for k in range(50, 63) for i in (-3, -2, -1, 0, 1, 2, 3, 64)}
    numbers |= {2**63 - 1, 2**62 + 2**9, 3 * 2**60, 2**53 + 2**52 + 1}
    if dtype is not np.uint64:
        numbers |= {-number for number in numbers} | {-(2**63)}
    else:
        numbers |= {2**63, 2**63 + 1024, 2**63 + 2048, 2**64 - 1}
    for number in numbers:
        given = np.array([[number], [0]], dtype=dtype)
        assert told(given) is (Fraction(float(number)) != number), number


def test_arrays_frames_and_sparse_matrices():
    floats = NEAR.astype(np.float64)
    for given in (NEAR, NEAR.tolist(), csr_array(NEAR), FRAME):
        X = csr_array(floats) if isinstance(given, csr_array) else None
        assert told(given, X)
    assert told(FRAME.astype({"number": "Int64"}))
    sparse = FRAME.assign(number=pd.arrays.SparseArray(NEAR[:, 0]))
    assert told(sparse) and not told(sparse[2:])
    assert not told(FRAME.astype({"number": float}))
    assert not told(NEAR[2:]) and not told(floats) and not told(NEAR.astype(np.int32))
    assert not told([[2.0**60, 1.0]]) and not told(np.empty((0, 2), dtype=np.int64))
    seconds = np.array([[1_700_000_000], [1_700_000_001]]) * 10**9  # in nanoseconds
    assert not told(seconds) and told(seconds + 1)


def test_frames_of_polars():
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({"number": NEAR[:, 0], "size": [0.5, 1.0, 2.0, 0.0]})
    assert told(frame) and not told(frame[2:])
    assert not told(frame.with_columns(number=frame["number"].cast(polars.Float64)))


class Untouched(np.ndarray):
    """Floats that nobody may look at."""

    def min(self, *arguments, **named):
        raise AssertionError


def test_floats_cost_nothing():
    X = np.full((3, 2), 1e300).view(Untouched)
    tell_of_rounding(X, X)
    tell_of_rounding(pd.DataFrame(np.full((3, 2), 1e300)), X)


@pytest.mark.parametrize("refit", [True, False])
def test_a_fit_tells_once(refit):
    X, labels = np.vstack([NEAR] * 3), np.tile(y, 3)
    small = {"hidden_layer_sizes": (2,), "max_iter": 2, "random_state": 0}
    for model in (
        GoodMinimaClassifier(alpha=0.1, **small),
        GoodMinimaRegressor(alpha=0.1, **small),
        GoodMinimaClassifierCV(alphas=[0.1, 0.2], cv=2, refit=refit, **small),
    ):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model.fit(X, labels)
        assert sum("X: integers" in str(w.message) for w in caught) == 1


def test_certify_tells():
    with pytest.warns(UserWarning, match=MESSAGE):
        found = certify(NEAR[:2, :1], [0, 1], [0.0, 0.0])
    assert found.contradictions.tolist() == [0, 1]
