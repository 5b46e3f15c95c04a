"""What the training reached, and what is known about it.

    gap = objective - lower bound >= objective - its minimum over ALL networks >= 0

Bounds come in two kinds. The pointwise one (:mod:`.pointwise`) holds for any function
of the rows; with weight decay, duality gives one for the networks of this depth and
activation, of every width (:mod:`.weight_decay`). A proven bound holds in floating
point. An estimated one takes the best neuron that a search has found for the best there
is.

The other proof goes the other way: a :class:`~skgoodmin.Witness` is a neuron that
lowers the objective when it is added, so that the network is not optimal.

A gradient norm, an eigenvalue or an amplitude prove nothing of either kind.
"""

import json
import math
from dataclasses import asdict, dataclass, field
from enum import Enum
from html import escape
from typing import Any

import numpy as np

from .bound import Bound, Known
from .digits import about, at_least, at_most
from .witness import Witness

# A gap of at most this share of the loss of the best constant counts as 0, or this.
GAP_TOLERANCE, SMALLEST_GAP = 1e-6, 1e-15
OF_SPREAD = 2.0**-24  # no less than the rounding of y, in units of its spread


def _with_lists(pairs):
    """Pairs of a name and a value as a dict, arrays as lists."""
    return {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in pairs}


def _array(value):
    """An array, if the value was one."""
    return np.array(value, dtype=np.float64) if isinstance(value, list) else value


class Status(Enum):
    """What is known of the trained network; the value is the sentence for the user.

    Attributes
    ----------
    GLOBAL
        The objective equals its lower bound, to a millionth of what a constant loses
        or to 1e-15 where that is less: no network does better. Proven.
    IMPROVABLE
        A neuron is known that lowers the objective when it is added. Proven.
    BOUNDED
        No such neuron is known, where units were grown none that brings more than
        ``tol_gap``; ``relative_gap`` bounds what is left to gain.
    STOPPED
        Early stopping, a callback or Ctrl-C has ended the training.
    NOT_CONVERGED
        ``max_iter`` or ``max_fun`` has.
    """

    GLOBAL = (
        "global minimum: the objective equals its lower bound, to a millionth of what "
        "a constant loses or to 1e-15 (proven)"
    )
    IMPROVABLE = (
        "improvable: a neuron is known that lowers the objective when it is added "
        "(proven)"
    )
    BOUNDED = (
        "bounded: no neuron is known that lowers the objective (where units were "
        "grown: by more than tol_gap); a proven bound, if any, says what can be gained "
        "at most"
    )
    STOPPED = (
        "stopped on request, by early stopping, a callback or Ctrl-C, on its way down"
    )
    NOT_CONVERGED = (
        "not converged: training ended on its way down, or above a constant network"
    )


@dataclass(frozen=True, repr=False, eq=False)
class Certificate:
    """Certificate of a trained network.

    Attributes
    ----------
    status : Status
        Its value is a sentence.
    objective : float
        ``loss + penalty``, what the training minimises.
    loss : float
        Weighted mean of the data loss.
    penalty : float
        alpha/2 times the sum of the squared weights.
    bounds : tuple of Bound
        All lower bounds that are known, each with what it is a bound of, for which
        networks, and whether it is proven or estimated.
    witness : Witness or None
        A neuron that lowers the objective when it is added.
    grad_norm : float
        Largest component of the gradient of the objective.
    neuron_contribution : float
        ``max_i |a exp(w.x_i + b)|`` where joint training ended, before the neuron was
        dropped. Where it is not small the run was on its way to infinity. 0 if the
        neuron took no part in the training.
    caveat : str
        Why the theorem is silent here; empty where it speaks.
    advice : str
        What holds the training loss up, and what to change; empty if nothing is known.
    alpha : str
        The strength of weight decay and how it was chosen; empty where it was given.
    rounding : float
        What the rounding of predictions can hide of the loss: that of the weights as
        they are is at most so much larger. Not small where features are huge; inf in
        a fold, where it is not asked for.
    contradictions : ndarray of shape (n_contradicting,)
        Row numbers of the training X whose features another row has with another
        label or target.
    unit : float
        What multiplies objective and bounds to give those of y as it was given, but
        for the rounding of y, which the network sees to 2^-24 of its spread; the
        squared error is in squared units. NaN for a classifier, for several targets,
        for a loss of one's own, and where it is smaller or larger than the numbers
        that float64 has.
    """

    status: Status
    objective: float
    loss: float
    penalty: float
    bounds: tuple[Bound, ...]
    witness: Witness | None
    grad_norm: float
    neuron_contribution: float = 0.0
    caveat: str = ""
    advice: str = ""
    alpha: str = ""
    rounding: float = 0.0
    contradictions: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    unit: float = np.nan

    def _largest(self, known):
        """The largest bound known that way, or None.

        One of the data loss is one of the objective too.
        """
        some = [bound for bound in self.bounds if bound.known is known]
        return max(some, key=lambda bound: bound.value, default=None)

    @property
    def lower_bound(self) -> float:
        """The largest proven lower bound of the objective."""
        bound = self._largest(Known.PROVEN)
        return 0.0 if bound is None else bound.value

    @property
    def gap(self) -> float:
        """``objective + rounding - lower_bound``: how far from optimal at most."""
        return max(self.objective - self.lower_bound + self.rounding, 0.0)

    @property
    def relative_gap(self) -> float:
        """``gap / (objective + rounding)``; 0 where that is 0.

        Where the status is ``GLOBAL`` the gap is nothing beside what a constant loses.
        Of an objective that is nothing, too, it may be a large share.
        """
        largest = self.objective + self.rounding
        if largest == np.inf:
            return 1.0
        return self.gap / largest if largest > 0 else 0.0

    @property
    def estimated_bound(self) -> float:
        """The largest estimated bound, no less than the proven one; NaN if none."""
        bound = self._largest(Known.ESTIMATED)
        return np.nan if bound is None else max(bound.value, self.lower_bound)

    @property
    def estimated_gap(self) -> float:
        """``objective - estimated_bound``; NaN where there is no estimate."""
        return max(self.objective - self.estimated_bound, 0.0)

    def to_dict(self) -> dict[str, Any]:
        """The certificate in values that ``json`` writes; :meth:`from_dict` reads it.

        Returns
        -------
        plain : dict
            Of strings, numbers (NaN and inf too, which strict readers of JSON do not
            take), lists and dicts; one entry for each attribute.
        """
        bounds = [b._asdict() | {"known": b.known.name} for b in self.bounds]
        plain = asdict(self, dict_factory=_with_lists)
        return plain | {"status": self.status.name, "bounds": bounds}

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> "Certificate":
        """The certificate of :meth:`to_dict`.

        Parameters
        ----------
        plain : dict

        Returns
        -------
        certificate : Certificate

        Raises
        ------
        ValueError
            If an entry is missing or unknown.
        """
        try:
            bounds = tuple(
                Bound(**fields | {"known": Known[fields["known"]]})
                for fields in plain["bounds"]
            )
            witness = plain["witness"] and Witness(
                **{k: _array(v) for k, v in plain["witness"].items()}
            )
            again = {
                "status": Status[plain["status"]],
                "bounds": bounds,
                "witness": witness,
                "contradictions": np.array(plain["contradictions"], dtype=np.int64),
            }
            return cls(**plain | again)
        except (KeyError, TypeError) as error:
            raise ValueError(f"plain is no dict of to_dict: {error}") from error

    def __eq__(self, other):
        if not isinstance(other, Certificate):
            return NotImplemented
        return json.dumps(self.to_dict()) == json.dumps(other.to_dict())

    def __hash__(self):
        return hash(json.dumps(self.to_dict()))

    def _share(self, value):
        """A value relative to the objective."""
        return value / self.objective if self.objective > 0 else 0.0

    def _proven(self):
        """A sentence about the largest proven bound; empty if it says nothing."""
        bound = self._largest(Known.PROVEN)
        is_global = self.status is Status.GLOBAL
        if bound is None or not (bound.value > 0 or is_global):
            return ""
        left = f"{at_most(100.0 * self.relative_gap, 2)} %"
        if is_global:  # a share of nothing may be large
            left = at_most(self.gap, 2)
        least = at_least(bound.value, 6)
        return f"no {bound.networks} gets below {least}: at most {left} can be gained"

    def _estimated(self):
        """A sentence about the largest estimate, or an empty one."""
        bound = self._largest(Known.ESTIMATED)
        if bound is None or not self.estimated_gap < self.gap:
            return ""
        return (
            f"about {about(100.0 * self._share(self.estimated_gap), 2)} %, if the "
            "search has found the best neuron there is"
        )

    def _in_units_of_y(self):
        """A sentence about objective and bound; empty where ``unit`` is not known."""
        if np.isnan(self.unit):
            return ""
        # The network sees y rounded, and losses change by no more than this.
        unit, bound = float(self.unit), float(self.lower_bound)
        bound -= OF_SPREAD * (math.sqrt(2.0 * bound) + 1.0)
        objective, bound = unit * float(self.objective), unit * max(bound, 0.0)
        if not (objective < math.inf and bound < math.inf):
            return ""
        return (
            f"objective {objective:.6g} of y rounded to 2^-24 of its spread, "
            f"lower bound {at_least(bound, 6)} of y as it was given"
        )

    def _lines(self):
        """Pairs of a name and a text, what is empty left out."""
        witness = self.witness
        parts = f" (loss {self.loss:.6g} + penalty {self.penalty:.6g})"
        n_rows = len(self.contradictions)
        lines = {
            "Status": self.status.value,
            "Objective": f"{self.objective:.6g}" + (parts if self.penalty else ""),
            "In y": self._in_units_of_y(),
            "Alpha": self.alpha,
            "Proven": self._proven(),
            "Estimated": self._estimated(),
            "Gradient": "" if np.isnan(self.grad_norm) else f"{self.grad_norm:.3g}",
            "Neuron": self.neuron_contribution and f"{self.neuron_contribution:.3g}",
            "Witness": witness
            and f"a further {witness.kind} lowers the objective by "
            f"{at_least(witness.decrease, 3)}, "
            f"{at_least(100.0 * self._share(witness.decrease), 2)} %",
            "Rows": n_rows
            and f"{n_rows} have features that another row has with another y",
            "Note": self.caveat,
            "Advice": self.advice,
        }
        return [(name, text) for name, text in lines.items() if text]

    def __str__(self):
        return "\n".join(f"{name:13}{text}" for name, text in self._lines())

    def __repr__(self):
        return (
            f"<Certificate {self.status.name}: objective {self.objective:.6g}, lower "
            f"bound {at_least(self.lower_bound, 6)}, gap {at_most(self.gap, 6)}>"
        )

    def _repr_html_(self):
        rows = "".join(
            f"<tr><th style='text-align:left'>{escape(name)}</th>"
            f"<td style='text-align:left'>{escape(text)}</td></tr>"
            for name, text in self._lines()
        )
        return f"<table><caption>{self.status.name}</caption>{rows}</table>"
