"""Activation functions of the hidden units, for prediction and for training.

======== ================ ===========================
name     value            slope
======== ================ ===========================
identity z                1
logistic s = 1/(1+e^-z)   s (1 - s)
tanh     t = tanh z       1 - t^2
relu     max(z, 0)        1 where z > 0, else 0
softplus log(1 + e^z)     1/(1+e^-z)
silu     z s              s (1 + z (1 - s))
======== ================ ===========================

The slopes of the first four follow from the value, so training stores the value
alone; softplus and silu store their slope beside it.
"""

import numpy as np
from scipy.special import expit

from .elementary import exp32, exp64, expm1_32, expm1_64, log1p64
from .jit import njit

IDENTITY, LOGISTIC, TANH, RELU, SOFTPLUS, SILU = range(6)

CODES = {
    "identity": IDENTITY,
    "logistic": LOGISTIC,
    "tanh": TANH,
    "relu": RELU,
    "softplus": SOFTPLUS,
    "silu": SILU,
}

# What prediction uses: plain numpy, no compiler; z may be overwritten.
FUNCTIONS = {
    "identity": lambda z: z,
    "logistic": lambda z: expit(z, out=z),
    "tanh": lambda z: np.tanh(z, out=z),
    "relu": lambda z: np.maximum(z, 0, out=z),
    "softplus": lambda z: np.logaddexp(0, z).astype(z.dtype, copy=False),
    "silu": lambda z: z * expit(z),
}


@njit(inline=True)
def _sigmoid(z):
    """1 / (1 + e^-z); e^-z = inf gives the exact limit 0."""
    return 1.0 / (1.0 + exp64(-z))


@njit(inline=True)
def _tanh64(z):
    """t / (t + 2) with t = e^(2|z|) - 1, which loses nothing near z = 0."""
    t = expm1_64(2.0 * min(abs(z), 30.0))
    value = t / (t + 2.0)
    value = -value if z < 0.0 else value
    return value if z == z else z


@njit(inline=True)
def _tanh32(z):
    """The same in float32."""
    two = np.float32(2.0)
    t = expm1_32(two * min(abs(z), np.float32(20.0)))
    value = t / (t + two)
    value = -value if z < np.float32(0.0) else value
    return value if z == z else z


@njit
def _tanh(z):
    """z <- tanh(z), elementwise on a flat array."""
    if z.itemsize == 4:
        for i in range(z.size):
            z[i] = _tanh32(np.float32(z[i]))
    else:
        for i in range(z.size):
            z[i] = _tanh64(np.float64(z[i]))


@njit
def _logistic(z):
    """z <- 1 / (1 + e^-z), elementwise on a flat array."""
    if z.itemsize == 4:
        one = np.float32(1.0)
        for i in range(z.size):
            z[i] = one / (one + exp32(np.float32(-z[i])))
    else:
        for i in range(z.size):
            z[i] = _sigmoid(np.float64(z[i]))


@njit
def _softplus(z, slope):
    """z <- max(z, 0) + log(1 + e^-|z|), slope <- sigmoid(z)."""
    for i in range(z.size):
        x = np.float64(z[i])
        u = exp64(-abs(x))
        slope[i] = 1.0 / (1.0 + u) if x >= 0.0 else u / (1.0 + u)
        z[i] = max(x, 0.0) + log1p64(u)


@njit
def _silu(z, slope):
    """z <- z s, slope <- s (1 + z (1 - s)) with s = sigmoid(z)."""
    for i in range(z.size):
        x = np.float64(z[i])
        s = _sigmoid(x)
        slope[i] = s * (1.0 + x * _sigmoid(-x))
        z[i] = x * s


@njit
def add_intercept(z, intercept):
    """z_ij <- z_ij + c_j."""
    for i in range(z.shape[0]):
        for j in range(z.shape[1]):
            z[i, j] += intercept[j]


@njit
def activate(code, z, intercept, slope):
    """z <- activation(z + c), in place; ``slope`` is filled for softplus and silu.

    z : (n, n_units), intercept : (n_units,), slope : (n, n_units) or anything where
    the slope follows from the value.
    """
    if code == RELU:
        zero = z.dtype.type(0.0)
        for i in range(z.shape[0]):
            for j in range(z.shape[1]):
                value = z[i, j] + intercept[j]
                # Not max(value, 0): that would turn a NaN into 0.
                z[i, j] = zero if value < zero else value
        return
    add_intercept(z, intercept)
    if code == TANH:
        _tanh(z.reshape(z.size))
    elif code == LOGISTIC:
        _logistic(z.reshape(z.size))
    elif code == SOFTPLUS:
        _softplus(z.reshape(z.size), slope.reshape(slope.size))
    elif code == SILU:
        _silu(z.reshape(z.size), slope.reshape(slope.size))


@njit(inline=True)
def stores_slope(code):
    """Whether :func:`activate` keeps the slope beside the value."""
    return code == SOFTPLUS or code == SILU


@njit
def apply_slope(code, value, slope, delta):
    """delta <- delta * slope, flat, after what :func:`activate` left there.

    value, delta : (n,); slope : (n,) where it is stored.
    """
    zero, one = delta.dtype.type(0.0), delta.dtype.type(1.0)
    if code == RELU:
        for j in range(delta.size):
            delta[j] = delta[j] if value[j] > zero else zero
    elif code == TANH:
        for j in range(delta.size):
            delta[j] *= one - value[j] * value[j]
    elif code == LOGISTIC:
        for j in range(delta.size):
            delta[j] *= value[j] * (one - value[j])
    elif stores_slope(code):
        for j in range(delta.size):
            delta[j] *= slope[j]
