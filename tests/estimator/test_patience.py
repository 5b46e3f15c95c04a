"""Parameters that ask for patience, and the attributes that tell of it."""

import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_iris, make_moons
from sklearn.exceptions import ConvergenceWarning

from skgoodmin import GoodMinimaClassifier, GoodMinimaClassifierCV

X, y = make_moons(100, noise=0.25, random_state=0)
IRIS = load_iris(return_X_y=True)
WAYS = [
    {},
    {"training": "joint"},
    {"early_stopping": True},
    {"n_init": 3},
    {"alpha": 0.0},
    {"special_neuron": None},
    {"loss": "log_loss"},
]


def _model(**parameters):
    return GoodMinimaClassifier((4,), **{"random_state": 0, "alpha": 0.2} | parameters)


@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize("max_iter", [1, 3, 10, 25, 1000])
def test_n_iter_below_max_iter_means_not_stopped_by_it(way, max_iter):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = _model(max_iter=max_iter, **way).fit(X, y)
    stopped = any("max_iter iterations" in str(w.message) for w in caught)
    assert 1 <= model.n_iter_ <= max_iter
    assert model.n_iter_ == max_iter if stopped else not caught
    assert len(model.loss_curve_) >= model.n_iter_


def test_the_curve_counts_the_runs_before_escapes():
    with pytest.warns(ConvergenceWarning, match="max_iter"):
        model = _model(max_iter=10).fit(X, y)
    assert model.n_escapes_ > 0 and model.n_iter_ == 10
    assert len(model.loss_curve_) > 2 * 10


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_tol_0(way):
    model = _model(tol=0, max_iter=3000, **way)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(X, y)
    assert model.converged_ or way.get("early_stopping")
    loose = clone(model).set_params(tol=1e-4).fit(X, y)
    assert model.loss_ <= loose.loss_ or way.get("early_stopping")


# How near to 0 a gradient comes in float32 is for the processor to say.
@pytest.mark.filterwarnings("ignore:.*convert the data to float64")
def test_tol_0_in_float32_sparse_partial_fit_and_cv():
    for rows in (X.astype(np.float32), sparse.csr_array(X)):
        model = _model(tol=0).fit(rows, y).partial_fit(rows, y)
        assert np.isfinite(model.loss_)
    GoodMinimaClassifierCV((3,), alphas=2, cv=2, tol=0, random_state=0).fit(X, y)


def test_tol_below_0_is_refused():
    with pytest.raises(ValueError, match="'tol' parameter"):
        _model(tol=-1e-9).fit(X, y)


def test_infinite_patience():
    with pytest.raises(ValueError, match="'n_iter_no_change' parameter"):
        _model(n_iter_no_change=1.5).fit(X, y)
    model = _model(early_stopping=True, n_iter_no_change=np.inf).fit(X, y)
    short = _model(early_stopping=True, n_iter_no_change=1).fit(X, y)
    assert model.converged_ and model.n_iter_ > short.n_iter_
    assert model.best_validation_score_ >= short.best_validation_score_
    many = _model(early_stopping=True, n_iter_no_change=10**6).fit(X, y)
    np.testing.assert_array_equal(model.coefs_[0], many.coefs_[0])


@pytest.mark.parametrize("training", ["escape", "joint"])
def test_without_early_stopping_the_scores_are_none(training):
    for model in (
        _model(training=training).fit(X, y),
        _model(training=training).partial_fit(X, y),
        GoodMinimaClassifierCV((3,), alphas=1, cv=2, training=training).fit(X, y),
    ):
        assert model.validation_scores_ is None
        assert model.best_validation_score_ is None


@pytest.mark.parametrize("n_init", [1, 3])
@pytest.mark.parametrize("data", [(X, y), IRIS, (X, np.column_stack([y, 1 - y]))])
def test_a_start_that_rests_at_once_is_scored(data, n_init):
    """All of them do with this tol."""
    model = _model(early_stopping=True, tol=1e6, n_init=n_init).fit(*data)
    assert len(model.validation_scores_) == 1
    assert model.best_validation_score_ == model.validation_scores_[0] >= 0.0
    assert model.n_iter_ == 1 and model.converged_


def test_a_start_that_rests_at_once_can_win():
    """A trained network goes on at rest; the random one is stopped on its way."""
    trained = _model(warm_start=True, tol=1e-2).fit(X, y)
    accuracy = trained.score(X, y)
    trained.set_params(early_stopping=True, tol=10.0, n_init=2, max_iter=1)
    trained.random_state = 3
    trained.fit(X, y)
    assert trained.best_validation_score_ > 0.5
    assert trained.best_init_ == 0 and trained.score(X, y) == accuracy
    before = [c.copy() for c in trained.coefs_]
    trained.partial_fit(X, y)
    for now, then in zip(trained.coefs_, before, strict=True):
        np.testing.assert_array_equal(now, then)
