"""Cross-validation over alpha: the path, the scores, the fit that follows."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris, make_classification, make_moons
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import log_loss
from sklearn.model_selection import (
    KFold,
    PredefinedSplit,
    ShuffleSplit,
    StratifiedKFold,
    cross_val_score,
)

from skgoodmin import (
    GoodMinimaClassifier,
    GoodMinimaClassifierCV,
    LossCurveDisplay,
)
from skgoodmin.estimator import fitting, short_fits
from skgoodmin.estimator.setup import pose
from skgoodmin.estimator.short_fits import FEW, MANY

SMALL = {"hidden_layer_sizes": (4,), "tol": 1e-3, "random_state": 0}


@pytest.fixture(scope="module")
def moons():
    return make_moons(150, noise=0.2, random_state=0)


def test_chooses_the_best_mean_score_and_refits(moons):
    X, y = moons
    model = GoodMinimaClassifierCV(**SMALL, alphas=[1e-3, 1.0, 0.03], cv=3).fit(X, y)
    assert model.alphas_.tolist() == [1.0, 0.03, 1e-3]
    assert model.scores_.shape == (3, 3)
    means = model.scores_.mean(axis=0)
    assert model.alpha_ == model.alphas_[means.argmax()]
    assert model.best_score_ == means.max()
    single = GoodMinimaClassifier(**SMALL, alpha=model.alpha_).fit(X, y)
    np.testing.assert_array_equal(model.coefs_[0], single.coefs_[0])
    raw = model.decision_function(X)
    np.testing.assert_array_equal(raw, single.decision_function(X))
    assert model.certificate_.gap == single.certificate_.gap


def test_one_strength_is_a_plain_cross_validation(moons):
    X, y = moons
    folds = StratifiedKFold(4, shuffle=True, random_state=1)
    model = GoodMinimaClassifierCV(**SMALL, alphas=[0.02], cv=folds).fit(X, y)
    plain = GoodMinimaClassifier(**SMALL, alpha=0.02, max_escapes=0, max_iter=FEW)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        scores = cross_val_score(plain, X, y, cv=folds)
    np.testing.assert_array_equal(model.scores_[:, 0], scores)


def test_fits_in_folds_are_short_and_the_last_one_is_whole(moons):
    """Without a warning that they are, unless it was the user who wanted it so."""
    seen = []

    def scoring(model, X, y):
        seen.append(model)
        return model.score(X, y)

    parameters = {"alphas": [3e-4], "cv": 2, "random_state": 0, "scoring": scoring}
    model = GoodMinimaClassifierCV((20,), **parameters).fit(*moons)
    assert [fold.n_iter_ for fold in seen] == 2 * [FEW]
    assert model.n_iter_ > FEW
    for fold in seen:
        assert fold.n_escapes_ == 0 and len(fold.loss_curve_) == FEW + 1
        assert fold.max_iter == 1000 and fold.max_escapes == 3 and fold.tol == 1e-4
    single = GoodMinimaClassifier((20,), alpha=3e-4, random_state=0).fit(*moons)
    np.testing.assert_array_equal(model.coefs_[0], single.coefs_[0])
    seen.clear()
    with pytest.warns(ConvergenceWarning) as caught:
        model.set_params(max_iter=FEW - 5, refit=False).fit(*moons)
    told = [str(w.message).partition(":")[0] for w in caught]
    assert told == [f"Fold {i}, alpha=0.0003" for i in (0, 1)]
    assert [fold.n_iter_ for fold in seen] == 2 * [FEW - 5]


def _wave(n_bends):
    X = np.random.RandomState(0).uniform(-1, 1, size=(600, 1))
    return X / X.std(), (np.sin(np.pi * n_bends * X[:, 0]) > 0).astype(int)


def test_fits_in_folds_are_longer_where_they_see_nothing(monkeypatch):
    X, y = _wave(5)
    model = GoodMinimaClassifierCV(alphas=[0.1, 1e-3], random_state=0)
    assert model.fit(X, y).best_score_ > 0.9
    monkeypatch.setattr(short_fits, "BLIND", np.inf)
    assert model.fit(X, y).best_score_ < 0.75


@pytest.mark.parametrize("rows", [_wave(1), make_moons(200, noise=0.2)])
def test_fits_in_folds_are_short_where_they_see_the_rows(rows):
    assert _n_iter(*rows) == FEW


def test_fits_in_folds_are_short_where_longer_ones_see_no_more():
    rng = np.random.RandomState(0)
    X = rng.normal(size=(4000, 2))
    assert _n_iter(X, rng.randint(2, size=4000)) == FEW
    assert _n_iter(*_wave(5)) == MANY


def _n_iter(X, y):
    problem = pose(GoodMinimaClassifier(), X, y, None, None)
    return short_fits.iterations(problem.with_alpha(1e-3).objective)


def test_the_path_gets_over_a_penalty_that_shrinks_the_network_to_nothing(moons):
    X, y = moons
    model = GoodMinimaClassifierCV(
        (8,), tol=1e-3, random_state=0, alphas=[10.0, 1e-3], cv=3
    ).fit(X, y)
    constant, free = model.scores_.mean(axis=0)
    assert constant < 0.6 and free > 0.9


@pytest.mark.parametrize("alphas", [[0.1, 0.01], [0.0]], ids=str)
def test_fits_in_folds_look_for_no_bounds(moons, alphas):
    """They cost as much as a small fit, and nobody reads them."""
    seen = []

    def scoring(model, X, y):
        seen.append(model.certificate_)
        return model.score(X, y)

    model = GoodMinimaClassifierCV(**SMALL, alphas=alphas, cv=2, scoring=scoring)
    model.fit(*moons)
    assert len(seen) == 2 * len(alphas)
    for certificate in seen:
        assert certificate.witness is None and certificate.advice == ""
        assert [bound.of for bound in certificate.bounds] == ["data loss"]
        assert "fold" in certificate.caveat and certificate.gap > 0
    assert "fold" not in model.certificate_.caveat
    if min(alphas) > 0:
        assert len(model.certificate_.bounds) > 1


def test_n_jobs_does_not_matter(moons):
    fits = [
        GoodMinimaClassifierCV(**SMALL, alphas=2, cv=2, n_jobs=n).fit(*moons)
        for n in (1, 2)
    ]
    np.testing.assert_array_equal(fits[0].scores_, fits[1].scores_)
    np.testing.assert_array_equal(fits[0].coefs_[1], fits[1].coefs_[1])


def test_scoring_and_weights():
    X, y = load_iris(return_X_y=True)
    weight = np.where(y == 2, 0.0, 1.0)
    model = GoodMinimaClassifierCV(**SMALL, alphas=2, cv=3, scoring="neg_log_loss")
    model.fit(X, y)
    assert (model.scores_ < 0).all()
    weighted = clone(model).set_params(scoring=None).fit(X, y, sample_weight=weight)
    assert weighted.classes_.tolist() == [0, 1, 2]
    assert 2 not in weighted.predict(X[y != 2])
    assert (weighted.scores_ > 0.9).all()  # rows without weight do not count


def test_without_refit_there_is_no_model(moons):
    X, y = moons
    model = GoodMinimaClassifierCV(**SMALL, alphas=2, cv=2, refit=False).fit(X, y)
    assert model.scores_.shape == (2, 2)
    named = pd.DataFrame(X, columns=["east", "north"])
    assert clone(model).fit(named, y).feature_names_in_.tolist() == ["east", "north"]
    for method in ("predict", "predict_proba", "decision_function"):
        with pytest.raises(NotFittedError, match="refit=False"):
            getattr(model, method)(X)
    with pytest.raises(NotFittedError, match="refit=False"):
        model.score(X, y)
    with pytest.raises(NotFittedError, match="refit=False"):
        model.to_mlp()
    with pytest.raises(NotFittedError, match="refit=False"):
        LossCurveDisplay.from_estimator(model)
    assert "GoodMinimaClassifierCV" in model._repr_html_()
    assert model.set_params(refit=True).fit(X, y).score(X, y) > 0.8
    with pytest.raises(NotFittedError, match="not fitted yet"):
        clone(model).predict(X)


@pytest.mark.parametrize(
    "alphas, message",
    [
        ([], "alphas must be"),
        ([-1.0], "alphas must be"),
        ({0: "a"}, "alphas must be"),
        (["a"], "alphas must be"),
        ([[1], [1, 2]], "alphas must be"),
        (["1", "2"], "alphas must be"),
        ([True, False], "alphas must be"),
        (True, "alphas must be"),
        ([np.inf, 1.0], "alphas must be .* finite"),
        ([np.nan, 1.0], "alphas must be .* finite"),
        (0, "'alphas' parameter"),
    ],
)
def test_bad_alphas_are_named(moons, alphas, message):
    with pytest.raises(ValueError, match=message):
        GoodMinimaClassifierCV(alphas=alphas).fit(*moons)


def test_multilabel():
    rng = np.random.RandomState(0)
    X = rng.normal(size=(60, 3))
    Y = (X[:, :2] + 0.1 * rng.normal(size=(60, 2)) > 0).astype(int)
    model = GoodMinimaClassifierCV(**SMALL, alphas=2, cv=3).fit(X, Y)
    assert model.predict(X).shape == (60, 2) and model.best_score_ > 0.6


def test_one_class_left_gives_a_constant_model():
    X, y = load_iris(return_X_y=True)
    model = GoodMinimaClassifierCV(**SMALL, alphas=2, cv=3)
    model.fit(X, y, sample_weight=(y == 1).astype(float))
    assert model.classes_.tolist() == [0, 1, 2] and set(model.predict(X)) == {1}
    assert (model.scores_ == 1).all()


def test_targets_are_checked_before_the_folds():
    rng = np.random.RandomState(0)
    model = GoodMinimaClassifierCV(**SMALL, alphas=1, cv=2)
    for y, told in (
        (rng.normal(size=40), "regressor"),
        (np.arange(40) * 1.0, "regressor"),
        (np.eye(4, 3, dtype=int)[np.arange(40) % 4] + 1, "must hold 0 and 1 only"),
    ):
        with pytest.raises(ValueError, match=rf"\by\b.*{told}"):
            model.fit(rng.normal(size=(40, 2)), y)


def test_errors_are_those_of_all_rows_or_name_the_fold(moons):
    X, y = moons
    model = GoodMinimaClassifierCV(**SMALL, alphas=1, cv=2)
    with pytest.raises(ValueError, match=r"\by; it has the one class 1"):
        model.fit(X, np.ones(len(X), dtype=int))
    with pytest.raises(ValueError, match="^cv: .*n_splits"):
        model.fit(X[:2], [0, 1])
    with pytest.raises(ValueError, match="^neuron_placement='per_layer' needs"):
        clone(model).set_params(
            neuron_placement="per_layer", special_neuron="monomial"
        ).fit(X, y)
    seen, unseen = np.split(np.arange(len(X)), 2)
    weight = np.repeat([1.0, 0.0], len(X) // 2)
    folds = [(seen, seen), (seen, unseen)]
    with pytest.raises(
        ValueError, match="sample_weight is 0 on all test rows of fold 1"
    ):
        clone(model).set_params(cv=folds).fit(X, y, sample_weight=weight)

    def scoring(estimator, X, y):
        raise KeyError("no score")

    with pytest.raises(KeyError, match="no score") as caught:
        clone(model).set_params(cv=2, scoring=scoring).fit(X, y)
    assert caught.value.__notes__ == [
        "scoring=scoring raised it.",
        "This was in fold 0 of cv, with alpha=0.3.",
    ]


def test_rows_of_a_fold_are_prepared_once(moons, monkeypatch):
    """For the fits with all strengths, each of which has its own."""
    posed: list = []

    def counted(*arguments, **named):
        posed.append(pose(*arguments, **named))
        return posed[-1]

    monkeypatch.setattr(fitting, "pose", counted)
    cv = {"alphas": [0.1, 0.01], "cv": [(np.arange(100), np.arange(100, 150))]}
    model = GoodMinimaClassifierCV(**SMALL, **cv, refit=False, scoring=_alpha)
    model.fit(*moons)
    assert model.scores_.tolist() == [[0.1, 0.01]]
    assert [problem.objective.alpha for problem in posed] == [0.1]


def _alpha(model, X, y):
    """A scorer: the strength that the model was fitted with."""
    return model.alpha_


def test_growing_needs_all_alphas_above_0(moons):
    model = GoodMinimaClassifierCV("auto", training="grow", alphas=[0.1, 0.0], cv=2)
    for alphas in ([0.1, 0.0], [0.0]):
        with pytest.raises(ValueError, match=r"alphas: .* alpha > 0, got alpha=0"):
            model.set_params(alphas=alphas).fit(*moons)


def test_how_alpha_was_chosen_is_in_the_certificate(moons):
    model = GoodMinimaClassifierCV(**SMALL, alphas=[0.1, 0.01], cv=3).fit(*moons)
    reason = "the best of 2 strengths in 3 folds"
    assert model.alpha_reason_ == reason
    assert model.certificate_.alpha == f"{model.alpha_:.4g}: {reason}"
    assert model.certify(*moons, effort=0).alpha == model.certificate_.alpha
    model.set_params(alphas=[0.1]).fit(*moons)  # is no choice
    assert (model.alpha_reason_, model.certificate_.alpha) == ("", "")


def test_in_a_fold_nothing_is_known(moons):
    gaps = []

    def scoring(model, X, y):
        gaps.append((model.optimality_gap_, model.certificate_.relative_gap))
        return model.score(X, y)

    GoodMinimaClassifierCV(**SMALL, alphas=[0.1], cv=2, scoring=scoring).fit(*moons)
    assert gaps == [(np.inf, 1.0)] * 2


def test_probabilities_are_calibrated_on_the_rows_left_out():
    X, y = make_classification(
        1600, 15, n_informative=8, n_classes=3, flip_y=0.15, random_state=0
    )
    X, y, X_test, y_test = X[:800], y[:800], X[800:], y[800:]
    model = GoodMinimaClassifierCV(alphas=[0.1, 0.03], random_state=0).fit(X, y)
    assert model.out_activation_ == "softmax" and model.link_slope_ > 0
    given = GoodMinimaClassifier(alpha=model.alpha_, random_state=0).fit(X, y)
    fitted = log_loss(y_test, model.predict_proba(X_test))
    of_loss = log_loss(y_test, given.predict_proba(X_test))
    assert fitted < 0.9 * of_loss
    p = model.predict_proba(X_test)
    np.testing.assert_array_equal(
        p.argmax(axis=1), model.decision_function(X_test).argmax(axis=1)
    )
    log = clone(model).set_params(loss="log_loss", hidden_layer_sizes=(4,)).fit(X, y)
    assert log.link_slope_ is None and log.out_activation_ == "softmax"


@pytest.mark.parametrize(
    "cv",
    [ShuffleSplit(4, random_state=0), [(range(100), range(90, 150))], KFold(150)],
    ids=["overlapping", "not all rows", "one row each"],
)
def test_any_folds_fit_a_slope(moons, cv):
    X, y = moons
    model = GoodMinimaClassifierCV(**SMALL, alphas=[0.01], cv=cv).fit(X, y)
    raw, p = model.decision_function(X), model.predict_proba(X)[:, 1]
    assert 1.0 < model.link_slope_ < 10.0
    assert (np.diff(p[raw.argsort()]) >= 0).all() and ((p > 0.5) == (raw > 0)).all()


def test_the_slope_of_weights_is_that_of_repetitions(moons):
    X, y = moons
    rng = np.random.RandomState(0)
    times, fold = rng.randint(1, 4, len(X)), rng.randint(3, size=len(X))
    repeated = rng.permutation(np.repeat(np.arange(len(X)), times))
    model = GoodMinimaClassifierCV(
        **SMALL, alphas=2, class_weight="balanced", cv=PredefinedSplit(fold)
    )
    weighted = clone(model).fit(X, y, sample_weight=times)
    model.set_params(cv=PredefinedSplit(fold[repeated]))
    again = model.fit(X[repeated], y[repeated])
    assert again.link_slope_ == weighted.link_slope_
    np.testing.assert_array_equal(again.predict_proba(X), weighted.predict_proba(X))


def test_noise_keeps_the_shares_of_the_classes():
    """A constant network is a row of the link for each row that it predicts."""
    rng = np.random.RandomState(0)
    X, y = rng.normal(size=(400, 5)), (rng.uniform(size=400) < 0.1).astype(int)
    model = GoodMinimaClassifierCV(**SMALL, alphas=[3.0]).fit(X, y)
    share = model.predict_proba(X)[:, 1]
    np.testing.assert_allclose(share, y.mean(), atol=0.01)


def test_left_out_rows_of_no_weight_fit_no_slope():
    X, y = load_iris(return_X_y=True)
    cv = [(np.arange(150), np.flatnonzero(y == 0))]
    weights = {0: 0, 1: 1, 2: 1}
    model = GoodMinimaClassifierCV(
        (3,), cv=cv, alphas=[0.1, 0.01], class_weight=weights, random_state=0
    )
    assert model.fit(X, y).link_slope_ is None
    assert model.score(X[50:], y[50:]) > 0.9
