"""Graphs that run in onnxruntime with the labels and probabilities of the model."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skgoodmin.onnx
from skgoodmin import GoodMinimaClassifier, GoodMinimaClassifierCV
from skgoodmin.kernels.activations import ACTIVATIONS
from skgoodmin.objective.losses import LOSSES

runtime = pytest.importorskip("onnxruntime")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    skl2onnx = pytest.importorskip("skl2onnx")

X, y = load_iris(return_X_y=True)
TARGETS = {
    "two": (y > 0).astype(int),
    "several": y + 5,
    "text": np.array(["a", "b", "c"])[y],
    "multilabel": np.column_stack([y > 0, y > 1]).astype(int),
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def _run(pipeline, X):
    skgoodmin.onnx.register()
    graph = skl2onnx.to_onnx(pipeline, X[:1], options={"zipmap": False})
    session = runtime.InferenceSession(
        graph.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, {session.get_inputs()[0].name: X})


def _check(model, target, tolerance, data=X):
    pipeline = make_pipeline(StandardScaler(), model).fit(data, target)
    labels, probabilities = _run(pipeline, data)
    np.testing.assert_array_equal(labels, pipeline.predict(data))
    expected = pipeline.predict_proba(data)
    np.testing.assert_allclose(probabilities, expected, atol=tolerance)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_labels_and_probabilities(activation, loss, target):
    model = GoodMinimaClassifier(
        (5, 3), activation, loss=loss, alpha=1e-3, tol=1e-3, random_state=0
    )
    _check(model, TARGETS[target], 1e-6)


@pytest.mark.parametrize("target", TARGETS)
def test_float32(target):
    model = GoodMinimaClassifier((5,), tol=1e-3, random_state=0)
    _check(model, TARGETS[target], 1e-5, X.astype(np.float32))


def test_the_cv_estimator_and_no_hidden_layer():
    cv = GoodMinimaClassifierCV((4,), alphas=2, cv=2, tol=1e-3, random_state=0)
    _check(cv, y, 1e-6)
    _check(GoodMinimaClassifier((), random_state=0, degree=2), y, 1e-6)
