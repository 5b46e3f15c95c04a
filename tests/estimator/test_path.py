"""Scores, splitters, groups and what is told of the fits of a path over alpha."""

import warnings

import numpy as np
import pytest
import sklearn
from joblib import parallel_config
from scipy.sparse import csr_array
from scipy.stats import sem
from sklearn.base import clone
from sklearn.datasets import load_iris, make_classification, make_moons
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, get_scorer, make_scorer, precision_score
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
    StratifiedGroupKFold,
    StratifiedKFold,
    cross_val_score,
)
from sklearn.utils.fixes import parse_version

from skgoodmin import (
    GoodMinimaClassifier,
    GoodMinimaClassifierCV,
    GoodMinimaRegressorCV,
)
from skgoodmin.estimator.path import best_of, score_table

X, y = make_moons(90, noise=0.3, random_state=0)
GROUPS = np.arange(90) % 6


def _model(**parameters):
    parameters = {"alphas": [0.3, 0.01], "cv": 3, "random_state": 0} | parameters
    return GoodMinimaClassifierCV((3,), tol=1e-2, **parameters)


def test_an_alpha_whose_score_is_nan_loses_with_a_warning():
    """Precision of a rare class that a strong penalty never predicts."""
    X, y = make_classification(
        200, 4, weights=[0.9], flip_y=0.02, class_sep=0.8, random_state=0
    )
    scoring = make_scorer(precision_score, zero_division=np.nan)
    model = _model(alphas=[3.0, 0.1, 0.01], scoring=scoring)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, y)
    means = model.scores_.mean(axis=0)
    assert np.isnan(means[0]) and not np.isnan(means[1:]).any()
    assert model.alpha_ == model.alphas_[np.nanargmax(means)] < 3.0
    assert model.best_score_ == np.nanmax(means)
    assert any("is NaN in some fold for alpha=3," in str(w.message) for w in caught)


@pytest.mark.parametrize("refit", [True, False])
def test_nan_for_all_is_an_error(refit):
    model = _model().fit(X, y)
    before = dict(vars(model))

    def nothing(estimator, X, y):
        return np.nan

    model.set_params(scoring=nothing, refit=refit)
    with pytest.raises(
        ValueError, match="scoring=nothing is NaN in some fold for every"
    ):
        model.fit(X, y)
    assert model.scores_ is before["scores_"] and model.alpha_ == before["alpha_"]


@pytest.mark.parametrize(
    "score", [None, "0.5", {"a": 0.5}, [0.5], np.ones(2), 1j, object()]
)
def test_what_is_no_number_is_told_by_name(score):
    def strange(estimator, X, y):
        return score

    with pytest.raises(ValueError, match="scoring=strange must return a number, got"):
        _model(scoring=strange).fit(X, y)


@pytest.mark.parametrize("score", [1, True, np.float32(0.5), np.array(0.5)], ids=repr)
def test_numbers_of_all_kinds(score):
    model = _model(scoring=lambda estimator, X, y: score).fit(X, y)
    assert model.scores_.dtype == np.float64 and (model.scores_ == float(score)).all()


def test_infinite_scores_lose_or_win():
    alphas = np.array([1.0, 0.1, 0.01])
    low = np.array([[-np.inf, 0.5, 0.6], [0.4, 0.5, 0.3]])
    assert best_of(alphas, low, "")[::2] == (1, [])
    both = np.array([[-np.inf, 0.5, 0.6], [np.inf, 0.5, 0.3]])
    best, _, (sentence,) = best_of(alphas, both, "loss")
    assert best == 1 and "scoring=loss is NaN in some fold for alpha=1," in sentence


@pytest.mark.parametrize(
    "alphas, scores, told",
    [
        ([1.0, 0.1, 0.01], [[0.1, 0.2, 0.3], [0.1, 0.2, 0.3]], "weakest"),
        ([1.0, 0.1, 0.01], [[0.1, 0.2, 0.3], [0.1, 0.2, 0.2]], None),
        ([1.0, 0.1, 0.01], [[0.3, 0.2, 0.1], [0.3, 0.2, 0.2]], "strongest"),
        ([1.0, 0.1, 0.01], [[0.3, 0.3, 0.3], [0.3, 0.3, 0.3]], None),
        ([1.0, 0.1, 0.0], [[0.1, 0.2, 0.3], [0.1, 0.2, 0.3]], None),
        ([1.0, 0.1], [[0.1, 0.2], [0.1, 0.2]], None),
        ([1.0], [[0.1], [0.2]], None),
    ],
)
def test_the_edge_is_told_where_scores_still_rise(alphas, scores, told):
    _, _, sentences = best_of(np.array(alphas), np.array(scores), "accuracy")
    assert len(sentences) == (told is not None)
    if told:
        assert f"is the {told} of alphas" in sentences[0]


def test_the_edge_is_told_once_the_model_is_there():
    model = _model(alphas=[30.0, 20.0, 0.1])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="0.1, is the weakest.* add weaker ones"):
            model.fit(X, y)
    assert model.alpha_ == 0.1 and model.score(X, y) > 0.8


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_a_generator_of_splits(n_jobs):
    folds = StratifiedKFold(3)
    expected = _model(cv=folds).fit(X, y)
    model = _model(cv=folds.split(X, y), n_jobs=n_jobs).fit(X, y)
    np.testing.assert_array_equal(model.scores_, expected.scores_)
    with pytest.raises(ValueError, match="^cv: there is no split; a generator"):
        model.fit(X, y)
    np.testing.assert_array_equal(model.scores_, expected.scores_)


@pytest.mark.parametrize(
    "cv", [GroupKFold(3), LeaveOneGroupOut(), StratifiedGroupKFold(3)], ids=str
)
def test_groups_by_argument(cv):
    model = _model(cv=cv, alphas=[0.1]).fit(X, y, groups=GROUPS)
    plain = GoodMinimaClassifier(
        (3,), alpha=0.1, tol=1e-2, max_escapes=0, random_state=0
    )
    # "params" has the groups of cross_val_score since 1.8 in either way
    folds = list(cv.split(X, y, GROUPS))
    expected = cross_val_score(plain, X, y, cv=folds)
    np.testing.assert_array_equal(model.scores_[:, 0], expected)
    # Up to 1.8 scikit-learn takes all rows for one group of StratifiedGroupKFold
    with pytest.raises(ValueError, match="^cv: .*(groups|no test rows)"):
        clone(model).fit(X, y)
    with pytest.raises(ValueError, match="^groups: .*inconsistent"):
        clone(model).fit(X, y, groups=GROUPS[1:])
    with pytest.raises(ValueError, match="enable_metadata_routing=True"):
        clone(model).fit(X, y, group=GROUPS)


def test_groups_do_nothing_to_other_splitters():
    with pytest.warns(UserWarning, match="ignored by KFold"):  # as in GridSearchCV
        model = _model(cv=KFold(3)).fit(X, y, groups=GROUPS)
    plain = _model(cv=KFold(3)).fit(X, y)
    np.testing.assert_array_equal(model.scores_, plain.scores_)


def test_metadata_routing():
    weight = np.linspace(0.5, 2.0, 90)
    expected = _model(cv=GroupKFold(3)).fit(X, y, weight, groups=GROUPS)
    unweighted = _model(cv=GroupKFold(3), scoring=_unweighted)
    with pytest.warns(UserWarning, match="scoring=_unweighted does not take"):
        unweighted.fit(X, y, weight, groups=GROUPS)
    with sklearn.config_context(enable_metadata_routing=True):
        scorer = get_scorer("accuracy")
        cv = GroupKFold(3)  # asks for groups by itself
        model = _model(cv=cv, scoring=scorer.set_score_request(sample_weight=True))
        model.fit(X, y, sample_weight=weight, groups=GROUPS)
        np.testing.assert_array_equal(model.scores_, expected.scores_)
        model.set_params(scoring=scorer.set_score_request(sample_weight=False))
        model.fit(X, y, sample_weight=weight, groups=GROUPS)
        np.testing.assert_array_equal(model.scores_, unweighted.scores_)
        request = model.get_metadata_routing()
        assert request.consumes("fit", ["groups", "sample_weight"]) == {"groups"}
        # Up to 1.8 it was let through, in LogisticRegressionCV too.
        if parse_version(sklearn.__version__) >= parse_version("1.9"):
            with pytest.raises(ValueError, match="sample_weight.* not explicitly set"):
                _model(cv=cv).fit(X, y, sample_weight=weight, groups=GROUPS)
        with pytest.raises(TypeError, match="unexpected argument.*colour"):
            _model(cv=cv).fit(X, y, colour=GROUPS)
        # Without metadata nothing has to be asked for.
        _model().fit(X, y)
        # As the inner model of a search, with the groups for both of them.
        scores = cross_val_score(
            _model(), X, y, cv=GroupKFold(2), params={"groups": GROUPS}
        )
        assert scores.shape == (2,)


def _unweighted(estimator, X, y):
    return accuracy_score(y, estimator.predict(X))


@pytest.mark.parametrize(
    "scoring",
    [_unweighted, make_scorer(lambda y, found: float((y == found).mean()))],
    ids=["function", "scorer"],
)
def test_a_scorer_without_weights_is_told(scoring):
    weight = np.linspace(0.5, 2.0, 90)
    model = _model(scoring=scoring)
    with pytest.warns(UserWarning, match="^scoring=.* does not take sample_weight"):
        model.fit(X, y, weight)
    weighted = _model().fit(X, y, weight)
    assert (model.scores_ != weighted.scores_).any()
    _model(scoring=scoring).fit(X, y)  # nothing to tell


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_warnings_tell_fold_and_alpha(n_jobs):
    with pytest.warns(ConvergenceWarning) as caught, parallel_config("threading"):
        _model(max_iter=2, n_jobs=n_jobs, refit=False).fit(X, y)
    messages = {str(w.message).split(":")[0] for w in caught}
    assert messages == {
        f"Fold {i}, alpha={a}" for i in range(3) for a in ("0.3", "0.01")
    }


def test_the_degree_that_is_too_low_tells_fold_and_alpha():
    model = _model(special_neuron="monomial", neuron_degree=1, training="joint")
    with pytest.warns(UserWarning) as caught:
        model.fit(X, y)
    messages = [str(w.message) for w in caught]
    *folds, last = [m.split("neuron_degree=1 is too low")[0] for m in messages]
    expected = {f"Fold {i}, alpha={a}: " for i in range(3) for a in ("0.3", "0.01")}
    assert set(folds) == expected and last == ""  # of the fit on all rows


def test_verbose_tells_fold_and_alpha(capsys):
    model = _model(verbose=1).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(": Objective")[0] for line in lines[:6]] == [
        f"Fold {i}, alpha={a}" for i in range(3) for a in ("0.3", "0.01")
    ]
    means = model.scores_.mean(axis=0)
    told = [line for line in lines if "mean score" in line]
    for line, alpha, mean in zip(told, model.alphas_, means, strict=True):
        assert line.startswith(f"alpha={alpha:g}: mean score {mean:.4g}")
        assert line.endswith("the best") is bool(alpha == model.alpha_)
    assert lines[-1].startswith(f"Objective {model.loss_:.8g}. The ")
    _model(verbose=1, max_iter=10**6).set_params(tol=1e-9).fit(X, y)
    told = capsys.readouterr().out  # no max_iter would change that
    assert "Fold 0, alpha=0.01: Objective" in told and "increase max_iter" not in told
    model.set_params(verbose=2, refit=False).fit(X, y)
    out = capsys.readouterr().out
    assert "Fold 1, alpha=0.01: Start 1: " in out and "iteration 1:" not in out
    model.set_params(verbose=3).fit(X, y)
    out = capsys.readouterr().out
    assert "Fold 1, alpha=0.01: Start 1, iteration 1: objective" in out


def test_errors_of_a_fold_tell_alpha():
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match="overflow") as caught:
        _model(degree=300.0).fit(1e300 * X, y)
    assert caught.value.__notes__ == ["This was in fold 0 of cv, with alpha=0.3."]


ROWS = np.arange(90)


@pytest.mark.parametrize(
    "splits, told",
    [
        ([], "there is no split"),
        ([(ROWS, ROWS[:0])], "fold 0 has no test rows"),
        ([(ROWS, ROWS), ([], ROWS)], "fold 1 has no training rows"),
        ([(ROWS + 1, ROWS)], "fold 0 has row 90, but there are 90 rows"),
        ([(ROWS - 91, ROWS)], "fold 0 has row -91"),
        ([(ROWS * 1.0, ROWS)], "rows of a split are their numbers or a mask"),
        ([(ROWS[:, None], ROWS)], "rows of a split are their numbers or a mask"),
        ([(ROWS[:5] > 2, ROWS)], "rows of a split are their numbers or a mask"),
        ([("a", "b")], "rows of a split are their numbers or a mask"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_splits_that_are_none(splits, told):
    with pytest.raises(ValueError, match=f"^cv: {told}"):
        _model(cv=splits).fit(X, y)
    with pytest.raises(ValueError, match=f"^cv: {told}"):
        _model(cv=splits).fit(csr_array(X), y)


@pytest.mark.parametrize("split", [1, (ROWS,), (ROWS, ROWS, ROWS)], ids=str)
def test_splitters_that_return_no_pairs(split):
    class Splitter:
        def split(self, X, y=None, groups=None):
            return [split]

        def get_n_splits(self, X=None, y=None, groups=None):
            return 1

    with pytest.raises(ValueError, match="^cv: a split is a pair of training rows"):
        _model(cv=Splitter()).fit(X, y)


def test_errors_of_a_scorer_have_a_note():
    def failing(estimator, X, y):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as caught:
        _model(scoring=failing).fit(X, y)
    assert caught.value.__notes__ == [
        "scoring=failing raised it.",
        "This was in fold 0 of cv, with alpha=0.3.",
    ]


@pytest.mark.parametrize("kind", [ValueError, TypeError])
def test_errors_of_a_scorer_about_its_arguments_name_it(kind):
    def failing(estimator, X, y):
        raise kind("no such labels")

    with pytest.raises(kind, match="^scoring=failing: no such labels") as caught:
        _model(scoring=failing).fit(X, y)
    assert caught.value.__notes__ == ["This was in fold 0 of cv, with alpha=0.3."]
    assert type(caught.value.__cause__) is kind


def test_an_exception_of_the_scorers_own_is_left_as_it_is():
    class OwnError(ValueError):
        pass

    def failing(estimator, X, y):
        raise OwnError("mine")

    with pytest.raises(OwnError, match="^mine") as caught:
        _model(scoring=failing).fit(X, y)
    assert caught.value.__notes__[0] == "scoring=failing raised it."


def test_scores_of_another_kind_of_y():
    iris = load_iris(return_X_y=True)
    several = "^scoring='roc_auc': .*use 'roc_auc_ovr' or 'roc_auc_ovo'"
    with pytest.raises(ValueError, match=several):
        _model(scoring="roc_auc").fit(*iris)
    with pytest.raises(ValueError, match="^scoring='precision': .*multiclass"):
        _model(scoring="precision").fit(*iris)
    regressor = GoodMinimaRegressorCV((3,), alphas=[0.3], cv=3, scoring="accuracy")
    with pytest.raises(ValueError, match="^scoring='accuracy': .*continuous"):
        regressor.fit(X, X[:, 0])


def test_masks_and_negative_numbers_are_rows():
    odd = ROWS % 2 == 1
    expected = _model(cv=[(ROWS[::2], ROWS[1::2])]).fit(X, y)
    for split in ((~odd, odd), (ROWS[::2] - 90, ROWS[1::2].tolist())):
        model = _model(cv=[split]).fit(X, y)
        np.testing.assert_array_equal(model.scores_, expected.scores_)


def test_the_error_of_a_mean_over_folds_is_its_standard_error():
    scores = np.random.RandomState(0).normal(size=(4, 3))
    table = score_table([1.0, 0.1, 0.01], scores)
    np.testing.assert_allclose(table["error"], sem(scores), rtol=1e-12)
    assert np.isnan(score_table([1.0], scores[:1, :1])["error"]).all()


def test_of_one_row_there_is_no_r2():
    X = np.random.RandomState(0).normal(size=(6, 2))
    model = GoodMinimaRegressorCV((3,), alphas=2, cv=6, random_state=0)
    with (
        pytest.warns(UserWarning, match="R"),
        pytest.raises(
            ValueError, match=r"every alpha: a fold has one test row, of whi"
        ),
    ):
        model.fit(X, X[:, 0])
    assert model.set_params(scoring="neg_mean_squared_error").fit(X, X[:, 0]).alpha_
