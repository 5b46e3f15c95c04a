"""The objective: the only thing that a solver sees.

    J(theta)  = sum_i s_i l(y_i, f(x_i; theta)) / sum_i s_i + alpha/2 sum W^2

Conventions: theta is float64 of shape (n_parameters,), after
:class:`~skgoodmin.parameters.ParameterLayout`. The penalty takes weights, not
intercepts. The special neuron comes in through :mod:`skgoodmin.augmented`.

The rows are summed block by block, blocks in chunks, chunks in order: how many of each
follows from the shape of the problem alone, so that the sum has the same bits however
many threads work on it.
"""

import functools
import os
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .activations import CODES
from .evaluations import Evaluations, digest
from .jit import njit, read_only
from .losses import GIVEN, PREDICT, loss_gradient, signs
from .network import (
    backward,
    block_rows,
    cut,
    drop_rows,
    forward,
    room,
    workspace,
)
from .parameters import ParameterLayout
from .rows import CanonicalRows, Rows, gather
from .special_neuron import exponents, neuron_backward, neuron_forward

# Multiplications below which a range of rows is not worth a call of its own, and the
# numbers of such ranges that are worth sharing among threads.
CHUNK_WORK, MIN_CHUNKS, MAX_CHUNKS = 4_000_000, 4, 16
LOSS_CODE = 2  # its place among the constant arguments of sum_rows
_NO_NEURON = read_only(np.empty(0))


@njit
def sum_rows(
    # The model: codes and numbers.
    activation,
    exponential,
    loss,
    degree,
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
    # The point, which rows to sum, and where to work.
    theta,
    neuron,
    neuron_degree,
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

    A loss that is no kernel takes two calls: ``PREDICT`` leaves the raw predictions in
    ``given`` (n_outputs, stop - start), ``GIVEN`` finds their gradient there.
    """
    rows = Rows(sparse, dense, data, indices, indptr, index)
    n_layers = table.shape[0]
    n_features, n_outputs = table[0, 0], table[n_layers - 1, 1]
    dense_features = 0 if sparse else n_features
    values = np.empty(5 * block)
    lowered = work[: theta.size]
    for j in range(theta.size):
        lowered[j] = theta[j]
    x_at = room(theta.size)
    raw_at = x_at + room(block * dense_features)
    rest = work[raw_at + room(block * n_outputs) :]
    total = 0.0
    if start == 0 and loss != PREDICT:
        total += add_penalty(theta, table[0, 3], alpha, gradient)
    for first in range(start, stop, block):
        n = min(block, stop - first)
        x = cut(work, x_at, n, dense_features)
        raw = cut(work, raw_at, n_outputs, n)
        e, slope = values[3 * n : 4 * n], values[4 * n : 5 * n]
        if not sparse:
            gather(rows, first, x)
        forward(lowered, table, activation, exponential, x, rows, first, n, rest, raw)
        if neuron.size > 0:
            neuron_forward(rows, x, first, neuron, neuron_degree, e, slope, raw)
        if loss == PREDICT:
            given[:, first - start : first - start + n] = raw
            continue
        if loss == GIVEN:
            raw[:, :] = given[:, first - start : first - start + n]
        else:
            some = slice(first, first + n)
            total += loss_gradient(
                loss, degree, raw, labels[some], weights[some], values
            )
        if neuron.size == 0 and not sparse:
            kept = drop_rows(table, activation, x, rest, raw)
            x = cut(work, x_at, kept, n_features)
            raw = cut(work, raw_at, n_outputs, kept)
        backward(
            lowered,
            table,
            activation,
            exponential,
            x,
            rows,
            first,
            n,
            rest,
            raw,
            gradient,
        )
        if neuron.size > 0:
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
    out, x = np.empty(1), cut(work, 0, 1, 0 if rows.sparse else w.size)
    for i in range(rows.index.size):
        if not rows.sparse:
            gather(rows, i, x)
        exponents(rows, x, i, w, out)
        if out[0] > best:
            best, at = out[0], i
    return best, at


@dataclass(frozen=True)
class Objective:
    """J on canonical rows: the plain network.

    Parameters
    ----------
    data : CanonicalRows
    layout : ParameterLayout
    activation : str
        One of the names of :mod:`skgoodmin.activations`.
    loss : PolynomialHinge, LogLoss or CustomLoss
    several_classes : bool
        One row has one label out of several classes (no multilabel).
    alpha : float
        Strength of the L2 penalty on the weights.
    exponential : bool, default=False
        Whether the last unit of every hidden layer is an exponential.
    map : callable, default=map
        Applies a function to the chunks of rows, in order; ``map`` of a thread pool
        sums them at the same time, with the same result.
    evaluations : Evaluations, optional
        Those that were made before, and all that follow.
    """

    data: CanonicalRows
    layout: ParameterLayout
    activation: str
    loss: object
    several_classes: bool
    alpha: float
    exponential: bool = False
    map: Callable = map
    evaluations: Evaluations | None = None

    @property
    def n_parameters(self):
        """Length of the vector that :meth:`value_and_gradient` takes."""
        return self.layout.n_parameters

    @property
    def n_neuron(self):
        """Number of parameters (w, b, a) of the special neuron."""
        return self.layout.sizes[0] + 1 + self.layout.sizes[-1]

    @cached_property
    def shares(self):
        """Weights of the rows, (n_rows,), divided by their sum."""
        return read_only(self.data.weights / self.data.weights.sum())

    def curvature(self, raw):
        """Second derivatives of the mean loss by each raw prediction, (n_outputs, n).

        raw : (n, n_outputs), of the first n canonical rows.
        """
        n = len(raw)
        second = self.loss.curvature(raw, self.signs(n), self.several_classes)
        return second.T * self.shares[:n]

    def signs(self, n=None):
        """+1 and -1 for the labels of the first n rows, (n, n_outputs) int8."""
        return signs(self.data.labels[:n], self.layout.sizes[-1])

    @cached_property
    def _prepared(self):
        """(kernel, its constants, chunks, nothing given, spare work arrays)."""
        sizes, n = self.layout.sizes, self.data.n_rows
        block = block_rows(sizes, n)
        constants = (
            CODES[self.activation],
            self.exponential,
            self.loss.code(self.several_classes),
            float(self.loss.degree),
            self.alpha,
            block,
            read_only(self.layout.table),
            *self.data.rows,
            self.data.labels,
            self.shares,
        )
        # Multiplications per chunk: more than its gradient takes to clear and add.
        least = max(CHUNK_WORK, 8 * self.n_parameters)
        others = (i * o for i, o in self.layout.fans[1:])
        work = self.data.n_values * sizes[1] + n * sum(others)
        n_chunks = min(work // least, MAX_CHUNKS)
        n_chunks = n_chunks if n_chunks >= MIN_CHUNKS else 1
        chunk = block * -(-n // (block * n_chunks))
        chunks = [(i, min(i + chunk, n)) for i in range(0, n, chunk)]
        nothing = np.empty((sizes[-1], 0), dtype=self.data.dtype)
        return sum_rows, constants, chunks, nothing, []

    def _work(self):
        """Array in which one thread works on blocks of rows."""
        data, sizes = self.data, self.layout.sizes
        block = block_rows(sizes, data.n_rows)
        return workspace(sizes, block, data.dtype, data.rows.sparse)

    def evaluate(self, theta, neuron=_NO_NEURON, degree=0):
        """J of f + neuron, without the neuron's penalty, and its gradient.

        Parameters
        ----------
        theta : ndarray of shape (n_parameters,)
        neuron : ndarray of shape (n_features + 1 + n_outputs,), optional
            w, b and a; without it the gradient is by theta alone.
        degree : int, default=0
            0 for the exponential neuron, p for the monomial one.
        """
        if self.evaluations is None:
            return self._sum(theta, neuron, degree)
        return self.evaluations.recall(
            (self._digest, theta.tobytes(), neuron.tobytes(), str(degree).encode()),
            lambda: self._sum(theta, neuron, degree),
        )

    @cached_property
    def _digest(self):
        """Digest of all that the objective is a function of, but its arguments."""
        try:
            loss = pickle.dumps(self.loss)
        except Exception:  # a loss that can not be told from another one
            loss = os.urandom(16)
        model = self.layout.sizes, self.activation, self.exponential, self.alpha

        def parts():
            yield from (repr((*model, self.several_classes)).encode(), loss)
            yield from (self.data.labels.tobytes(), self.data.weights.tobytes())
            for some in self.data.slices():
                rows = self.data.block(some.start, some.stop)
                sparse = self.data.rows.sparse
                arrays = (rows.data, rows.indices, rows.indptr) if sparse else (rows,)
                yield from (array.tobytes() for array in arrays)

        return digest(parts()).encode()

    def _sum(self, theta, neuron, degree):
        """The sum over all chunks of rows."""
        chunks = self._prepared[2]
        if len(chunks) == 1:
            return self._sum_chunk(theta, neuron, degree, chunks[0])
        value, gradient = 0.0, np.zeros(len(theta) + len(neuron))
        sum_chunk = functools.partial(self._sum_chunk, theta, neuron, degree)
        parts = self.map(sum_chunk, chunks)
        for part, part_gradient in parts:
            value += part
            gradient += part_gradient
        return value, gradient

    def _sum_chunk(self, theta, neuron, degree, chunk):
        """The part of a range of rows in J and its gradient."""
        kernel, constants, _, nothing, spare = self._prepared
        gradient = np.zeros(len(theta) + len(neuron))
        try:
            work = spare.pop()
        except IndexError:
            work = self._work()
        value, given = 0.0, nothing
        if constants[LOSS_CODE] == GIVEN:
            rows = slice(*chunk)
            given = np.empty((len(nothing), chunk[1] - chunk[0]), dtype=work.dtype)
            predict = (*constants[:LOSS_CODE], PREDICT, *constants[LOSS_CODE + 1 :])
            kernel(*predict, theta, neuron, degree, *chunk, work, given, gradient)
            labels, shares = self.data.labels[rows], self.shares[rows]
            value = self.loss.into_gradient(given, labels, shares, self.several_classes)
        value += kernel(
            *constants, theta, neuron, degree, *chunk, work, given, gradient
        )
        spare.append(work)
        return value, gradient

    def value_and_gradient(self, theta):
        """Objective and gradient at ``theta``.

        Returns
        -------
        value : float
        gradient : ndarray of shape (n_parameters,)
        """
        return self.evaluate(theta)
