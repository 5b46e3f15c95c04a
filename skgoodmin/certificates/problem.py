"""A trained network and its objective, as the bounds with weight decay see them."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.sparse import issparse

from ..kernels.activations import Activation, Form
from ..objective.duals.dual import Dual
from .amplitudes import unit_values
from .duality import deep_bound, shallow_bound
from .plane import plane_neuron
from .polar import search
from .polar_bound import Points, missed_by
from .relaxation import best_scale


@dataclass(frozen=True)
class Problem:
    """A network and the objective that it was trained on.

    Attributes
    ----------
    dual : Dual
    x : ndarray or CSR of shape (n, d)
    activation : Activation
    alpha : float, positive
    coefs, intercepts : lists of ndarrays, float64
    loss, penalty : float
    pointwise : ndarray of shape (K, n) or None
        Dual point that cancels in groups of identical rows.
    neurons : (coefs (m, d), intercepts (m,)), optional
        That a search sets out from, besides the units.
    missed : ndarray of shape (n,), optional
        Where x are coordinates in the span of the rows: see :func:`.missed_by`.
    """

    dual: Dual
    x: Any
    activation: Activation
    alpha: float
    coefs: list
    intercepts: list
    loss: float
    penalty: float
    pointwise: Any
    neurons: tuple | None = None
    missed: Any = None

    @property
    def places(self):
        """(coefs, intercepts) that a search for a neuron sets out from."""
        w, b = self.coefs[0].T, self.intercepts[0]
        if self.neurons is None:
            return w, b
        return np.vstack([w, self.neurons[0]]), np.r_[b, self.neurons[1]]

    @property
    def objective(self):
        """Mean loss and penalty."""
        return self.loss + self.penalty

    @property
    def n_hidden(self):
        """Number of hidden layers."""
        return len(self.coefs) - 1

    @property
    def slope(self):
        """pen'(T) at the network's penalty, T the product of the norms of its weights.

        The polar at which a balanced dual point is worth most: alpha for one hidden
        layer.
        """
        order = self.n_hidden + 1.0
        size = (2.0 * self.penalty / (self.alpha * order)) ** (0.5 * order)
        return self.alpha * max(size, 1e-300) ** (2.0 / order - 1.0)

    def bound(self, residuals, polar):
        """Lower bound of the objective from residuals (K, n) and a bound of the polar.

        They are scaled first, so that the best scale is near 1. -inf where nothing is
        known of the polar.
        """
        if not polar < np.inf:
            return -np.inf
        factor = min(self.slope / max(polar, 1e-250), 1e250)
        if self.dual.smooth(residuals) is None:
            factor = min(factor, 1.0)  # as the loss's gradient is
        else:
            factor = best_scale(self.dual, residuals, factor)[0]
        residuals, polar = factor * residuals, factor * polar * (1.0 + 1e-14)
        args = self.dual, residuals, polar, self.alpha
        if self.n_hidden == 1:
            return shallow_bound(*args, self.pointwise)[0]
        return deep_bound(*args, self.n_hidden, self.pointwise, self.objective)

    @property
    def in_the_plane(self):
        """Whether the polar is found and proven by :mod:`.plane`."""
        shallow = self.activation.form is Form.CORNER and self.n_hidden == 1
        return shallow and self.x.shape[1] <= 2

    def points(self, residuals):
        """The :class:`Points` of the rows that have residuals (K, n)."""
        return Points(self.x, residuals, self.missed)

    def look(self, residuals, effort, rng):
        """The best neuron, the bound if there is no better one, a proven bound."""
        proven = -np.inf
        if self.in_the_plane:
            found, upper = plane_neuron(self.points(residuals), *effort.arcs)
            proven = self.bound(residuals, upper)
            # Found to a tolerance: units of the network may see more.
            values = unit_values(self.x, self.activation, *self.places)
            seen = np.linalg.norm(residuals @ values.T, axis=0).max(initial=0.0)
            polar = max(found.polar, seen)
        else:
            w, b = self.places
            found = search(
                self.x,
                residuals,
                self.activation,
                w,
                b,
                rng,
                effort.n_units,
                effort.n_random,
                effort.n_steps,
            )
            polar = found.polar
        return found, self.bound(residuals, polar), proven

    def on_coordinates(self, span):
        """The same problem on the coordinates of wide rows in their :class:`.Span`.

        Its polar is that of the rows, but for what the coordinates miss.
        """
        z, missed = span.coordinates, None
        if span.basis is not None:
            x = self.x[:, span.columns]
            x = x.toarray() if issparse(x) else x
            x = x - x.mean(axis=0, dtype=np.float64)
            missed = missed_by(x, z - z.mean(axis=0), span.basis)
        first, *others = self.coefs
        neurons = self.neurons
        return replace(
            self,
            x=z,
            coefs=[span.project(first), *others],
            neurons=neurons and (span.of_rows(neurons[0]), neurons[1]),
            missed=missed,
        )
