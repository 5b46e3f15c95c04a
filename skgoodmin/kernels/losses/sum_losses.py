"""The loss of a block of rows, whichever it is."""

from ..jit import njit, unbound

pointwise = unbound


@njit(reassoc=True)
def _sum(values):
    """Sum of a vector, several accumulators at once."""
    total = 0.0
    for i in range(values.size):
        total += values[i]
    return total


@njit
def sum_losses(parameter, raw, labels, weights, work):
    """Weighted sum of the loss over a block; raw becomes d(sum)/d(raw), in place.

    ``pointwise(parameter, raw, labels, weights, value, work)`` is what a loss binds: it
    adds the weighted loss of row i to value_i and turns raw into the gradient.

    raw : (n_outputs, n), labels : (n, 1 or n_outputs), weights : (n,),
    work : float64 (>= 3 n,).
    """
    n = raw.shape[1]
    value = work[:n]
    for i in range(n):
        value[i] = 0.0
    pointwise(parameter, raw, labels, weights, value, work[n:])
    return _sum(value)
