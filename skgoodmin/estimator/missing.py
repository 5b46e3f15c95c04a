"""Values of y that are missing, as None, NaN or pandas.NA."""

import numpy as np
from scipy.sparse import issparse
from sklearn.utils._missing import is_pandas_na, is_scalar_nan


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
    if not any(map(_is_missing, values)):
        return
    row = next(i for i, value in enumerate(y) if _is_missing(value))
    raise ValueError(
        f"y has a missing value, {y[row]!r} in row {row}: leave the row out."
    )


def _is_missing(value):
    """Whether the value is one of the three."""
    return value is None or is_scalar_nan(value) or is_pandas_na(value)
