"""identity: act(z) = z, with the slope 1."""

import numpy as np

from ..jit import njit
from .activation import Activation, Form
from .intercept import add_intercept


@njit
def activate(z, intercept, slope):
    """z <- z + c."""
    add_intercept(z, intercept)


@njit
def apply_slope(value, slope, delta):
    """The slope is 1."""


IDENTITY = Activation(
    "identity",
    lambda z: z,
    np.ones_like,
    Form.LINE,
    activate,
    apply_slope,
    stores_slope=False,
    slopes=(1.0, 1.0),
    onnx=lambda graph, z: z,
    in_mlp=True,
)
