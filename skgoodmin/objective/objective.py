"""The objective: the only thing that a solver sees.

    J(theta)  = sum_i s_i l(y_i, f(x_i; theta)) / sum_i s_i + alpha/2 sum W^2

Conventions: theta is float64 of shape (n_parameters,), after
:class:`~skgoodmin.objective.layout.ParameterLayout`. The penalty takes weights, not
intercepts. The special neuron comes in through :mod:`skgoodmin.objective.with_neuron`.

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

from ..kernels.activations import Activation
from ..kernels.jit import read_only
from ..kernels.losses.labels import signs
from ..kernels.losses.sum_losses import in_python
from ..kernels.network import block_rows, workspace
from ..kernels.sum_rows import GIVEN, PREDICT, SUM, specialised
from .canonical_rows import CanonicalRows
from .evaluation_cache import EvaluationCache, digest
from .layout import ParameterLayout
from .losses import Loss

# Multiplications below which a range of rows is not worth a call of its own, and the
# numbers of such ranges that are worth sharing among threads.
CHUNK_WORK, MIN_CHUNKS, MAX_CHUNKS = 4_000_000, 4, 16
LARGE = 2**22  # numbers in a copy of all rows
_NO_NEURON = read_only(np.empty(0))


@dataclass(frozen=True)
class Objective:
    """J on canonical rows: the plain network.

    Parameters
    ----------
    data : CanonicalRows
    layout : ParameterLayout
    activation : Activation
    loss : Loss
    alpha : float
        Strength of the L2 penalty on the weights.
    exponential : bool, default=False
        Whether the last unit of every hidden layer is an exponential.
    map : callable, default=map
        Applies a function to the chunks of rows, in order; ``map`` of a thread pool
        sums them at the same time, with the same result.
    evaluations : EvaluationCache, optional
        Those that were made before, and all that follow.
    """

    data: CanonicalRows
    layout: ParameterLayout
    activation: Activation
    loss: Loss
    alpha: float
    exponential: bool = False
    map: Callable = map
    evaluations: EvaluationCache | None = None

    @property
    def n_parameters(self):
        """Length of the vector that :meth:`value_and_gradient` takes."""
        return self.layout.n_parameters

    @property
    def n_outputs(self):
        """Number of outputs of the network."""
        return self.layout.sizes[-1]

    @property
    def is_large(self):
        """Whether a copy of all rows, or of all predictions, is too much by the way."""
        widest = max(self.data.n_features, 32 * self.n_outputs)
        return self.data.n_rows * widest > LARGE

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
        return self.loss.curvature(raw, self.signs(n)).T * self.shares[:n]

    def signs(self, n=None):
        """+1 and -1 for the labels of the first n rows, (n, n_outputs) int8."""
        return signs(self.data.labels[:n], self.layout.sizes[-1])

    @cached_property
    def _prepared(self):
        """(constant arguments, chunks, nothing given, spare work arrays)."""
        sizes, n = self.layout.sizes, self.data.n_rows
        block = block_rows(sizes, n)
        constants = (
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
        return constants, chunks, nothing, []

    def _specialised(self, neuron):
        """The kernel, without or with a special neuron beside the network."""
        loss, sparse = self.loss.kernel or in_python, self.data.rows.sparse
        return specialised(self.activation, loss, sparse, self.exponential, neuron)

    @cached_property
    def _kernel(self):
        return self._specialised(False)

    @cached_property
    def _neuron_kernel(self):
        return self._specialised(True)

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
        name = self.activation.name
        model = self.layout.sizes, name, self.exponential, self.alpha

        def parts():
            yield from (repr(model).encode(), loss)
            yield from (self.data.labels.tobytes(), self.data.weights.tobytes())
            for some in self.data.slices():
                rows = self.data.block(some.start, some.stop)
                sparse = self.data.rows.sparse
                arrays = (rows.data, rows.indices, rows.indptr) if sparse else (rows,)
                yield from (array.tobytes() for array in arrays)

        return digest(parts()).encode()

    def _sum(self, theta, neuron, degree):
        """The sum over all chunks of rows."""
        chunks = self._prepared[1]
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
        constants, _, nothing, spare = self._prepared
        kernel = self._neuron_kernel if len(neuron) else self._kernel
        gradient = np.zeros(len(theta) + len(neuron))
        try:
            work = spare.pop()
        except IndexError:
            work = self._work()
        point, value = (theta, neuron, degree), 0.0
        if self.loss.kernel is not None:
            mode, given = SUM, nothing
        else:
            mode, rows = GIVEN, slice(*chunk)
            given = np.empty((len(nothing), chunk[1] - chunk[0]), dtype=work.dtype)
            kernel(*constants, *point, PREDICT, *chunk, work, given, gradient)
            labels, shares = self.data.labels[rows], self.shares[rows]
            value = self.loss.into_gradient(given, labels, shares)
        value += kernel(*constants, *point, mode, *chunk, work, given, gradient)
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

    def data_loss(self, raw, first=0):
        """Mean loss of raw predictions and its derivative by each of them, in float64.

        Parameters
        ----------
        raw : ndarray of shape (n, n_outputs)
            Predictions of the n canonical rows from ``first`` on.
        first : int, default=0

        Returns
        -------
        loss : float
            The part of these rows in the mean.
        residuals : ndarray of shape (n_outputs, n)
            r_ki = d loss / d raw_ik.
        """
        rows = slice(first, first + len(raw))
        residuals = np.array(raw.T, dtype=np.float64, order="C")  # which is overwritten
        labels, shares = self.data.labels[rows], self.shares[rows]
        value = self.loss.into_gradient(residuals, labels, shares)
        return value, residuals
