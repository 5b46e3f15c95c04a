"""Layers: what ``hidden_layer_sizes`` asks for."""

from numbers import Integral

import numpy as np

from ..objective.layout import ParameterLayout

AUTO = "auto"  # of hidden_layer_sizes: the training finds the number of units


def check_growing(estimator, sizes):
    """Growing is for one hidden layer of relu with weight decay."""
    for name, given in (
        ("one hidden layer", sizes == AUTO or len(sizes) == 1),
        ("activation='relu'", estimator.activation == "relu"),
        ("alpha > 0", estimator.alpha == "auto" or estimator.alpha > 0),
    ):
        if not given:
            got = name.split()[0].partition("=")[0]
            got = got if got in ("activation", "alpha") else "hidden_layer_sizes"
            raise ValueError(
                f"training='grow' needs {name}, got {got}={getattr(estimator, got)!r}."
            )


def hidden_sizes(estimator):
    """hidden_layer_sizes as a tuple of int, or AUTO."""
    sizes = estimator.hidden_layer_sizes
    if isinstance(sizes, str):
        return AUTO
    sizes = list(np.atleast_1d(sizes))
    if not all(isinstance(size, Integral) and 0 < int(size) < 2**31 for size in sizes):
        raise ValueError(
            "hidden_layer_sizes must hold positive integers below 2**31, got "
            f"{estimator.hidden_layer_sizes!r}."
        )
    return tuple(int(size) for size in sizes)


def narrowed(layout, shapes, is_open):
    """The layout with the width of weights of these shapes, if it has room for them.

    It always has where the width ``is_open``.
    """
    n_inputs, *hidden, n_outputs = layout.sizes
    width = shapes[0][1]
    if len(hidden) != 1 or (width > hidden[0] and not is_open):
        return layout
    return ParameterLayout((n_inputs, width, n_outputs))
