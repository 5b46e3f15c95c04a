"""The choice of alpha inside a fit: what it promises, and where a rule decides."""

import pickle
import warnings

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.datasets import (
    load_breast_cancer,
    load_iris,
    make_moons,
    make_multilabel_classification,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import scale

from skgoodmin import (
    GoodMinimaClassifier,
    GoodMinimaClassifierCV,
    GoodMinimaRegressor,
)
from skgoodmin.estimator import alpha_choice
from skgoodmin.estimator.alpha_choice import ALPHAS
from skgoodmin.estimator.deal import Deal
from skgoodmin.estimator.setup import pose
from skgoodmin.objective.losses import LOSSES
from skgoodmin.training.stop import StopRequest

MOONS = make_moons(120, noise=0.2, random_state=0)
IRIS = load_iris(return_X_y=True)
LABELS = make_multilabel_classification(120, 6, n_classes=3, random_state=0)
DATA = {"moons": MOONS, "iris": IRIS, "labels": LABELS}


def _fit(X, y, sample_weight=None, **parameters):
    parameters = {"random_state": 0, "hidden_layer_sizes": (6,)} | parameters
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return GoodMinimaClassifier(**parameters).fit(X, y, sample_weight)


def _same(first, second):
    arrays = zip(first.coefs_, second.coefs_, strict=True)
    return first.alpha_ == second.alpha_ and all(
        np.array_equal(a, b) for a, b in arrays
    )


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", DATA)
def test_it_is_the_fit_with_a_strength_between_those_that_went_on(name, loss):
    X, y = DATA[name]
    model = _fit(X, y, loss=loss)
    table = model.alpha_scores_
    share = {"poly_hinge": 1.0, "log_loss": 0.25}[loss]
    np.testing.assert_allclose(table["alpha"], share * ALPHAS)
    whole = table[np.isfinite(table["error"])]  # the others were given up
    assert len(whole) == 3 and np.isfinite(table["score"]).all()
    assert whole["alpha"].min() <= model.alpha_ <= whole["alpha"].max()
    fixed = _fit(X, y, loss=loss, alpha=model.alpha_)
    assert _same(model, fixed)
    assert fixed.alpha_scores_ is None and fixed.link_slope_ is None
    assert fixed.alpha_reason_ == fixed.certificate_.alpha == ""
    assert f"{model.alpha_:.4g}: mean of the best of 6 strengths" in str(
        model.certificate_
    )


def test_a_fixed_alpha_chooses_nothing(monkeypatch):
    monkeypatch.setattr(alpha_choice, "dealt", None)
    _fit(*MOONS, alpha=0.1)
    with pytest.raises(TypeError):
        _fit(*MOONS)


def test_clean_data_get_less_than_noisy_ones():
    rng = np.random.RandomState(0)
    X = rng.normal(size=(200, 2))
    clean = _fit(X, (X[:, 0] * X[:, 1] > 0).astype(int), hidden_layer_sizes=(50,))
    noise = _fit(X, rng.randint(2, size=200), hidden_layer_sizes=(50,))
    assert clean.alpha_ < 0.03 < noise.alpha_


@pytest.mark.parametrize("convert", [np.asarray, csr_array], ids=["dense", "sparse"])
def test_order_repetition_and_seed_change_nothing(convert):
    X, y = MOONS
    rng = np.random.RandomState(0)
    order, times = rng.permutation(len(X)), rng.randint(0, 3, len(X))
    weighted = _fit(convert(X), y, times.astype(float), max_iter=20)
    repeated = np.repeat(np.arange(len(X)), times)[::-1]
    again = _fit(convert(X[repeated]), y[repeated], max_iter=20)
    assert _same(weighted, again)
    assert weighted.link_slope_ == again.link_slope_
    shuffled = _fit(convert(X[order]), y[order], times[order], max_iter=20)
    assert _same(weighted, shuffled)
    other = _fit(convert(X), y, times.astype(float), max_iter=20, random_state=7)
    assert other.alpha_scores_.tobytes() == weighted.alpha_scores_.tobytes()


@pytest.mark.parametrize("limits", [{"max_iter": 1}, {"max_fun": 2}], ids=str)
def test_the_limits_of_a_fit_are_not_those_of_the_choice(limits):
    X, y = make_moons(120, noise=0.3, random_state=0)
    scores = _fit(X, y, max_iter=30).alpha_scores_
    assert _fit(X, y, **limits).alpha_scores_.tobytes() == scores.tobytes()


@pytest.mark.slow
def test_short_fits_of_a_large_table_see_what_there_is():
    """Spirals among columns of noise: of 1000 rows all strengths look alike."""
    rng = np.random.default_rng(0)
    n = 12_000
    t, y = np.sqrt(rng.random(n)) * 4 * np.pi, rng.integers(0, 2, n)
    arms = np.c_[t * np.cos(t + np.pi * y), t * np.sin(t + np.pi * y)]
    arms += 0.3 * rng.normal(size=arms.shape)
    X = scale(np.c_[arms, rng.normal(size=(n, 8))])
    model = GoodMinimaClassifier(random_state=0).fit(X[:9000], y[:9000])
    assert "on 3000 distinct rows" in model.alpha_reason_
    assert model.score(X[9000:], y[9000:]) > 0.95


def _wave(n_bends):
    """Two classes that take turns along one column, scaled."""
    x = np.random.RandomState(0).uniform(-1, 1, size=600)
    return scale(x[:, None]), (np.sin(n_bends * np.pi * x / 2) > 0).astype(int)


@pytest.mark.parametrize("loss", ["poly_hinge", "log_loss"])
def test_fits_that_see_nothing_are_followed_by_longer_ones(loss, monkeypatch):
    X, y = _wave(12)
    given = {"loss": loss, "random_state": 0}
    model = GoodMinimaClassifier(**given).fit(X[:400], y[:400])
    assert model.score(X[400:], y[400:]) > 0.93
    monkeypatch.setattr(alpha_choice, "BLIND", np.inf)
    blind = GoodMinimaClassifier(**given).fit(X[:400], y[:400])
    assert blind.alpha_ > 3 * model.alpha_
    assert blind.score(X[400:], y[400:]) < model.score(X[400:], y[400:])


def test_fits_that_see_the_rows_are_not_repeated(monkeypatch):
    sizes, short_fits = [], alpha_choice._short_fits

    def seen(*args):
        sizes.append(args[-1])
        return short_fits(*args)

    monkeypatch.setattr(alpha_choice, "_short_fits", seen)
    for n_bends, n_times in ((2, 1), (12, 2)):
        sizes.clear()
        GoodMinimaClassifier(random_state=0).fit(*_wave(n_bends))
        assert sizes == [alpha_choice.SMALL, alpha_choice.LARGE][:n_times]


class _LogCosh:
    """A loss of one's own."""

    def value(self, raw, target):
        return np.logaddexp(raw - target, target - raw) - np.log(2)

    def derivative(self, raw, target):
        return np.tanh(raw - target)


def _three_targets(seed, n):
    """A line, a wave and noise."""
    rng = np.random.RandomState(seed)
    X = rng.normal(size=(n, 7))
    return X, np.c_[X[:, 0], np.sin(2 * X[:, 1]), 3 * rng.normal(size=n)]


@pytest.mark.parametrize("loss", ["squared_error", "huber", _LogCosh()])
def test_several_targets_have_fits_that_are_long_enough(loss):
    """Those of one target see next to nothing of the wave."""
    X, Y = _three_targets(0, 1500)
    model = GoodMinimaRegressor(loss=loss, random_state=0).fit(X, Y)
    assert model.score(*_three_targets(1, 3000)) > 0.615


def test_short_fits_have_the_size_for_their_targets(monkeypatch):
    seen, short_fits = [], alpha_choice._short_fits

    def note(*args):
        seen.append(args[-1])
        return short_fits(*args)

    monkeypatch.setattr(alpha_choice, "_short_fits", note)
    X, Y = _three_targets(0, 100)
    for y in (Y[:, 0], Y[:, :2], np.c_[Y, Y]):
        GoodMinimaRegressor(random_state=0).fit(X, y)
    signs = (Y > 0).astype(int)
    four, labels = signs[:, 0] + 2 * signs[:, 1], np.c_[signs, signs[:, 0]]
    for y in (signs[:, 0], signs, signs[:, 0] + signs[:, 1], four, labels):
        GoodMinimaClassifier(random_state=0).fit(X, y)
    small = alpha_choice.SMALL
    assert seen[:3] == [small, (1000, 32, (60, 150)), (1000, 48, (90, 225))]
    assert seen[3:] == [*[small] * 3, *[(1000, 32, (30, 75))] * 2]


def test_a_stop_ends_the_choice():
    model, (X, y) = GoodMinimaClassifier((6,)), MOONS
    problem = pose(model, X, y)
    given = model, problem.objective, problem.target, None
    choice = alpha_choice.choose(*given, StopRequest(made=True))
    assert choice.alpha == problem.objective.alpha == 20 / len(X)
    assert "a stop was asked for" in choice.reason and choice.scores is None
    assert alpha_choice.choose(*given, StopRequest()).scores is not None


def test_data_that_overflow_are_left_to_the_rule():
    X, y = MOONS
    model = GoodMinimaClassifier((6,))
    problem = pose(model, 1e200 * X, y)
    choice = alpha_choice.choose(
        model, problem.objective, problem.target, None, StopRequest()
    )
    assert "overflow" in choice.reason and choice.alpha == problem.objective.alpha


@pytest.mark.parametrize("convert", [np.asarray, csr_array], ids=["dense", "sparse"])
@pytest.mark.parametrize(
    "loss, share", [("poly_hinge", 1.0), ("log_loss", 0.25)], ids=LOSSES
)
def test_the_rule_counts_rows_by_their_weight(loss, share, convert):
    rng = np.random.RandomState(0)  # two columns of few values: many repetitions
    X = rng.randint(3, size=(400, 2)).astype(float)
    y = (X.sum(axis=1) + rng.randint(2, size=400) > 2).astype(int)

    def alpha(rows=slice(None), weight=None, **parameters):
        model = GoodMinimaClassifier(loss=loss, **parameters)
        return pose(model, convert(X[rows]), y[rows], weight).objective.alpha

    n = len(X)
    ones = np.ones(n)
    assert alpha() == alpha(weight=ones) == share * 20 / n
    assert alpha(np.tile(np.arange(n), 2)) == alpha(weight=2 * ones) == share * 10 / n
    assert alpha(weight=10 * ones) == share * 2 / n  # 10 repetitions
    content = np.column_stack([X, y])
    n_distinct = len(np.unique(content, axis=0))
    small = share * min(20 / n_distinct, 0.2)
    assert alpha(weight=ones / n) == alpha(weight=1e-9 * ones) == small
    _, first = np.unique(content, axis=0, return_index=True)
    assert alpha(first) == small
    weight = np.zeros(n)
    weight[first] = 100.0
    assert alpha(weight=weight) == share * 20 / (100 * n_distinct)
    # Weights of classes are weights of their rows.
    assert alpha(class_weight={0: 3.0, 1: 3.0}) == share * 20 / (3 * n)


def test_warm_starts_and_partial_fit_keep_it():
    X, y = MOONS
    model = _fit(X, y, warm_start=True, max_iter=30)
    chosen, slope = model.alpha_, model.link_slope_
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X[:40], y[:40])
        assert (model.alpha_, model.link_slope_) == (chosen, slope)
        assert model.alpha_reason_ == "kept from the fit before"
        model.partial_fit(X[40:], y[40:])
        assert model.alpha_ == chosen
        model.set_params(alpha=0.5).fit(X, y)
        assert model.alpha_ == 0.5 and model.alpha_scores_ is None
        few = clone(model).set_params(alpha="auto")
        few.partial_fit(X[:3], y[:3], classes=[0, 1])
        assert few.alpha_scores_ is None
        few.partial_fit(X, y)  # now there are enough
        assert few.alpha_ == chosen


def test_another_loss_is_another_choice():
    """A link that was fitted for the hinge says nothing of log-loss."""
    X, y = MOONS
    hinge, log = (_fit(X, y, loss=loss, max_iter=30) for loss in LOSSES)
    model = pickle.loads(pickle.dumps(hinge)).set_params(warm_start=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.set_params(loss="log_loss").fit(X, y)
        assert (model.alpha_, model.link_slope_) == (log.alpha_, None)
        model.set_params(loss="poly_hinge").partial_fit(X, y)
        assert (model.alpha_, model.link_slope_) == (hinge.alpha_, hinge.link_slope_)


@pytest.mark.parametrize(
    "parameters",
    [
        {"hidden_layer_sizes": (5, 4), "activation": "tanh"},
        {"hidden_layer_sizes": ()},
        {"training": "grow", "hidden_layer_sizes": "auto", "max_iter": 3},
        {"training": "joint"},
        {"early_stopping": True},
        {"class_weight": "balanced"},
    ],
    ids=str,
)
def test_all_ways_to_train(parameters):
    model = _fit(*MOONS, **{"max_iter": 30} | parameters)
    assert ALPHAS[-1] <= model.alpha_ <= ALPHAS[0] and model.score(*MOONS) > 0.8
    if "hidden_layer_sizes" not in parameters:
        assert _same(model, _fit(*MOONS, alpha=model.alpha_, max_iter=30, **parameters))


def test_early_stopping_chooses_without_its_validation_rows():
    """Their labels have no say."""
    X, y = MOONS
    model = _fit(X, y, early_stopping=True, max_iter=20)
    seen = []

    def dealt(data, target, most):
        seen.append(data.n_rows)
        return Deal(data, target, np.arange(data.n_rows) % 4, 1.0)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(alpha_choice, "dealt", dealt)
        _fit(X, y, early_stopping=True, max_iter=20)
    assert seen == [108] and model.alpha_scores_ is not None


def test_wide_rows_are_chosen_in_their_space():
    rng = np.random.RandomState(0)
    X = rng.normal(size=(40, 60))
    y = (X[:, :5].sum(axis=1) > 0).astype(int)
    model = _fit(X, y, max_iter=20)
    # As many coordinates as rows: further columns of zeros change nothing.
    wider = _fit(np.hstack([X, np.zeros((40, 30))]), y, max_iter=20)
    assert model.alpha_scores_ is not None is not wider.alpha_scores_


@pytest.mark.parametrize("name", DATA)
def test_probabilities_agree_with_predictions(name):
    X, y = DATA[name]
    model = _fit(X, y)
    p, predicted = model.predict_proba(X), model.predict(X)
    assert model.link_slope_ > 0 and (p > 0).all() and (p < 1).all()
    if y.ndim == 2:
        np.testing.assert_array_equal(predicted, p > 0.5)
    else:
        np.testing.assert_allclose(p.sum(axis=1), 1.0)
        np.testing.assert_array_equal(predicted, model.classes_[p.argmax(axis=1)])
    assert model.out_activation_ == ("softmax" if name == "iris" else "logistic")
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(X), p)


def test_the_rare_class_is_not_sold():
    rng = np.random.RandomState(0)
    X = rng.normal(size=(400, 2))
    y = (X.sum(axis=1) > 2.6).astype(int)  # some 3 %
    assert 0.01 < y.mean() < 0.05
    for class_weight in (None, "balanced"):
        model = _fit(X, y, class_weight=class_weight, hidden_layer_sizes=(20,))
        assert model.predict(X)[y == 1].mean() > 0.7


def test_verbose_tells_it(capsys):
    model = _fit(*MOONS, verbose=1, max_iter=5)
    told = f"alpha={model.alpha_:.4g}: mean of the best of 6 strengths"
    assert told in capsys.readouterr().out


def test_the_cv_estimator_has_the_same_table():
    X, y = IRIS
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = GoodMinimaClassifierCV((4,), alphas=3, cv=2, max_iter=10).fit(X, y)
    table = model.alpha_scores_
    np.testing.assert_array_equal(table["alpha"], model.alphas_)
    np.testing.assert_allclose(table["score"], model.scores_.mean(axis=0))


@pytest.mark.parametrize(("n", "n_known"), [(99, 6), (100, 3)])
def test_of_few_rows_all_strengths_go_on(n, n_known):
    rng = np.random.RandomState(0)
    X, y = rng.normal(size=(n, 2)), np.arange(n) % 2
    model = GoodMinimaClassifier((3,), random_state=0).fit(X, y)
    assert np.isfinite(model.alpha_scores_["error"]).sum() == n_known


def test_the_best_score_is_not_of_a_strength_that_was_given_up():
    """The links of their one fold are others."""
    X, y = load_breast_cancer(return_X_y=True)
    model = GoodMinimaClassifier((20,), random_state=0).fit(scale(X), y)
    table = model.alpha_scores_
    assert np.isnan(table["error"]).any()
    assert np.isfinite(table["error"][table["score"].argmax()])


def _mean_of_strengths(worth, weights=None):
    """alpha of what rows are worth, (n_alphas, n_rows), NaN for all six left out."""
    weights = np.ones(worth.shape[1]) if weights is None else weights
    scores = np.average(worth, axis=1, weights=weights)
    shares = alpha_choice._shares(worth, scores, weights)
    return alpha_choice._geometric_mean(ALPHAS, shares), shares


def test_strengths_count_by_how_far_they_are_behind_the_best():
    """As far as noise can tell: what all rows share counts, however small it is."""
    rng = np.random.RandomState(0)
    worth = np.full((6, 100), np.nan)
    worth[2:5] = rng.normal(size=100)
    worth[3] += 0.1
    alpha, shares = _mean_of_strengths(worth)
    np.testing.assert_allclose(alpha, ALPHAS[3])  # for sure
    np.testing.assert_allclose(shares, [0, 0, 0, 1, 0, 0], atol=1e-9)
    worth[2:5] = 0.1 * (np.arange(3) == 1)[:, None] + rng.normal(size=(3, 100))
    _, shares = _mean_of_strengths(worth)
    assert shares.max() == 1.0 and (shares[2:5] > 0.1).all()
    best = int(shares.argmax())
    for i in (2, 3, 4):
        behind = worth[best] - worth[i]
        error = behind.std() / 10.0
        t = behind.mean() / error if i != best else 0.0
        np.testing.assert_allclose(shares[i], np.exp(-t / 1.25))


def test_equal_strengths_count_alike():
    worth = np.full((6, 50), np.nan)
    worth[1:4] = np.random.RandomState(0).normal(size=50)
    alpha, shares = _mean_of_strengths(worth)
    np.testing.assert_array_equal(shares, [0, 1, 1, 1, 0, 0])
    np.testing.assert_allclose(alpha, (0.1 * 0.03 * 0.01) ** (1 / 3))


def test_the_strongest_of_all_is_taken_alone():
    worth = np.zeros((6, 50))
    worth[0] += np.random.RandomState(0).uniform(size=50)
    assert _mean_of_strengths(worth)[0] == 0.3
    worth[1] += 1.0
    assert 0.1 <= _mean_of_strengths(worth)[0] < 0.11
