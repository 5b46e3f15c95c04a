"""Errors of the vectorised functions against extended precision.

Seen here and nowhere else: a compiler that reassociates the rounding trick away gives
an exponential that is silently wrong by a factor of 2.
"""

import numpy as np
import pytest

from skgoodmin.kernels import vector_math
from skgoodmin.kernels.jit import njit


@njit
def _exp64(x, out):
    for i in range(x.size):
        out[i] = vector_math.exp64(x[i])


@njit
def _exp32(x, out):
    for i in range(x.size):
        out[i] = vector_math.exp32(x[i])


@njit
def _expm1_64(x, out):
    for i in range(x.size):
        out[i] = vector_math.expm1_64(x[i])


@njit
def _expm1_32(x, out):
    for i in range(x.size):
        out[i] = vector_math.expm1_32(x[i])


@njit
def _log1p(x, out):
    for i in range(x.size):
        out[i] = vector_math.log1p64(x[i])


@pytest.mark.parametrize(
    "kernel, exact, low, high, dtype, units",
    [
        (_exp64, np.exp, -707.0, 708.9, np.float64, 2),
        (_exp64, np.exp, -1.0, 1.0, np.float64, 2),
        (_exp32, np.exp, -86.0, 87.9, np.float32, 3),
        (_expm1_64, np.expm1, 0.0, 60.0, np.float64, 4),
        (_expm1_64, np.expm1, 0.0, 1e-3, np.float64, 4),
        (_expm1_32, np.expm1, 0.0, 40.0, np.float32, 4),
        (_log1p, np.log1p, 0.0, 1.0, np.float64, 4),
        (_log1p, np.log1p, 0.0, 1e-9, np.float64, 4),
    ],
)
def test_error_in_units_of_the_last_place(kernel, exact, low, high, dtype, units):
    x = np.random.default_rng(0).uniform(low, high, 100_000).astype(dtype)
    out = np.empty_like(x)
    kernel(x, out)
    true = exact(x.astype(np.longdouble))
    ulp = np.spacing(np.abs(true).astype(dtype)).astype(np.longdouble)
    assert (np.abs(out - true) / ulp).max() <= units


@pytest.mark.parametrize("kernel, dtype", [(_exp64, np.float64), (_exp32, np.float32)])
def test_limits_of_the_exponential(kernel, dtype):
    x = np.array([np.nan, np.inf, -np.inf, 1e4, -1e4, 0.0, -0.0], dtype=dtype)
    out = np.empty_like(x)
    kernel(x, out)
    np.testing.assert_array_equal(out, [np.nan, np.inf, 0, np.inf, 0, 1, 1])
