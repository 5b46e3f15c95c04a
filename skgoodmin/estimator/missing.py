"""Values of y that are missing, as None, NaN, NaT or pandas.NA."""

import numpy as np
from scipy.sparse import issparse


def check_complete(y):
    """An error where a column y of objects has a value that is missing.

    scikit-learn would compare it with the others.
    """
    try:
        y = y if issparse(y) else np.asarray(y)
    except ValueError:  # not as many in each row, of which scikit-learn tells
        return
    if y.dtype != object or y.ndim != 1:
        return
    try:
        values = set(y)  # few, of many rows
    except TypeError:  # some have no hash, of which it tells, too
        return
    if not any(map(is_missing, values)):
        return
    row = next(i for i, value in enumerate(y) if is_missing(value))
    raise ValueError(
        f"y has a missing value, {y[row]!r} in row {row}: leave the row out."
    )


def is_missing(value):
    """Whether it is None, NaN, NaT or pandas.NA."""
    try:
        return value is None or bool(value != value)
    except TypeError:  # pandas.NA is neither equal nor different
        return True
