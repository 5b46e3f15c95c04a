"""Models that leave the process: pickle, joblib, skops, MLPClassifier."""

import pickle

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgoodmin import GoodMinimaClassifier, GoodMinimaClassifierCV
from skgoodmin.estimator import base
from skgoodmin.kernels.activations import ACTIVATIONS

X, y = load_iris(return_X_y=True)


def _fit(**parameters):
    parameters = {"alpha": 0.13, "tol": 1e-3, "random_state": 0} | parameters
    return GoodMinimaClassifier((4,), **parameters).fit(X, y)


def same_certificate(first, second):
    """Values and texts."""
    assert first == second and first.bounds == second.bounds
    np.testing.assert_array_equal(first.contradictions, second.contradictions)
    assert str(first) == str(second) and first._repr_html_() == second._repr_html_()


@pytest.mark.parametrize("alpha", ["auto", 0])
def test_certificates_by_themselves(alpha):
    model = _fit(alpha=alpha)
    for certificate in (model.certificate_, model.certify(X, y, effort=0)):
        same_certificate(pickle.loads(pickle.dumps(certificate)), certificate)
        again = type(certificate).from_dict(certificate.to_dict())
        same_certificate(again, certificate)
    repeated = _fit(alpha=alpha).fit(np.vstack([X, X[:2]]), np.r_[y, 1, 2])
    rows = repeated.certificate_.contradictions
    assert {0, 1, 150, 151} <= set(rows.tolist())
    same_certificate(
        pickle.loads(pickle.dumps(repeated)).certificate_, repeated.certificate_
    )


def test_pickle_and_joblib_keep_everything(tmp_path):
    model = _fit()
    joblib.dump(model, tmp_path / "model")
    for again in (pickle.loads(pickle.dumps(model)), joblib.load(tmp_path / "model")):
        assert vars(again).keys() == vars(model).keys()
        np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
        first, second = again.certificate_, model.certificate_
        assert first.status is second.status and first.gap == second.gap
        same_certificate(first, second)
        assert clone(again).get_params() == model.get_params()


def test_another_version_is_a_warning(monkeypatch):
    saved = pickle.dumps(_fit())
    monkeypatch.setattr(base, "__version__", "9.9")
    with pytest.warns(UserWarning, match=r"saved by skgoodmin .* loaded by 9\.9"):
        pickle.loads(saved)


@pytest.mark.parametrize(
    "estimator",
    [
        GoodMinimaClassifier((4,), tol=1e-3, random_state=0),
        GoodMinimaClassifierCV((4,), tol=1e-3, alphas=2, cv=2, random_state=0),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_skops_needs_one_trusted_type(estimator):
    sio = pytest.importorskip("skops.io")
    model = make_pipeline(StandardScaler(), clone(estimator)).fit(X, y)
    stored = sio.dumps(model)
    untrusted = sio.get_untrusted_types(data=stored)
    assert [name.split(".")[-1] for name in untrusted] == [type(estimator).__name__]
    again = sio.loads(stored, trusted=untrusted)
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    same_certificate(again[-1].certificate_, model[-1].certificate_)


@pytest.mark.parametrize("activation", [n for n, a in ACTIVATIONS.items() if a.in_mlp])
@pytest.mark.parametrize("target", ["two", "several", "text", "multilabel"])
def test_to_mlp_predicts_the_same(activation, target):
    labels = {
        "two": (y > 0).astype(int),
        "several": y,
        "text": np.array(["a", "b", "c"])[y],
        "multilabel": np.column_stack([y > 0, y > 1]).astype(int),
    }[target]
    model = GoodMinimaClassifier(
        (5, 3), activation, loss="log_loss", alpha=1e-3, tol=1e-3, random_state=0
    ).fit(X, labels)
    mlp = model.to_mlp()
    np.testing.assert_array_equal(mlp.predict(X), model.predict(X))
    np.testing.assert_allclose(
        mlp.predict_proba(X), model.predict_proba(X), rtol=1e-9, atol=1e-12
    )
    assert mlp.hidden_layer_sizes == (5, 3) and mlp.score(X, labels) > 0.6


def test_to_mlp_says_what_it_can_not():
    with pytest.raises(ValueError, match="loss='log_loss'"):
        _fit().to_mlp()
    with pytest.raises(ValueError, match="activation='silu'"):
        _fit(loss="log_loss", activation="silu").to_mlp()
