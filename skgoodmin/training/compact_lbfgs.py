"""L-BFGS without bounds, for so many parameters that memory is what takes time.

Of the last m steps s_i and differences of gradients y_i, the rows of S and Y, the
inverse Hessian of L-BFGS makes of a gradient g (Byrd, Nocedal and Schnabel 1994, 3.1)

    H g = gamma g + S^T u - gamma Y^T v,   R v = S g,
          R^T u = D v + gamma (Y Y^T v - Y g),   gamma = s.y / y.y of the last pair,

with R the upper triangle of S Y^T in the order of time, and D its diagonal. S and Y are
read once for all products with g and y, and once for the sum; the bounds of L-BFGS-B
have it read them more than twice as often.

The line search asks for the strong Wolfe conditions (Nocedal and Wright 2006, 3.5 and
3.6; the interpolation is cubic).
"""

import numpy as np
from scipy.linalg import solve_triangular

ENOUGH, FLAT = 1e-3, 0.9  # of the Wolfe conditions: decrease, and what is left of slope
MOST_TRIALS, LONGEST = 20, 1e10  # of one line search
EPS = np.finfo(np.float64).eps


class Memory:
    """The last m pairs of a step and a difference of gradients.

    Parameters
    ----------
    n : int
        Parameters.
    m : int
        Pairs that are kept.
    """

    def __init__(self, n, m):
        self.pairs = np.zeros((2 * m, n))  # S, then Y
        self.steps_by_changes, self.changes = np.zeros((2, m, m))  # S Y^T, Y Y^T
        self.order: list[int] = []  # places of the pairs, the oldest one first
        self.m = m

    def direction(self, gradient, step=None, change=None):
        """-H g, (n,); the pair that led to g is remembered first."""
        m, columns = self.m, gradient[:, None]
        # A pair without curvature says nothing.
        known = step is not None and step @ change > EPS * (change @ change)
        if known:
            place = self.order.pop(0) if len(self.order) == m else len(self.order)
            self.order.append(place)
            self.pairs[place], self.pairs[m + place] = step, change
            columns = np.column_stack([gradient, change])
        if not self.order:
            return -gradient
        products = self.pairs @ columns
        if known:
            self.steps_by_changes[:, place] = products[:m, 1]
            self.changes[:, place] = self.changes[place] = products[m:, 1]
        some = np.ix_(self.order, self.order)
        last = self.order[-1]
        gamma = self.steps_by_changes[last, last] / self.changes[last, last]
        R = np.triu(self.steps_by_changes[some])
        along_s, along_y = products[self.order, 0], products[m:, 0][self.order]
        v = solve_triangular(R, along_s)
        side = np.diag(R) * v + gamma * (self.changes[some] @ v - along_y)
        u = solve_triangular(R, side, trans="T")
        weights = np.zeros(2 * m)
        weights[self.order], weights[m + np.array(self.order)] = -u, gamma * v
        return weights @ self.pairs - gamma * gradient


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
    x, memory = theta.copy(), Memory(len(theta), m)
    value, gradient = yield x
    step = change = None
    while np.abs(gradient).max(initial=0.0) > tol:
        way = memory.direction(gradient, step, change)
        slope = float(way @ gradient)
        if not slope < 0:
            return
        first = 1.0 if step is not None else min(1.0, 1.0 / np.linalg.norm(gradient))
        search = line_search(value, slope, first)
        try:
            length = next(search)
            while True:
                point = x + length * way
                ahead, there = yield point
                # A slope that is no number is that of a value that is none either.
                length = search.send((ahead, float(way @ there)))
        except StopIteration:
            pass
        except ArithmeticError:
            return
        step, change = point - x, there - gradient
        x, value, gradient = point, ahead, there
        yield None
