"""Sums that are rounded once, however many terms they have."""

import math

import numpy as np


def exact_sums(values, first):
    """Sums of the values from each of ``first`` to the next, each rounded once.

    So they depend neither on the order of the values nor on how many there are.

    Parameters
    ----------
    values : ndarray of shape (n,)
    first : ndarray of shape (n_sums,)
        Places, ascending from 0 on.

    Returns
    -------
    sums : ndarray of shape (n_sums,)
    """
    sums, ends = values[first], np.append(first[1:], len(values))
    size = ends - first
    sums[size == 2] += values[first[size == 2] + 1]  # an addition rounds once
    for i in np.flatnonzero(size > 2):
        sums[i] = math.fsum(values[first[i] : ends[i]])
    return sums
