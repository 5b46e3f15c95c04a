"""L-BFGS without bounds: the direction of :mod:`.kernels.step_memory`, a line search.

The line search asks for the strong Wolfe conditions (Nocedal and Wright 2006, 3.5 and
3.6; the interpolation is cubic).
"""

import numpy as np

from ..kernels.jit import read_only
from ..kernels.step_memory import direction, remember

ENOUGH, FLAT = 1e-3, 0.9  # of the Wolfe conditions: decrease, and what is left of slope
MOST_TRIALS, LONGEST = 20, 1e10  # of one line search


class Memory:
    """The last m pairs of a step and a change of the gradient.

    Parameters
    ----------
    n : int
        Parameters.
    m : int
        Pairs that are kept.
    """

    def __init__(self, n, m):
        self.steps, self.changes = np.empty((m, n)), np.empty((m, n))
        self.products, self.solved = np.empty((2, m, m)), np.empty((2, m))
        self.order, self.n_pairs = np.empty(m, np.int64), 0

    def add(self, before, after):
        """Remember the way between two pairs (point, gradient) of arrays (n,).

        Gradients are read-only, or kernels are compiled once more. A way without
        curvature says nothing and is left out.
        """
        pairs = self.steps, self.changes, self.order, self.n_pairs
        self.n_pairs = remember(*before, *after, *pairs)

    def direction(self, gradient):
        """(-H g, its slope along g)."""
        way = np.empty_like(gradient)
        pairs = self.steps, self.changes, self.products, self.order, self.n_pairs
        return way, direction(*pairs, gradient, self.solved, way)


def line_search(value, slope, first):
    """Step lengths that meet the Wolfe conditions, one after the other.

    A generator: it yields a length and expects (value, slope) there; it returns at a
    length that will do, and raises ``ArithmeticError`` where it finds none.

    Parameters
    ----------
    value, slope : float
        At length 0; the slope is negative.
    first : float
        Length to begin with.
    """
    low, high = (0.0, value, slope), None
    length = first
    for _ in range(MOST_TRIALS):
        at, ahead = yield length
        point = length, at, ahead
        if not (at <= value + ENOUGH * length * slope and at <= low[1]):
            high = point
        elif abs(ahead) <= -FLAT * slope:
            return
        else:
            end = np.inf if high is None else high[0]
            if ahead * (end - low[0]) > 0:  # the least is back towards low
                high = low
            low = point
        length = min(4.0 * length, LONGEST) if high is None else _between(low, high)
        if length in (low[0], high and high[0]):
            break
    raise ArithmeticError("no step lowers the objective")


def _between(low, high):
    """Where the cubic through two points (length, value, slope) is least, kept inside.

    The middle where a value is not finite.
    """
    (a, at_a, slope_a), (b, at_b, slope_b) = low, high
    with np.errstate(all="ignore"):
        d = slope_a + slope_b - 3.0 * (at_a - at_b) / (a - b)
        root = np.sign(b - a) * np.sqrt(d * d - slope_a * slope_b)
        best = b - (b - a) * (slope_b + root - d) / (slope_b - slope_a + 2.0 * root)
    inner = sorted((a + 0.1 * (b - a), b - 0.1 * (b - a)))
    return float(np.clip(best, *inner)) if np.isfinite(best) else 0.5 * (a + b)


def compact_steps(theta, tol, m):
    """L-BFGS step by step; the generator of :func:`.lbfgs.lbfgsb_steps`.

    It yields a point and expects (value, gradient) there, or it yields None at a new
    iterate. It ends where no component of the gradient is above ``tol``, or where a
    line search fails.
    """
    x, memory, is_first = theta.copy(), Memory(len(theta), m), True
    value, gradient = yield x
    gradient = read_only(gradient)  # one kind for the kernels: those of workers are
    while np.abs(gradient).max(initial=0.0) > tol:
        way, slope = memory.direction(gradient)
        if not slope < 0:
            return
        first = min(1.0, 1.0 / np.linalg.norm(gradient)) if is_first else 1.0
        search, is_first = line_search(value, slope, first), False
        try:
            length = next(search)
            while True:
                point = length * way
                point += x
                ahead, there = yield point
                there = read_only(there)
                # A slope that is no number is that of a value that is none either.
                length = search.send((ahead, float(way @ there)))
        except StopIteration:
            pass
        except ArithmeticError:
            return
        memory.add((x, gradient), (point, there))
        x, value, gradient = point, ahead, there
        yield None
