"""Parameters that are set after a fit are for the next one."""

import numpy as np
import pytest
from sklearn.datasets import make_moons

import skgoodmin.onnx
from skgoodmin import (
    CertificateDisplay,
    GoodMinimaClassifier,
    GoodMinimaClassifierCV,
    GoodMinimaRegressor,
    LandscapeDisplay,
)
from skgoodmin.kernels.activations import ACTIVATIONS
from skgoodmin.objective.canonical_rows import canonical_rows
from skgoodmin.objective.layout import ParameterLayout
from skgoodmin.objective.losses import Logistic
from skgoodmin.objective.objective import Objective

X, Y = make_moons(60, noise=0.2, random_state=0)
GIVEN = {"alpha": 0.01, "random_state": 0, "max_iter": 30}
MODELS = {
    "classifier": lambda: GoodMinimaClassifier((4, 4), **GIVEN),
    "without decay": lambda: GoodMinimaClassifier((4,), **GIVEN | {"alpha": 0}),
    "regressor": lambda: GoodMinimaRegressor((4, 4), loss="huber", **GIVEN),
    "path": lambda: GoodMinimaClassifierCV(
        (4, 4), alphas=[0.1, 0.01], cv=2, random_state=0, max_iter=30
    ),
}
OTHERS = {
    "hidden_layer_sizes": [(4,), (20, 10), (), (4, 3, 2)],
    "activation": ["tanh"],
    "loss": ["log_loss", "squared_error"],
    "degree": [2],
    "epsilon": [0.01],
    "class_weight": ["balanced", {0: 1, 1: 5}],
    "alpha": [1.0],
    "neuron_alpha": [50.0],
    "special_neuron": [None],
    "max_iter": [1],
}


def _answers(model):
    """All that a fitted model says."""
    found = [model.predict(X), str(model.certify(X, Y, effort=0.1))]
    if hasattr(model, "predict_proba"):
        found += [model.predict_proba(X), model.decision_function(X)]
    display = CertificateDisplay.from_estimator(model, X, Y)
    landscape = LandscapeDisplay.from_estimator(
        model, X, Y, neuron=model.alpha_ == 0, n_points=3, random_state=0
    )
    return [*found, display.margins, display.gap_shares, landscape.objective]


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_fitted_model_answers_as_it_was_fitted(kind):
    plt = pytest.importorskip("matplotlib.pyplot")
    model = MODELS[kind]().fit(X, Y)
    before, parameters = _answers(model), model.get_params()
    for name, values in OTHERS.items():
        for value in values if name in parameters else ():
            model.set_params(**{name: value})
            for now, then in zip(_answers(model), before, strict=True):
                np.testing.assert_array_equal(now, then)
            model.set_params(**{name: parameters[name]})
            plt.close("all")


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_to_mlp_is_of_the_fit():
    model = GoodMinimaClassifier((4,), loss="log_loss", **GIVEN).fit(X, Y)
    expected = model.to_mlp().predict_proba(X)
    model.set_params(loss="poly_hinge", activation="softplus")
    np.testing.assert_array_equal(model.to_mlp().predict_proba(X), expected)
    model = GoodMinimaClassifier((4,), **GIVEN).fit(X, Y).set_params(loss="log_loss")
    with pytest.raises(ValueError, match="got loss='poly_hinge'"):
        model.to_mlp()


@pytest.mark.parametrize("length", [0, 16, 18])
def test_no_kernel_sees_parameters_of_another_length(length):
    labels = (Y[:, None] > 0).astype(np.int32)
    model = ParameterLayout((2, 4, 1)), ACTIVATIONS["relu"], Logistic(), 0.1
    objective = Objective(canonical_rows(X, labels), *model)
    assert np.isfinite(objective.value_and_gradient(np.zeros(17))[0])
    told = f"theta must have 17 numbers .* got {length} and 0"
    with pytest.raises(ValueError, match=told):
        objective.value_and_gradient(np.zeros(length))
    with pytest.raises(ValueError, match="a neuron 4, got 17 and 3"):
        objective.evaluate(np.zeros(17), np.zeros(3))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_onnx_is_of_the_fit():
    to_onnx = pytest.importorskip("skl2onnx").to_onnx
    skgoodmin.onnx.register()
    model = GoodMinimaClassifier((4,), **GIVEN).fit(X, Y)
    before = to_onnx(model, X[:1]).graph
    model.set_params(activation="tanh", loss="log_loss", degree=2)
    assert str(to_onnx(model, X[:1]).graph.node) == str(before.node)


def test_class_weights_that_change_in_place_are_for_the_next_fit():
    weights = {0: 1.0, 1: 2.0}
    model = GoodMinimaClassifier((4,), class_weight=weights, alpha=0.1, random_state=0)
    before = model.fit(X, Y).certify(X, Y, effort=0)
    weights[1] = 20.0
    assert model.certify(X, Y, effort=0) == before
