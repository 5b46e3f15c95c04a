"""Where a convex function is least, from the signs of its slope."""

import numpy as np

HALVINGS = 60


def least_point(slope, left, right):
    """Points between ``left`` and ``right`` where convex functions are least, nearly.

    Parameters
    ----------
    slope : callable
        Slopes of the functions, one at each of the points that it is given.
    left, right : ndarrays of one shape

    Returns
    -------
    points : ndarray of the same shape
        Ends of intervals that were halved ``HALVINGS`` times; their slopes, if there
        are any in between, are not negative.
    """
    for _ in range(HALVINGS):
        middle = 0.5 * (left + right)
        falls = slope(middle) < 0
        left, right = np.where(falls, middle, left), np.where(falls, right, middle)
    return right
