"""The objective with special neurons in it: J~ of the paper.

    J~(theta, w, beta, a) = mean loss of f + a exp(beta + w.x - max w.x), or of
                            f + a (w.x + b)^p, + alpha/2 sum W^2 + lambda/2 sum_k a_k^2

and, with one exponential neuron in each of L hidden layers,

    h_l = exp(w_l.x_(l-1) + v_(l-1) h_(l-1) + b_l),   h_1 = exp(w_1.x + b_1)
    J~  = mean loss of f~ + alpha/2 sum W^2 + lambda/2 sum v^(2L)

where the regular units of layer l + 1, or the outputs, see h_l too, and v are ALL
weights that leave a special neuron. Then every local minimum of J~ has v = 0 and a
theta that is globally optimal (LSLS18; the proof, by the derivative of order L in v,
is in docs/explanation/theorem.rst). With the square in place of the power 2L that is
false.
"""

from dataclasses import dataclass, replace

import numpy as np

from ..kernels.cached import cached_property
from ..kernels.sum_rows import largest_exponent
from .layout import ParameterLayout
from .objective import Objective

# In joint training the neuron's exponents on the training rows stay below this, so that
# a descent to infinity ends; so do w and b of a monomial neuron.
LARGEST_EXPONENT = 10.0
LARGEST_WEIGHT = 10.0


def _unbounded(start):
    return np.tile([-np.inf, np.inf], (len(start), 1))


@dataclass(frozen=True)
class AugmentedObjective:
    """J~: the plain objective with the special neuron added to the outputs.

    Parameters
    ----------
    plain : Objective
    neuron_alpha : float
        lambda, the strength of the penalty on the amplitudes.
    degree : int, default=0
        0 for the exponential neuron, p for the monomial one.
    """

    plain: Objective
    neuron_alpha: float
    degree: int = 0

    @property
    def n_parameters(self):
        """Length of (theta, w, beta, a)."""
        return self.plain.n_parameters + self.plain.n_neuron

    def largest_exponent(self, w):
        """(max_i w.x_i, x at that row): what turns beta into b = beta - max."""
        rows = self.plain.data.rows
        work = np.empty(0 if rows.sparse else len(w), dtype=self.plain.data.dtype)
        largest, at = largest_exponent(*rows, w, work)
        x = self.plain.data.block(at, at + 1)
        return largest, np.ravel(x.toarray() if rows.sparse else x)

    def value_and_gradient(self, parameters):
        """J~ and its gradient by theta, w, beta and a.

        With b = beta - max_i w.x_i, and x_max the row where the maximum is reached:
        dJ~/dbeta = dJ~/db and dJ~/dw at fixed beta = dJ~/dw - x_max dJ~/db. The
        monomial neuron has b itself in place of beta.
        """
        theta = parameters[: self.plain.n_parameters]
        neuron = parameters[self.plain.n_parameters :].copy()
        n_features = self.plain.layout.sizes[0]
        largest, x_max = 0.0, 0.0
        if self.degree == 0:
            largest, x_max = self.largest_exponent(neuron[:n_features])
        neuron[n_features] -= largest
        value, gradient = self.plain.evaluate(theta, neuron, self.degree)
        amplitudes = neuron[n_features + 1 :]
        by_neuron = gradient[len(theta) :]
        with np.errstate(over="ignore", invalid="ignore"):  # far out in a line search
            by_neuron[:n_features] -= x_max * by_neuron[n_features]
            by_neuron[n_features + 1 :] += self.neuron_alpha * amplitudes
            penalty = 0.5 * self.neuron_alpha * amplitudes @ amplitudes
        return value + penalty, gradient

    def widen(self, theta, rng):
        """theta with a neuron of random w, beta = 0 and a = 0.

        w must not be 0, where the neuron is a second intercept and, on parity-like
        data, a degenerate saddle.
        """
        n_features, n_outputs = self.plain.layout.sizes[0], self.plain.layout.sizes[-1]
        w = rng.normal(size=n_features) / np.sqrt(n_features)
        return np.concatenate([theta, w, np.zeros(1 + n_outputs)])

    def narrow(self, parameters):
        """theta of the plain network."""
        return parameters[: self.plain.n_parameters]

    def bounds(self, start):
        """Bounds of all parameters: see ``LARGEST_EXPONENT``."""
        bounds, n_theta = _unbounded(start), self.plain.n_parameters
        intercept = n_theta + self.plain.layout.sizes[0]
        if self.degree == 0:
            bounds[intercept, 1] = LARGEST_EXPONENT
        else:
            bounds[n_theta : intercept + 1] = [-LARGEST_WEIGHT, LARGEST_WEIGHT]
        return bounds

    def neuron(self, parameters):
        """(w, b, a)."""
        neuron = parameters[self.plain.n_parameters :]
        n_features = self.plain.layout.sizes[0]
        w, b = neuron[:n_features].copy(), float(neuron[n_features])
        if self.degree == 0:
            b -= self.largest_exponent(w)[0]
        return w, b, neuron[n_features + 1 :].copy()

    def contribution(self, parameters):
        """max_i |a exp(w.x_i + b)| or max_i |a (w.x_i + b)^p|."""
        w, b, a = self.neuron(parameters)
        exponents = self.plain.data.dot(w) + b
        with np.errstate(over="ignore", invalid="ignore"):
            if self.degree == 0:
                return float(np.exp(exponents.max()) * np.abs(a).max())
            return float(np.abs(exponents).max() ** self.degree * np.abs(a).max())


@dataclass(frozen=True)
class PerLayerObjective:
    """J~ with one exponential neuron in each hidden layer.

    They are the last units of a network with one unit more in every hidden layer, so
    that parameters are laid out as those of any network.

    Parameters
    ----------
    plain : Objective
        Of the network without special neurons; it has a hidden layer.
    neuron_alpha : float
        lambda, the strength of the penalty.
    power : int, optional
        Exponent of the penalty; 2L is what the theorem needs.
    """

    plain: Objective
    neuron_alpha: float
    power: int | None = None

    @cached_property
    def layout(self):
        """Layout of all parameters."""
        first, *hidden, last = self.plain.layout.sizes
        return ParameterLayout((first, *(units + 1 for units in hidden), last))

    @cached_property
    def wide(self):
        """The objective of the wider network, without any penalty."""
        return replace(self.plain, layout=self.layout, alpha=0.0, exponential=True)

    @property
    def n_parameters(self):
        """Length of the vector that :meth:`value_and_gradient` takes."""
        return self.layout.n_parameters

    @cached_property
    def outgoing(self):
        """Which parameters leave a special neuron, (n_parameters,) of bool."""
        mask = np.zeros(self.n_parameters, dtype=bool)
        for coef in self.layout.unpack(mask)[0][1:]:
            coef[-1] = True
        return mask

    @cached_property
    def regular(self):
        """Which parameters are those of the plain network, in its order."""
        mask = np.ones(self.n_parameters, dtype=bool)
        coefs, intercepts = self.layout.unpack(mask)
        for layer in range(len(coefs) - 1):
            coefs[layer][:, -1] = intercepts[layer][-1] = False
            coefs[layer + 1][-1] = False
        return mask

    def value_and_gradient(self, parameters):
        """J~ and its gradient by all parameters."""
        value, gradient = self.wide.evaluate(parameters)
        n_layers = len(self.layout.sizes) - 2
        power = 2 * n_layers if self.power is None else self.power
        half, alpha = 0.5 * self.neuron_alpha, self.plain.alpha
        v = parameters[self.outgoing]
        weights = np.flatnonzero(self.regular)[: self.plain.layout.n_weights]
        w = parameters[weights]
        with np.errstate(over="ignore", invalid="ignore"):  # far out in a line search
            gradient[self.outgoing] += half * power * v ** (power - 1)
            gradient[weights] += alpha * w
            return value + half * (v**power).sum() + 0.5 * alpha * (w @ w), gradient

    def widen(self, theta, rng):
        """theta with special neurons of random w, v = 0 and no exponent above 0."""
        parameters = np.zeros(self.n_parameters)
        parameters[self.regular] = theta
        coefs, intercepts = self.layout.unpack(parameters)
        for layer, coef in enumerate(coefs[:-1]):
            n_inputs = len(coef) - (layer > 0)
            coef[:n_inputs, -1] = rng.normal(size=n_inputs) / np.sqrt(n_inputs)
            intercepts[layer][-1] = -self.exponents(parameters)[layer].max()
        return parameters

    def narrow(self, parameters):
        """theta of the plain network."""
        return parameters[self.regular]

    def bounds(self, start):
        """Bounds of all parameters: exponents may grow by ``LARGEST_EXPONENT``."""
        bounds = _unbounded(start)
        above = bounds[:, 1].copy()
        for intercept, begun in zip(
            self.layout.unpack(above)[1][:-1],
            self.layout.unpack(start)[1][:-1],
            strict=True,
        ):
            intercept[-1] = begun[-1] + LARGEST_EXPONENT
        bounds[:, 1] = above
        return bounds

    def neuron(self, parameters):
        """(w, b, v): incoming weights, intercepts and outgoing weights by layer."""
        coefs, intercepts = self.layout.unpack(parameters)
        w = [coef[:, -1].copy() for coef in coefs[:-1]]
        b = np.array([intercept[-1] for intercept in intercepts[:-1]])
        return w, b, [coef[-1].copy() for coef in coefs[1:]]

    def exponents(self, parameters):
        """Exponents of the special neurons, a list of (n_rows,) from the lowest up."""
        return [z[:, -1] for z in self._layers(parameters)[0]]

    def contribution(self, parameters):
        """max |f~ - f| on the training rows: what the special neurons add."""
        _, augmented = self._layers(parameters)
        without = parameters.copy()
        without[self.outgoing] = 0.0
        return float(np.abs(augmented - self._layers(without)[1]).max())

    def _layers(self, parameters):
        """(sums that enter each hidden layer, raw predictions), in numpy."""
        coefs, intercepts = self.layout.unpack(parameters)
        values, sums = self.plain.data.block(), []
        with np.errstate(over="ignore", invalid="ignore"):
            for weights, intercept in zip(coefs[:-1], intercepts[:-1], strict=True):
                z = np.asarray(values @ weights, dtype=np.float64) + intercept
                sums.append(z)
                values = self.plain.activation.function(z.copy())
                values[:, -1] = np.exp(z[:, -1])
            return sums, values @ coefs[-1] + intercepts[-1]
