"""The plain multilayer perceptron: forward and backward on a block of rows.

    A_0 = X
    A_l = act(A_{l-1} W_l + c_l)          hidden layers l = 1 ... L-1
    F   = (A_{L-1} W_L + c_L)^T           raw predictions

    dJ/dW_l = A_{l-1}^T D_l,   dJ/dc_l = column sums of D_l,
    D_{l-1} = (D_l W_l^T) * act'(Z_{l-1})

Where ``EXPONENTIAL`` is set, the last unit of every hidden layer is exp(z) in place of
act(z): special neurons in every layer are no more than that.

Conventions: hidden arrays have shape (n, n_units), raw predictions and their gradient
(n_outputs, n), so that the loops over rows of the few outputs run over neighbours.
A block is some hundred rows and stays in the processor's cache from the first product
to the last gradient. All its arrays are cut from one ``work`` vector, whose parts
``workspace`` counts; each starts at a cache line, which makes the products up to
a fifth faster.
"""

import numpy as np

from .jit import njit, unbound
from .vector_math import exp64

# What :func:`~skgoodmin.kernels.sum_rows.specialised` binds: of the activation, and
# which branches are compiled at all.
activate = apply_slope = unbound
STORES_SLOPE = SPARSE = EXPONENTIAL = None
# Not literals: for those, kernels that are called with them would be compiled as well.
ZERO, ONE = np.int64(0), np.int64(1)


@njit
def matrix_view(work, start, n_rows, n_columns):
    """Matrix (n_rows, n_columns) that lives in ``work`` from ``start`` on."""
    return work[start : start + n_rows * n_columns].reshape((n_rows, n_columns))


def block_rows(sizes, n_rows):
    """Rows per block, from the shape of the problem alone.

    Products with at most a million multiplications take the fast path of OpenBLAS for
    small matrices; a wide layer has to do with blocks of 256 rows on the ordinary one.
    The blocks of a problem are about equally long.
    """
    largest = max(i * o for i, o in zip(sizes[:-1], sizes[1:], strict=True))
    most = min(1_000_000 // largest // 32 * 32, 640)
    most = most if most >= 64 else 256
    n_blocks = -(-n_rows // most)
    return min(-(-n_rows // (32 * n_blocks)) * 32, n_rows)


@njit(inline=True)
def padded(size):
    """Space for ``size`` numbers in whole cache lines (of 16 float32)."""
    return (size + 15) // 16 * 16


def workspace(sizes, n_rows, dtype, sparse):
    """The ``work`` vector for theta and blocks of ``n_rows`` rows.

    It holds theta, x, the raw predictions, value and slope of every hidden layer, two
    arrays for the deltas, a row of ones and one product, in this order.
    """
    layers = list(zip(sizes[:-1], sizes[1:], strict=True))
    space = padded.function
    size = (
        space(sum(i * o + o for i, o in layers))
        + space(0 if sparse else n_rows * sizes[0])
        + space(n_rows * sizes[-1])
        + sum(2 * space(n_rows * units) for units in sizes[1:-1])
        + 2 * space(n_rows * max(sizes[1:-1], default=1))
        + space(n_rows)
        + max([i * o for i, o in layers[sparse:]] + list(sizes[1:]))
    )
    memory = np.empty(size + 16, dtype)
    offset = -memory.ctypes.data % 64 // memory.itemsize
    return memory[offset : offset + size]


@njit
def forward(theta, table, x, rows, first, n, work, raw):
    """Raw predictions of a block into ``raw``; the hidden values stay in ``work``.

    x : (n, n_features), the block; where X is sparse it is empty and rows
    ``first`` to ``first + n`` of ``rows`` are read instead.
    """
    n_layers = table.shape[0]
    position = ZERO
    below = x
    for layer in range(n_layers):
        fan_in, fan_out, w, c = table[layer]
        weights = matrix_view(theta, w, fan_in, fan_out)
        last = layer == n_layers - 1
        if last:
            if SPARSE and layer == 0:
                fill(raw, 0.0)
                sparse_forward(rows, first, weights, raw.T)
            else:
                np.dot(weights.T, below.T, raw)
        else:
            z = matrix_view(work, position, n, fan_out)
            size = n * fan_out
            slope = work[position + padded(size) : position + padded(size) + size]
            if SPARSE and layer == 0:
                fill(z, 0.0)
                sparse_forward(rows, first, weights, z)
            else:
                np.dot(below, weights, z)
            if EXPONENTIAL:
                exponents = np.empty(n, z.dtype)
                for i in range(n):
                    exponents[i] = z[i, fan_out - 1]
            activate(z, theta[c : c + fan_out], slope)
            if EXPONENTIAL:
                for i in range(n):
                    z[i, fan_out - 1] = exp64(exponents[i] + theta[c + fan_out - 1])
            below = z
            position += 2 * padded(size)
        if last:
            for k in range(fan_out):
                for i in range(n):
                    raw[k, i] += theta[c + k]


@njit
def backward(
    theta,
    table,
    x,
    rows,
    first,
    size,
    work,
    delta_raw,
    gradient,
):
    """Add the gradient of a block to ``gradient`` (float64), given dJ/dF.

    Parameters
    ----------
    theta, table, x, rows, first, work
        As :func:`forward` had them, which has left the hidden values in ``work``.
    size : int
        Rows that went forward.
    delta_raw : (n_outputs, n)
        What the loss left in place of the raw predictions; n is less than ``size``
        after :func:`drop_rows`.
    gradient : (n_parameters,)
    """
    n, n_layers = delta_raw.shape[1], table.shape[0]
    position, widest = ZERO, ONE
    for layer in range(n_layers - 1):
        position += 2 * padded(size * table[layer, 1])
        widest = max(widest, table[layer, 1])
    # Behind the hidden layers there is room for the deltas of two neighbouring ones:
    # those of a layer are made from those above it, and then take their part.
    upper, lower = position, position + padded(size * widest)
    ones_at = lower + padded(size * widest)
    ones = matrix_view(work, ones_at, ONE, n)
    for i in range(n):
        work[ones_at + i] = 1.0
    product_at = ones_at + padded(size)
    for layer in range(n_layers - 1, -1, -1):
        fan_in, fan_out, w, c = table[layer]
        last = layer == n_layers - 1
        weights = matrix_view(theta, w, fan_in, fan_out)
        delta = matrix_view(work, upper, n, 0 if last else fan_out)
        sums = matrix_view(work, product_at, ONE, fan_out)
        # Column sums as a product: BLAS adds them faster than a loop down the rows.
        if last:
            np.dot(ones, delta_raw.T, sums)
        else:
            np.dot(ones, delta, sums)
        add_to(gradient[c : c + fan_out], work[product_at:])
        if SPARSE and layer == 0:
            into = matrix_view(gradient, w, fan_in, fan_out)
            if last:
                sparse_backward(rows, first, delta_raw.T, into)
            else:
                sparse_backward(rows, first, delta, into)
            break
        below = x
        if layer > 0:  # back to where forward left the values of the layer below
            position -= 2 * padded(size * fan_in)
            below = matrix_view(work, position, n, fan_in)
        # In the precision of X first: the gradient itself is float64.
        product = matrix_view(work, product_at, fan_in, fan_out)
        if last:
            np.dot(below.T, delta_raw.T, product)
        else:
            np.dot(below.T, delta, product)
        add_to(gradient[w : w + product.size], work[product_at:])
        if layer == 0:
            break
        d = matrix_view(work, lower, n, fan_in)
        if last and fan_out == 1:
            outer(delta_raw, theta[w : w + fan_in], d)
        elif last:
            np.dot(delta_raw.T, weights.T, d)
        else:
            np.dot(delta, weights.T, d)
        if EXPONENTIAL:  # d exp(z)/dz = exp(z), the value itself
            by_exponent = np.empty(n, d.dtype)
            for i in range(n):
                by_exponent[i] = d[i, fan_in - 1] * below[i, fan_in - 1]
        slope_at = position + padded(size * fan_in)
        apply_slope(
            work[position : position + d.size],
            work[slope_at : slope_at + d.size],
            work[lower : lower + d.size],
        )
        if EXPONENTIAL:
            for i in range(n):
                d[i, fan_in - 1] = by_exponent[i]
        upper, lower = lower, upper


@njit
def drop_rows(table, x, delta_raw, work, raw_at, hidden_at):
    """Move the rows of a block that have a gradient to the front; returns their number.

    Under the hinge a row beyond its margin has none, and late in a fit that is most of
    them. Rows keep their order. Nothing moves unless a quarter of them can go. In
    ``work`` there are ``delta_raw`` and the hidden layers, from the places given.
    """
    n_outputs, n = delta_raw.shape
    active, kept = np.empty(n, np.int64), ZERO
    for i in range(n):
        for k in range(n_outputs):
            if delta_raw[k, i] != 0:
                active[kept] = i
                kept += 1
                break
    if 4 * kept > 3 * n:
        return n
    flat = work[raw_at : raw_at + n_outputs * n]
    for k in range(n_outputs):
        for j in range(kept):
            flat[k * kept + j] = flat[k * n + active[j]]
    move_rows(x, active, kept)
    position = hidden_at
    for layer in range(table.shape[0] - 1):
        n_units = table[layer, 1]
        move_rows(matrix_view(work, position, n, n_units), active, kept)
        position += padded(n * n_units)
        if STORES_SLOPE:
            move_rows(matrix_view(work, position, n, n_units), active, kept)
        position += padded(n * n_units)
    return kept


@njit
def move_rows(values, active, kept):
    """Row j <- row active_j for the first ``kept`` of ``active``, which ascend."""
    for j in range(kept):
        row = active[j]
        for k in range(values.shape[1]):
            values[j, k] = values[row, k]


@njit
def fill(matrix, value):
    """matrix_ij <- value; numba takes a second to compile the assignment of a slice."""
    number = matrix.dtype.type(value)
    for i in range(matrix.shape[0]):
        for j in range(matrix.shape[1]):
            matrix[i, j] = number


@njit
def copy_to(target, source):
    """target_ij <- source_ij."""
    for i in range(target.shape[0]):
        for j in range(target.shape[1]):
            target[i, j] = source[i, j]


@njit
def add_to(total, part):
    """total += the first of ``part``, which may be of lower precision."""
    for i in range(total.size):
        total[i] += part[i]


@njit
def outer(column, row, out):
    """out_ij = column_0i row_j; BLAS is slow at this shape."""
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = column[0, i] * row[j]


@njit
def sparse_forward(rows, first, weights, z):
    """z += X W for rows ``first`` to ``first + len(z)`` of a sparse X."""
    for i in range(z.shape[0]):
        row = rows.index[first + i]
        for p in range(rows.indptr[row], rows.indptr[row + 1]):
            x, feature = z.dtype.type(rows.data[p]), rows.indices[p]
            for j in range(z.shape[1]):
                z[i, j] += x * weights[feature, j]


@njit
def sparse_backward(rows, first, delta, gradient):
    """gradient += X^T delta for the same rows."""
    for i in range(delta.shape[0]):
        row = rows.index[first + i]
        for p in range(rows.indptr[row], rows.indptr[row + 1]):
            x, feature = delta.dtype.type(rows.data[p]), rows.indices[p]
            for j in range(delta.shape[1]):
                gradient[feature, j] += x * delta[i, j]
