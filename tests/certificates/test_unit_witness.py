"""The unit of a witness, appended to the network, in extended precision."""

import numpy as np
import pytest
import scipy.sparse as sp
from problems import random_objective, reference_activation, reference_loss

from skgoodmin import GoodMinimaClassifier, Status
from skgoodmin.certificates.certify import Ending, certify, with_weight_decay
from skgoodmin.certificates.witness import switched_on, unit
from skgoodmin.estimator.setup import posed_again
from skgoodmin.kernels.activations import ACTIVATIONS
from skgoodmin.objective.losses import LOSSES
from skgoodmin.objective.predictions import Predictions

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
LONG = np.longdouble


def objective_of(objective, coefs, intercepts):
    """Mean loss and penalty of any network, in extended precision."""
    data = objective.data
    X = data.block()
    a = (X.toarray() if data.rows.sparse else X).astype(LONG)
    act = reference_activation(objective.activation.name)
    for w, b in zip(coefs[:-1], intercepts[:-1], strict=True):
        a = act(a @ w.astype(LONG) + b.astype(LONG))
    raw = a @ coefs[-1].astype(LONG) + intercepts[-1].astype(LONG)
    weights = data.weights.astype(LONG)
    loss = (weights @ reference_loss(objective.loss, raw, data.labels)) / weights.sum()
    penalty = sum((w.astype(LONG) ** 2).sum() for w in coefs)
    return loss + LONG(objective.alpha) / 2 * penalty


def realised(objective, theta, witness):
    """By how much the objective falls when the unit is appended."""
    (inner, outer), (inner_c, outer_c) = objective.layout.unpack(theta)
    wider = [
        np.hstack([inner, witness.coef[:, None]]),
        np.vstack([outer, witness.amplitude[None]]),
    ]
    intercepts = [np.append(inner_c, witness.intercept), outer_c]
    before = objective_of(objective, [inner, outer], [inner_c, outer_c])
    return before - objective_of(objective, wider, intercepts)


@pytest.mark.parametrize("options", [{}, {"n_outputs": 3}, {"sparse": True}], ids=str)
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_a_unit_for_a_large_table_is_seen_by_some_rows(
    activation, options, monkeypatch
):
    monkeypatch.setattr("skgoodmin.objective.objective.LARGE", 50)
    monkeypatch.setattr("skgoodmin.certificates.certify.SOME_ROWS", 40)
    options = {"alpha": 1e-4, "seed": 1, "n": 80} | options
    objective, theta = random_objective((3,), activation, "poly_hinge", **options)
    rng = np.random.RandomState(0)
    found = certify(Predictions(objective, theta), Ending(), rng)
    assert found.status is Status.IMPROVABLE
    assert 0 < found.witness.decrease <= realised(objective, theta, found.witness)
    none = certify(Predictions(objective, theta), Ending(), rng, special_neuron=False)
    assert none.witness is None


def test_no_unit_is_looked_for_in_a_deep_network_on_a_large_table(monkeypatch):
    monkeypatch.setattr("skgoodmin.objective.objective.LARGE", 50)
    objective, theta = random_objective((3, 2), "relu", alpha=1e-4)
    rng = np.random.RandomState(0)
    assert certify(Predictions(objective, theta), Ending(), rng).witness is None


def test_nor_in_a_table_too_wide_for_some_rows():
    """As of HashingVectorizer: more columns than the numbers that are looked at."""
    X = sp.random_array((17, 2**18 + 1), density=1e-4, format="csr", random_state=0)
    y = np.arange(17) % 2
    model = GoodMinimaClassifier((2,), alpha=0.01, max_iter=3, random_state=0)
    certificate = model.fit(X, y).certificate_
    assert certificate.witness is None and "large" in certificate.caveat


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"n_outputs": 3, "weights": True},
        {"n_outputs": 2, "multilabel": True},
        {"dtype": np.float32},
        {"sparse": True},
    ],
    ids=str,
)
def test_the_unit_lowers_the_objective(options, loss, activation):
    options = {"alpha": 1e-5, "seed": 1} | options
    objective, theta = random_objective((2,), activation, loss, **options)
    predictions = Predictions(objective, theta)
    witness = with_weight_decay(predictions, True, 0)[1]
    assert witness.kind == f"{activation} unit"
    assert witness.coef.shape == (3,)
    assert witness.amplitude.shape == (objective.n_outputs,)
    fall = realised(objective, theta, witness)
    assert 0 < witness.decrease <= fall
    # Rounding takes little of it.
    np.testing.assert_allclose(float(fall), witness.decrease, rtol=1e-6)
    assert with_weight_decay(predictions, False, 0)[1] is None


@pytest.mark.parametrize("activation", ["relu", "tanh", "softplus", "silu"])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_of_fits_that_are_stuck(scale, activation):
    rng = np.random.RandomState(0)
    X = rng.normal(size=(60, 2))
    y = (X[:, 0] * X[:, 1] > 0).astype(int)
    model = GoodMinimaClassifier(
        (1,), activation, alpha=1e-4, max_escapes=0, random_state=0
    )
    model.fit(scale * X, y)
    objective, theta, _ = posed_again(model, scale * X, y)
    for certificate in (
        model.certificate_,
        model.certify(scale * X, y, effort=0.1),
    ):
        witness = certificate.witness
        if witness is None:  # a unit whose scale is not free may not pay for itself
            assert activation != "relu" and certificate.status.name == "BOUNDED"
            assert scale < 1.0
            continue
        fall = realised(objective, theta, witness)
        assert 0 < witness.decrease <= fall


def test_relu_units_have_the_scale_that_costs_least():
    objective, theta = random_objective((2,), "relu", alpha=1e-3)
    witness = with_weight_decay(Predictions(objective, theta), True, 0)[1]
    np.testing.assert_allclose(
        np.linalg.norm(witness.coef), np.linalg.norm(witness.amplitude), rtol=1e-10
    )


def test_no_unit_where_it_costs_more_than_it_brings():
    """Against the bound that |sum r phi| <= alpha ||w|| sets, at any amplitude."""
    objective, theta = random_objective((2,), "relu", alpha=100.0)
    predictions = Predictions(objective, 0 * theta)
    rng = np.random.RandomState(0)
    for _ in range(20):
        w, b = rng.normal(size=3), rng.normal()
        neuron = unit(w, b, objective.activation, objective.alpha)
        assert switched_on(predictions, neuron) is None
    assert with_weight_decay(predictions, True, 0)[1] is None
