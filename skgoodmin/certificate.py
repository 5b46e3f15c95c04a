"""What the training reached, and what is proven about it.

    gap = data loss - lower bound >= data loss - its minimum over ALL networks >= 0

The lower bound adds the pointwise minima of the groups of identical rows: no network
of any size can do better, for it gives identical rows one prediction. A gap of 0
proves a global minimum, whatever the optimiser did.

The other proof goes the other way: a :class:`~skgoodmin.witness.Witness` lowers J~ from
theta, which is then no local minimum of it.

A gradient norm, an eigenvalue or |a| prove nothing of either kind.
"""

from dataclasses import dataclass
from enum import Enum
from html import escape

import numpy as np

from .losses import SOFTMAX, signs
from .witness import Witness, data_loss, raw_predictions, raw_rounding

# A gap of at most this share of the loss of the constant prediction 0 counts as 0.
GAP_TOLERANCE = 1e-6
ESCAPES_SPENT = (
    "all max_escapes escapes are spent and another one is known; increase max_escapes "
    "or n_init to go on"
)


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


@dataclass(frozen=True, repr=False)
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
        ``max_i |a exp(w.x_i + b)|`` where joint training ended, before the neuron was
        dropped. Where it is not small the run was on its way to infinity. 0 if the
        neuron took no part in the training.
    witness : Witness or None
    caveat : str
        Why the theorem is silent here; empty where it speaks.
    advice : str
        What to change for the training to go on; empty if nothing is known.
    """

    status: Status
    loss: float
    lower_bound: float
    gap: float
    grad_norm: float
    neuron_contribution: float
    witness: Witness | None
    caveat: str
    advice: str = ""

    def _lines(self):
        """Pairs of a name and a text, what is empty left out."""
        witness = self.witness
        lines = {
            "Status": self.status.value,
            "Loss": f"{self.loss:.6g}",
            "Lower bound": f"{self.lower_bound:.6g}",
            "Gap": f"{self.gap:.6g}",
            "Gradient": f"{self.grad_norm:.3g}",
            "Neuron": self.neuron_contribution and f"{self.neuron_contribution:.3g}",
            "Witness": witness
            and f"lowers the augmented loss by {witness.decrease:.3g}",
            "Note": self.caveat,
            "Advice": self.advice,
        }
        return [(name, text) for name, text in lines.items() if text]

    def __str__(self):
        return "\n".join(f"{name:13}{text}" for name, text in self._lines())

    def __repr__(self):
        return (
            f"<Certificate {self.status.name}: loss {self.loss:.6g}, lower bound "
            f"{self.lower_bound:.6g}, gap {self.gap:.6g}>"
        )

    def _repr_html_(self):
        rows = "".join(
            f"<tr><th style='text-align:left'>{escape(name)}</th>"
            f"<td style='text-align:left'>{escape(text)}</td></tr>"
            for name, text in self._lines()
        )
        return f"<table><caption>{self.status.name}</caption>{rows}</table>"


def lower_bound(objective):
    """Pointwise lower bound of the mean loss over all networks."""
    return float(group_minima(objective)[1].sum())


def group_minima(objective):
    """Least loss of the groups of identical rows with different labels.

    A group with one label has none: a network can fit it alone.

    Returns
    -------
    groups : ndarray of shape (n_mixed,)
        Their numbers, ascending.
    minima : ndarray of shape (n_mixed,)
        Their parts in the mean loss, if each were fitted as well as possible.
    """
    data, loss, n_outputs = objective.data, objective.loss, objective.layout.sizes[-1]
    if data.opens_group.all():
        return np.empty(0, dtype=np.int64), np.empty(0)
    size = np.bincount(data.group)
    mixed = np.flatnonzero(size[data.group] > 1)
    groups, group = np.unique(data.group[mixed], return_inverse=True)
    labels, weights = data.labels[mixed], data.weights[mixed]
    if loss.code(objective.several_classes) == SOFTMAX:
        counts = np.zeros((len(groups), 1, n_outputs))
        np.add.at(counts, (group, 0, labels[:, 0]), weights)
    else:
        sign = signs(labels, n_outputs)
        counts = np.zeros((len(groups), n_outputs, 2))
        for i in (0, 1):
            of_sign = weights[:, None] * (sign == 2 * i - 1)
            np.add.at(counts[:, :, i], group, of_sign)
    return groups, loss.minimum(counts) / data.weights.sum()


def certify(
    objective, theta, solution, witness=None, contribution=0.0, escapes_spent=False
):
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
    escapes_spent : bool
        Whether ``max_escapes`` kept the training from trying another escape.
    """
    raw = raw_predictions(objective, theta)
    loss = sum(
        data_loss(objective, raw[rows], rows.start)[0]
        for rows in objective.data.slices(raw.shape[1])
    )
    bound = lower_bound(objective)
    gap = max(loss - bound, 0.0)
    tolerance = GAP_TOLERANCE * (1.0 + bound)
    if gap <= tolerance and worst_loss(objective, theta, raw) - bound <= tolerance:
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
        ESCAPES_SPENT if status is Status.ESCAPABLE and escapes_spent else "",
    )


def worst_loss(objective, theta, raw):
    """The largest loss that the rounding of the raw predictions can hide.

    With features near 1e31 a prediction is wrong by 1e15, and may look right.
    """
    loss, sign = 0.0, objective.signs()
    for rows in objective.data.slices(raw.shape[1]):
        x = abs(objective.data.block(rows.start, rows.stop)).astype(np.float64)
        error = raw_rounding(objective, theta, x)
        loss += data_loss(objective, raw[rows] - sign[rows] * error, rows.start)[0]
    return loss


def caveat(objective):
    """Why the theorem promises nothing for this objective; empty if it does."""
    silent = []
    if objective.alpha > 0:
        silent.append(f"weight decay (alpha={objective.alpha:g})")
    if not objective.loss.attains_minimum:
        silent.append("a loss whose infimum no network attains")
    if not silent:
        return ""
    return (
        f"with {' and '.join(silent)} the augmented loss has no local minimum, so an "
        "escape can always be found and says nothing about theta; bound and gap hold"
    )
