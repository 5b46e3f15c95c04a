"""What the package asks of an activation function.

A file of this folder holds one activation: its formula, two kernels and a record of
what the other rooms have to know of it. The line in ``__init__`` makes it known.
"""

from collections.abc import Callable
from enum import Enum
from typing import Any, NamedTuple

import numpy as np

from ..jit import Kernel


class Form(Enum):
    """What the search for the best neuron has to know of an activation's graph."""

    LINE = "z itself: the best neuron is a singular vector"
    CORNER = "max(z, 0): the best intercept is found among those of the rows"
    CURVE = "smooth: w and b are searched together"


class Activation(NamedTuple):
    """An activation function act(z) of the hidden units.

    Parameters
    ----------
    name : str
        As the user writes it.
    function : callable(z) -> ndarray
        What prediction uses: plain numpy, no compiler; z may be overwritten.
    derivative : callable(z) -> ndarray
        act'(z) in plain numpy.
    form : Form
    activate : Kernel(z, intercept, slope)
        z <- act(z + c), in place. z has shape (n, n_units), the intercept c
        (n_units,), slope (n * n_units,). ``slope`` <- act'(z + c) where
        ``stores_slope``, otherwise it is left alone.
    apply_slope : Kernel(value, slope, delta)
        delta <- delta * slope, flat, after what ``activate`` left there.
    stores_slope : bool
        Whether the slope can not be told from the value.
    slopes : tuple of float
        (smallest, largest) value of act', rounded outward: rounding errors of the
        predictions and proven bounds of a certificate are made of it.
    convex : bool
        Whether act is convex, with slopes from 0 to 1: certificates are tighter then.
    gain : float
        Of the random starts, see :meth:`ParameterLayout.start`.
    onnx : callable(graph, z) -> name
        Adds act(z) to an ONNX graph.
    in_mlp : bool
        Whether ``MLPClassifier`` has it, under the same name.
    free_scale : bool
        Whether a new unit takes the length of the others: act(c z) = c act(z) leaves
        it open.
    """

    name: str
    function: Callable[[np.ndarray], np.ndarray]
    derivative: Callable[[np.ndarray], np.ndarray]
    form: Form
    activate: Kernel
    apply_slope: Kernel
    stores_slope: bool
    slopes: tuple[float, float]
    onnx: Callable[[Any, str], str]
    convex: bool = False
    gain: float = 6.0
    in_mlp: bool = False
    free_scale: bool = False

    @property
    def is_relu_from_afar(self):
        """Whether steep units are near those of relu, as those of softplus are."""
        ends = np.array([-50.0, 50.0])
        return np.allclose(self.function(ends.copy()), np.maximum(ends, 0.0))

    @property
    def steepest(self):
        """Largest |act'|."""
        return max(abs(slope) for slope in self.slopes)
