"""Certify: from the predictions of a trained network to its certificate."""

from dataclasses import replace
from itertools import chain
from typing import NamedTuple

import numpy as np

from .bound import Bound, Known
from .certificate import GAP_TOLERANCE, SMALLEST_GAP, Certificate, Status
from .diagnosis import constant_loss, diagnose
from .effort import effort_of
from .pointwise import pointwise_bound
from .polar import search as best_neuron
from .problem import Problem
from .weight_decay import bounds as weight_decay_bounds
from .weight_decay import dual_point, measurable
from .witness import EPS, find_witness, rounding_of_own, switched_on, unit

SOME_ROWS, SOME = 2**14, 2**18  # of a large table and its numbers, for one unit
FEW_ROWS = 16  # say nothing of a large table: it is too wide to be looked at
LENGTHS = tuple(4.0**-k for k in range(6))  # of a unit, that of the best neuron is 1
NOTHING = Bound(0.0, "data loss", "network of any size", Known.PROVEN)


class Ending(NamedTuple):
    """What a certificate says of how a training has ended."""

    grad_norm: float = np.nan
    converged: bool = True
    stopped: bool = False


def certify(
    predictions,
    ending,
    rng,
    *,
    special_neuron=True,
    neuron_alpha=1.0,
    contribution=0.0,
    effort=0,
    neurons=None,
    least=0.0,
):
    """Certificate of a trained network.

    Parameters
    ----------
    predictions : Predictions
        Of the network on its training rows.
    ending : Ending or Solution
    rng : numpy.random.RandomState
        Of the search for an exponential neuron.
    special_neuron : bool
        False: no witness is looked for.
    neuron_alpha : float
        lambda of the exponential neuron.
    contribution : float
        See :class:`Certificate`.
    effort : float or None, default=0
        How hard to try with weight decay; 0 is what a fit does by the way. None, as in
        the fits of folds: nothing is found out, and the gap is inf.
    neurons : (coefs (m, d), intercepts (m,)), optional
        That the search with weight decay sets out from, besides the network's units.
    least : float, default=0.0
        Share of the objective by which a neuron has to lower it for the network to
        count as improvable: less is what the training was asked to leave.

    Returns
    -------
    certificate : Certificate
        Without the contradictions, which the canonical rows no longer show.
    """
    objective, loss = predictions.objective, predictions.loss
    # None where the predictions are those of another model.
    weights = predictions.theta[: objective.layout.n_weights]
    penalty = 0.5 * objective.alpha * float(weights @ weights)
    if effort is None:
        return _unexamined(ending, loss, penalty, contribution)
    bounds, witness = [pointwise_bound(objective)], None
    if objective.alpha > 0 and (effort > 0 or not objective.is_large):
        more, witness = with_weight_decay(predictions, special_neuron, effort, neurons)
        bounds += more
    elif special_neuron and objective.alpha > 0:
        witness = _seen_by_some(predictions)
    elif special_neuron:
        witness = find_witness(predictions, rng, neuron_alpha)
    rounding, constant = hidden_loss(predictions), constant_loss(objective)
    args = loss + penalty + rounding, constant, bounds, witness, least
    status = _status(ending, *args)
    certificate = Certificate(
        status=status,
        objective=loss + penalty,
        loss=loss,
        penalty=penalty,
        bounds=tuple(bounds),
        witness=None if status is Status.GLOBAL else witness,
        grad_norm=ending.grad_norm,
        neuron_contribution=contribution,
        caveat="" if status is Status.GLOBAL else caveat(objective, effort),
        rounding=rounding,
    )
    return diagnose(certificate, predictions, constant)


def with_weight_decay(predictions, special_neuron, effort, neurons=None):
    """(bounds of the objective, witness or None) of a network with weight decay."""
    objective = predictions.objective
    data = objective.data
    dual = objective.loss.dual(data.labels, objective.shares, objective.n_outputs)
    with np.errstate(all="ignore"):
        problem = Problem.of(
            dual,
            data.block(),
            predictions.raw,
            objective.activation,
            objective.alpha,
            objective.layout.unpack(predictions.theta),
            data.group,
            neurons,
        )
        found = weight_decay_bounds(problem, effort_of(effort), data.span)
        witness = None
        if special_neuron and found.neuron is not None:
            witness = _unit_witness(predictions, found.neuron)
    networks = networks_like(objective)
    bounds = [
        Bound(float(value), "objective", networks, known)
        for value, known in (
            (found.proven, Known.PROVEN),
            (found.estimated, Known.ESTIMATED),
        )
        if np.isfinite(value)
    ]
    return bounds, witness


@np.errstate(all="ignore")
def _seen_by_some(predictions):
    """The witness of the unit that the first of many rows miss most, or None.

    They are a random sample, and what the unit is worth is measured on all rows.
    """
    objective = predictions.objective
    if len(objective.layout.sizes) != 3:
        return None
    n_rows = min(SOME_ROWS, SOME // objective.data.n_features)
    if n_rows < FEW_ROWS:
        return None
    data = objective.data.first(n_rows)
    x, some = data.block(), replace(objective, data=data)
    if not measurable(x, objective.alpha):
        return None
    dual = some.loss.dual(data.labels, some.shares, some.n_outputs)
    gradient = dual.loss_and_gradient(predictions.raw[: data.n_rows].T)[1]
    coefs, intercepts = objective.layout.unpack(predictions.theta)
    neuron = best_neuron(
        x,
        dual_point(dual, gradient),
        objective.activation,
        coefs[0].T,
        intercepts[0],
        np.random.default_rng(0),
        effort_of(0),
    )
    return _unit_witness(predictions, neuron)


def _unit_witness(predictions, neuron):
    """The unit that lowers the objective most, of a few lengths of its weights.

    The best neuron for the polar may be a very long one, as of softplus, which becomes
    a relu. Where the scale is not free, a shorter one is cheaper.
    """
    objective = predictions.objective
    activation = objective.activation
    units = [
        unit(scale * neuron.coef, scale * neuron.intercept, activation, objective.alpha)
        for scale in ((1.0,) if activation.free_scale else LENGTHS)
    ]
    found = [switched_on(predictions, some) for some in units]
    known = [witness for witness in found if witness is not None]
    return max(known, key=lambda witness: witness.decrease, default=None)


def networks_like(objective):
    """Which networks a bound with weight decay holds for."""
    n_hidden = len(objective.layout.sizes) - 2
    if n_hidden == 0:
        return "linear model"
    layers = "layer" if n_hidden == 1 else "layers"
    name = objective.activation.name
    return f"network of any width with {n_hidden} hidden {layers} of {name} units"


def _status(ending, objective, constant, bounds, witness, least):
    """What the bounds and the witness amount to."""
    lower = max(bound.value for bound in bounds if bound.known is Known.PROVEN)
    if objective - lower <= max(GAP_TOLERANCE * constant, SMALLEST_GAP):
        return Status.GLOBAL
    status = _where_it_ended(ending)
    improvable = witness is not None and witness.decrease >= least * objective
    return Status.IMPROVABLE if improvable and status is Status.BOUNDED else status


def _where_it_ended(ending):
    """What is known of a network without bounds and without a witness."""
    if ending.stopped:
        return Status.STOPPED
    return Status.BOUNDED if ending.converged else Status.NOT_CONVERGED


def _unexamined(ending, loss, penalty, contribution):
    """The certificate of a fit in a fold, for which nothing is found out."""
    return Certificate(
        status=_where_it_ended(ending),
        objective=loss + penalty,
        loss=loss,
        penalty=penalty,
        bounds=(NOTHING,),
        witness=None,
        grad_norm=ending.grad_norm,
        neuron_contribution=contribution,
        caveat="a fit in a fold leaves bounds and witness to certify",
        rounding=np.inf,
    )


def hidden_loss(predictions):
    """What the rounding of raw predictions, of a user's loss and of sums can hide.

    With features near 1e31 a prediction is wrong by 1e15, and may look right.
    """
    worst = sum(chain.from_iterable(predictions.each(_worst_losses)))
    of_sums = EPS * (len(predictions.raw) + 16) * worst
    hidden = float(max(worst - predictions.loss, 0.0) + of_sums)
    return hidden if hidden < np.inf else np.inf  # NaN, too


@np.errstate(over="ignore", invalid="ignore")
def _worst_losses(predictions):
    """What each slice of a part has in it."""
    objective, losses = predictions.objective, []
    for rows in predictions.slices:
        raw, labels = predictions.raw[rows], objective.data.labels[rows]
        wrong = predictions.rounding(rows)
        worse = raw + objective.loss.worse(raw, labels, wrong) * wrong
        losses.append(objective.data_loss(worse, rows.start)[0])
        losses.append(rounding_of_own(objective, rows, abs(raw) + wrong))
    return losses


def caveat(objective, effort=0):
    """Why the theorem promises nothing for this objective; empty if it does.

    With weight decay duality speaks in its place.
    """
    if objective.alpha > 0 and objective.is_large and effort == 0:
        return (
            "the table is so large that fit leaves the bounds with weight decay to "
            "certify"
        )
    if objective.alpha > 0 or objective.loss.attains_minimum or _is_mixed(objective):
        return ""
    return (
        "no network attains the infimum of this loss, so some neuron that lowers it "
        "can always be found; by how much is what counts"
    )


def _is_mixed(objective):
    """Whether all labels are in each group of identical rows: no infimum is far out."""
    data = objective.data
    if data.opens_group.all():
        return False
    args = data.labels, data.weights, data.group, objective.n_outputs
    return bool((objective.loss.counts(*args) > 0).all())
