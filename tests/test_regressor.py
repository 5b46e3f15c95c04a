"""GoodMinimaRegressor: units of y, the promises of the classifier, known solutions."""

import pickle

import numpy as np
import pytest
import scipy.sparse as sp
from dual_cases import LogCosh
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_diabetes, make_friedman1
from sklearn.linear_model import HuberRegressor, Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale

from skgoodmin import (
    AlphaDisplay,
    CertificateDisplay,
    GoodMinimaClassifier,
    GoodMinimaClassifierCV,
    GoodMinimaRegressor,
    GoodMinimaRegressorCV,
    Status,
    ValidationMonitor,
)
from skgoodmin.estimator.base import MLP_ACTIVATIONS
from skgoodmin.estimator.continuous import (
    Continuous,
    encode_continuous,
    mean_and_scale,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, y = load_diabetes(return_X_y=True)
X, y = scale(X)[:150], y[:150]
TWO = np.column_stack([y, y**2])
WEIGHT = np.random.RandomState(0).randint(4, size=len(y)).astype(float)


def _model(hidden=(8,), **parameters):
    parameters = {"alpha": 0.05, "random_state": 0, "max_iter": 150} | parameters
    return GoodMinimaRegressor(hidden, **parameters)


def _same(first, second):
    for a, b in zip(first.coefs_, second.coefs_, strict=True):
        assert_array_equal(a, b)
    for a, b in zip(first.intercepts_, second.intercepts_, strict=True):
        assert_array_equal(a, b)


# Units of y.


@pytest.mark.parametrize("loss", ["squared_error", "huber", LogCosh()])
@pytest.mark.parametrize("c, d", [(3.7, -12.0), (-1e-5, 0.0), (1e9, 1e9)])
def test_units_of_y_do_not_matter(loss, c, d):
    plain = _model(loss=loss).fit(X, y)
    other = _model(loss=loss).fit(X, c * y + d)
    spread = abs(c) * y.std()
    assert abs(other.y_scale_) == pytest.approx(spread)
    assert_allclose(other.predict(X), c * plain.predict(X) + d, atol=1e-7 * spread)
    _same(plain, other)
    assert_allclose(other.loss_, plain.loss_, rtol=1e-6)


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
@pytest.mark.parametrize("c, d", [(1, 1.7e9), (-1, -1.7e9), (2, 1e12), (-4, 1e13)])
def test_nor_does_a_large_d_that_loses_nothing(c, d, weight):
    """Seconds since 1970: c * y + d is exact, and its mean is not."""
    assert_array_equal(c * TWO + d - d, c * TWO)
    z = encode_continuous(TWO, sample_weight=weight)[1]
    target, far = encode_continuous(c * TWO + d, sample_weight=weight)
    assert_array_equal(far, z)
    assert_array_equal(encode_continuous(c * TWO + d, known=target)[1], z)


def test_a_fit_beside_a_large_d_goes_on_and_is_certified_as_without():
    targets = y, y + 1e12
    plain, far = (_model().fit(X, target) for target in targets)
    _same(plain, far)
    found = plain.certify(X, y, effort=0), far.certify(X, targets[1], effort=0)
    assert found[0].objective == found[1].objective == plain.certificate_.objective
    assert found[0].bounds == found[1].bounds
    _same(plain.partial_fit(X, y), far.partial_fit(X, targets[1]))


BALANCED = np.where(np.arange(100) % 2, 1.0, -1.0)
EVEN = np.random.RandomState(0).permutation(np.linspace(-1, 1, 100))


@pytest.mark.parametrize("target", [BALANCED, EVEN, np.c_[BALANCED, EVEN]])
@pytest.mark.parametrize("n_decimals", [8, 0])
@pytest.mark.parametrize("c, d", [(3.7, -12.0), (-1.0, 0.0), (-3.7, 5.0), (1e-3, 1e3)])
def test_nor_where_y_is_not_skewed(target, n_decimals, c, d):
    rows = np.round(X[:100, :1], n_decimals)  # of 0 decimals many are equal
    plain, other = _model().fit(rows, target), _model().fit(rows, c * target + d)
    _same(plain, other)
    expected = c * plain.predict(rows) + d
    assert_allclose(other.predict(rows), expected, rtol=1e-9, atol=1e-9 * abs(c))


def test_the_certificate_reports_in_units_of_y():
    model = _model().fit(X, y)
    certificate = model.certificate_
    assert_allclose(certificate.unit, y.var(), rtol=1e-12)
    error = ((model.predict(X) - y) ** 2).mean() / 2
    assert_allclose(certificate.unit * certificate.loss, error, rtol=1e-6)
    assert "In y" in str(certificate)
    assert np.isnan(_model().fit(X, TWO).certificate_.unit)
    assert np.isnan(_model(loss=LogCosh()).fit(X, y).certificate_.unit)
    harder = model.certify(X, y, effort=0.1)
    assert harder.unit == certificate.unit and harder.lower_bound > 0


def test_mean_and_scale():
    rng = np.random.RandomState(0)
    values, weights = rng.normal(3.0, 2.0, size=50), rng.randint(4, size=50) * 1.0
    mean, rest, spread, straight = mean_and_scale(values, weights)
    assert not straight and abs(rest) < 1e-15
    assert_allclose(mean, np.average(values, weights=weights), rtol=1e-14)
    spread = abs(spread)
    variance = np.average((values - mean) ** 2, weights=weights)
    assert_allclose(spread, np.sqrt(variance), rtol=1e-14)
    order = rng.permutation(50)
    found = mean_and_scale(values, weights)
    assert mean_and_scale(values[order], weights[order]) == found
    assert mean_and_scale(np.repeat(values, weights.astype(int))) == found
    tenths = np.repeat(values, 7), np.full(350, 0.1)
    assert mean_and_scale(*tenths) == mean_and_scale(values, np.full(50, 7 * 0.1))
    assert mean_and_scale(-values, weights) == (-mean, -rest, -found[2], False)
    assert mean_and_scale(np.full(3, 5.5)) == (5.5, 0.0, 1.0, False)
    for factor in (1e300, 1e-300):
        mean, _, spread, straight = mean_and_scale(factor * np.array([1.0, 3.0]))
        assert_allclose([mean, spread], [2 * factor, factor], rtol=1e-14)
        assert straight


def test_standardised_targets_are_multiples_of_the_grid():
    target, z = encode_continuous(y)
    assert_array_equal(z * 2.0**24, np.round(z * 2.0**24))
    assert_allclose(target.mean[0] + target.scale[0] * z[:, 0], y, rtol=1e-6)
    far = Continuous(np.array([0.0]), np.array([1e-300]), True)
    with pytest.raises(ValueError, match=r"y has 1e\+300 in row 1"):
        encode_continuous([0.0, 1e300], known=far)


@pytest.mark.parametrize("large", [1e280, 1e-280])
def test_y_of_any_size(large):
    model = _model().fit(X, large * y)
    plain = _model().fit(X, y).predict(X)
    assert_allclose(model.predict(X) / large, plain, rtol=1e-6)


def test_a_constant_y_is_predicted():
    model = _model().fit(X, np.full(len(y), 7.25))
    assert_array_equal(model.predict(X), np.full(len(y), 7.25))
    assert model.certificate_.status is Status.GLOBAL and model.y_scale_ == 1.0


# The same data, the same bits.


@pytest.mark.parametrize("loss", ["squared_error", "huber", LogCosh()])
@pytest.mark.parametrize("target", [y, TWO], ids=["one", "two"])
def test_row_order_weights_and_repetitions(loss, target):
    model = _model(loss=loss, alpha="auto").fit(X, target, WEIGHT)
    order = np.random.RandomState(1).permutation(len(y))
    _same(model, _model(loss=loss, alpha="auto").fit(X[order], target[order],
                                                     WEIGHT[order]))  # fmt: skip
    repeated = np.repeat(np.arange(len(y)), WEIGHT.astype(int))
    again = _model(loss=loss, alpha="auto").fit(X[repeated], target[repeated])
    _same(model, again)
    assert model.alpha_ == again.alpha_
    assert_array_equal(model.y_mean_, again.y_mean_)
    assert model.certificate_.lower_bound == again.certificate_.lower_bound


@pytest.mark.parametrize("training", ["escape", "joint", "grow"])
def test_sparse_is_dense(training):
    thin = np.where(np.abs(X) < 0.5, 0.0, X)
    dense = _model(training=training).fit(thin, y)
    sparse = _model(training=training).fit(sp.csr_array(thin), y)
    spread = 0.1 * y.std()
    assert_allclose(sparse.predict(thin), dense.predict(thin), atol=spread)
    assert_allclose(sparse.loss_, dense.loss_, rtol=2e-3)


def test_rows_on_disk(tmp_path):
    plain = _model().fit(X, TWO, WEIGHT)
    _same(plain, _model(cache_dir=tmp_path).fit(X, TWO, WEIGHT))


def test_float32():
    single = X.astype(np.float32)
    model = _model().fit(single, y)
    assert model.coefs_[0].dtype == np.float32
    assert_allclose(model.loss_, _model().fit(X, y).loss_, rtol=1e-2)
    large = _model().fit(single, 1e40 * y).predict(single)
    assert_allclose(large / 1e40, model.predict(single), rtol=1e-3)


def test_float32_beside_a_large_mean():
    """float32 has no number between 1e9 and 1e9 + 64."""
    single = X.astype(np.float32)
    near, far = _model().fit(single, y), _model().fit(single, 1e9 + y)
    _same(near, far)
    expected = near.predict(single)
    assert_allclose(far.predict(single) - 1e9, expected, atol=1e-5)
    assert_allclose(far.to_mlp().predict(single) - 1e9, expected, atol=1e-3)


@pytest.mark.parametrize("loss", ["squared_error", "huber"])
@pytest.mark.parametrize("size", [1e-307, 1e-200, 1e-100, 1e100, 1e200, 1e300])
def test_an_objective_in_units_of_y_or_none(loss, size):
    certificate = _model(loss=loss).fit(X, size * (y / y.std())).certificate_
    unit = certificate.unit
    if loss == "squared_error" and abs(np.log10(size)) > 150:
        assert np.isnan(unit) and "of y as it was given" not in str(certificate)
    else:
        expected = size**2 if loss == "squared_error" else size
        assert_allclose(unit, expected, rtol=1e-6)
        assert "of y as it was given" in str(certificate)


def test_warm_start_restates_the_output_layer():
    model = _model().fit(X, TWO)
    before, now = model._target, encode_continuous(TWO * [5.0, -0.2] + 3.0)[0]
    raw = X @ model.coefs_[0] + model.intercepts_[0]
    coefs, intercepts = now.restated(model.coefs_, model.intercepts_, before)
    raw = np.maximum(raw, 0) @ coefs[-1] + intercepts[-1]
    assert_allclose(now.predictions(raw), model.predict(X))
    same = _model(warm_start=True, tol=1e-3).fit(X, y)
    loss = same.loss_
    assert same.fit(X, y).loss_ <= loss
    with pytest.raises(ValueError, match="as many targets: 1 before, 2 now"):
        same.fit(X, TWO)


def test_units_of_a_first_call_that_are_none_are_told():
    model = _model().partial_fit(X[:50], np.zeros(50))
    with pytest.warns(UserWarning, match=r"up to .*e\+0\d times y_scale_ away"):
        model.partial_fit(X, 1e6 * (3.0 + y))
    model = _model().partial_fit(X[:50], 1e6 * y[:50])
    with pytest.warns(UserWarning, match=r"differs by .*e-0\d times y_scale_ only"):
        model.partial_fit(X, y)
    # Neither of one row, nor of one without weight, nor by certify.
    model.partial_fit(X[:1], 1e6 * y[:1])
    targets, weights = 1e6 * y, np.ones(len(y))
    targets[0], weights[0] = 1e15, 0.0
    model.partial_fit(X, targets, sample_weight=weights)
    model.certify(X, targets, sample_weight=weights)


def test_partial_fit_keeps_the_units_of_the_first_call():
    model = _model().partial_fit(X[:50], y[:50])
    mean, spread = model.y_mean_, model.y_scale_
    for _ in range(3):
        model.partial_fit(X, y)
    assert (model.y_mean_, model.y_scale_) == (mean, spread)
    assert model.score(X, y) > 0.3
    with pytest.raises(ValueError, match="y has 2 targets, but the model was fitted"):
        model.partial_fit(X, TWO)


def test_pickle():
    model = _model().fit(X, y)
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.predict(X), model.predict(X))
    assert str(again.certificate_) == str(model.certificate_)


def test_skops_and_callbacks():
    sio = pytest.importorskip("skops.io")
    model = _model().fit(X, y)
    plain = sio.dumps(model)
    again = sio.loads(plain, trusted=sio.get_untrusted_types(data=plain))
    assert_array_equal(again.predict(X), model.predict(X))
    assert str(again.certificate_) == str(model.certificate_)
    pytest.importorskip("sklearn.callback")
    monitor = ValidationMonitor(X, y)
    watched = _model().set_callbacks(monitor).fit(X, y)
    _same(watched, model)
    assert monitor.scores_[-1]["score"] == pytest.approx(model.score(X, y), abs=0.01)


# Known solutions.


@pytest.mark.parametrize("target", [y, TWO], ids=["one", "two"])
def test_no_hidden_layer_is_ridge(target):
    alpha = 0.03
    model = _model((), alpha=alpha, tol=1e-12, max_iter=5000)
    model.fit(X, target, WEIGHT + 1)
    ridge = Ridge(alpha * (WEIGHT + 1).sum()).fit(X, target, WEIGHT + 1)
    expected = ridge.predict(X)
    assert_allclose(model.predict(X), expected, atol=1e-6 * target.std(axis=0).max())
    certificate = model.certificate_
    assert certificate.relative_gap < 1e-6


def test_without_penalty_the_bound_is_the_variance_inside_equal_rows():
    thrice = np.vstack([X[:20]] * 3)
    target = np.concatenate([y[:20], y[:20] + 10, y[:20] - 10])
    model = _model((40,), alpha=0, tol=1e-9, max_iter=3000).fit(thrice, target)
    certificate = model.certificate_
    variance = 200 / 3
    assert_allclose(certificate.lower_bound * model.y_scale_**2, variance / 2,
                    rtol=1e-6)  # fmt: skip
    assert certificate.status is Status.GLOBAL
    assert len(certificate.contradictions) == 60


@pytest.mark.parametrize("loss", ["squared_error", "huber", LogCosh()])
@pytest.mark.parametrize("hidden", [(), (6,), (6, 4)])
def test_no_network_is_below_the_proven_bound(loss, hidden):
    bounds, reached = [], []
    for seed in range(4):
        for width in (1, 2):
            sizes = tuple(width * h for h in hidden)
            model = _model(sizes, loss=loss, random_state=seed, alpha=0.03)
            certificate = model.fit(np.round(X[:60, :3]), y[:60]).certificate_
            bounds.append(certificate.lower_bound)
            reached.append(certificate.objective)
    assert max(bounds) <= min(reached)
    assert max(bounds) > 0.2 * min(reached)


def test_growing_is_below_the_plain_training():
    plain = _model((50,)).fit(X, y)
    grown = _model("auto", training="grow").fit(X, y)
    assert grown.loss_ <= plain.loss_ * (1 + 1e-4)
    assert grown.certificate_.estimated_gap <= 2e-3 * grown.loss_


@pytest.mark.parametrize("size", [1e-7, 1e-5])
def test_a_small_loss_is_no_global_minimum(size):
    class Small(LogCosh):
        def value(self, raw, target):
            return size * np.maximum(super().value(raw, target), 0.0)

        def derivative(self, raw, target):
            return size * super().derivative(raw, target)

    certificate = _model(loss=Small(), alpha=0).fit(X, y).certificate_
    assert certificate.status is not Status.GLOBAL


def test_huber_is_not_moved_by_outliers():
    rng = np.random.RandomState(0)
    A = rng.normal(size=(200, 3))
    truth = A @ np.array([1.0, -2.0, 0.5])
    observed = truth + 0.1 * rng.normal(size=200)
    observed[:10] += 50.0
    errors = {}
    for loss in ("squared_error", "huber"):
        model = _model((), loss=loss, alpha=1e-4, epsilon=0.01).fit(A, observed)
        errors[loss] = np.abs(model.predict(A[10:]) - truth[10:]).mean()
    assert errors["huber"] < 0.1 < errors["squared_error"]
    reference = HuberRegressor().fit(A, observed).predict(A[10:])
    assert errors["huber"] < 3 * np.abs(reference - truth[10:]).mean()


def test_huber_follows_the_rows_for_every_epsilon():
    rng = np.random.RandomState(0)
    A = rng.uniform(-3, 3, size=(300, 1))
    truth = np.sin(A[:, 0])
    observed = truth + 0.05 * rng.normal(size=300)
    observed[:3] = 1e4
    for times in (0.5, 5.0):
        epsilon = times / observed.std()
        model = _model((20,), loss="huber", epsilon=epsilon, alpha=1e-6, max_iter=1000)
        missed = np.abs(model.fit(A, observed).predict(A[3:]) - truth[3:])
        assert np.median(missed) < 0.5  # the mean of y: 100


# At home in scikit-learn.


def test_early_stopping_scores_r2():
    model = _model(early_stopping=True, alpha="auto").fit(X, y)
    assert len(model.validation_scores_) >= 1
    assert model.best_validation_score_ == model.validation_scores_.max() <= 1
    two = _model(early_stopping=True).fit(X, TWO)
    assert two.best_validation_score_ <= 1


def test_one_row_has_no_r2():
    with pytest.raises(ValueError, match="validation_fraction"):
        _model(early_stopping=True).fit(X[:5], y[:5])


def test_the_merit_is_r2():
    from skgoodmin.objective.canonical_rows import canonical_rows

    target, z = encode_continuous(TWO, sample_weight=WEIGHT)
    data = canonical_rows(X, z, WEIGHT)
    raw = data.labels + np.random.RandomState(0).normal(size=data.labels.shape)
    found = np.average(target.merit(data)(raw, data.labels), weights=data.weights)
    assert_allclose(found, r2_score(data.labels, raw, sample_weight=data.weights))


def test_auto_alpha_follows_the_noise():
    A, clean = make_friedman1(300, noise=0.0, random_state=0)
    noisy = clean + 5 * np.random.RandomState(0).normal(size=300)
    fits = [_model((30,), alpha="auto").fit(scale(A), t) for t in (clean, noisy)]
    assert fits[0].alpha_ < fits[1].alpha_
    assert fits[0].alpha_scores_["score"].max() > fits[1].alpha_scores_["score"].max()
    few = _model(alpha="auto").fit(X[:3], y[:3])
    assert "too few distinct rows" in few.alpha_reason_


def test_to_mlp():
    for target in (y, TWO):
        for activation in MLP_ACTIVATIONS:
            model = _model(activation=activation).fit(X, target)
            mlp = model.to_mlp()
            assert isinstance(mlp, MLPRegressor)
            assert_allclose(mlp.predict(X), model.predict(X), rtol=1e-9)
            assert mlp.n_layers_ == 3 and mlp.out_activation_ == "identity"
            clone(mlp).set_params(max_iter=5).fit(X, target)
    with pytest.raises(ValueError, match="got activation='silu'"):
        _model(activation="silu").fit(X, y).to_mlp()


def test_cross_validation():
    model = GoodMinimaRegressorCV((5,), alphas=3, cv=3, random_state=0).fit(X, y)
    assert model.scores_.shape == (3, 3) and model.best_score_ < 1
    assert_allclose(model.predict(X).mean(), y.mean(), rtol=0.05)
    search = GridSearchCV(_model(), {"alpha": [0.3, 0.03]}, cv=3).fit(X, y)
    assert search.best_score_ > 0.2
    assert cross_val_score(_model(), X, y, cv=3).mean() > 0.2


def test_the_display_shows_errors():
    pytest.importorskip("matplotlib").use("agg")
    model = _model().fit(X, y)
    display = CertificateDisplay.from_estimator(model, X, y)
    assert display.ax_.get_ylabel() == display.measure == "error"
    error = np.sort(np.abs((model.predict(X) - y) / model.y_scale_))
    assert_allclose(display.margins, error, atol=1e-6)


def test_the_display_of_alpha_takes_a_pipeline():
    pytest.importorskip("matplotlib").use("agg")
    model = make_pipeline(StandardScaler(), _model(alpha="auto")).fit(X, y)
    display = AlphaDisplay.from_estimator(model)
    assert display.alpha == model[-1].alpha_


# Bad input.


@pytest.mark.parametrize(
    "bad, message",
    [
        (np.array(["1.5"] * len(y)), "y must hold numbers, got an array of <U3"),
        (np.full(len(y), "2020", "M8[D]"), "y must hold numbers"),
        (np.array(["a"] * len(y), object), "y: "),
        (np.where(np.arange(len(y)) == 3, np.nan, y), "y contains NaN"),
        (np.where(np.arange(len(y)) == 3, np.inf, y), "y contains infinity"),
        (y[:-1], "X and y"),
        (None, r"^This GoodMinimaRegressor estimator requires y .* is None\.$"),
        (1j * y, r"^y: Complex data not supported\.$"),
        (list(1j * y), r"^y: Complex data not supported\.$"),
    ],
)
def test_bad_y(bad, message):
    with pytest.raises(ValueError, match=message):
        _model().fit(X, bad)


def test_complex_rows():
    for method in (lambda rows: _model().fit(rows, y), _model().fit(X, y).predict):
        with pytest.raises(ValueError, match=r"^X: Complex data not supported\.$"):
            method(1j * X)


@pytest.mark.parametrize(
    "parameters",
    [{"loss": "pinball"}, {"epsilon": 0}, {"epsilon": "large"}, {"loss": object()}],
)
def test_bad_parameters(parameters):
    with pytest.raises(ValueError, match=next(iter(parameters))):
        _model(**parameters).fit(X, y)


def test_a_loss_of_ones_own_is_checked():
    class Pinball:
        def value(self, raw, target):
            return np.maximum(0.9 * (target - raw), 0.1 * (raw - target))

        def derivative(self, raw, target):
            return np.where(raw < target, -0.9, 0.1)

    with pytest.raises(ValueError, match="not differentiable"):
        _model(loss=Pinball()).fit(X, y)


def test_the_classifier_names_the_regressor():
    for classifier in (GoodMinimaClassifier(), GoodMinimaClassifierCV()):
        name = type(classifier).__name__.replace("Classifier", "Regressor")
        with pytest.raises(ValueError, match=f"use a regressor, {name}[.]"):
            classifier.fit(X, y + 0.5)


@pytest.mark.parametrize(
    "how", [{}, {"loss": "huber"}, {"training": "grow"}, {"alpha": 0.0}]
)
def test_a_constant_among_several_targets_is_predicted_exactly(how):
    """It came out 3e-4 beside it, for which R2 was -1e22."""
    x = np.random.default_rng(0).normal(size=(100, 3))
    targets = np.c_[x[:, 0], np.full(100, 0.1), np.sin(x[:, 1])]
    model = GoodMinimaRegressor((10,), random_state=0, **how).fit(x, targets)
    assert (model.predict(x)[:, 1] == 0.1).all()
    assert model.score(x, targets) > 0.9
