"""The highest breakpoint, against all of them."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skgoodmin.kernels.polar import BINS, IN_BIN, best_intercept


def found(z, residuals):
    """(h, row, sum_i R_i relu(z_i - z_row)) as the kernel finds them."""
    (n, n_outputs), n_bins = residuals.shape, min(len(z) // IN_BIN + 1, BINS)
    sums, edges = np.empty((n_bins, 2 * n_outputs + 1)), np.empty(n_bins + 1)
    work = sums, edges, np.empty(2 * n_outputs), np.empty(n)
    best, sizes = np.empty(n_outputs), np.linalg.norm(residuals, axis=1)
    places = np.empty((6, n), np.int64)
    h, row = best_intercept(z, residuals, sizes, (*work, *places), best)
    return h, row, best


def drawn(kind, n, rng):
    return {
        "normal": lambda: rng.normal(size=n),
        "ties": lambda: np.round(rng.normal(size=n), 1),
        "two values": lambda: rng.integers(2, size=n) * 1.0,
        "outliers": lambda: rng.standard_cauchy(n) ** 5,
        "equal": lambda: np.full(n, 0.1),
        "tiny": lambda: rng.normal(size=n) * 1e-100,
        "far": lambda: 1e6 + rng.normal(size=n) * 1e-3,
    }[kind]()


@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("n", [1, 2, 7, 300, 3000])
@pytest.mark.parametrize(
    "kind", ["normal", "ties", "two values", "outliers", "equal", "tiny", "far"]
)
def test_no_breakpoint_is_higher(kind, n, n_outputs):
    rng = np.random.default_rng(n)
    z = drawn(kind, n, rng)
    # Some rows weigh much more than others: bins where they are may not be left out.
    residuals = rng.normal(size=(n, n_outputs)) * np.exp(2 * rng.normal(size=(n, 1)))
    residuals -= residuals.mean(axis=0)
    sums = np.maximum(z[:, None] - z, 0.0).T @ residuals  # a row for each breakpoint
    h, row, best = found(z, residuals)
    rounding = 1e-13 * np.abs(residuals).sum() * np.ptp(z)
    assert_allclose(h, np.linalg.norm(sums, axis=1).max(), rtol=0, atol=rounding)
    assert_allclose(best, sums[row], rtol=0, atol=rounding)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e308, -1e308])
def test_a_row_is_named_where_numbers_are_not_finite(bad):
    rng = np.random.default_rng(0)
    z = rng.normal(size=100)
    z[[3, 50]] = bad
    z[99] = -bad
    _, row, _ = found(z, rng.normal(size=(100, 1)))
    assert 0 <= row < 100
