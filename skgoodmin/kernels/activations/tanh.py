"""tanh: act(z) = t = tanh z, with the slope 1 - t^2."""

import numpy as np

from ..jit import njit
from ..vector_math import expm1_32, expm1_64
from .activation import Activation, Form
from .intercept import add_intercept


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
def activate(z, intercept, slope):
    """z <- tanh(z + c)."""
    add_intercept(z, intercept)
    _tanh(z.reshape(z.size))


@njit
def apply_slope(value, slope, delta):
    """delta <- delta (1 - value^2)."""
    one = delta.dtype.type(1.0)
    for j in range(delta.size):
        delta[j] *= one - value[j] * value[j]


TANH = Activation(
    "tanh",
    lambda z: np.tanh(z, out=z),
    lambda z: 1.0 - np.tanh(z) ** 2,
    Form.CURVE,
    activate,
    apply_slope,
    stores_slope=False,
    slopes=(0.0, 1.0),
    onnx=lambda graph, z: graph("Tanh", z),
    in_mlp=True,
)
