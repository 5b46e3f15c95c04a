"""What L-BFGS makes of an evaluation: the next point, or that there is none.

Along -H g (:mod:`.step_memory`) a line search (:mod:`.line_search`); where its length
is found, the way is remembered and the next direction follows.
"""

import numpy as np

from .jit import njit
from .line_search import DONE, FAILED, LENGTH, narrow, set_out
from .step_memory import direction, dot, remember

EVALUATE, ITERATE, END = range(3)  # what a step asks for
# Fields of ``state``: what the next evaluation is for, and the pairs that are kept.
PHASE, N_PAIRS = range(2)
AT_START, AT_ITERATE, ON_THE_WAY = range(3)


@njit(pointed_at=True)
def step(
    value, gradient, tol, point, iterate, pairs, products, solved, line, state, order
):
    """Take f and its gradient at ``point``, and say what is next.

    EVALUATE
        f is to be evaluated at ``point``, which is new.
    ITERATE
        The point is an iterate; call again, with the same value and gradient.
    END
        No component of the gradient is above ``tol``, or no length will do.

    Parameters
    ----------
    value, tol : float
    gradient, point : (n,)
    iterate : (3, n)
        The iterate x, its gradient g and the direction.
    pairs : (2, m, n), products : (2, m, m), solved : (2, m), order : (m,) int64
        The memory: S and Y, their products, room to work in, places.
    line : (line_search.N_FIELDS,)
    state : (2,) int64
        Zeros at first.
    """
    x, g, way = iterate[0], iterate[1], iterate[2]
    if state[PHASE] == ON_THE_WAY:
        slope = dot(way, gradient)
        if not abs(slope) < np.inf:  # the gradient overflows, and the value soon will
            value = np.inf
        said = narrow(value, slope, line)
        if said == FAILED:
            return END
        if said == DONE:
            state[N_PAIRS] = remember(
                x, g, point, gradient, pairs[0], pairs[1], order, state[N_PAIRS]
            )
            state[PHASE] = AT_ITERATE
            for j in range(x.size):
                x[j], g[j] = point[j], gradient[j]
            return ITERATE
    else:
        largest, square = 0.0, 0.0
        for j in range(x.size):
            x[j], g[j] = point[j], gradient[j]
            largest = max(largest, abs(g[j]))
            square += g[j] * g[j]
        if not largest > tol:
            return END
        slope = direction(
            pairs[0], pairs[1], products, order, state[N_PAIRS], g, solved, way
        )
        if not slope < 0:
            return END
        first = 1.0
        if state[PHASE] == AT_START:
            first = min(1.0, 1.0 / np.sqrt(square))
        set_out(value, slope, first, line)
        state[PHASE] = ON_THE_WAY
    for j in range(x.size):
        point[j] = x[j] + line[LENGTH] * way[j]
    return EVALUATE
