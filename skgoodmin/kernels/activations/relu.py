"""relu: act(z) = max(z, 0), with the slope 1 where z > 0 and 0 elsewhere."""

import numpy as np

from ..jit import njit
from .activation import Activation, Form


@njit
def activate(z, intercept, slope):
    """z <- max(z + c, 0)."""
    zero = z.dtype.type(0.0)
    for i in range(z.shape[0]):
        for j in range(z.shape[1]):
            value = z[i, j] + intercept[j]
            # Not max(value, 0): that would turn a NaN into 0.
            z[i, j] = zero if value < zero else value


@njit
def apply_slope(value, slope, delta):
    """delta <- delta where the value is positive, else 0."""
    zero = delta.dtype.type(0.0)
    for j in range(delta.size):
        delta[j] = delta[j] if value[j] > zero else zero


RELU = Activation(
    "relu",
    lambda z: np.maximum(z, 0, out=z),
    lambda z: np.where(z > 0, 1.0, 0.0),
    Form.CORNER,
    activate,
    apply_slope,
    stores_slope=False,
    slopes=(0.0, 1.0),
    convex=True,
    onnx=lambda graph, z: graph("Relu", z),
    in_mlp=True,
    free_scale=True,
)
