"""The classifier inside scikit-learn's tools, with frames, processes and threads."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import sklearn
from joblib import parallel_config
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import BaggingClassifier, StackingClassifier
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skgoodmin
from skgoodmin import GoodMinimaClassifier


@pytest.fixture(scope="module")
def data():
    X, y = load_breast_cancer(return_X_y=True)
    return StandardScaler().fit_transform(X[:300, :10]), y[:300]


def _model(**parameters):
    return GoodMinimaClassifier((6,), random_state=0, **{"alpha": 0.1} | parameters)


def test_grid_search_in_a_pipeline(data):
    pipeline = make_pipeline(StandardScaler(), _model())
    search = GridSearchCV(pipeline, {"goodminimaclassifier__alpha": [0.01, 0.1]}, cv=3)
    assert search.fit(*data).best_score_ > 0.9


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_two_jobs(data, backend):
    serial = cross_validate(_model(), *data, cv=4)
    with parallel_config(backend):
        parallel = cross_validate(_model(), *data, cv=4, n_jobs=2)
    np.testing.assert_array_equal(serial["test_score"], parallel["test_score"])


@pytest.mark.parametrize(
    "meta",
    [
        CalibratedClassifierCV(_model(), cv=3),
        StackingClassifier([("net", _model())], LogisticRegression(), cv=3),
        BaggingClassifier(_model(), n_estimators=3, random_state=0),
        OneVsRestClassifier(_model()),
    ],
    ids=lambda meta: type(meta).__name__,
)
def test_meta_estimators(data, meta):
    X, y = data
    assert meta.fit(X, y).score(X, y) > 0.9
    assert meta.predict_proba(X).shape == (len(X), 2)


def test_permutation_importance(data):
    result = permutation_importance(
        _model().fit(*data), *data, n_repeats=3, random_state=0
    )
    assert result.importances_mean.max() > 0.01


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_and_string_labels(data, library):
    frames = pytest.importorskip(library)
    X, y = data
    names = [f"feature {j}" for j in range(X.shape[1])]
    X_frame = frames.DataFrame({name: X[:, j] for j, name in enumerate(names)})
    labels = np.array(["benign", "malignant"])[y]
    model = _model().fit(X_frame, frames.Series(labels))
    assert list(model.feature_names_in_) == names
    assert set(model.predict(X_frame)) == {"benign", "malignant"}
    np.testing.assert_array_equal(model.coefs_[0], _model().fit(X, y).coefs_[0])
    model.fit(X, y)
    assert not hasattr(model, "feature_names_in_")


def test_metadata_routing(data):
    X, y = data
    weight = np.random.RandomState(0).randint(3, size=len(y)).astype(float)
    with sklearn.config_context(enable_metadata_routing=True):
        model = _model().set_fit_request(sample_weight=True)
        model.set_score_request(sample_weight=True)
        pipeline = make_pipeline(
            StandardScaler().set_fit_request(sample_weight=False), model
        )
        accuracy = get_scorer("accuracy").set_score_request(sample_weight=True)
        given = {"sample_weight": weight}
        scores = cross_validate(pipeline, X, y, params=given, cv=3, scoring=accuracy)
        assert pipeline.fit(X, y, **given).score(X, y, **given) > 0.9
    assert (scores["test_score"] > 0.8).all()


def test_memory_maps_and_read_only_arrays(data, tmp_path):
    X, y = data
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    np.testing.assert_array_equal(
        _model().fit(mapped, y).coefs_[0],
        _model().fit(np.asfortranarray(X), y).coefs_[0],
    )


PREDICT = """
import pickle, sys
import skgoodmin
model, X = pickle.load(open(sys.argv[1], "rb"))
model.predict_proba(X)
bad = [m for m in sys.modules if m.split(".")[0] in ("numba", "llvmlite")]
assert not bad, bad
"""


def test_predicting_imports_no_compiler(data, tmp_path):
    import pickle

    X, y = data
    (tmp_path / "model.pkl").write_bytes(pickle.dumps((_model().fit(X, y), X)))
    subprocess.run(
        [sys.executable, "-c", PREDICT, str(tmp_path / "model.pkl")], check=True
    )


FIT = """
import numpy as np, sys, skgoodmin
X = np.random.RandomState(0).normal(size=(40, 3))
y = (X[:, 0] > 0).astype(int)
model = skgoodmin.GoodMinimaClassifier((3,), alpha=0.2, random_state=0).fit(X, y)
assert model.score(X, y) > 0.9
np.save(sys.argv[1], model.coefs_[0])
"""


def _fit_elsewhere(out, **environment):
    environment = os.environ | {"PYTHONPATH": str(SOURCE.parent)} | environment
    subprocess.run([sys.executable, "-c", FIT, str(out)], check=True, env=environment)
    return np.load(out)


SOURCE = Path(skgoodmin.__file__).parent


@pytest.mark.slow
def test_read_only_install_without_a_home(tmp_path):
    """No place to cache: the fit compiles, works, and gives the same result."""
    script = (
        "import numba.core.caching as c\n"
        "def refuse(*args, **kwargs): raise RuntimeError('no locator available')\n"
        "c.FunctionCache.__init__ = refuse\n"
    )
    (tmp_path / "sitecustomize.py").write_text(script)
    expected = _fit_elsewhere(tmp_path / "a.npy")
    found = _fit_elsewhere(
        tmp_path / "b.npy", PYTHONPATH=f"{tmp_path}{os.pathsep}{SOURCE.parent}"
    )
    np.testing.assert_array_equal(expected, found)


@pytest.mark.slow
def test_without_the_compiler(tmp_path):
    """NUMBA_DISABLE_JIT=1 runs the same source as plain Python."""
    expected = _fit_elsewhere(tmp_path / "a.npy")
    found = _fit_elsewhere(tmp_path / "b.npy", NUMBA_DISABLE_JIT="1")
    np.testing.assert_allclose(expected, found, rtol=0.01, atol=0.02)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_optuna(data):
    optuna = pytest.importorskip("optuna")
    X, y = data

    def objective(trial):
        model = GoodMinimaClassifier(
            (trial.suggest_int("units", 2, 8),),
            trial.suggest_categorical("activation", ["relu", "tanh"]),
            alpha=trial.suggest_float("alpha", 1e-4, 1.0, log=True),
            max_iter=50,
            random_state=0,
        )
        model = make_pipeline(StandardScaler(), model)
        return cross_val_score(model, X, y, cv=3).mean()

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        direction="maximize", sampler=optuna.samplers.RandomSampler(seed=0)
    )
    study.optimize(objective, n_trials=6, n_jobs=2)
    values = [trial.value for trial in study.trials]
    assert len(values) == 6 and study.best_value == max(values) > 0.9
    assert len(set(values)) > 1
