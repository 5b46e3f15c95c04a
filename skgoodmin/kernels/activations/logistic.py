"""logistic: act(z) = s = 1 / (1 + e^-z), with the slope s (1 - s)."""

import numpy as np
from scipy.special import expit

from ..jit import njit
from ..vector_math import exp32, exp64
from .activation import Activation, Form
from .intercept import add_intercept


@njit(inline=True)
def sigmoid(z):
    """1 / (1 + e^-z); e^-z = inf gives the exact limit 0."""
    return 1.0 / (1.0 + exp64(-z))


@njit
def _logistic(z):
    """z <- 1 / (1 + e^-z), elementwise on a flat array."""
    if z.itemsize == 4:
        one = np.float32(1.0)
        for i in range(z.size):
            z[i] = one / (one + exp32(np.float32(-z[i])))
    else:
        for i in range(z.size):
            z[i] = sigmoid(np.float64(z[i]))


@njit
def activate(z, intercept, slope):
    """z <- 1 / (1 + e^-(z + c))."""
    add_intercept(z, intercept)
    _logistic(z.reshape(z.size))


@njit
def apply_slope(value, slope, delta):
    """delta <- delta value (1 - value)."""
    one = delta.dtype.type(1.0)
    for j in range(delta.size):
        delta[j] *= value[j] * (one - value[j])


LOGISTIC = Activation(
    "logistic",
    lambda z: expit(z, out=z),
    lambda z: expit(z) * expit(-z),
    Form.CURVE,
    activate,
    apply_slope,
    stores_slope=False,
    slopes=(0.0, 0.25),
    onnx=lambda graph, z: graph("Sigmoid", z),
    gain=2.0,
    in_mlp=True,
)
