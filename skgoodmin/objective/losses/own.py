"""A loss of the user's own as the package calls it.

What it is given can not be written to: a method that works in place is an error, and
not another loss. What it returns is copied: a method may use one array for all of it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class OwnLoss:
    """The methods of a loss, with arrays that are neither shared nor written to.

    Parameters
    ----------
    loss : PointwiseLoss or TargetwiseLoss
    """

    loss: Any

    def value(self, raw, y):
        """l(y, f), elementwise."""
        return self._called("value", raw, y)

    def derivative(self, raw, y):
        """dl/df, elementwise."""
        return self._called("derivative", raw, y)

    def minimum(self, negative, positive):
        """min_f [negative l(-1, f) + positive l(+1, f)], for each group."""
        return self._called("minimum", negative, positive)

    def _called(self, name, *given):
        """What the method returns for two arrays of one shape, as a new one."""
        arrays = [np.asarray(array, dtype=np.float64).view() for array in given]
        for array in arrays:
            array.flags.writeable = False
        result = getattr(self.loss, name)(*arrays)
        try:
            copied = np.array(result, dtype=np.float64)
        except (TypeError, ValueError):
            copied = np.array(np.nan)
        if copied.shape != arrays[0].shape:
            of = "one value a group" if name == "minimum" else "the shape of raw"
            raise ValueError(
                f"loss.{name} must return a finite array of {of}, elementwise: for raw "
                f"of shape {arrays[0].shape} it returns {_short(result)}."
            )
        return copied


def _short(result):
    """What to call a result."""
    if isinstance(result, np.ndarray):
        return f"an array of shape {result.shape} and dtype {result.dtype}"
    return f"{result!r:.50} of type {type(result).__name__}"
