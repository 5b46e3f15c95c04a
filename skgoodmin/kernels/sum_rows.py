"""The objective and its gradient, summed over a range of rows.

    sum_i s_i l(y_i, f(x_i)) [+ alpha/2 sum W^2]

Block by block: gather the rows, forward, loss, backward, all in the processor's cache.
"""

import functools

import numpy as np

from .jit import njit, unbound
from .network import backward, copy_to, drop_rows, forward, matrix_view, padded
from .rows import Rows, gather
from .special_neuron import exponents, neuron_backward, neuron_forward

SUM, PREDICT, GIVEN = range(3)  # modes of sum_rows

# What :func:`specialised` binds.
sum_losses = unbound
SPARSE = NEURON = IN_PYTHON = None


@njit(pointed_at=True)
def sum_rows(
    # The model.
    parameter,
    alpha,
    block,
    table,
    # The fields of Rows.
    sparse,
    dense,
    data,
    indices,
    indptr,
    index,
    labels,
    weights,
    # The point, which rows to sum, how, and where to work.
    theta,
    neuron,
    neuron_degree,
    mode,
    start,
    stop,
    work,
    given,
    gradient,
):
    """Objective of the rows ``start`` to ``stop``; their gradient is added.

    The chunk that starts at 0 brings the penalty alpha/2 sum W^2 along. ``neuron``
    holds (w, b, a) or nothing; ``gradient`` is by theta and then by the neuron. All
    three are float64, the work is done in the precision of X.

    Parameters
    ----------
    parameter : float
        Of the loss, such as the degree of the hinge; most losses ignore it.
    alpha : float
        Strength of the L2 penalty.
    block : int
        Rows that go through the network at once.
    table : (n_layers, 4) int64
        :attr:`ParameterLayout.table`.
    sparse, dense, data, indices, indptr, index
        The fields of :class:`Rows`, one by one: see there.
    labels : (n_rows, 1 or n_outputs)
        Class numbers, or real targets in float64.
    weights : (n_rows,) float64
        Shares of the rows in the mean loss.
    theta : (n_parameters,)
    neuron : (n_features + 1 + n_outputs,) or (0,)
    neuron_degree : int
        0 for the exponential neuron, p for the monomial one.
    mode : int
        ``SUM`` for a loss that is a kernel. A loss written in Python takes two calls:
        ``PREDICT`` leaves the raw predictions in ``given``, ``GIVEN`` finds their
        gradient there.
    start, stop : int
        Range of canonical rows.
    work : (n,)
        See :func:`workspace`; its precision is that of X.
    given : (n_outputs, stop - start), or empty in mode ``SUM``
    gradient : (n_parameters + len(neuron),)
    """
    rows = Rows(sparse, dense, data, indices, indptr, index)
    n_layers = table.shape[0]
    n_features, n_outputs = table[0, 0], table[n_layers - 1, 1]
    dense_features = 0 if SPARSE else n_features
    values = np.empty(5 * block)
    lowered = work[: theta.size]
    for j in range(theta.size):
        lowered[j] = theta[j]
    x_at = padded(theta.size)
    raw_at = x_at + padded(block * dense_features)
    rest_at = raw_at + padded(block * n_outputs)
    rest = work[rest_at:]
    total = 0.0
    if start == 0 and mode != PREDICT:
        total += add_penalty(theta, table[0, 3], alpha, gradient)
    for first in range(start, stop, block):
        n = min(block, stop - first)
        x = matrix_view(work, x_at, n, dense_features)
        raw = matrix_view(work, raw_at, n_outputs, n)
        if SPARSE:
            pass
        else:
            gather(rows, first, x)
        forward(lowered, table, x, rows, first, n, rest, raw)
        if NEURON:
            e, slope = values[3 * n : 4 * n], values[4 * n : 5 * n]
            neuron_forward(rows, x, first, neuron, neuron_degree, e, slope, raw)
        if IN_PYTHON:
            if mode == PREDICT:
                copy_to(given[:, first - start : first - start + n], raw)
                continue
            copy_to(raw, given[:, first - start : first - start + n])
        else:
            some = slice(first, first + n)
            total += sum_losses(parameter, raw, labels[some], weights[some], values)
        if SPARSE or NEURON:
            pass
        else:
            kept = drop_rows(table, x, raw, work, raw_at, rest_at)
            x = matrix_view(work, x_at, kept, n_features)
            raw = matrix_view(work, raw_at, n_outputs, kept)
        backward(
            lowered,
            table,
            x,
            rows,
            first,
            n,
            rest,
            raw,
            gradient,
        )
        if NEURON:
            by_neuron = gradient[theta.size :]
            neuron_backward(rows, x, first, neuron, e, slope, raw, by_neuron)
    return total


@njit
def add_penalty(theta, n_weights, alpha, gradient):
    """alpha/2 sum W^2; its gradient is added."""
    total = 0.0
    for i in range(n_weights):
        total += theta[i] * theta[i]
        gradient[i] += alpha * theta[i]
    return 0.5 * alpha * total


@njit
def largest_exponent(sparse, dense, data, indices, indptr, index, w, work):
    """(max_i w.x_i, the row of X where it is reached)."""
    rows = Rows(sparse, dense, data, indices, indptr, index)
    best, at = -np.inf, 0
    out, x = np.empty(1), matrix_view(work, 0, 1, 0 if rows.sparse else w.size)
    for i in range(rows.index.size):
        if not rows.sparse:
            gather(rows, i, x)
        exponents(rows, x, i, w, out)
        if out[0] > best:
            best, at = out[0], i
    return best, at


@functools.cache
def _network(activation, sparse, exponential):
    """What the passes through a network are bound to, for all losses."""
    branches = ["sparse"] * sparse + ["exponential"] * exponential
    label = "_".join([activation.name, *branches])
    constants = {"SPARSE": sparse, "EXPONENTIAL": exponential}
    slope = activation.apply_slope
    return label, {
        "forward": forward.bind(label, activate=activation.activate, **constants),
        "backward": backward.bind(label, apply_slope=slope, **constants),
        "drop_rows": drop_rows.bind(label, STORES_SLOPE=activation.stores_slope),
        "SPARSE": sparse,
    }


@functools.cache
def specialised(activation, loss, sparse, exponential, neuron):
    """:func:`sum_rows` with all that a fit does not use left out.

    Parameters
    ----------
    activation : Activation
    loss : Kernel or None
        ``sum_losses``, bound to a pointwise loss; None for a loss in Python.
    sparse : bool
        Whether X is CSR.
    exponential : bool
        Whether the last unit of every hidden layer is an exponential.
    neuron : bool
        Whether there is a special neuron beside the network.
    """
    label, network = _network(activation, sparse, exponential)
    if loss is None:
        name, how = "in_python", {"IN_PYTHON": True}
    else:
        name, how = loss.__qualname__, {"IN_PYTHON": False, "sum_losses": loss}
    label = "_".join([label, *["neuron"] * neuron, name])
    return sum_rows.bind(label, NEURON=neuron, **network, **how)
