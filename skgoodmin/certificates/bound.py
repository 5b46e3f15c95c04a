"""Bound: what is known of all networks at once."""

from enum import Enum
from typing import NamedTuple

from .digits import at_least


class Known(Enum):
    """How a bound is known.

    Attributes
    ----------
    PROVEN
        It holds in floating point, rounding included.
    ESTIMATED
        It holds if a search has found the best unit that could be added.
    """

    PROVEN = "proven"
    ESTIMATED = "estimated"


class Bound(NamedTuple):
    """A lower bound of what networks can reach on the training rows.

    Attributes
    ----------
    value : float
    of : str
        'data loss' or 'objective' (data loss and penalty).
    networks : str
        Which networks it holds for, as in "no network of any size".
    known : Known
        ``PROVEN`` holds in floating point; anything else is an estimate.
    """

    value: float
    of: str
    networks: str
    known: Known

    def __str__(self):
        value = at_least(self.value, 6)
        known = self.known.value
        return f"no {self.networks} has a smaller {self.of} than {value} ({known})"
