"""Training (compiled) and prediction (numpy) use the same activation functions."""

import numpy as np
import pytest

from skgoodmin.activations import CODES, FUNCTIONS, activate, apply_slope

Z = np.concatenate([np.linspace(-40, 40, 161), [-800.0, 800.0, 1e-9, -1e-9]])


def _activated(name, dtype=np.float64):
    z = Z.astype(dtype)[:, None].copy()
    slope = np.zeros_like(z)
    activate(CODES[name], z, np.zeros(1, dtype), slope)
    return z, slope


@pytest.mark.parametrize("dtype, tol", [(np.float64, 1e-15), (np.float32, 5e-7)])
@pytest.mark.parametrize("name", CODES)
def test_kernel_equals_numpy(name, dtype, tol):
    value, _ = _activated(name, dtype)
    assert value.dtype == dtype
    expected = FUNCTIONS[name](Z.astype(dtype))
    np.testing.assert_allclose(value[:, 0], expected, rtol=4 * tol, atol=tol)


@pytest.mark.parametrize("name", CODES)
def test_slope_is_the_derivative(name):
    value, slope = _activated(name)
    delta = np.ones_like(value)
    for i in range(len(Z)):
        apply_slope(CODES[name], value[i], slope[i], delta[i])
    h = 1e-6
    numerical = (FUNCTIONS[name](Z + h) - FUNCTIONS[name](Z - h)) / (2 * h)
    away_from_kink = np.abs(Z) > 2 * h if name == "relu" else slice(None)
    np.testing.assert_allclose(
        delta[away_from_kink, 0], numerical[away_from_kink], atol=1e-7, rtol=1e-7
    )


@pytest.mark.parametrize("name", ["tanh", "logistic", "relu", "softplus", "silu"])
def test_nan_is_not_hidden(name):
    z, slope = np.full((1, 1), np.nan), np.zeros((1, 1))
    activate(CODES[name], z, np.zeros(1), slope)
    assert np.isnan(z[0, 0])
