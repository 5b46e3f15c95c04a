"""A trained network and its objective, as the bounds with weight decay see them."""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import issparse

from ..kernels.activations import Activation, Form
from ..objective.duals.dual import Dual
from .amplitudes import unit_values
from .duality import deep_bound, shallow_bound
from .plane import plane_neuron
from .polar import BestNeuron, search
from .polar_bound import Points, missed_by
from .relaxation import best_scale


class Bounds(NamedTuple):
    """What is known of the objective of networks of any width.

    Attributes
    ----------
    proven : float
        No network of any width, same depth and activation, has a smaller objective.
    estimated : float
        What ``proven`` could be if there were no better neuron than the one found;
        NaN for deep networks.
    neuron : BestNeuron or None
        The best one found: it lowers the objective if its polar is above alpha.
    """

    proven: float
    estimated: float = np.nan
    neuron: BestNeuron | None = None


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
    residuals : ndarray of shape (K, n)
        Gradient of the mean loss by the raw predictions, not balanced.
    loss, penalty : float
    pointwise : ndarray of shape (K, n), optional
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
    residuals: np.ndarray
    loss: float
    penalty: float
    pointwise: Any = None
    neurons: tuple | None = None
    missed: Any = None

    @classmethod
    def of(cls, dual, x, raw, activation, alpha, layers, group=None, neurons=None):
        """The problem at a network with the raw predictions (n, K).

        ``layers`` are (coefs, intercepts) as in scikit-learn, ``group`` (n,) is the
        number of the group of identical rows, ascending.
        """
        raw = np.ascontiguousarray(np.transpose(raw), dtype=np.float64)
        loss, residuals = dual.loss_and_gradient(raw)
        coefs, intercepts = ([a.astype(np.float64) for a in some] for some in layers)
        penalty = 0.5 * alpha * sum(float((w * w).sum()) for w in coefs)
        pointwise = None if group is None else dual.pointwise(group)
        known = residuals, loss, penalty, pointwise, neurons
        return cls(dual, x, activation, alpha, coefs, intercepts, *known)

    @property
    def least(self):
        """What equal rows with different labels cost every function, proven."""
        if self.pointwise is None:
            return 0.0
        return max(self.dual.value(self.pointwise), 0.0)

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
        """The :class:`Bounds` from residuals (K, n), proven in the plane alone."""
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
            found = search(self.x, residuals, self.activation, w, b, rng, effort)
            polar = found.polar
        return Bounds(proven, self.bound(residuals, polar), found)

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
