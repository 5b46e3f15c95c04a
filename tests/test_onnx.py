"""Graphs that run in onnxruntime with the labels and probabilities of the model."""

import warnings

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris
from sklearn.ensemble import BaggingClassifier, StackingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skgoodmin.onnx
from skgoodmin import (
    GoodMinimaClassifier,
    GoodMinimaClassifierCV,
    GoodMinimaRegressor,
    GoodMinimaRegressorCV,
)
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
def _run(pipeline, X, options=None):
    skgoodmin.onnx.register()
    options = {"zipmap": False} if options is None else options
    graph = skl2onnx.to_onnx(pipeline, X[:1], options=options)
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


def test_labels_that_are_floats_are_whole_numbers():
    model = GoodMinimaClassifier((3,), alpha=0.1, random_state=0)
    _check(model, y * 1.0, 1e-6)


@pytest.mark.parametrize("target", ["text", "several"])
def test_without_texts_of_classes_they_are_numbered(target):
    model = GoodMinimaClassifier((3,), alpha=0.1, random_state=0)
    model.fit(X, TARGETS[target])
    labels, _ = _run(model, X, {"zipmap": False, "nocl": True})
    expected = model.predict(X)
    if target == "text":
        expected = np.searchsorted(model.classes_, expected)
    np.testing.assert_array_equal(labels, expected)


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


@pytest.mark.parametrize("target", ["two", "several"])
def test_far_from_all_rows(target):
    """The square of a raw prediction overflows there."""
    data = X.astype(np.float32)
    model = GoodMinimaClassifier((5,), tol=1e-3, random_state=0)
    pipeline = make_pipeline(StandardScaler(), model).fit(data, TARGETS[target])
    far = data * np.float32(1e25)
    labels, probabilities = _run(pipeline, far)
    np.testing.assert_array_equal(labels, pipeline.predict(far))
    expected = pipeline.predict_proba(far)
    np.testing.assert_allclose(probabilities, expected, atol=1e-4)


def test_the_cv_estimator_and_no_hidden_layer():
    cv = GoodMinimaClassifierCV((4,), alphas=2, cv=2, tol=1e-3, random_state=0)
    _check(cv, y, 1e-6)
    _check(GoodMinimaClassifier((), random_state=0, degree=2), y, 1e-6)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("loss", ["poly_hinge", "log_loss"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_raw_scores(target, loss, dtype):
    data = X.astype(dtype)
    model = GoodMinimaClassifier((5,), loss=loss, tol=1e-3, random_state=0)
    model.fit(data, TARGETS[target])
    options = {id(model): {"zipmap": False, "raw_scores": True}}
    labels, scores = _run(model, data, options)
    np.testing.assert_array_equal(labels, model.predict(data))
    raw = model.decision_function(data)
    expected = np.column_stack([-raw, raw]) if raw.ndim == 1 else raw
    tolerance = 1e-9 if dtype is np.float64 else 1e-4
    np.testing.assert_allclose(scores, expected, rtol=tolerance, atol=tolerance)


def _nearest(calibrator, scores):
    """skl2onnx takes the nearest threshold of an isotonic step, between two of them."""
    steps = calibrator.X_thresholds_
    nearest = np.abs(scores[:, None] - steps).argmin(axis=1)
    return calibrator.y_thresholds_[nearest]


@pytest.mark.parametrize("target", ["two", "several", "text"])
@pytest.mark.parametrize("ensemble", [True, False])
@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
@pytest.mark.parametrize("kind", [GoodMinimaClassifier, GoodMinimaClassifierCV])
def test_calibrated(kind, method, ensemble, target):
    few = {"alphas": 1, "cv": 2} if kind is GoodMinimaClassifierCV else {}
    inner = kind((4,), tol=1e-3, random_state=0, **few)
    model = CalibratedClassifierCV(inner, method=method, ensemble=ensemble, cv=2)
    model.fit(X, TARGETS[target])
    expected = model.predict_proba(X)
    if method == "isotonic":
        parts = []
        for part in model.calibrated_classifiers_:
            raw = part.estimator.decision_function(X)
            raw = raw[:, None] if raw.ndim == 1 else raw
            columns = zip(part.calibrators, raw.T, strict=True)
            found = np.column_stack([_nearest(c, f) for c, f in columns])
            if found.shape[1] == 1:
                found = np.hstack([1 - found, found])
            total = found.sum(axis=1, keepdims=True)
            uniform = np.full_like(found, 1 / found.shape[1])
            parts.append(np.divide(found, total, out=uniform, where=total != 0))
        expected = np.mean(parts, axis=0)
    labels, probabilities = _run(model, X)
    np.testing.assert_allclose(probabilities, expected, atol=1e-6)
    names = model.classes_[expected.argmax(axis=1)]
    sure = np.sort(expected, axis=1)[:, -2:] @ [-1, 1] > 1e-6
    np.testing.assert_array_equal(labels[sure], names[sure])


# No classifier converts in a stack of two classes on decision_function: skl2onnx hands
# both columns to a final estimator of one.
@pytest.mark.parametrize(
    "method, target",
    [
        ("decision_function", "several"),
        ("predict_proba", "several"),
        ("predict_proba", "two"),
    ],
)
def test_stacked(method, target):
    inner = GoodMinimaClassifier((4,), tol=1e-3, random_state=0)
    model = StackingClassifier(
        [("inner", inner)], LogisticRegression(), cv=2, stack_method=method
    ).fit(X, TARGETS[target])
    labels, probabilities = _run(model, X)
    np.testing.assert_array_equal(labels, model.predict(X))
    np.testing.assert_allclose(probabilities, model.predict_proba(X), atol=1e-5)


def test_bagged():
    inner = GoodMinimaClassifier((4,), tol=1e-3, random_state=0)
    model = BaggingClassifier(inner, 2, random_state=0).fit(X, y)
    _, probabilities = _run(model, X)
    np.testing.assert_allclose(probabilities, model.predict_proba(X), atol=1e-6)


@pytest.mark.parametrize("n_targets", [1, 2])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_regressors(n_targets, dtype):
    data, target = X[:, :2].astype(dtype), 1e3 + 50 * X[:, 2 : 2 + n_targets]
    target = target[:, 0] if n_targets == 1 else target
    cv = GoodMinimaRegressorCV((4,), alphas=2, cv=2, tol=1e-3, random_state=0)
    for model in (GoodMinimaRegressor((5, 3), alpha=0.1, random_state=0), cv):
        pipeline = make_pipeline(StandardScaler(), model).fit(data, target)
        (found,) = _run(pipeline, data, {})
        expected = pipeline.predict(data).reshape(len(data), -1)
        np.testing.assert_allclose(found, expected, rtol=1e-5)
