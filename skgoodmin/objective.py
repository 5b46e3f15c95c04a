"""The objective: the only thing that a solver sees.

    J(theta)  = sum_i s_i l(y_i, f(x_i; theta)) / sum_i s_i + alpha/2 sum W^2
    J~(theta, w, beta, a) = the same of f + a exp(beta + w.x - max w.x)
                            + lambda/2 sum_k a_k^2

Conventions: theta is float64 of shape (n_parameters,), after
:class:`~skgoodmin.parameters.ParameterLayout`; with the neuron it is followed by w
(n_features,), beta and a (n_outputs,). The penalty takes weights, not intercepts.

The rows are summed block by block, blocks in chunks, chunks in order: how many of each
follows from the shape of the problem alone, so that the sum has the same bits however
many threads work on it.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from .activations import CODES
from .jit import njit, read_only
from .losses import loss_gradient
from .network import backward, block_rows, cut, forward, workspace_size
from .parameters import ParameterLayout
from .rows import CanonicalRows, gather
from .special_neuron import exponents, neuron_backward, neuron_forward


class Model(NamedTuple):
    """What the kernels have to know of the model: numbers and one table."""

    activation: int
    loss: int
    degree: float
    neuron: bool
    block: int
    table: np.ndarray


@njit
def sum_rows(model, rows, labels, weights, theta, neuron, start, stop, work, gradient):
    """Loss of the rows ``start`` to ``stop``; their gradient is added to ``gradient``.

    theta and work have the precision of X; neuron holds (w, b, a), gradient the
    derivatives by theta and by the neuron, both float64.
    """
    n_layers = model.table.shape[0]
    n_features, n_outputs = model.table[0, 0], model.table[n_layers - 1, 1]
    n_theta = model.table[n_layers - 1, 3] + n_outputs
    w, shift = neuron[:n_features], neuron[n_features]
    amplitudes = neuron[n_features + 1 :]
    dense_features = 0 if rows.sparse else n_features
    values = np.empty(3 * model.block)
    e_block = np.empty(model.block)
    total = 0.0
    for first in range(start, stop, model.block):
        n = min(model.block, stop - first)
        x = cut(work, 0, n, dense_features)
        raw = cut(work, n * dense_features, n_outputs, n)
        rest = work[n * (dense_features + n_outputs) :]
        e = e_block[:n]
        gather(rows, first, x) if not rows.sparse else None
        forward(theta, model.table, model.activation, x, rows, first, n, rest, raw)
        if model.neuron:
            neuron_forward(rows, x, first, w, shift, amplitudes, e, raw)
        total += loss_gradient(
            model.loss,
            model.degree,
            raw,
            labels[first : first + n],
            weights[first : first + n],
            values,
        )
        backward(
            theta, model.table, model.activation, x, rows, first, n, rest, raw, gradient
        )
        if model.neuron:
            neuron_backward(rows, x, first, amplitudes, e, raw, gradient[n_theta:])
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
def evaluate(
    model, rows, labels, weights, theta, neuron, alpha, chunk, work, part, gradient
):
    """J and its gradient by theta and (w, b, a), without the neuron's penalty."""
    n = weights.size
    gradient[:] = 0.0
    lowered = theta.astype(work.dtype)
    total = 0.0
    for start in range(0, n, chunk):
        stop = min(start + chunk, n)
        if chunk >= n:
            part = gradient
        else:
            part[:] = 0.0
        total += sum_rows(
            model, rows, labels, weights, lowered, neuron, start, stop, work, part
        )
        if chunk < n:
            for i in range(gradient.size):
                gradient[i] += part[i]
    n_weights = model.table[0, 3]
    return total + add_penalty(theta, n_weights, alpha, gradient)


@njit
def largest_exponent(rows, w, work):
    """(max_i w.x_i, the row of X where it is reached)."""
    best, at = -np.inf, 0
    out, x = np.empty(1), cut(work, 0, 1, 0 if rows.sparse else w.size)
    for i in range(rows.index.size):
        if not rows.sparse:
            gather(rows, i, x)
        exponents(rows, x, i, w, out)
        if out[0] > best:
            best, at = out[0], i
    return best, at


N_CHUNKS = 16


@dataclass(frozen=True)
class Objective:
    """J on canonical rows: the plain network.

    Parameters
    ----------
    data : CanonicalRows
    layout : ParameterLayout
    activation : str
        One of the names of :mod:`skgoodmin.activations`.
    loss : PolynomialHinge or LogLoss
    several_classes : bool
        One row has one label out of several classes (no multilabel).
    alpha : float
        Strength of the L2 penalty on the weights.
    """

    data: CanonicalRows
    layout: ParameterLayout
    activation: str
    loss: object
    several_classes: bool
    alpha: float

    @property
    def n_parameters(self):
        """Length of the vector that :meth:`value_and_gradient` takes."""
        return self.layout.n_parameters

    @property
    def n_neuron(self):
        """Number of parameters (w, b, a) of the special neuron."""
        return self.layout.sizes[0] + 1 + self.layout.sizes[-1]

    @cached_property
    def _prepared(self):
        """(model, chunk, work): what every evaluation needs, made once."""
        sizes = self.layout.sizes
        block = min(block_rows(sizes), self.data.n_rows)
        model = Model(
            CODES[self.activation],
            self.loss.code(self.several_classes),
            float(self.loss.degree),
            False,
            block,
            read_only(self.layout.table),
        )
        dense = 0 if self.data.rows.sparse else sizes[0]
        size = block * (dense + sizes[-1]) + workspace_size(sizes, block)
        chunk = block * -(-self.data.n_rows // (block * N_CHUNKS))
        return model, chunk, np.empty(size, self.data.dtype)

    @cached_property
    def shares(self):
        """Weights of the rows, (n_rows,), divided by their sum."""
        return read_only(self.data.weights / self.data.weights.sum())

    @cached_property
    def _no_neuron(self):
        return np.zeros(self.n_neuron)

    def evaluate(self, theta, neuron=None):
        """J of f + neuron, without the neuron's penalty, and its gradient.

        Parameters
        ----------
        theta : ndarray of shape (n_parameters,)
        neuron : ndarray of shape (n_features + 1 + n_outputs,), optional
            w, b and a; without it the gradient is by theta alone.
        """
        model, chunk, work = self._prepared
        n = len(theta)
        if neuron is None:
            neuron = self._no_neuron
        else:
            model, n = model._replace(neuron=True), n + len(neuron)
        gradient = np.empty(n)
        part = np.empty(n) if chunk < self.data.n_rows else gradient
        value = evaluate.dispatcher(
            model,
            self.data.rows,
            self.data.labels,
            self.shares,
            theta,
            neuron,
            self.alpha,
            chunk,
            work,
            part,
            gradient,
        )
        return value, gradient

    def value_and_gradient(self, theta):
        """Objective and gradient at ``theta``.

        Returns
        -------
        value : float
        gradient : ndarray of shape (n_parameters,)
        """
        return self.evaluate(theta)


@dataclass(frozen=True)
class AugmentedObjective:
    """J~: the plain objective with the special neuron added to the outputs.

    Parameters
    ----------
    plain : Objective
    neuron_alpha : float
        lambda, the strength of the penalty on the amplitudes.
    """

    plain: Objective
    neuron_alpha: float

    @property
    def n_parameters(self):
        """Length of (theta, w, beta, a)."""
        return self.plain.n_parameters + self.plain.n_neuron

    def largest_exponent(self, w):
        """(max_i w.x_i, x at that row): what turns beta into b = beta - max."""
        rows = self.plain.data.rows
        work = np.empty(0 if rows.sparse else len(w), dtype=self.plain.data.dtype)
        largest, at = largest_exponent(rows, w, work)
        x = self.plain.data.block(at, at + 1)
        return largest, np.ravel(x.toarray() if rows.sparse else x)

    def value_and_gradient(self, parameters):
        """J~ and its gradient by theta, w, beta and a.

        With b = beta - max_i w.x_i, and x_max the row where the maximum is reached:
        dJ~/dbeta = dJ~/db and dJ~/dw at fixed beta = dJ~/dw - x_max dJ~/db.
        """
        theta = parameters[: self.plain.n_parameters]
        neuron = parameters[self.plain.n_parameters :].copy()
        n_features = self.plain.layout.sizes[0]
        largest, x_max = self.largest_exponent(neuron[:n_features])
        neuron[n_features] -= largest
        value, gradient = self.plain.evaluate(theta, neuron)
        amplitudes = neuron[n_features + 1 :]
        by_neuron = gradient[len(theta) :]
        by_neuron[:n_features] -= x_max * by_neuron[n_features]
        by_neuron[n_features + 1 :] += self.neuron_alpha * amplitudes
        return value + 0.5 * self.neuron_alpha * amplitudes @ amplitudes, gradient
