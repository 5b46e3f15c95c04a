"""Training (compiled) and prediction (numpy) use the same activation functions.

What an activation's record claims of it is compared with a formula of its own.
"""

import numpy as np
import pytest
from problems import reference_activation

from skgoodmin.kernels.activations import ACTIVATIONS

Z = np.concatenate([np.linspace(-40, 40, 161), [-800.0, 800.0, 1e-9, -1e-9]])


def _activated(name, dtype=np.float64, slope=0.0, intercept=0.0):
    z = Z.astype(dtype)[:, None].copy()
    slope = np.full(z.size, slope, dtype)
    ACTIVATIONS[name].activate(z, np.full(1, intercept, dtype), slope)
    return z, slope


def test_names():
    assert all(name == activation.name for name, activation in ACTIVATIONS.items())


@pytest.mark.parametrize("dtype, tol", [(np.float64, 1e-15), (np.float32, 5e-7)])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_kernel_equals_numpy(name, dtype, tol):
    value, _ = _activated(name, dtype)
    assert value.dtype == dtype
    expected = ACTIVATIONS[name].function(Z.astype(dtype))
    assert expected.dtype == dtype
    np.testing.assert_allclose(value[:, 0], expected, rtol=4 * tol, atol=tol)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_both_equal_the_formula(name):
    expected = reference_activation(name)(Z.astype(np.longdouble)).astype(float)
    for value in (ACTIVATIONS[name].function(Z.copy()), _activated(name)[0][:, 0]):
        np.testing.assert_allclose(value, expected, rtol=4e-15, atol=1e-15)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_intercept_is_added_first(name):
    value, _ = _activated(name, intercept=0.75)
    expected = ACTIVATIONS[name].function(Z + 0.75)
    np.testing.assert_allclose(value[:, 0], expected, rtol=4e-15, atol=1e-15)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_slope_is_the_derivative(name):
    activation = ACTIVATIONS[name]
    value, slope = _activated(name)
    delta = np.ones_like(value)
    for i in range(len(Z)):
        activation.apply_slope(value[i], slope[i : i + 1], delta[i])
    h, f = 1e-6, activation.function
    numerical = (f(Z + h) - f(Z - h)) / (2 * h)
    away_from_kink = np.abs(Z) > 2 * h if name == "relu" else slice(None)
    np.testing.assert_allclose(
        delta[away_from_kink, 0], numerical[away_from_kink], atol=1e-7, rtol=1e-7
    )
    z = Z[:, None].copy()
    np.testing.assert_allclose(activation.derivative(z), delta, rtol=1e-12, atol=1e-15)
    np.testing.assert_array_equal(z[:, 0], Z)  # untouched


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_slope_is_stored_where_the_record_says(name):
    _, slope = _activated(name, slope=np.nan)
    assert np.isnan(slope).all() != ACTIVATIONS[name].stores_slope
    assert np.isnan(slope).any() != ACTIVATIONS[name].stores_slope


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_bounds_of_the_slope(name):
    """A certificate's proof rests on them: never exceeded, and not far out either."""
    act = reference_activation(name)
    z = np.linspace(-50, 50, 400_002, dtype=np.longdouble)  # none of them 0
    slope = (act(z[1:]) - act(z[:-1])) / np.diff(z)  # one of act', by the mean value
    smallest, largest = ACTIVATIONS[name].slopes
    assert smallest - 1e-12 <= slope.min() < smallest + 1e-3
    assert largest - 1e-3 < slope.max() <= largest + 1e-12
    assert ACTIVATIONS[name].steepest == max(-smallest, largest)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_free_scale_means_homogeneous(name):
    act = reference_activation(name)
    z = np.linspace(-3, 3, 7)
    assert ACTIVATIONS[name].free_scale <= np.allclose(act(2.5 * z), 2.5 * act(z))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_nan_is_not_hidden(name):
    z, slope = np.full((1, 1), np.nan), np.zeros(1)
    ACTIVATIONS[name].activate(z, np.zeros(1), slope)
    assert np.isnan(z[0, 0])
