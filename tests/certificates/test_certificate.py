"""Gap and status, what rounding can hide, and the texts of a certificate."""

import json
from dataclasses import replace

import numpy as np
import pytest
from problems import random_objective, tiny_objective

from skgoodmin.certificates.bound import Bound, Known
from skgoodmin.certificates.certificate import (
    ESCAPES_SPENT,
    GAP_TOLERANCE,
    Certificate,
    Status,
    caveat,
    certify,
    worst_loss,
)
from skgoodmin.certificates.pointwise import pointwise_bound
from skgoodmin.certificates.witness import Witness
from skgoodmin.kernels.activations import ACTIVATIONS
from skgoodmin.objective.canonical_rows import canonical_rows
from skgoodmin.objective.layout import ParameterLayout
from skgoodmin.objective.losses import LOSSES, Logistic, PolynomialHinge
from skgoodmin.objective.objective import Objective
from skgoodmin.objective.predictions import Predictions
from skgoodmin.training.lbfgs import Exit, Solution

# Three groups: two labels at 0, one label at 1 (twice), two labels at 2.
X = np.array([[0.0], [0.0], [1.0], [1.0], [2.0], [2.0], [2.0]])


def _objective(labels, weights, loss, alpha=0.0):
    labels = np.asarray(labels, dtype=np.int32).reshape(len(X), -1)
    data = canonical_rows(X, labels, np.asarray(weights, dtype=float))
    layout = ParameterLayout((1, 6, labels.shape[1]))
    return Objective(data, layout, ACTIVATIONS["relu"], loss, alpha)


def _solution(exit=Exit.CONVERGED):
    return Solution(np.zeros(2), 0.0, 0.25, exit, 3, 4, np.zeros(4))


@pytest.mark.parametrize("spent", [False, True])
@pytest.mark.parametrize("exit", [Exit.CONVERGED, Exit.LEVEL, Exit.MAX_ITER])
@pytest.mark.parametrize("known", [False, True])
def test_status_off_the_bound(known, exit, spent):
    objective = tiny_objective([-1, 1], [1, -1], ())
    witness = Witness(np.zeros(1), 0.0, np.ones(1), 0.1) if known else None
    found = certify(
        Predictions(objective, np.zeros(2)), _solution(exit), witness, 0.5, spent
    )
    assert found.loss == found.gap == 1.0 and found.lower_bound == 0.0
    assert found.grad_norm == 0.25 and found.neuron_contribution == 0.5
    expected = Status.ESCAPABLE if known else Status.STATIONARY
    if exit is Exit.MAX_ITER:
        expected = Status.NOT_CONVERGED
    assert found.status is expected and found.witness is witness
    advised = spent and expected is Status.ESCAPABLE
    assert found.advice == (ESCAPES_SPENT if advised else "")
    assert found.caveat == ""


def test_defaults_of_certify():
    objective, witness = tiny_objective([-1, 1], [1, -1], ()), Witness(*4 * [None])
    found = certify(Predictions(objective, np.zeros(2)), _solution(), witness)
    assert found.neuron_contribution == 0.0 and found.advice == ""
    found = certify(Predictions(objective, np.zeros(2)), _solution())
    assert found.status is Status.STATIONARY


@pytest.mark.parametrize(("share", "is_global"), [(0.999, True), (1.001, False)])
def test_the_gap_counts_as_zero_up_to_the_tolerance(share, is_global):
    # f = 0 everywhere but for an intercept c: the gap is c^2-like, chosen by bisection.
    objective = tiny_objective([0, 0], [1, -1], (), degree=2.0)
    assert pointwise_bound(objective).value == 1.0
    # Mean of (1 + c)^2 and (1 - c)^2 is 1 + c^2.
    c = np.sqrt(share * GAP_TOLERANCE * 2.0)
    witness = Witness(np.zeros(1), 0.0, np.ones(1), 0.1)
    found = certify(
        Predictions(objective, np.array([0.0, c])), _solution(Exit.MAX_ITER), witness
    )
    np.testing.assert_allclose(found.gap, c**2, rtol=1e-6)
    assert (found.status is Status.GLOBAL) == is_global
    assert (found.witness is None) == is_global
    assert GAP_TOLERANCE == 1e-6


def test_a_loss_that_rounds_to_below_the_bound_has_no_gap(monkeypatch):
    objective = tiny_objective([0, 0], [1, -1], ())
    bound = Bound(1.0 + 1e-15, "data loss", "network of any size", Known.PROVEN)
    where = "skgoodmin.certificates.certificate.pointwise_bound"
    monkeypatch.setattr(where, lambda _: bound)
    found = certify(Predictions(objective, np.zeros(2)), _solution())
    assert found.loss == 1.0 and found.gap == 0.0 and found.status is Status.GLOBAL


def test_no_proof_from_predictions_that_rounding_made():
    """x.w cancels to 0 in float64, where it is far off in truth."""
    X = np.array([[1e31, 1e31, 3e30], [1.0, 0.0, 0.0]])
    data = canonical_rows(X, np.array([[1], [1]], dtype=np.int32))
    objective = Objective(
        data, ParameterLayout((3, 1)), ACTIVATIONS["relu"], PolynomialHinge(), 0.0
    )
    theta = np.array([0.5, -0.5, 0.0, 2.0])  # 2 and 2.5, give or take 1e16
    predictions = Predictions(objective, theta)
    assert predictions.raw.min() == 2.0
    found = certify(predictions, _solution())
    assert found.gap == 0.0 and found.status is Status.STATIONARY
    near = replace(objective, data=canonical_rows(X / 1e31, data.labels))
    assert certify(Predictions(near, theta), _solution()).status is Status.GLOBAL


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_what_rounding_can_hide_is_small_on_scaled_data(loss, n_outputs):
    """Rounding of some 1e-14 in predictions whose loss has slopes of some 10."""
    objective, theta = random_objective(loss=loss, n_outputs=n_outputs, alpha=0.0)
    data_loss = objective.value_and_gradient(theta)[0]
    assert 0 < worst_loss(Predictions(objective, theta)) - data_loss < 1e-11


def test_caveat():
    plain = tiny_objective([-1, 1], [1, -1], ())
    assert caveat(plain) == ""
    decay = _objective(np.arange(7) % 2, np.ones(7), PolynomialHinge(), alpha=0.5)
    assert caveat(decay).startswith("with weight decay (alpha=0.5) the augmented loss")
    both = _objective(np.arange(7) % 2, np.ones(7), Logistic(), alpha=0.5)
    assert "(alpha=0.5) and a loss whose infimum no network attains the" in caveat(both)
    silent = _objective(np.arange(7) % 2, np.ones(7), Logistic())
    assert caveat(silent).startswith("with a loss whose infimum no network attains the")
    assert caveat(silent).endswith("bound and gap hold")


def _certificate(**fields):
    witness = Witness(np.zeros(1), 0.0, np.ones(1), 0.125)
    given = {
        "status": Status.ESCAPABLE,
        "loss": 1.5,
        "bound": Bound(0.5, "data loss", "network of any size", Known.PROVEN),
        "gap": 1.0,
        "grad_norm": 1e-5,
        "neuron_contribution": 0.0,
        "witness": witness,
        "caveat": "",
    }
    return Certificate(**(given | fields))


def test_texts_of_a_certificate():
    found = _certificate()
    assert str(found).splitlines() == [
        f"Status       {Status.ESCAPABLE.value}",
        "Loss         1.5",
        "Lower bound  0.5",
        "Gap          1",
        "Gradient     1e-05",
        "Witness      lowers the augmented loss by 0.125",
    ]
    assert repr(found) == ("<Certificate ESCAPABLE: loss 1.5, lower bound 0.5, gap 1>")
    html = found._repr_html_()
    assert html.startswith("<table><caption>ESCAPABLE</caption><tr><th style=")
    assert html.count("<tr>") == 6 and html.endswith("</td></tr></table>")


def test_what_is_empty_is_left_out_and_what_is_not_is_there():
    found = _certificate(
        witness=None, neuron_contribution=0.25, caveat="a < b", advice="go on"
    )
    assert str(found).splitlines()[5:] == [
        "Neuron       0.25",
        "Note         a < b",
        "Advice       go on",
    ]
    assert "a &lt; b" in found._repr_html_()


@pytest.mark.parametrize("witness", [False, True])
def test_plain_values_and_back(witness):
    """Through JSON, but for the arrays of the witness."""
    found = _certificate() if witness else _certificate(witness=None)
    plain = found.to_dict()
    if not witness:
        plain = json.loads(json.dumps(plain))
    again = Certificate.from_dict(plain)
    assert again.bound == found.bound and again.bound.known is Known.PROVEN
    assert again.lower_bound == 0.5 and again.status is Status.ESCAPABLE
    assert str(again) == str(found) and repr(again) == repr(found)
    assert type(again.witness) is type(found.witness)
    assert again.to_dict().keys() == plain.keys()


def test_records_are_frozen():
    found = _certificate()
    with pytest.raises(AttributeError):
        found.loss = 0.0
    with pytest.raises(AttributeError):
        found.witness.decrease = 0.0
