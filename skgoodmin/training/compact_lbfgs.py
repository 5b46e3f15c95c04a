"""L-BFGS without bounds, in the compact form: a step costs two products with a matrix.

Of the last m steps s_i and differences of gradients y_i, the rows of S and Y, the
inverse Hessian of L-BFGS makes of a gradient g (Byrd, Nocedal and Schnabel 1994, 3.1)

    H g = gamma g + S^T u - gamma Y^T v,   R v = S g,
          R^T u = D v + gamma (Y Y^T v - Y g),   gamma = s.y / y.y of the last pair,

with R the upper triangle of S Y^T in the order of time, and D its diagonal. An
iteration reads S and Y three times, for the products with y and with g and for the sum;
L-BFGS-B takes about twice as long from some thousand parameters on
(``benchmarks/solver.py --large``).

The line search asks for the strong Wolfe conditions (Nocedal and Wright 2006, 3.5 and
3.6; the interpolation is cubic).
"""

import numpy as np
from scipy.linalg.lapack import dtrtrs

ENOUGH, FLAT = 1e-3, 0.9  # of the Wolfe conditions: decrease, and what is left of slope
MOST_TRIALS, LONGEST = 20, 1e10  # of one line search
EPS = np.finfo(np.float64).eps


class Memory:
    """The last m pairs of a step and a difference of gradients.

    Pairs keep their places; a new one takes that of the oldest. The small matrices
    are in the order of time.

    Parameters
    ----------
    n : int
        Parameters.
    m : int
        Pairs that are kept.
    """

    def __init__(self, n, m):
        self.pairs, self.m = np.zeros((2 * m, n)), m  # S, then Y
        self.steps_by_changes, self.changes = np.zeros((2, m, m))  # S Y^T, Y Y^T
        self.places = np.empty((2, 0), np.intp)  # rows of S and Y, the oldest first

    def add(self, before, after):
        """Remember the way between two pairs (point, gradient) of arrays (n,).

        One without curvature says nothing and is left out.
        """
        step, change = after[0] - before[0], after[1] - before[1]
        if not step @ change > EPS * (change @ change):
            return
        last = self.places.shape[1]
        if last == self.m:
            place, last = self.places[0, 0], last - 1
            self.places = self.places[:, 1:]
            for matrix in (self.steps_by_changes, self.changes):
                matrix[:-1, :-1] = matrix[1:, 1:].copy()
        else:
            place = last
        new = np.array([[place], [self.m + place]])
        self.places = np.concatenate([self.places, new], axis=1)
        self.pairs[place], self.pairs[self.m + place] = step, change
        by_step, by_change = (self.pairs @ change)[self.places]
        self.steps_by_changes[: last + 1, last] = by_step
        self.changes[: last + 1, last] = self.changes[last, : last + 1] = by_change

    def direction(self, gradient):
        """-H g, (n,)."""
        n_pairs = self.places.shape[1]
        if n_pairs == 0:
            return -gradient
        R = self.steps_by_changes[:n_pairs, :n_pairs]
        changes, diagonal = self.changes[:n_pairs, :n_pairs], R.diagonal()
        gamma = diagonal[-1] / changes[-1, -1]
        along_s, along_y = (self.pairs @ gradient)[self.places]
        v, _ = dtrtrs(R, along_s)  # of the upper triangle alone
        side = diagonal * v + gamma * (changes @ v - along_y)
        u, _ = dtrtrs(R, side, trans=1)
        weights = np.zeros(2 * self.m)
        weights[self.places] = -u, gamma * v
        way = weights @ self.pairs
        way -= gamma * gradient
        return way


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
    while np.abs(gradient).max(initial=0.0) > tol:
        way = memory.direction(gradient)
        slope = float(way @ gradient)
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
                # A slope that is no number is that of a value that is none either.
                length = search.send((ahead, float(way @ there)))
        except StopIteration:
            pass
        except ArithmeticError:
            return
        memory.add((x, gradient), (point, there))
        x, value, gradient = point, ahead, there
        yield None
