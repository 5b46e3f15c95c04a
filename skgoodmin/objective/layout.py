"""Where each weight of the network lives in the flat vector theta.

    theta = [ W_1 ... W_L | c_1 ... c_L ]

The weights come first, as ``MLPClassifier`` packs them, so that the L2 penalty is
taken over one contiguous slice. W_l has shape (fan_in, fan_out) and is stored row by
row, c_l has shape (fan_out,).
"""

from dataclasses import dataclass

import numpy as np

from ..kernels.cached import cached_property


@dataclass(frozen=True)
class ParameterLayout:
    """Layout of theta for a network with ``sizes`` units, input and output included.

    Parameters
    ----------
    sizes : tuple of int
        (n_features, hidden units of each layer ..., n_outputs).
    """

    sizes: tuple

    @property
    def fans(self):
        """Pairs (fan_in, fan_out), one per layer of weights."""
        return list(zip(self.sizes[:-1], self.sizes[1:], strict=True))

    @property
    def n_weights(self):
        """Number of weights, intercepts not counted."""
        return sum(fan_in * fan_out for fan_in, fan_out in self.fans)

    @cached_property
    def n_parameters(self):
        """Length of theta."""
        return self.n_weights + sum(self.sizes[1:])

    @cached_property
    def table(self):
        """Array (n_layers, 4): fan_in, fan_out, start of weights, of intercepts."""
        rows, weights, intercepts = [], 0, self.n_weights
        for fan_in, fan_out in self.fans:
            rows.append((fan_in, fan_out, weights, intercepts))
            weights += fan_in * fan_out
            intercepts += fan_out
        return np.array(rows, dtype=np.int64)

    def holding(self, theta):
        """The layout with as many units in its one hidden layer as theta has.

        This one, where theta is as long as it says.
        """
        if len(theta) == self.n_parameters or len(self.sizes) != 3:
            return self
        n_inputs, _, n_outputs = self.sizes
        width, rest = divmod(len(theta) - n_outputs, n_inputs + 1 + n_outputs)
        if rest:
            raise ValueError(f"theta of length {len(theta)} is of no {self}.")
        return ParameterLayout((n_inputs, width, n_outputs))

    def unpack(self, theta):
        """Views (coefs, intercepts) into theta, two lists with one array per layer."""
        coefs = [theta[w : w + i * o].reshape(i, o) for i, o, w, _ in self.table]
        return coefs, [theta[c : c + o] for _, o, _, c in self.table]

    def pack(self, coefs, intercepts):
        """Flat float64 copy of ``coefs`` and ``intercepts``."""
        parts = [np.ravel(part) for part in (*coefs, *intercepts)]
        return np.concatenate(parts).astype(np.float64)

    def start(self, rng, gain=6.0):
        """Random theta after Glorot and Bengio (2010), as ``MLPClassifier`` draws it.

        Weights and intercepts of a layer are uniform on (-r, r) with
        r = sqrt(gain / (fan_in + fan_out)); the usual gain is 6, and 2 for the
        logistic activation.
        """
        theta = np.empty(self.n_parameters)
        for fan_in, fan_out, weights, intercepts in self.table:
            radius = np.sqrt(gain / (fan_in + fan_out))
            n = fan_in * fan_out
            theta[weights : weights + n] = rng.uniform(-radius, radius, n)
            theta[intercepts : intercepts + fan_out] = rng.uniform(
                -radius, radius, fan_out
            )
        return theta
