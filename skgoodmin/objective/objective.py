"""The objective: the only thing that a solver sees.

    J(theta)  = sum_i s_i l(y_i, f(x_i; theta)) / sum_i s_i + alpha/2 sum W^2

Conventions: theta is float64 of shape (n_parameters,), after
:class:`~skgoodmin.objective.layout.ParameterLayout`. The penalty takes weights, not
intercepts. The special neuron comes in through :mod:`skgoodmin.objective.with_neuron`.

The rows are summed block by block, blocks in leaves, leaves in the order of a tree
(:mod:`.leaves`): how many of each follows from the shape of the problem alone, so that
the sum has the same bits however many threads and machines work on it.
"""

import functools
import os
import pickle
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import issparse

from ..kernels.activations import ACTIVATIONS, Activation
from ..kernels.cached import cached_property
from ..kernels.jit import read_only
from ..kernels.network import block_rows, workspace
from ..kernels.sum_rows import GIVEN, PREDICT, SUM, specialised
from .canonical_rows import CanonicalRows
from .evaluation_cache import EvaluationCache, digest
from .layout import ParameterLayout
from .leaves import fold, number_of_leaves
from .losses import Loss

LEAF_WORK = 4_000_000  # multiplications below which a leaf is not worth a call
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
        Applies a function to subtrees of leaves, in order; ``map`` of a thread pool
        sums them at the same time, with the same result.
    evaluations : EvaluationCache, optional
        Those that were made before, and all that follow.
    precision : type, optional
        In which rows go through the network; by default that of X. Sums over blocks of
        rows are in float64 always.
    """

    data: CanonicalRows
    layout: ParameterLayout
    activation: Activation
    loss: Loss
    alpha: float
    exponential: bool = False
    map: Callable = map
    evaluations: EvaluationCache | None = None
    precision: type | None = None

    def __reduce__(self):
        """Without a map of threads and a cache; the activation goes by its name."""
        rest = self.layout, self.activation.name, self.loss, self.alpha
        return _again, (self.data, *rest, self.exponential, self.precision)

    @property
    def n_parameters(self):
        """Length of the vector that :meth:`value_and_gradient` takes."""
        return self.layout.n_parameters

    @property
    def n_outputs(self):
        """Number of outputs of the network."""
        return self.layout.sizes[-1]

    @property
    def dtype(self):
        """In which rows go through the network: float64 or float32."""
        return self.data.dtype if self.precision is None else self.precision

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
        """Weights of the rows, (n_rows,), divided by the sum of all."""
        return read_only(self.data.weights / self.data.whole.weight)

    @cached_property
    def in_float32(self):
        """The same with rows in float32; None where that does not pay, or would not do.

        It pays where rows are summed in several leaves: an objective that is small is
        evaluated in less time than it takes to compile a second kernel. It would not do
        where columns are far too large or small.
        """
        if self.n_leaves == 1 or not self.data.is_scaled:
            return None
        return replace(self, precision=np.float32)

    def on(self, data):
        """The same on a part of the rows, of the same ranges of the hash."""
        return replace(self, data=data, map=map, evaluations=None)

    @cached_property
    def n_leaves(self):
        """Leaves that all rows are summed in, from the shape of the problem alone."""
        sizes, whole = self.layout.sizes, self.data.whole
        others = (i * o for i, o in self.layout.fans[1:])
        work = whole.n_values * sizes[1] + whole.n_rows * sum(others)
        # More work in a leaf than its gradient takes to clear and add.
        return number_of_leaves(work // max(LEAF_WORK, 8 * self.n_parameters))

    @cached_property
    def _leaves(self):
        """(number, range of rows) of the leaves that are here."""
        return list(enumerate(self.data.leaves(self.n_leaves)))

    @cached_property
    def _block(self):
        """Rows that go through the network at once."""
        return block_rows(self.layout.sizes, self.data.whole.n_rows)

    def curvature(self, raw):
        """Second derivatives of the mean loss by each raw prediction, (n_outputs, n).

        raw : (n, n_outputs), of the first n canonical rows.
        """
        n = len(raw)
        return self.loss.curvature(raw, self.data.labels[:n]).T * self.shares[:n]

    @cached_property
    def _prepared(self):
        """(constant arguments of the first leaf and of others, nothing given, spares).

        The first leaf brings the penalty along; ``spares`` are work arrays.
        """
        data = self.data
        before = float(self.loss.parameter)
        after = (
            self._block,
            read_only(self.layout.table),
            *data.rows,
            data.labels,
            self.shares,
        )
        first = before, self.alpha if data.whole.first else 0.0, *after
        nothing = np.empty((self.n_outputs, 0), dtype=self.dtype)
        return first, (before, 0.0, *after), nothing, []

    def _specialised(self, neuron):
        """The kernel, without or with a special neuron beside the network."""
        loss, sparse = self.loss.kernel, self.data.rows.sparse
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
        return workspace(sizes, self._block, self.dtype, data.rows.sparse)

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
        if len(theta) != self.n_parameters or len(neuron) not in (0, self.n_neuron):
            raise ValueError(  # which no kernel would notice
                f"theta must have {self.n_parameters} numbers and a neuron "
                f"{self.n_neuron}, got {len(theta)} and {len(neuron)}."
            )
        if self.evaluations is None:
            return self._sum(theta, neuron, degree)
        return self.evaluations.recall(
            (self.digest, theta.tobytes(), neuron.tobytes(), str(degree).encode()),
            lambda: self._sum(theta, neuron, degree),
        )

    @cached_property
    def digest(self):
        """Digest of all that the objective is a function of, but its arguments."""
        try:
            loss = pickle.dumps(self.loss)
        except Exception:  # a loss that can not be told from another one
            loss = os.urandom(16)
        name = self.activation.name
        model = self.layout.sizes, name, self.exponential, self.alpha, self.precision
        rows = self.data.each(_digest_of)
        return digest([repr(model).encode(), loss, *rows]).encode()

    def _sum(self, theta, neuron, degree):
        """The sum over all leaves, wherever they are."""
        here = functools.partial(_sum_here, theta=theta, neuron=neuron, degree=degree)
        return tuple(self.data.fold(here, self))

    def _sum_leaf(self, theta, neuron, degree, leaf):
        """[value, gradient]: the part of the leaf (number, range) in J.

        The penalty is a part of leaf 0.
        """
        first, others, nothing, spare = self._prepared
        constants, leaf = (others, leaf[1]) if leaf[0] else (first, leaf[1])
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
            mode, rows = GIVEN, slice(*leaf)
            given = np.empty((len(nothing), leaf[1] - leaf[0]), dtype=work.dtype)
            kernel(*constants, *point, PREDICT, *leaf, work, given, gradient)
            labels, shares = self.data.labels[rows], self.shares[rows]
            value = self.loss.into_gradient(given, labels, shares)
        value += kernel(*constants, *point, mode, *leaf, work, given, gradient)
        spare.append(work)
        return [value, gradient]

    def of_rows(self, theta, start, stop):
        """[value, gradient]: the part of some canonical rows in J without penalty."""
        return self._sum_leaf(theta, _NO_NEURON, 0, (1, (start, stop)))

    def value_and_gradient(self, theta):
        """Objective and gradient at ``theta``.

        Returns
        -------
        value : float
        gradient : ndarray of shape (n_parameters,)
        """
        return self.evaluate(theta)

    def as_kernel(self):
        """J without a special neuron as (kernel, before, after); or None.

        ``kernel(*before(alpha), theta, *after, gradient)`` returns J with that strength
        of decay, and adds its gradient. For rows that this process has. None where that
        takes more than one call: of several leaves, or with a loss that is written in
        Python.
        """
        if self.loss.kernel is None or len(self._leaves) > 1:
            return None
        (parameter, _, *rest), _, nothing, _ = self._prepared
        ((_, rows),) = self._leaves
        after = _NO_NEURON, 0, SUM, *rows, self._work(), nothing
        return self._kernel, lambda alpha: (parameter, alpha, *rest), after

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


def _again(data, layout, activation, loss, alpha, exponential, precision):
    """An objective that was pickled."""
    model = layout, ACTIVATIONS[activation], loss, alpha, exponential
    return Objective(data, *model, precision=precision)


def _digest_of(data):
    """Digest of the rows of a part."""

    def arrays():
        yield from (data.labels, data.weights)
        for some in data.slices():
            rows = data.block(some.start, some.stop)
            yield from (
                (rows.data, rows.indices, rows.indptr) if issparse(rows) else (rows,)
            )

    return digest(array.tobytes() for array in arrays()).encode()


def _sum_here(objective, theta, neuron, degree):
    """The sum over the leaves of the rows of an objective, in this process.

    Arrays that come from another one may be read-only where they were not: kernels
    would be compiled a second time.
    """
    theta = theta if theta.flags.writeable else theta.copy()
    neuron = neuron if len(neuron) else _NO_NEURON
    sum_leaf = functools.partial(objective._sum_leaf, theta, neuron, degree)
    return fold(sum_leaf, objective._leaves, objective.map)
