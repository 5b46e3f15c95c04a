"""Diagnosis: what holds the training loss up, and what to change, from numbers.

Compared are the loss, that of the best constant prediction, the lower bounds, what rows
that contradict each other cost, and what one more neuron would bring.
"""

from dataclasses import replace

import numpy as np

from ..kernels.activations import Form
from .certificate import Status
from .digits import about, at_least, at_most

HIGH = 0.25  # a loss above this share of a constant's has to be explained
MUCH = 0.3  # share of the loss that counts as an explanation
NEAR = 0.1  # of what is avoidable: networks with less to gain have about the same loss
LITTLE = 0.01  # share of the objective for which nobody changes a network
CLEARLY = 0.01  # above the objective of a constant network, of which many are near 1


def constant_loss(objective):
    """Mean loss of the best constant prediction."""
    data, n_outputs = objective.data, objective.layout.sizes[-1]
    one_group = np.zeros(data.n_rows, dtype=np.int64)
    weights = data.weights
    with np.errstate(all="ignore"):
        least = objective.loss.least(data.labels, weights, one_group, n_outputs)
    return float(least[0] / weights.sum())


def is_worse(value, constant):
    """Whether the loss of a constant, which has no penalty, is clearly below it."""
    return value > constant + CLEARLY * (1.0 + constant)


def diagnose(certificate, predictions, constant):
    """The certificate with its advice.

    Parameters
    ----------
    certificate : Certificate
    predictions : Predictions
        What is certified.
    constant : float
        The :func:`constant_loss` of their objective.
    """
    objective = predictions.objective
    if certificate.status is Status.GLOBAL and objective.alpha == 0:
        return certificate
    sentences = [*_scaling(objective), *_contradictions(certificate)]
    # Of a training that failed neither units nor penalty are the cause.
    if not is_worse(certificate.objective, constant):
        sentences += [
            *_bad_minimum(certificate, predictions),
            *_width(certificate, objective),
            *_alpha(certificate, objective, constant),
        ]
    return replace(certificate, advice=" ".join(sentences))


def _pointwise(certificate):
    """What rows that contradict each other cost any model."""
    return max(b.value for b in certificate.bounds if b.of == "data loss")


def _scaling(objective):
    """Columns that a network can not use as they are."""
    if not objective.data.is_scaled:
        yield (
            "Columns of X are far from the scale of 1: a StandardScaler in front of "
            "the model comes before all else."
        )


def _contradictions(certificate):
    """Rows with equal features and different y."""
    pointwise = _pointwise(certificate)
    if certificate.loss > 0 and pointwise > MUCH * certificate.loss:
        share = at_least(100 * min(pointwise / certificate.loss, 1.0), 3)
        yield (
            f"Rows that contradict each other cost {share} % of the loss, whatever the "
            "model: see contradictions for where they are in X."
        )


def _bad_minimum(certificate, predictions):
    """A way down is known where the training rests and the theorem speaks.

    Of a model of somebody else nothing is known but its predictions.
    """
    objective = predictions.objective
    at_rest = certificate.status is Status.IMPROVABLE and certificate.witness
    if objective.alpha > 0 or not at_rest or certificate.caveat or predictions.foreign:
        return
    if len(objective.layout.sizes) == 2 or objective.activation.form is Form.LINE:
        yield (
            "The network is linear, and a special neuron shows a way down: use hidden "
            "layers, and an activation other than 'identity'."
        )
        return
    yield (
        "The training rests where a special neuron shows a way down: increase "
        "max_escapes, n_init or hidden_layer_sizes."
    )


def _width(certificate, objective):
    """A further unit is worth something."""
    witness = certificate.witness
    if objective.alpha == 0 or witness is None or not certificate.objective > 0:
        return
    share = witness.decrease / certificate.objective
    if share > LITTLE:
        yield (
            f"One more unit lowers the objective by {at_least(100 * share, 2)} %: "
            "try more units, or a larger n_init where they are many already."
        )


def _alpha(certificate, objective, constant):
    """The penalty keeps the network from fitting the rows, or perhaps does."""
    ended = certificate.status in (Status.STOPPED, Status.NOT_CONVERGED)
    if objective.alpha == 0 or objective.is_large or ended:
        return
    least = _pointwise(certificate)  # what no model gets rid of
    held, lost = certificate.loss - least, constant - least
    share = held / lost if lost > 0 else 0.0
    if share < HIGH or held < LITTLE * certificate.loss:
        return
    lower, by, rounded = certificate.lower_bound, "", at_most
    if certificate.estimated_bound > lower:
        lower, by, rounded = certificate.estimated_bound, "by the estimate, ", about
    left = certificate.objective - lower
    high = f"{100 * min(share, 1.0):.0f} % of what a constant model has to lose"
    if left > NEAR * (certificate.objective - least):
        percent = rounded(100 * left / certificate.objective, 2)
        if len(objective.layout.sizes) == 2:
            yield (
                f"The training loss is {high}: {by}linear models at this alpha may "
                f"have an objective up to {percent} % lower. Scale the columns, or "
                "lower tol. If none comes much lower, it is alpha that holds the loss "
                "up."
            )
            return
        yield (
            f"The training loss is {high}: {by}networks at this alpha may have an "
            f"objective up to {percent} % lower. Try more units"
            f"{_or_growing(objective)} or a larger n_init. If none comes much lower, "
            "it is alpha that holds the loss up."
        )
        return
    yield (
        f"alpha={objective.alpha:.3g} holds the training loss at {high}: {by}"
        "networks of other widths hardly come lower. If the model should follow the "
        "rows more closely, decrease alpha, or let cross-validation choose it "
        "(GoodMinimaClassifierCV, GoodMinimaRegressorCV)."
    )


def _or_growing(objective):
    """That units can be added, where they can."""
    shallow = len(objective.layout.sizes) == 3
    grows = shallow and objective.activation.form is Form.CORNER
    return ", training='grow'" if grows else ""
