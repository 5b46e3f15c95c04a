"""The advice of a certificate: each sentence where its numbers ask for it."""

from dataclasses import replace

import numpy as np
import pytest
from problems import random_objective, tiny_objective
from scipy.optimize import minimize

from skgoodmin import GoodMinimaClassifier
from skgoodmin.certificates.bound import Bound, Known
from skgoodmin.certificates.certificate import Certificate, Status
from skgoodmin.certificates.diagnosis import constant_loss, diagnose
from skgoodmin.certificates.witness import Witness
from skgoodmin.objective.losses import LOSSES
from skgoodmin.objective.predictions import GivenPredictions, Predictions

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
SENTENCES = {
    "scaling": "Columns of X are far from the scale of 1",
    "contradictions": "Rows that contradict each other cost",
    "bad minimum": "The training rests where a special neuron shows a way down",
    "width": "One more unit lowers the objective by",
    "alpha": "holds the training loss at",
    "alpha or training": "it is alpha that holds the loss up",
}


def said(certificate):
    return {name for name, start in SENTENCES.items() if start in certificate.advice}


def diagnosed(certificate, objective, kind=Predictions):
    predictions = kind(objective) if kind is GivenPredictions else kind(objective, None)
    return diagnose(certificate, predictions, constant_loss(objective))


def _certificate(**fields):
    given = {
        "status": Status.IMPROVABLE,
        "objective": 1.0,
        "loss": 1.0,
        "penalty": 0.0,
        "bounds": (_bound(0.0, "data loss"), _bound(0.95)),
        "witness": None,
        "grad_norm": 0.0,
    }
    return Certificate(**(given | fields))


def _bound(value, of="objective", known=Known.PROVEN):
    return Bound(value, of, "network", known)


def _witness(decrease):
    return Witness("relu unit", np.zeros(3), 0.0, np.ones(1), decrease)


def test_a_linear_model_has_no_units_to_add():
    objective, theta = random_objective((), alpha=0.1)
    found = _certificate(bounds=(_bound(0.0, "data loss"), _bound(0.5)), loss=0.99)
    told = diagnose(found, Predictions(objective, theta), 1.0).advice
    assert "linear models at this alpha" in told and "units" not in told


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_constant_loss_is_that_of_the_best_constant(loss, n_outputs):
    objective, theta = random_objective((), "tanh", loss, n_outputs, weights=True)
    objective = replace(objective, alpha=0.0)

    def of_intercepts(c):
        full = np.zeros_like(theta)
        full[objective.layout.n_weights :] = c
        return objective.value_and_gradient(full)[0]

    best = minimize(of_intercepts, np.zeros(n_outputs), tol=1e-12).fun
    np.testing.assert_allclose(constant_loss(objective), best, rtol=1e-7)


def test_nothing_is_said_of_a_global_minimum_without_weight_decay():
    objective, _ = random_objective(alpha=0.0)
    contradicting = (_bound(0.9, "data loss"),)
    found = _certificate(status=Status.GLOBAL, bounds=contradicting, loss=0.9)
    assert diagnosed(found, objective) is found


@pytest.mark.parametrize(("pointwise", "says"), [(0.29, False), (0.31, True)])
def test_contradictions(pointwise, says):
    objective, _ = random_objective(alpha=0.0)
    found = diagnosed(_certificate(bounds=(_bound(pointwise, "data loss"),)), objective)
    assert said(found) == ({"contradictions"} if says else set())
    if says:
        assert "cost 31 % of the loss, whatever the model" in found.advice
    # A bound that weight decay makes is not one of contradicting rows.
    bounds = _bound(0.0, "data loss"), _bound(0.99)
    decay = replace(objective, alpha=1e-9)
    found = diagnosed(_certificate(loss=1e-3, bounds=bounds), decay)
    assert "contradictions" not in said(found)


@pytest.mark.parametrize("scale", [1e-5, 1e3])
def test_scaling(scale):
    X = np.random.RandomState(0).normal(size=(20, 2)) * [1.0, scale]
    objective = tiny_objective(X, np.tile([1, -1], 10), (3,))
    found = diagnosed(_certificate(), objective)
    assert said(found) == {"scaling"} and "a StandardScaler" in found.advice


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("caveat", ["", "the theorem is silent"])
def test_bad_minimum_only_at_rest_and_where_the_theorem_speaks(caveat, status):
    objective, _ = random_objective(alpha=0.0)
    witness = _witness(0.5)
    found = diagnosed(
        _certificate(status=status, witness=witness, caveat=caveat), objective
    )
    speaks = status is Status.IMPROVABLE and not caveat
    assert said(found) == ({"bad minimum"} if speaks else set())


@pytest.mark.parametrize(
    ("layers", "activation"), [((), "relu"), ((3,), "identity"), ((3, 2), "identity")]
)
def test_a_linear_network_needs_another_activation(layers, activation):
    objective, _ = random_objective(layers, activation, alpha=0.0)
    found = diagnosed(_certificate(witness=_witness(0.5)), objective)
    assert found.advice.startswith("The network is linear") and not said(found)


def test_no_advice_on_the_training_of_another_model():
    objective, _ = random_objective((), "identity", alpha=0.0)
    found = _certificate(witness=_witness(0.5))
    assert diagnosed(found, objective, GivenPredictions).advice == ""


@pytest.mark.parametrize(("decrease", "says"), [(0.009, False), (0.02, True)])
def test_width(decrease, says):
    objective, _ = random_objective(alpha=0.1)
    found = _certificate(loss=1e-3, penalty=0.999, witness=_witness(decrease))
    found = diagnosed(found, objective)
    assert said(found) == ({"width"} if says else set())
    if says:
        assert "by 2 %: try more units" in found.advice


def test_alpha_from_the_loss_of_a_constant():
    objective, _ = random_objective(alpha=0.1)
    constant = constant_loss(objective)
    for share, says in ((0.24, False), (0.26, True)):
        found = diagnosed(_certificate(loss=share * constant), objective)
        assert ("alpha" in said(found)) == says
        if says:
            assert "alpha=0.1 holds the training loss at 26 %" in found.advice
    # What contradicting rows cost is not alpha's.
    least = 0.9 * constant
    bounds = (_bound(least, "data loss"),)
    loss = least + 0.1 * 0.24 * constant
    found = diagnosed(_certificate(loss=loss, bounds=bounds), objective)
    assert said(found) == {"contradictions"}
    least = 0.999 * constant  # rows with random labels: nothing else is to be had
    bounds = (_bound(least, "data loss"),)
    found = diagnosed(_certificate(loss=constant, bounds=bounds), objective)
    assert said(found) == {"contradictions"}
    free = replace(objective, alpha=0.0)
    assert "alpha" not in said(diagnosed(_certificate(loss=constant), free))


def test_units_and_alpha_are_not_the_cause_where_a_constant_is_better():
    objective, _ = random_objective(alpha=0.1)
    constant = constant_loss(objective)
    for value, says in ((constant, {"width", "alpha"}), (2.0 * constant, set())):
        found = _certificate(objective=value, loss=value, witness=_witness(0.1 * value))
        found = replace(found, bounds=(_bound(0.0, "data loss"), _bound(0.95 * value)))
        assert said(diagnosed(found, objective)) == says


@pytest.mark.parametrize("known", Known)
def test_alpha_is_the_cause_only_where_the_bound_is_near(known):
    objective, _ = random_objective((4,), "relu", alpha=0.1)
    for value, says in ((0.89, {"alpha or training"}), (0.91, {"alpha"})):
        bounds = _bound(0.0, "data loss"), _bound(value, known=known)
        found = diagnosed(_certificate(bounds=bounds), objective)
        assert said(found) == says
        left = "an objective up to 11 % lower. Try more units, training='grow' or a"
        assert (left in found.advice) == ("alpha" not in says)
        assert ("by the estimate" in found.advice) == (known is Known.ESTIMATED)
    # Of what is left of the loss, not of what no network gets rid of.
    bounds = _bound(0.95, "data loss"), _bound(0.97, known=known)
    lost = _certificate(loss=1.0, bounds=bounds)
    found = diagnosed(lost, replace(objective, alpha=1e-3))
    assert "alpha" not in said(found)
    deep, _ = random_objective((4, 3), "relu", alpha=0.1)
    advice = diagnosed(_certificate(bounds=(_bound(0.0, "data loss"),)), deep).advice
    assert "Try more units or a larger n_init" in advice


@pytest.mark.parametrize("status", [Status.STOPPED, Status.NOT_CONVERGED])
def test_alpha_is_not_the_cause_where_the_training_was_ended(status):
    objective, _ = random_objective(alpha=0.1)
    assert said(diagnosed(_certificate(status=status), objective)) == set()


def _spirals(n):
    """Two spirals of one and a half turns, scaled."""
    radius = np.sqrt(np.linspace(0.05, 1.0, n // 2))
    angle = 3.0 * np.pi * radius
    arm = 2.0 * np.c_[radius * np.cos(angle), radius * np.sin(angle)]
    return np.r_[arm, -arm], np.repeat([0, 1], n // 2)


def test_on_spirals_the_advice_names_alpha_and_it_helps():
    X, y = _spirals(300)
    model = GoodMinimaClassifier(alpha=0.07, random_state=0).fit(X, y)
    certificate = model.certificate_
    assert "alpha" in said(certificate)
    assert "decrease alpha" in certificate.advice and certificate.caveat == ""
    assert "max_escapes" not in certificate.advice
    followed = GoodMinimaClassifier(alpha=1e-3, random_state=0).fit(X, y)
    assert model.score(X, y) < 0.9 and followed.score(X, y) > 0.97
    assert "alpha" not in said(followed.certificate_)


def test_contradictions_are_rows_of_the_caller():
    rng = np.random.RandomState(0)
    X = rng.normal(size=(60, 2))
    y = (X[:, 0] > 0).astype(int)
    X[50:] = X[:10]
    y[50:] = 1 - y[:10]
    expected = [*range(10), *range(50, 60)]
    for order in (np.arange(60), rng.permutation(60)):
        model = GoodMinimaClassifier((8,), alpha=1e-4, random_state=0)
        certificate = model.fit(X[order], y[order]).certificate_
        where = certificate.contradictions
        assert sorted(order[where]) == expected and (np.diff(where) > 0).all()
        assert "contradictions" in said(certificate)
        assert "20 have features that another row has" in str(certificate)
    nowhere = GoodMinimaClassifier((8,), random_state=0).fit(X[:50], y[:50])
    assert len(nowhere.certificate_.contradictions) == 0


def test_width_that_the_advice_asks_for_helps():
    rng = np.random.RandomState(0)
    X = rng.normal(size=(120, 2))
    y = (X[:, 0] * X[:, 1] > 0).astype(int)
    small = GoodMinimaClassifier((1,), alpha=1e-3, max_escapes=0, random_state=0)
    certificate = small.fit(X, y).certificate_
    assert "width" in said(certificate)
    wide = GoodMinimaClassifier((2,), alpha=1e-3, n_init=4, random_state=0).fit(X, y)
    gained = certificate.objective - wide.certificate_.objective
    assert gained >= certificate.witness.decrease > 0.01 * certificate.objective


@pytest.mark.parametrize("alpha", [0, 1e-4, "auto", 1.0])
@pytest.mark.parametrize("loss", LOSSES)
def test_no_advice_that_the_caveat_contradicts(loss, alpha):
    X = np.random.RandomState(0).normal(size=(40, 2))
    y = np.tile([0, 1], 20)
    model = GoodMinimaClassifier(
        (2,), loss=loss, alpha=alpha, max_escapes=0, random_state=0
    )
    certificate = model.fit(X, y).certificate_
    if certificate.caveat:
        assert certificate.advice == "" and alpha == 0
    if alpha == 0:
        assert not {"alpha", "width"} & said(certificate)
    else:
        assert "bad minimum" not in said(certificate)


def test_the_advice_knows_the_predictions_of_the_constant_network():
    objective, theta = random_objective(alpha=0.1)
    loss = Predictions(objective, 0 * theta).loss
    found = diagnosed(_certificate(loss=loss), objective)
    assert loss > constant_loss(objective)
    assert "holds the training loss at 100 %" in found.advice
