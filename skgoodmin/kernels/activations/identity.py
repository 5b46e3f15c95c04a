"""identity: act(z) = z, with the slope 1."""

from ..jit import njit
from .activation import Activation
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
    activate,
    apply_slope,
    stores_slope=False,
    slopes=(1.0, 1.0),
    onnx=lambda graph, z: z,
    in_mlp=True,
)
