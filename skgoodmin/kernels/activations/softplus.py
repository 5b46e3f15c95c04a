"""softplus: act(z) = log(1 + e^z), with the slope 1 / (1 + e^-z)."""

import numpy as np
from scipy.special import expit

from ..jit import njit
from ..vector_math import exp64, log1p64
from .activation import Activation, Form
from .intercept import add_intercept


@njit
def _softplus(z, slope):
    """z <- max(z, 0) + log(1 + e^-|z|), slope <- sigmoid(z)."""
    for i in range(z.size):
        x = np.float64(z[i])
        u = exp64(-abs(x))
        slope[i] = 1.0 / (1.0 + u) if x >= 0.0 else u / (1.0 + u)
        z[i] = max(x, 0.0) + log1p64(u)


@njit
def activate(z, intercept, slope):
    """z <- log(1 + e^(z + c)), slope <- its derivative."""
    add_intercept(z, intercept)
    _softplus(z.reshape(z.size), slope)


@njit
def apply_slope(value, slope, delta):
    """delta <- delta * slope."""
    for j in range(delta.size):
        delta[j] *= slope[j]


def _onnx(graph, z):
    """max(z, 0) + log(1 + e^-|z|): the operator Softplus overflows in float32."""
    minus_abs = graph("Neg", graph("Abs", z))
    tail = graph("Log", graph("Add", graph("Exp", minus_abs), 1.0))
    return graph("Add", graph("Relu", z), tail)


SOFTPLUS = Activation(
    "softplus",
    lambda z: np.logaddexp(0, z).astype(z.dtype, copy=False),
    expit,
    Form.CURVE,
    activate,
    apply_slope,
    stores_slope=True,
    slopes=(0.0, 1.0),
    convex=True,
    onnx=_onnx,
)
