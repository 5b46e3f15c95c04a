"""Features that are integers, and too large for float64."""

from numbers import Integral

import numpy as np
from scipy.sparse import issparse

from .warned import warn_user

EXACT = 2**53  # up to here float64 has all integers


def tell_of_rounding(given, X):
    """Warn where integers were rounded, which may have made different rows equal.

    Parameters
    ----------
    given : array-like, sparse matrix or frame
        What the user gave. Floats are not looked at.
    X : ndarray or CSR
        The same as floats.
    """
    if not _may_hold_integers(given):
        return
    numbers = X.data if issparse(X) else X
    largest = max(-numbers.min(initial=0.0), numbers.max(initial=0.0))
    if largest >= EXACT and any(map(_is_rounded, _columns(given))):
        warn_user(
            "X: integers beyond 2**53 are rounded to float64, so that rows that "
            "differ may become equal: pass differences from one of them, or drop the "
            "column."
        )


def _may_hold_integers(given):
    """Whether its types leave room for integers that are too large."""
    if hasattr(given, "dtype"):
        return not _is_exact(given.dtype)
    dtypes = list(getattr(given, "dtypes", ()))  # of a frame
    return not dtypes or not all(map(_is_exact, dtypes))


def _is_exact(dtype):
    """Whether numbers of a type, of numpy or of a frame, are exact in float64."""
    if hasattr(dtype, "is_float"):  # polars
        return dtype.is_float()
    dtype = getattr(dtype, "subtype", dtype)  # of a sparse column of pandas
    kind = getattr(dtype, "kind", "O")
    return kind in "fb" or (kind in "iu" and dtype.itemsize < 8)


def _columns(given):
    """Arrays of what was given, one a column where these have types of their own."""
    if issparse(given):
        return [given.data]
    if hasattr(given, "iter_columns"):  # polars
        return map(np.asarray, given.iter_columns())
    if hasattr(given, "iloc"):  # pandas
        return (given.iloc[:, i].to_numpy() for i in range(given.shape[1]))
    return [np.asarray(given)]


def _is_rounded(values):
    """Whether an array has an integer that float64 lacks."""
    if values.dtype == object:
        return any(isinstance(v, Integral) and int(float(v)) != v for v in values.flat)
    if values.dtype.kind not in "iu":
        return False
    size = np.abs(values).astype(np.uint64)  # of -2**63, too
    size = size[size > EXACT]
    lowest_bit = size & (~size + np.uint64(1))
    return bool((size // lowest_bit > EXACT).any())
