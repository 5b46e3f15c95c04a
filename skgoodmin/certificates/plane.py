"""The polar of relu units on one or two features: proven as near as one likes.

See :mod:`skgoodmin.kernels.arcs`. One feature has two directions, nothing in between.
"""

import numpy as np

from ..kernels.arcs import at_angle, polar_of_arcs
from .polar import BestNeuron


def plane_polar(points, residuals, tolerance, max_arcs):
    """(proven bound, value found, direction (d,), intercept for centred rows).

    Parameters
    ----------
    points : Points
        At most two columns.
    residuals : ndarray of shape (K, m)
    tolerance : float
        Relative distance of the two that is aimed at.
    max_arcs : int
    """
    x, (n, d) = points.x, points.x.shape
    r = np.ascontiguousarray(residuals.T)
    flat = np.zeros((n, 2))
    flat[:, :d] = x
    slack = points.slack(residuals, 1.0, 0.0, 8 * n)
    if d == 1:
        work = np.empty(n), np.empty((2, r.shape[1])), *np.empty((3, n), np.int64)
        ends = [
            (*at_angle(flat, r, angle, *work), np.cos(angle)) for angle in (0.0, np.pi)
        ]
        value, intercept, w = max(ends)
        return value + slack, value, np.array([w]), intercept
    sizes = np.sqrt((r * r).sum(axis=1)) * (1.0 + 1e-14)
    best = np.empty(3)
    upper = polar_of_arcs(flat, r, sizes, 32, tolerance, max_arcs, best)
    w = np.array([np.cos(best[1]), np.sin(best[1])])
    return upper * (1.0 + 1e-14) + slack, best[0], w, best[2]


def plane_neuron(points, tolerance, max_arcs):
    """(:class:`BestNeuron`, proven polar) for points of one or two columns."""
    if not len(points.used) or points.radius == 0:
        nothing = np.zeros(len(points.centre)), 0.0, np.zeros(len(points.residuals))
        return BestNeuron(0.0, *nothing), points.slack(points.residuals, 1.0)
    upper, value, w, b = plane_polar(points, points.residuals, tolerance, max_arcs)
    if not points.has_squares:
        upper = np.inf
    h = points.residuals @ np.maximum(points.x @ w + b, 0.0)
    size = np.linalg.norm(h)
    h = h / size if size > 0 else h
    neuron = BestNeuron(float(value), w, float(b - w @ points.centre), -h)
    return neuron, upper
