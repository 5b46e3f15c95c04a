"""Fields, status, what rounding can hide, and the texts of a certificate."""

import json
from dataclasses import replace

import numpy as np
import pytest
from problems import random_objective, tiny_objective

from skgoodmin.certificates import certify as certify_module
from skgoodmin.certificates.bound import Bound, Known
from skgoodmin.certificates.certificate import GAP_TOLERANCE, Certificate, Status
from skgoodmin.certificates.certify import Ending, caveat, certify, hidden_loss
from skgoodmin.certificates.pointwise import pointwise_bound
from skgoodmin.certificates.witness import Witness, find_witness
from skgoodmin.kernels.activations import ACTIVATIONS
from skgoodmin.objective.canonical_rows import canonical_rows
from skgoodmin.objective.layout import ParameterLayout
from skgoodmin.objective.losses import LOSSES, PolynomialHinge
from skgoodmin.objective.objective import Objective
from skgoodmin.objective.predictions import Predictions

DATA = Bound(0.5, "data loss", "network of any size", Known.PROVEN)
WITNESS = Witness("relu unit", np.zeros(1), 0.0, np.ones(1), 0.125)


def _certify(objective, theta, ending=None, **options):
    rng = np.random.RandomState(0)
    return certify(Predictions(objective, theta), ending or Ending(), rng, **options)


@pytest.mark.parametrize("looked_for", [False, True])
@pytest.mark.parametrize(
    ("ending", "expected"),
    [
        (Ending(0.25), None),
        (Ending(0.25, converged=False), Status.NOT_CONVERGED),
        (Ending(0.25, converged=False, stopped=True), Status.STOPPED),
        (Ending(0.25, converged=True, stopped=True), Status.STOPPED),
    ],
)
def test_status_off_the_bound(ending, expected, looked_for):
    objective = tiny_objective([-1, 1], [1, -1], ())
    found = _certify(
        objective, np.zeros(2), ending, special_neuron=looked_for, contribution=0.5
    )
    assert found.objective == found.loss == 1.0 and found.penalty == 0.0
    assert 1.0 < found.gap < 1.0 + 1e-14
    assert found.lower_bound == 0.0 and found.relative_gap == 1.0
    assert found.grad_norm == 0.25 and found.neuron_contribution == 0.5
    off = Status.IMPROVABLE if looked_for else Status.BOUNDED
    assert found.status is (expected or off)
    assert (found.witness is not None) == looked_for
    if looked_for:
        assert found.witness.kind == "exponential neuron"
    assert found.caveat == "" and len(found.contradictions) == 0
    assert np.isnan(found.estimated_bound) and np.isnan(found.estimated_gap)
    assert len(found.bounds) == 1 and found.bounds[0].of == "data loss"


def test_defaults_of_an_ending():
    grad_norm, converged, stopped = Ending()
    assert np.isnan(grad_norm) and converged and not stopped


@pytest.mark.parametrize(("share", "is_global"), [(0.999, True), (1.001, False)])
def test_the_gap_counts_as_zero_up_to_the_tolerance(share, is_global):
    objective = tiny_objective([0, 0], [1, -1], (), degree=2.0)
    # Mean of (1 + c)^2 and (1 - c)^2 is 1 + c^2, and a constant loses 1.
    c = np.sqrt(share * GAP_TOLERANCE)
    found = _certify(objective, np.array([0.0, c]), Ending(converged=False))
    np.testing.assert_allclose(found.gap, c**2, rtol=1e-5)
    assert (found.status is Status.GLOBAL) == is_global
    assert (found.witness is None) == is_global
    assert GAP_TOLERANCE == 1e-6


def test_a_loss_that_rounds_to_below_the_bound_has_hardly_a_gap(monkeypatch):
    objective = tiny_objective([0, 0], [1, -1], ())
    bound = DATA._replace(value=1.0 + 1e-15)
    monkeypatch.setattr(certify_module, "pointwise_bound", lambda _: bound)
    found = _certify(objective, np.zeros(2))
    assert found.loss == 1.0 and found.status is Status.GLOBAL
    assert 0 < found.gap < 1e-14


def test_no_proof_from_predictions_that_rounding_made():
    """x.w cancels to 0 in float64, where it is far off in truth."""
    X = np.array([[1e31, 1e31, 3e30], [1.0, 0.0, 0.0]])
    data = canonical_rows(X, np.array([[1], [1]], dtype=np.int32))
    objective = Objective(
        data, ParameterLayout((3, 1)), ACTIVATIONS["relu"], PolynomialHinge(), 0.0
    )
    theta = np.array([0.5, -0.5, 0.0, 2.0])  # 2 and 2.5, give or take 1e16
    assert Predictions(objective, theta).raw.min() == 2.0
    found = _certify(objective, theta)
    assert found.objective == 0.0 and found.status is Status.BOUNDED
    assert found.rounding > 1e30 and found.relative_gap == 1.0
    near = replace(objective, data=canonical_rows(X / 1e31, data.labels))
    assert _certify(near, theta).status is Status.GLOBAL


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_what_rounding_can_hide_is_small_on_scaled_data(loss, n_outputs):
    """Rounding of some 1e-14 in predictions whose loss has slopes of some 10."""
    objective, theta = random_objective(loss=loss, n_outputs=n_outputs, alpha=0.0)
    assert 0 < hidden_loss(Predictions(objective, theta)) < 1e-11


def test_caveat():
    plain, _ = random_objective(alpha=0.0)
    assert caveat(plain) == ""
    silent, _ = random_objective(loss="log_loss", alpha=0.0)
    assert "no network attains the infimum" in caveat(silent)
    assert "by how much is what counts" in caveat(silent)
    # With weight decay duality speaks, whatever the loss.
    for loss in LOSSES:
        assert caveat(random_objective(loss=loss, alpha=0.5)[0]) == ""


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize(
    ("hidden", "says", "n_bounds"),
    [
        ((), "linear model", 1),
        ((4,), "network of any width with 1 hidden layer of softplus units", 2),
        ((4, 3), "network of any width with 2 hidden layers of softplus units", 1),
    ],
)
def test_with_weight_decay(hidden, says, n_bounds, n_outputs, loss):
    objective, theta = random_objective(hidden, "softplus", loss, n_outputs, alpha=0.02)
    found = _certify(objective, theta, neuron_alpha=7.0)
    weights = theta[: objective.layout.n_weights]
    np.testing.assert_allclose(found.penalty, 0.01 * weights @ weights, rtol=1e-14)
    total = objective.value_and_gradient(theta)[0]
    np.testing.assert_allclose(found.objective, total, rtol=1e-12)
    assert found.objective == found.loss + found.penalty
    data, *others = found.bounds
    assert data == pointwise_bound(objective)
    assert [b.networks for b in others] == n_bounds * [says]
    assert all(b.of == "objective" for b in others)
    known = [b.known for b in others]
    assert known == [Known.PROVEN, Known.ESTIMATED][:n_bounds]
    assert found.lower_bound == max(others[0].value, data.value)
    assert 0 <= found.lower_bound < found.objective
    assert found.gap == found.objective - found.lower_bound + found.rounding
    assert found.relative_gap == found.gap / (found.objective + found.rounding)
    assert 0 < found.rounding < 1e-12
    if n_bounds == 2:
        assert found.lower_bound <= found.estimated_bound
        assert found.estimated_gap == max(found.objective - found.estimated_bound, 0)
        assert found.witness.kind == "softplus unit"
    else:
        assert np.isnan(found.estimated_gap) and found.witness is None
    assert found.caveat == ""
    same = _certify(objective, theta, neuron_alpha=1.0)
    assert same.to_dict().keys() == found.to_dict().keys() and same.gap == found.gap


def test_without_a_search_there_is_no_unit():
    objective, theta = random_objective(alpha=0.1)
    found = _certify(objective, theta, special_neuron=False)
    assert found.witness is None and found.status is Status.BOUNDED
    assert found.lower_bound == _certify(objective, theta).lower_bound


def test_the_exponential_neuron_pays_its_own_penalty():
    objective, theta = random_objective(alpha=0.0)
    found = [
        _certify(objective, theta, neuron_alpha=strength).witness.decrease
        for strength in (1e-3, 1.0, 1e3)
    ]
    assert found[0] > found[1] > found[2] > 0
    rng = np.random.RandomState(0)
    expected = find_witness(Predictions(objective, theta), rng, 1.0)
    assert found[1] == expected.decrease


def _certificate(**fields):
    given = {
        "status": Status.IMPROVABLE,
        "objective": 1.5,
        "loss": 1.5,
        "penalty": 0.0,
        "bounds": (DATA,),
        "witness": WITNESS,
        "grad_norm": 1e-5,
    }
    return Certificate(**(given | fields))


def _bound(value, known, of="objective"):
    return Bound(value, of, "relu network", known)


def test_the_largest_bound_of_each_kind_counts():
    proven = _bound(0.75, Known.PROVEN), _bound(0.7, Known.PROVEN)
    guess = _bound(1.2, Known.ESTIMATED), _bound(1.0, Known.ESTIMATED)
    found = _certificate(bounds=(DATA, *proven, *guess))
    assert found.lower_bound == 0.75 and found.gap == 0.75
    assert found.relative_gap == 0.5
    assert found.estimated_bound == 1.2
    np.testing.assert_allclose(found.estimated_gap, 0.3)
    # One of the data loss is one of the objective; no estimate is below a proof.
    found = _certificate(bounds=(DATA, _bound(0.25, Known.ESTIMATED)))
    assert found.lower_bound == found.estimated_bound == 0.5
    above = _certificate(bounds=(DATA, _bound(1.6, Known.ESTIMATED)))
    assert above.estimated_gap == 0.0
    nothing = _certificate(bounds=(), objective=0.0)
    assert nothing.lower_bound == nothing.gap == nothing.relative_gap == 0.0


def test_of_a_global_minimum_near_zero_much_may_be_left():
    least = _bound(1e-45, Known.PROVEN)
    tiny = {"objective": 1e-41, "bounds": (least,)}
    found = _certificate(status=Status.GLOBAL, **tiny)
    assert found.relative_gap == pytest.approx(0.9999)
    assert "gets below 1e-45: at most 1e-41 can be gained" in str(found)
    assert "gets below 1e-45: at most 100 % can be gained" in str(_certificate(**tiny))
    near = _bound(1.5 - 2**-24, Known.PROVEN)
    found = _certificate(status=Status.GLOBAL, bounds=(near,))
    assert found.relative_gap == found.gap / 1.5 == 2**-24 / 1.5
    assert "gets below 1.49999: at most 6e-08 can be gained" in str(found)


def test_what_is_printed_of_a_proof_is_proven():
    """Bounds and decreases are rounded down, what can be gained up."""
    bound = _bound(1.23456789, Known.PROVEN)
    witness = Witness("relu unit", np.ones(1), 0.0, np.ones(1), 0.0123456)
    found = _certificate(bounds=(bound,), witness=witness)
    text = str(found)
    assert "gets below 1.23456: at most 18 % can be gained" in text  # 17.7 %
    assert "lowers the objective by 0.0123, 0.82 %" in text  # 0.823 %
    assert "than 1.23456 (proven)" in str(bound)
    assert "lower bound 1.23456, gap 0.265433>" in repr(found)
    near = _certificate(bounds=(_bound(1.5 * (1 - 0.02001), Known.PROVEN),))
    assert "at most 2.1 % can be gained" in str(near)
    exact = _certificate(bounds=(_bound(1.2, Known.PROVEN),))
    assert "gets below 1.2: at most 20 % can be gained" in str(exact)


def test_bounds_say_of_what():
    assert (
        str(DATA) == "no network of any size has a smaller data loss than 0.5 (proven)"
    )
    guess = _bound(1.25, Known.ESTIMATED)
    assert str(guess) == (
        "no relu network has a smaller objective than 1.25 (estimated)"
    )


def test_texts_of_a_certificate():
    found = _certificate()
    assert str(found).splitlines() == [
        f"Status       {Status.IMPROVABLE.value}",
        "Objective    1.5",
        "Proven       no network of any size gets below 0.5: at most 67 % can be "
        "gained",
        "Gradient     1e-05",
        "Witness      a further relu unit lowers the objective by 0.125, 8.3 %",
    ]
    assert repr(found) == (
        "<Certificate IMPROVABLE: objective 1.5, lower bound 0.5, gap 1>"
    )
    html = found._repr_html_()
    assert html.startswith("<table><caption>IMPROVABLE</caption><tr><th style=")
    assert html.count("<tr>") == 5 and html.endswith("</td></tr></table>")


def test_texts_with_weight_decay():
    bounds = DATA, _bound(1.2, Known.PROVEN), _bound(1.47, Known.ESTIMATED)
    found = _certificate(loss=1.0, penalty=0.5, bounds=bounds, witness=None)
    lines = str(found).splitlines()
    assert lines[1] == "Objective    1.5 (loss 1 + penalty 0.5)"
    assert lines[2].endswith(
        "no relu network gets below 1.2: at most 20 % can be gained"
    )
    assert lines[3] == (
        "Estimated    about 2 %, if the search has found the best neuron there is"
    )


def test_what_is_empty_is_left_out_and_what_is_not_is_there():
    nothing = DATA._replace(value=0.0)
    found = _certificate(
        witness=None,
        bounds=(nothing,),
        grad_norm=np.nan,
        neuron_contribution=0.25,
        caveat="a < b",
        advice="go on",
        contradictions=np.array([3, 5]),
    )
    assert str(found).splitlines()[2:] == [
        "Neuron       0.25",
        "Rows         2 have features that another row has with another y",
        "Note         a < b",
        "Advice       go on",
    ]
    assert "a &lt; b" in found._repr_html_()


def test_a_bound_of_zero_is_news_where_it_is_reached():
    nothing = DATA._replace(value=0.0)
    none = {"objective": 0.0, "loss": 0.0, "bounds": (nothing,), "witness": None}
    found = _certificate(status=Status.GLOBAL, **none)
    assert "gets below 0: at most 0 can be gained" in str(found)


@pytest.mark.parametrize("witness", [False, True])
def test_plain_values_and_back(witness):
    """Through JSON."""
    bounds = DATA, _bound(1.2, Known.ESTIMATED)
    rows = np.array([1, 4])
    found = _certificate(bounds=bounds, advice="go on", contradictions=rows)
    found = found if witness else replace(found, witness=None)
    plain = json.loads(json.dumps(found.to_dict()))
    again = Certificate.from_dict(plain)
    assert again == found and hash(again) == hash(found)
    assert again != replace(found, loss=0.25) and found != "a certificate"
    assert not witness or isinstance(again.witness.coef, np.ndarray)
    assert again.bounds == found.bounds and again.bounds[0].known is Known.PROVEN
    assert again.lower_bound == 0.5 and again.status is Status.IMPROVABLE
    assert again.estimated_gap == found.estimated_gap
    assert list(again.contradictions) == [1, 4]
    assert str(again) == str(found) and repr(again) == repr(found)
    assert type(again.witness) is type(found.witness)
    assert again.to_dict().keys() == plain.keys()
    for wrong in {}, plain | {"status": "PERFECT"}, plain | {"height": 1}:
        with pytest.raises(ValueError, match="plain is no dict of to_dict"):
            Certificate.from_dict(wrong)


def test_records_are_frozen():
    found = _certificate()
    with pytest.raises(AttributeError):
        found.loss = 0.0
    with pytest.raises(AttributeError):
        found.witness.decrease = 0.0


def test_a_large_table_leaves_the_bounds_to_certify(monkeypatch):
    monkeypatch.setattr("skgoodmin.objective.objective.LARGE", 50)
    objective, theta = random_objective((3,), "relu", alpha=0.1)
    predictions, rng = Predictions(objective, theta), np.random.RandomState(0)
    found = certify(predictions, Ending(), rng, special_neuron=False)
    assert len(found.bounds) == 1 and found.witness is None
    assert found.caveat.endswith("certify")
    harder = certify(predictions, Ending(), rng, effort=0.1)
    assert harder.lower_bound > found.lower_bound and harder.caveat == ""
