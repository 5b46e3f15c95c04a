"""What the training reached, and what is proven about it.

    gap = data loss - lower bound >= data loss - its minimum over ALL networks >= 0

The lower bound adds the pointwise minima of the groups of identical rows: no network
of any size can do better, for it gives identical rows one prediction. A gap of 0
proves a global minimum, whatever the optimiser did.

The other proof goes the other way. With r_i the derivative of the loss by f(x_i), a
special neuron (w, b) with G = sum_i r_i exp(w.x_i + b) != 0 lowers J~ when it is
switched on with the amplitude of the right sign: theta is then no local minimum of J~
(LSLS18, Theorem 1, step 2). The witness carries such a neuron and the decrease.

A gradient norm, an eigenvalue or |a| prove nothing of either kind.
"""

from dataclasses import dataclass
from enum import Enum

import numpy as np

from .losses import SOFTMAX, loss_gradient
from .network import predict_raw

# A gap of at most this share of the loss of the constant prediction 0 counts as 0.
GAP_TOLERANCE = 1e-6


class Status(Enum):
    """What is known of the trained network; the value is the sentence for the user."""

    GLOBAL = (
        "global minimum: the loss equals the lower bound of all networks, so no "
        "network of any size does better (proven)"
    )
    ESCAPABLE = (
        "not a local minimum of the augmented loss: a special neuron with a "
        "guaranteed decrease is known (proven)"
    )
    STATIONARY = (
        "at rest: the solver makes no headway, the gap is not closed, no escape was "
        "found; nothing is proven"
    )
    NOT_CONVERGED = (
        "not converged: the solver was stopped on its way; nothing is proven"
    )


@dataclass(frozen=True)
class Witness:
    """A special neuron that lowers J~ from the trained theta.

    Evaluated at a row x it adds amplitude_k * exp(coef.x + intercept) to output k.
    """

    coef: np.ndarray  # (n_features,) w
    intercept: float  # b
    amplitude: np.ndarray  # (n_outputs,) a
    decrease: float  # J(theta) - J~(theta, a, w, b), rounding errors taken off


@dataclass(frozen=True)
class Certificate:
    """Certificate of a trained network.

    Attributes
    ----------
    status : Status
        Its value is a sentence.
    loss : float
        Weighted mean of the data loss, penalties left out.
    lower_bound : float
        No network of any size has a smaller data loss.
    gap : float
        ``loss - lower_bound``: how far from optimal the network can be at most.
    grad_norm : float
        Largest component of the gradient of the objective.
    neuron_contribution : float
        max_i |a exp(w.x_i + b)| where joint training ended, before the neuron was
        dropped. Where it is not small the run was on its way to infinity. 0 if the
        neuron took no part in the training.
    witness : Witness or None
    caveat : str
        Why the theorem is silent here; empty where it speaks.
    """

    status: Status
    loss: float
    lower_bound: float
    gap: float
    grad_norm: float
    neuron_contribution: float
    witness: Witness | None
    caveat: str

    def __str__(self):
        lines = [
            f"Status       {self.status.value}",
            f"Loss         {self.loss:.6g}",
            f"Lower bound  {self.lower_bound:.6g}",
            f"Gap          {self.gap:.6g}",
            f"Gradient     {self.grad_norm:.3g}",
        ]
        if self.neuron_contribution:
            lines.append(f"Neuron       {self.neuron_contribution:.3g}")
        if self.witness is not None:
            lines.append(
                f"Witness      lowers the augmented loss by {self.witness.decrease:.3g}"
            )
        if self.caveat:
            lines.append(f"Note         {self.caveat}")
        return "\n".join(lines)


def lower_bound(data, loss, several_classes, n_outputs):
    """Pointwise lower bound of the mean loss over all networks.

    Parameters
    ----------
    data : CanonicalRows
    loss : PolynomialHinge or LogLoss
    several_classes : bool
    n_outputs : int
    """
    size = np.bincount(data.group)
    if np.all(size == 1):
        return 0.0  # every group has one label, which a network can fit alone
    mixed = np.flatnonzero(size[data.group] > 1)
    group = np.unique(data.group[mixed], return_inverse=True)[1]
    labels, weights = data.labels[mixed], data.weights[mixed]
    if loss.code(several_classes) == SOFTMAX:
        counts = np.zeros((group.max() + 1, 1, n_outputs))
        np.add.at(counts, (group, 0, labels[:, 0]), weights)
    else:
        positive = labels == (1 if n_outputs == 1 else np.arange(n_outputs))
        if labels.shape[1] > 1:
            positive = labels == 1
        counts = np.zeros((group.max() + 1, n_outputs, 2))
        for sign in (0, 1):
            np.add.at(counts[:, :, sign], group, weights[:, None] * (positive == sign))
    return float(loss.minimum(counts).sum() / data.weights.sum())


def data_loss(objective, raw):
    """Mean loss of raw predictions and its derivative by each of them, in float64.

    Parameters
    ----------
    objective : Objective
    raw : ndarray of shape (n, n_outputs)
        Predictions of the first n canonical rows.

    Returns
    -------
    loss : float
        The part of these rows in the mean.
    residuals : ndarray of shape (n_outputs, n)
        r_ki = d loss / d raw_ik.
    """
    data, loss, n = objective.data, objective.loss, len(raw)
    residuals = np.array(raw.T, dtype=np.float64, order="C")  # the kernel overwrites it
    value = loss_gradient(
        loss.code(objective.several_classes),
        float(loss.degree),
        residuals,
        data.labels[:n],
        objective.shares[:n],
        np.empty(3 * n),
    )
    return value, residuals


def raw_predictions(objective, theta):
    """Raw predictions of the canonical rows, (n_rows, n_outputs) in float64."""
    coefs, intercepts = objective.layout.unpack(theta)
    data, step = objective.data, 4096
    blocks = [
        predict_raw(coefs, intercepts, objective.activation, data.block(i, i + step))
        for i in range(0, data.n_rows, step)
    ]
    return np.concatenate(blocks).astype(np.float64, copy=False)


def make_witness(objective, theta, w, neuron_alpha):
    """Switch the neuron with direction ``w`` on, as far as it pays.

    With e_i = exp(w.x_i - max w.x) the amplitudes follow -G by a line search on the
    convex function c -> J~(theta, c a, w, b). The decrease is that of the point
    itself, evaluated, less ten times the rounding error that its sums can carry.

    Returns
    -------
    witness : Witness or None
        None if the decrease is not above its rounding error.
    """
    data = objective.data
    exponent = data.dot(w)
    largest = exponent.max()
    e = np.exp(exponent - largest)
    raw = raw_predictions(objective, theta)
    loss, residuals = data_loss(objective, raw)
    slope = residuals @ e
    direction = -slope
    size = np.abs(direction).max()
    if not (np.isfinite(size) and size > 0):
        return None
    direction = direction / size

    def augmented(step):
        a = step * direction
        value, _ = data_loss(objective, raw + e[:, None] * a)
        return value + 0.5 * neuron_alpha * a @ a

    step = 1.0
    while (best := augmented(step)) >= loss and step > 1e-12:
        step *= 0.25
    for factor in (2.0, 0.5):
        while (value := augmented(step * factor)) < best:
            best, step = value, step * factor
    rounding = 10 * np.finfo(np.float64).eps * (data.n_rows + 4) * loss
    decrease = loss - best - rounding
    if not decrease > 0:
        return None
    return Witness(w.copy(), float(-largest), step * direction, float(decrease))


def certify(objective, theta, solution, witness=None, contribution=0.0):
    """Certificate of ``theta``.

    Parameters
    ----------
    objective : Objective
    theta : ndarray of shape (n_parameters,)
    solution : Solution
        How the solver ended there.
    witness : Witness, optional
    contribution : float
        See :class:`Certificate`.
    """
    loss, _ = data_loss(objective, raw_predictions(objective, theta))
    n_outputs = objective.layout.sizes[-1]
    bound = lower_bound(
        objective.data, objective.loss, objective.several_classes, n_outputs
    )
    gap = max(loss - bound, 0.0)
    if gap <= GAP_TOLERANCE * (1.0 + bound):
        status, witness = Status.GLOBAL, None
    elif not solution.converged:
        status = Status.NOT_CONVERGED
    elif witness is not None:
        status = Status.ESCAPABLE
    else:
        status = Status.STATIONARY
    return Certificate(
        status,
        loss,
        bound,
        gap,
        solution.grad_norm,
        contribution,
        witness,
        caveat(objective),
    )


def caveat(objective):
    """Why the theorem promises nothing for this objective; empty if it does."""
    silent = []
    if objective.alpha > 0:
        silent.append(f"weight decay (alpha={objective.alpha:g})")
    if not objective.loss.attains_minimum:
        silent.append("log-loss, whose infimum no network attains")
    if not silent:
        return ""
    return (
        f"with {' and '.join(silent)} the augmented loss has no local minimum, so an "
        "escape can always be found and says nothing about theta; bound and gap hold"
    )
