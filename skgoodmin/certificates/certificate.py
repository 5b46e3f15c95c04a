"""What the training reached, and what is proven about it.

    gap = data loss - lower bound >= data loss - its minimum over ALL networks >= 0

The lower bound adds the pointwise minima of the groups of identical rows: no network
of any size can do better, for it gives identical rows one prediction. A gap of 0
proves a global minimum, whatever the optimiser did.

The other proof goes the other way: a :class:`~skgoodmin.Witness` lowers J~ from
theta, which is then no local minimum of it.

A gradient norm, an eigenvalue or |a| prove nothing of either kind.
"""

from dataclasses import asdict, dataclass
from enum import Enum
from html import escape
from typing import Any

from .bound import Bound, Known
from .pointwise import pointwise_bound
from .witness import Witness

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
    STOPPED = (
        "stopped on request: by early stopping, a callback or Ctrl-C; the training was "
        "on its way, and nothing is proven"
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
    bound : Bound
        No network of any size has a smaller data loss than ``bound.value``, which is
        also ``lower_bound``.
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
    bound: Bound
    gap: float
    grad_norm: float
    neuron_contribution: float
    witness: Witness | None
    caveat: str
    advice: str = ""

    @property
    def lower_bound(self) -> float:
        """No network of any size has a smaller data loss."""
        return self.bound.value

    def to_dict(self) -> dict[str, Any]:
        """The certificate in plain values; :meth:`from_dict` makes it again."""
        plain = asdict(self) | {"status": self.status.name}
        plain["bound"] = self.bound._asdict() | {"known": self.bound.known.name}
        return plain

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> "Certificate":
        """The certificate of :meth:`to_dict`."""
        fields = plain["bound"]
        bound = Bound(**fields | {"known": Known[fields["known"]]})
        witness = plain["witness"] and Witness(**plain["witness"])
        status = Status[plain["status"]]
        return cls(**plain | {"status": status, "bound": bound, "witness": witness})

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


def certify(predictions, solution, witness=None, contribution=0.0, escapes_spent=False):
    """Certificate of a trained network.

    Parameters
    ----------
    predictions : Predictions
        Of the network on its training rows.
    solution : Solution
        How the solver ended there.
    witness : Witness, optional
    contribution : float
        See :class:`Certificate`.
    escapes_spent : bool
        Whether ``max_escapes`` kept the training from trying another escape.
    """
    objective, loss = predictions.objective, predictions.loss
    bound = pointwise_bound(objective)
    gap = max(loss - bound.value, 0.0)
    tolerance = GAP_TOLERANCE * (1.0 + bound.value)
    if gap <= tolerance and worst_loss(predictions) - bound.value <= tolerance:
        status, witness = Status.GLOBAL, None
    elif solution.stopped:
        status = Status.STOPPED
    elif not solution.converged:
        status = Status.NOT_CONVERGED
    elif witness is not None:
        status = Status.ESCAPABLE
    else:
        status = Status.STATIONARY
    return Certificate(
        status=status,
        loss=loss,
        bound=bound,
        gap=gap,
        grad_norm=solution.grad_norm,
        neuron_contribution=contribution,
        witness=witness,
        caveat=caveat(objective),
        advice=ESCAPES_SPENT if status is Status.ESCAPABLE and escapes_spent else "",
    )


def worst_loss(predictions):
    """The largest loss that the rounding of the raw predictions can hide.

    With features near 1e31 a prediction is wrong by 1e15, and may look right.
    """
    objective, loss = predictions.objective, 0.0
    sign = objective.signs()
    for rows in predictions.slices:
        worse = predictions.raw[rows] - sign[rows] * predictions.rounding(rows)
        loss += objective.data_loss(worse, rows.start)[0]
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
