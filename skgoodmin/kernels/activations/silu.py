"""silu: act(z) = z s with s = 1 / (1 + e^-z), with the slope s (1 + z (1 - s))."""

import numpy as np
from scipy.special import expit

from ..jit import njit
from .activation import Activation, Form
from .intercept import add_intercept
from .logistic import sigmoid
from .softplus import apply_slope


@njit
def _silu(z, slope):
    """z <- z s, slope <- s (1 + z (1 - s)) with s = sigmoid(z)."""
    for i in range(z.size):
        x = np.float64(z[i])
        s = sigmoid(x)
        slope[i] = s * (1.0 + x * sigmoid(-x))
        z[i] = x * s


@njit
def activate(z, intercept, slope):
    """z <- (z + c) sigmoid(z + c), slope <- its derivative."""
    add_intercept(z, intercept)
    _silu(z.reshape(z.size), slope)


SILU = Activation(
    "silu",
    lambda z: z * expit(z),
    lambda z: expit(z) * (1.0 + z * expit(-z)),
    Form.CURVE,
    activate,
    apply_slope,
    stores_slope=True,
    slopes=(-0.0999, 1.0999),  # -0.09984 ... 1.09984, at z = -2.3994 and 2.3994
    onnx=lambda graph, z: graph("Mul", z, graph("Sigmoid", z)),
)
