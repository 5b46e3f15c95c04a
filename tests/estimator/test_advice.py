"""Warnings and errors that are true of the data at hand."""

from dataclasses import replace

import numpy as np
import pytest
from problems import random_objective
from scipy import sparse
from sklearn.datasets import load_iris, load_wine, make_moons
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    StandardScaler,
)

from skgoodmin import GoodMinimaClassifier, GoodMinimaRegressor
from skgoodmin.objective.canonical_rows import canonical_rows
from skgoodmin.objective.losses import Logistic
from skgoodmin.objective.scaling import is_scaled

WINE, _ = load_wine(return_X_y=True)
rng = np.random.RandomState(0)
WORDS = [" ".join(rng.choice(list("abcdefgh"), 30)) for _ in range(50)]
SPARSE = sparse.random(500, 20, 0.01, "csr", random_state=0) * 1e6
SCALED = {
    "standard": StandardScaler().fit_transform(WINE),
    "min-max": MinMaxScaler().fit_transform(WINE),
    "one-hot": OneHotEncoder().fit_transform(WINE[:, :2].round()),
    "rare": StandardScaler(with_mean=False).fit_transform(SPARSE),
    "max-abs": MaxAbsScaler().fit_transform(SPARSE),
    "TF-IDF": TfidfVectorizer(token_pattern=r"\w").fit_transform(WORDS),
    "a constant column": np.column_stack([np.zeros(20), rng.normal(size=20)]),
}
UNSCALED = {
    "wine": WINE,
    "pixels": rng.randint(0, 256, size=(40, 5)).astype(float),
    "one large column": rng.normal(size=(40, 3)) * [1, 1, 1e3],
    "one small column": rng.normal(size=(40, 3)) * [1, 1, 1e-5],
    "far from 0": rng.normal(size=(40, 2)) + [0, 500],
    "sparse": SPARSE,
    "squares overflow": rng.normal(size=(40, 2)) * 1e200,
    "float32": (rng.normal(size=(40, 2)) * 1e25).astype(np.float32),
}


def _rows(X):
    X = sparse.csr_array(X) if sparse.issparse(X) else X
    return canonical_rows(X, np.zeros((X.shape[0], 1), dtype=np.int32), None)


@pytest.mark.parametrize("name", SCALED)
def test_scaled(name):
    assert is_scaled(_rows(SCALED[name]))


@pytest.mark.parametrize("name", UNSCALED)
def test_unscaled(name):
    assert not is_scaled(_rows(UNSCALED[name]))
    dense = UNSCALED[name]
    dense = dense.toarray() if sparse.issparse(dense) else dense
    assert not is_scaled(_rows(sparse.csr_array(dense)))


def test_equal_warnings_collapse():
    """Two data sets that run out of max_iter: one and the same sentence."""
    messages = set()
    for seed in range(3):
        X, y = make_moons(80, noise=0.2, random_state=seed)
        with pytest.warns(ConvergenceWarning) as caught:
            GoodMinimaClassifier((5,), max_iter=3, random_state=seed).fit(X, y)
        messages |= {str(w.message) for w in caught}
    assert messages == {
        "L-BFGS did not converge: max_iter iterations were done; increase max_iter."
    }


def test_only_data_that_are_not_scaled_are_to_be_scaled():
    X, y = load_wine(return_X_y=True)
    for data, advised in ((X, True), (StandardScaler().fit_transform(X), False)):
        for weight in (None, np.arange(len(y)) % 3):
            model = GoodMinimaClassifier((5,), max_iter=2, random_state=0)
            with pytest.warns(ConvergenceWarning) as caught:
                model.fit(data, y, weight)
            (message,) = {str(w.message) for w in caught}
            assert ("scale the data" in message) is advised
            with pytest.warns(ConvergenceWarning) as caught:
                model.partial_fit(data, y)
            assert ("scale the data" in str(caught[0].message)) is advised


@pytest.mark.parametrize("names", ["abc", [10, 20, 30]], ids=str)
def test_stratification_errors_name_classes(names):
    X, y = load_iris(return_X_y=True)
    keep = np.r_[0:100, 149]  # one row of the third class
    labels = np.array(list(names))[y[keep]]
    model = GoodMinimaClassifier((4,), early_stopping=True)
    for fit in (model.fit, model.partial_fit):
        with pytest.raises(ValueError, match="validation_fraction") as caught:
            fit(X[keep], labels)
        assert str(labels[-1]) in str(caught.value)


def test_float64_is_advised_to_float32_alone():
    from skgoodmin.estimator.advice import advice
    from skgoodmin.training.lbfgs import Exit

    for dtype in (np.float32, np.float64):
        data = _rows(SCALED["standard"].astype(dtype))
        assert ("float64" in advice(Exit.PRECISION, data)) is (dtype is np.float32)


SOME = rng.normal(size=(40, 2))


@pytest.mark.parametrize(
    "model, X, told",
    [
        (GoodMinimaRegressor(alpha=1e308), SOME, "^alpha=1e.308: .*; give one below"),
        (GoodMinimaClassifier(alpha=1e308), SOME, "^alpha=1e.308: .*; give one below"),
        (GoodMinimaRegressor(), SOME * 1e200, "^X: .*; scale the data.$"),
        (GoodMinimaClassifier(), SOME * 1e200, "^X: .*; scale the data.$"),
        (GoodMinimaClassifier(degree=5000), SOME, "^degree=5000: .*; lower degree.$"),
        (GoodMinimaClassifier(degree=9), SOME * 1e99, "; scale .* or lower degree.$"),
    ],
)
def test_what_overflows_at_the_start(model, X, told):
    """The parameter or the array is named, and no parameter that there is not."""
    with pytest.raises(ValueError, match=told):
        model.set_params(random_state=0).fit(X, SOME[:, 0] > 0)


def test_a_loss_without_degree_is_not_told_to_lower_it():
    from skgoodmin.estimator.advice import advice_on_overflow

    objective, _ = random_objective((3,), "tanh", alpha=0.0)
    objective = replace(objective, loss=Logistic())
    assert advice_on_overflow(objective).endswith("; scale the data.")


@pytest.mark.parametrize(
    "model, scale, told",
    [
        (GoodMinimaRegressor((5,), alpha=0.01), 1e20, "network; scale the data.$"),
        (GoodMinimaClassifier((5,), alpha=1e60), 1.0, "network; lower alpha"),
        (
            GoodMinimaClassifier((3, 3), "tanh", alpha=1e149),
            1.0,
            "network; lower alpha",
        ),
    ],
)
def test_what_is_worse_than_a_constant_has_not_converged(model, scale, told):
    y = SOME[:, 0] * SOME[:, 1]
    y = y if isinstance(model, GoodMinimaRegressor) else y > 0
    with pytest.warns(ConvergenceWarning, match=told):
        model.set_params(random_state=0).fit(scale * SOME, y)
    assert not model.converged_
    assert model.certificate_.status.name == "NOT_CONVERGED"


def test_weights_whose_sum_overflows():
    y, heavy = SOME[:, 0] > 0, np.full(40, 1e308)
    model = GoodMinimaClassifier((3,), alpha=0.1)
    for weight in (heavy, heavy * (np.arange(40) == 3)):
        with pytest.raises(
            ValueError, match="^sample_weight: the sum must be .*1e.300"
        ):
            model.fit(SOME, y, weight)
    with pytest.raises(ValueError, match="^class_weight: the sum must be .*1e.300"):
        model.set_params(class_weight={0: 1e308}).fit(SOME, y)


def test_a_tiny_epsilon_has_no_numpy_warning(recwarn):
    model = GoodMinimaRegressor((3,), loss="huber", epsilon=1e-308, random_state=0)
    model.fit(SOME, SOME[:, 0])
    assert not [w for w in recwarn if w.category is RuntimeWarning]


def test_the_warning_names_the_training():
    model = GoodMinimaClassifier(training="grow", alpha=0.01, max_iter=1, tol_gap=0)
    with pytest.warns(ConvergenceWarning, match="^Growing did not converge: max_iter"):
        model.set_params(random_state=0).fit(SOME, SOME[:, 0] * SOME[:, 1] > 0)
