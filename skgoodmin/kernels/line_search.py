"""A line search for the strong Wolfe conditions (Nocedal and Wright 2006, 3.5 and 3.6).

Of f(t) with f'(0) < 0, a length t is looked for with

    f(t) <= f(0) + c1 t f'(0),   |f'(t)| <= c2 |f'(0)|,   c1 = 1e-3, c2 = 0.9

between the best length so far (low) and one beyond the least value (high), where the
cubic through both is least. At a kink, where f' jumps, there may be no such t: once low
and high are close, low will do, if it is below f(0) as asked.
"""

import numpy as np

from .jit import njit

ENOUGH, FLAT = 1e-3, 0.9  # c1 and c2
CLOSE = 0.01  # between low and high, as a share of the length
MOST_TRIALS, LONGEST = 20, 1e10
MORE, DONE, FAILED = range(3)  # what narrow says
# Fields of ``line``. Low and high are (length, value, slope); there is no high as long
# as its length is inf.
VALUE, SLOPE, LENGTH, N_TRIALS, LOW, HIGH, N_FIELDS = 0, 1, 2, 3, 4, 7, 10


@njit
def set_out(value, slope, length, line):
    """Begin with a first length; ``line`` (N_FIELDS,) is what is known from here on."""
    line[VALUE], line[SLOPE], line[LENGTH], line[N_TRIALS] = value, slope, length, 0.0
    line[LOW], line[LOW + 1], line[LOW + 2] = 0.0, value, slope
    line[HIGH] = np.inf


@njit
def narrow(value, slope, line):
    """What f and f' at the length say: DONE, or MORE with the next one, or FAILED."""
    length = line[LENGTH]
    if length == line[LOW]:  # back at the best one
        return DONE
    below = value <= line[VALUE] + ENOUGH * length * line[SLOPE]
    place = LOW
    if not (below and value <= line[LOW + 1]):
        place = HIGH
    elif abs(slope) <= -FLAT * line[SLOPE]:
        return DONE
    elif slope * (line[HIGH] - line[LOW]) > 0:  # the least is back towards low
        for i in range(3):
            line[HIGH + i] = line[LOW + i]
    line[place], line[place + 1], line[place + 2] = length, value, slope
    low, high = line[LOW], line[HIGH]
    line[N_TRIALS] += 1.0
    near = min(low, high) >= (1.0 - CLOSE) * max(low, high)
    if near or line[N_TRIALS] == MOST_TRIALS:
        line[LENGTH] = low
        if low == 0.0:
            return FAILED
        return DONE if place == LOW else MORE
    line[LENGTH] = min(4.0 * length, LONGEST) if high == np.inf else between(line)
    return MORE


@njit
def between(line):
    """Where the cubic through low and high is least, kept inside.

    The middle where a value is not finite.
    """
    a, at_a, slope_a = line[LOW], line[LOW + 1], line[LOW + 2]
    b, at_b, slope_b = line[HIGH], line[HIGH + 1], line[HIGH + 2]
    d = slope_a + slope_b - 3.0 * (at_a - at_b) / (a - b)
    root = np.sign(b - a) * np.sqrt(d * d - slope_a * slope_b)
    best = b - (b - a) * (slope_b + root - d) / (slope_b - slope_a + 2.0 * root)
    if not np.isfinite(best):
        return 0.5 * (a + b)
    one, other = a + 0.1 * (b - a), b - 0.1 * (b - a)
    return min(max(best, min(one, other)), max(one, other))
