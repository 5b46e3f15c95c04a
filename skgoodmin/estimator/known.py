"""Classes that the calls of ``partial_fit`` agree on."""

from collections.abc import Sequence
from contextlib import suppress

import numpy as np

from .missing import is_missing


def checked_classes(classes, known):
    """The classes that a call to ``partial_fit`` goes on with, sorted.

    Parameters
    ----------
    classes : array-like of shape (n_classes,) or None
        As they are given.
    known : ndarray of shape (n_classes,) or None
        Those of the first call.

    Raises
    ------
    ValueError
        If they are no list of labels, or others than those of the first call.
    """
    if classes is None:
        return known
    array = _sorted(classes)
    if known is not None and not np.array_equal(array, known):
        raise ValueError(
            f"classes={array.tolist()} differs from those of the first call to "
            f"partial_fit, {known.tolist()}."
        )
    return array if known is None else known  # of the type of the first call


def _sorted(classes):
    """Labels that were given, once each; an error if they are none."""
    ordered = isinstance(classes, Sequence) or hasattr(classes, "__array__")
    array = None
    if ordered and not isinstance(classes, str | bytes):
        with suppress(ValueError):  # lists of different lengths
            array = np.asarray(classes)
    if array is None or array.ndim != 1:
        raise ValueError(
            f"classes must be a list or array of class labels, got {classes!r}."
        )
    if not len(array):
        raise ValueError("classes must not be empty.")
    given = [*classes, *array.tolist()]  # None among strings is one of them in array
    if any(map(is_missing, given)):
        raise ValueError(f"classes must not hold NaN or None, got {classes!r}.")
    try:
        return np.unique(array)
    except TypeError as error:
        raise ValueError(
            f"classes must be of one kind, so that they can be sorted, got {classes!r}."
        ) from error
