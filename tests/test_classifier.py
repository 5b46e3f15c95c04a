"""What a user sees of the estimator, beyond scikit-learn's own checks."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.datasets import load_iris, make_classification, make_moons
from sklearn.ensemble import BaggingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.utils._testing import ignore_warnings

from skgoodmin import (
    Certificate,
    GoodMinimaClassifier,
    GoodMinimaClassifierCV,
    Status,
)
from skgoodmin.objective.losses import LOSSES


@pytest.fixture(scope="module")
def moons():
    return make_moons(120, noise=0.15, random_state=0)


@pytest.fixture(scope="module")
def iris():
    X, y = load_iris(return_X_y=True)
    return (X - X.mean(axis=0)) / X.std(axis=0), y


def _fit(X, y, sample_weight=None, **parameters):
    default = {"random_state": 0, "hidden_layer_sizes": (8,), "alpha": 0.15}
    parameters = default | parameters
    return GoodMinimaClassifier(**parameters).fit(X, y, sample_weight)


def _same(first, second):
    arrays = zip(
        first.coefs_ + first.intercepts_,
        second.coefs_ + second.intercepts_,
        strict=True,
    )
    return all(np.array_equal(a, b) for a, b in arrays)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_linear_log_loss_equals_logistic_regression(n_classes):
    X, y = make_classification(
        200, 6, n_informative=4, n_classes=n_classes, random_state=0
    )
    alpha = 0.02
    ours = _fit(X, y, hidden_layer_sizes=(), loss="log_loss", alpha=alpha, tol=1e-8)
    theirs = LogisticRegression(C=1 / (alpha * len(X)), tol=1e-10, max_iter=5000)
    theirs.fit(X, y)
    coef, intercept = ours.coefs_[0].T, ours.intercepts_[0]
    if n_classes == 3:  # softmax is free up to a shift of the intercepts
        intercept = intercept - intercept.mean()
    np.testing.assert_allclose(coef, theirs.coef_, atol=1e-5)
    theirs_intercept = theirs.intercept_ - (
        theirs.intercept_.mean() if n_classes == 3 else 0
    )
    np.testing.assert_allclose(intercept, theirs_intercept, atol=1e-5)
    np.testing.assert_allclose(
        ours.predict_proba(X), theirs.predict_proba(X), atol=1e-5
    )


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("seed", range(50))
def test_weights_are_repetitions_and_removals(seed, sparse):
    """The data of scikit-learn's check; bit-identical, not close."""
    rng = np.random.RandomState(seed)
    X, y = rng.rand(15, 30), rng.randint(3, size=15)
    y[:6] = [0, 1, 2, 0, 1, 2]
    weight = rng.randint(5, size=15)
    weight[:3] = [1, 2, 3]
    index = rng.permutation(np.repeat(np.arange(15), weight))
    convert = csr_array if sparse else np.asarray
    parameters = {"hidden_layer_sizes": (10,), "alpha": 0.1}
    weighted = _fit(convert(X), y, weight, **parameters)
    repeated = _fit(convert(X[index]), y[index], **parameters)
    assert _same(weighted, repeated)
    assert weighted.certificate_.loss == repeated.certificate_.loss


def test_order_of_the_rows_does_not_matter(moons):
    X, y = moons
    order = np.random.RandomState(1).permutation(len(X))
    for parameters in ({}, {"early_stopping": True}, {"class_weight": "balanced"}):
        assert _same(_fit(X, y, **parameters), _fit(X[order], y[order], **parameters))


def test_n_jobs_does_not_matter(moons):
    from joblib import parallel_config

    fits = [_fit(*moons, n_init=3, n_jobs=n_jobs) for n_jobs in (None, 2)]
    with parallel_config("threading"):
        fits.append(_fit(*moons, n_init=3, n_jobs=2))
    assert _same(fits[0], fits[1]) and _same(fits[0], fits[2])
    assert fits[0].init_losses_.shape == (3,)
    assert fits[0].init_losses_[fits[0].best_init_] == fits[0].loss_


def test_fitted_attributes(iris):
    model = _fit(*iris, hidden_layer_sizes=(5, 4))
    assert model.n_layers_ == 4 and model.n_outputs_ == 3
    assert [c.shape for c in model.coefs_] == [(4, 5), (5, 4), (4, 3)]
    assert model.loss_curve_[-1] == model.loss_ <= model.loss_curve_[0]
    assert model.n_escapes_ > 0 and len(model.loss_curve_) > model.n_iter_ + 1
    plain = _fit(*iris, hidden_layer_sizes=(5, 4), max_escapes=0)
    assert len(plain.loss_curve_) == plain.n_iter_ + 1
    assert (np.diff(plain.loss_curve_) <= 0).all() and plain.n_escapes_ == 0
    assert model.loss_ <= 1.01 * plain.loss_
    assert model.n_fun_ >= model.n_iter_ and 0 <= model.n_escapes_ <= 3
    assert isinstance(model.certificate_, Certificate)
    assert model.optimality_gap_ == model.certificate_.gap
    assert model.out_activation_ == "hinge"
    assert model.neuron_coef_.shape == (4,) and model.neuron_amplitude_.shape == (3,)


def test_certificate_at_zero_loss(moons):
    model = _fit(*moons, hidden_layer_sizes=(30,), alpha=0, tol=1e-6)
    certificate = model.certificate_
    assert certificate.status is Status.GLOBAL and certificate.gap < 1e-6
    assert certificate.caveat == "" and "proven" in str(certificate)


def test_certificate_says_where_the_theorem_is_silent(moons):
    certificate = _fit(*moons, alpha=0, loss="log_loss").certificate_
    assert certificate.caveat
    assert certificate.caveat in str(certificate)
    assert certificate.gap > 0 and certificate.status is Status.IMPROVABLE


def test_certificate_speaks_with_weight_decay(moons):
    certificate = _fit(*moons, alpha=0.1).certificate_
    assert certificate.caveat == ""
    assert 0 < certificate.lower_bound <= certificate.objective
    assert certificate.relative_gap < 0.2
    assert certificate.estimated_gap <= certificate.gap
    expected = Status.BOUNDED if certificate.witness is None else Status.IMPROVABLE
    assert certificate.status is expected


def test_joint_training_reports_the_neuron(moons):
    model = _fit(*moons, training="joint", alpha=0)
    assert np.isfinite(model.neuron_coef_).all()
    X = moons[0]
    exponent = X @ model.neuron_coef_ + model.neuron_intercept_
    contribution = np.abs(model.neuron_amplitude_).max() * np.exp(exponent).max()
    np.testing.assert_allclose(
        contribution, model.certificate_.neuron_contribution, rtol=1e-10
    )
    assert np.isnan(_fit(*moons).neuron_coef_).all()


@pytest.mark.parametrize(
    "parameters", [{"alpha": 1e-4}, {"alpha": 0, "hidden_layer_sizes": (1,)}]
)
def test_without_the_neuron_there_is_no_witness(parameters, moons):
    with_neuron = _fit(*moons, **parameters, max_escapes=0)
    without = _fit(*moons, **parameters, special_neuron=None)
    assert _same(with_neuron, without)
    assert without.certificate_.witness is None
    assert without.certificate_.status is Status.BOUNDED
    assert with_neuron.certificate_.witness is not None


def test_float32_is_kept(moons):
    X, y = moons
    model = _fit(X.astype(np.float32), y, alpha=0.001)
    assert {c.dtype for c in model.coefs_ + model.intercepts_} == {np.dtype("float32")}
    assert abs(model.score(X, y) - _fit(X, y, alpha=0.001).score(X, y)) < 0.02
    assert model.predict_proba(X.astype(np.float32)).shape == (len(X), 2)


def test_string_and_bool_labels(iris):
    X, y = iris
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    model = _fit(X, names)
    assert list(model.classes_) == ["setosa", "versicolor", "virginica"]
    assert (model.predict(X) == names).mean() > 0.95
    model = _fit(X, y == 2)
    assert model.predict(X).dtype == bool and model.decision_function(X).ndim == 1


@pytest.mark.parametrize("loss", LOSSES)
def test_multilabel(loss, iris):
    X, y = iris
    Y = np.column_stack([y == 0, y >= 1, X[:, 0] > 0]).astype(int)
    model = _fit(X, Y, loss=loss)
    assert model.predict(X).shape == Y.shape
    assert (model.predict(X) == Y).mean() > 0.95
    np.testing.assert_array_equal(model.decision_function(X) > 0, model.predict(X))
    assert _same(model, _fit(X, csr_array(Y), loss=loss))


def test_balanced_weights_equal_the_weights_by_hand(moons):
    X, y = moons
    X, y = X[y * np.arange(len(y)) < 60], y[y * np.arange(len(y)) < 60]
    weight = len(y) / (2 * np.bincount(y))[y]
    by_hand, balanced = _fit(X, y, weight), _fit(X, y, class_weight="balanced")
    as_dict = _fit(X, y, class_weight=dict(enumerate(len(y) / (2 * np.bincount(y)))))
    assert _same(balanced, as_dict) and _same(balanced, by_hand)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_class_of_weight_zero_is_not_trained_on_and_stays_a_class(loss, iris):
    X, y = iris
    weight = (y != 1).astype(float)
    model = _fit(X, y, weight, loss=loss)
    assert list(model.classes_) == [0, 1, 2]
    probabilities = model.predict_proba(X)
    assert probabilities.shape == (150, 3)
    assert probabilities[:, 1].max() < 0.2
    np.testing.assert_array_equal(model.predict(X)[y != 1], y[y != 1])
    two = _fit(X, y == 1, (y != 2).astype(float), loss=loss)
    removed = _fit(X[y != 2], (y == 1)[y != 2], loss=loss)
    assert _same(two, removed)  # where both classes are left it is a removal
    # What the rows of weight 0 are is of no importance, but for their class.
    moved = X.copy()
    moved[y == 1] += 7.0
    assert _same(model, _fit(moved, y, weight, loss=loss))
    assert _same(model, _fit(X, y, class_weight={1: 0.0}, loss=loss))


CONSTANT = [
    {},
    {"alpha": 0},
    {"early_stopping": True},
    {"training": "joint"},
    {"hidden_layer_sizes": ()},
    {"n_init": 3},
    {"activation": "tanh", "hidden_layer_sizes": (4, 3)},
]


@pytest.mark.parametrize("parameters", CONSTANT, ids=str)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_one_class_left_gives_a_constant_model(n_classes, loss, parameters, iris):
    X, y = iris
    y = np.array(["a", "b", "c"])[np.minimum(y, n_classes - 1)]
    for left in "ab":
        model = _fit(X, y, (y == left).astype(float), loss=loss, **parameters)
        assert list(model.classes_) == list("abc"[:n_classes])
        assert set(model.predict(100 * X)) == {left} and model.converged_
        raw = model.decision_function(100 * X)
        np.testing.assert_allclose(raw, np.broadcast_to(raw[0], raw.shape), rtol=1e-5)
        assert model.predict_proba(X)[:, "abc".index(left)].min() > 1 - 1e-6
        if not model.early_stopping:  # which keeps the first iterate
            assert model.loss_ < 1e-8
            attained = loss == "poly_hinge"
            assert (model.certificate_.status is Status.GLOBAL) >= attained


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("loss", LOSSES)
def test_a_constant_model_learns_from_what_comes_later(loss, activation, moons):
    X, y = moons
    order = np.argsort(y, kind="stable")
    first = order[:40]  # of class 0
    parameters = {"loss": loss, "activation": activation, "alpha": 0, "random_state": 0}
    model = GoodMinimaClassifier((8,), **parameters)
    model.partial_fit(X[first], y[first], classes=[0, 1])
    assert set(model.predict(X)) == {0}
    assert model.partial_fit(X, y).score(X, y) > 0.85


@pytest.mark.parametrize("n_classes", [2, 3])
def test_bags_without_a_rare_class(n_classes, iris):
    X, y = iris
    rows = np.r_[0:40, 50:90, 100:102] if n_classes == 3 else np.r_[0:50, 50]
    X, y = X[rows], y[rows]
    model = GoodMinimaClassifier((3,), alpha=0.01, random_state=0)
    bags = BaggingClassifier(model, n_estimators=8, random_state=0).fit(X, y)
    drawn = [set(y[bag]) for bag in bags.estimators_samples_]
    assert any(len(classes) < n_classes for classes in drawn)
    for bag in bags.estimators_:
        np.testing.assert_array_equal(bag.classes_, np.arange(n_classes))
    assert bags.score(X, y) > 0.95
    # The mean of what each of them says, by hand.
    raw = np.mean([bag.decision_function(X) for bag in bags.estimators_], axis=0)
    assert raw.shape == ((len(X),) if n_classes == 2 else (len(X), 3))
    np.testing.assert_allclose(bags.decision_function(X), raw)
    mean = np.mean([bag.predict_proba(X) for bag in bags.estimators_], axis=0)
    np.testing.assert_allclose(bags.predict_proba(X), mean)


@pytest.mark.parametrize("method", ["warm start", "partial_fit"])
def test_the_kind_of_y_does_not_change_on_the_way(method, iris):
    X, y = iris
    Y = np.eye(3, dtype=int)[y]
    for before, after in ((Y, y), (y, Y), (csr_array(Y), y), (y, csr_array(Y))):
        model = GoodMinimaClassifier((3,), warm_start=True, random_state=0)
        fit = model.fit if method == "warm start" else model.partial_fit
        coefs = fit(X, before).coefs_
        with pytest.raises(ValueError, match="the same kind of y: it was .* and is "):
            fit(X, after)
        assert model.coefs_ is coefs
        fit(X, before)
    model = GoodMinimaClassifier((3,), warm_start=True, random_state=0)
    fit = model.fit if method == "warm start" else model.partial_fit
    fit(X, Y[:, :2])  # as many columns as two classes have names
    with pytest.raises(ValueError, match="the same kind of y"):
        fit(X, (y > 0).astype(int))


@pytest.mark.parametrize("convert", [np.asarray, csr_array], ids=["dense", "sparse"])
def test_classes_of_a_label_matrix_are_the_numbers_of_its_columns(convert, iris):
    X, y = iris
    Y = convert(np.eye(3, dtype=int)[y])
    model = GoodMinimaClassifier((4,), random_state=0)
    for classes in ([0, 1, 2], None, np.arange(3), (2, 1, 0)):
        model.partial_fit(X, Y, classes=classes)
        np.testing.assert_array_equal(model.classes_, [0, 1, 2])
    assert model.multilabel_ and model.score(X, np.eye(3, dtype=int)[y]) > 0.8
    for classes in ([0, 1], [1, 2, 3], ["a", "b", "c"]):
        with pytest.raises(ValueError, match="classes"):
            model.partial_fit(X, Y, classes=classes)
        with pytest.raises(ValueError, match="numbers of its 3 columns"):
            GoodMinimaClassifier((4,)).partial_fit(X, Y, classes=classes)


def _dummies(n=80):
    """A categorical table as a frame of sparse and of dense columns, and y."""
    rng = np.random.RandomState(1)
    frame = pd.DataFrame(
        {"colour": rng.choice(list("rgb"), n), "size": rng.choice(list("sml"), n)}
    )
    y = (frame["colour"] == "r") ^ (rng.uniform(size=n) < 0.2)
    return frame, y.to_numpy().astype(int)


@pytest.mark.parametrize("dtype", [None, "uint8", "int64", "float32", "float64"])
def test_sparse_frames(dtype):
    frame, y = _dummies()
    sparse = pd.get_dummies(frame, sparse=True, dtype=dtype)
    dense = pd.get_dummies(frame, dtype=float)
    # A model with one minimum, at rest.
    one = {"hidden_layer_sizes": (), "alpha": 0.1, "tol": 1e-9, "loss": "log_loss"}
    expected = _fit(dense, y, **one)
    found = _fit(sparse, y, **one)
    close = {"atol": 1e-6, "rtol": 1e-5} if dtype == "float32" else {"atol": 1e-9}
    np.testing.assert_allclose(found.coefs_[0], expected.coefs_[0], **close)
    for X in (sparse, dense):
        for method in ("predict_proba", "decision_function"):
            np.testing.assert_allclose(
                getattr(found, method)(X), getattr(expected, method)(dense), **close
            )
        np.testing.assert_array_equal(found.predict(X), expected.predict(dense))
    assert list(found.feature_names_in_) == list(dense.columns)
    again = GoodMinimaClassifier(**one, random_state=0).partial_fit(sparse, y)
    assert _same(again, found)
    hidden = _fit(sparse, y, alpha=0.01)
    assert np.isfinite(hidden.predict_proba(sparse)).all()
    cv = {"alphas": [0.1, 0.01], "cv": 3, "random_state": 0}
    cv |= {"hidden_layer_sizes": (), "loss": "log_loss", "tol": 1e-9}
    with ignore_warnings(category=UserWarning):
        first = GoodMinimaClassifierCV(**cv).fit(sparse, y)
        second = GoodMinimaClassifierCV(**cv).fit(dense, y)
    np.testing.assert_array_equal(first.scores_, second.scores_)
    np.testing.assert_array_equal(first.predict(sparse), second.predict(dense))


def test_collections_of_dask_are_loaded_with_a_warning(moons):
    da = pytest.importorskip("dask.array")
    X, y = moons
    lazy, lazy_y = da.from_array(X, chunks=(50, 2)), da.from_array(y, chunks=50)
    expected = _fit(X, y)
    told = r"^X: a dask collection is loaded .* Pass X\.compute\(\), or .* a sample"
    model = GoodMinimaClassifier((8,), alpha=0.15, random_state=0)
    with pytest.warns(UserWarning, match=told):
        assert _same(model.fit(lazy, y), expected)
    again = GoodMinimaClassifier((8,), alpha=0.15, random_state=0)
    with pytest.warns(UserWarning, match=r"^X and y and sample_weight: .*X\.compute"):
        again.partial_fit(lazy, lazy_y, sample_weight=da.ones(len(X), chunks=50))
    assert _same(again, expected)
    unknown = lazy[lazy[:, 0] > -10]  # of unknown length
    with pytest.warns(UserWarning, match=told):
        assert _same(model.fit(unknown, y), expected)
    cv = GoodMinimaClassifierCV((3,), alphas=[0.1], cv=2, random_state=0)
    with pytest.warns(UserWarning, match="dask") as caught:
        cv.fit(lazy, lazy_y)
    assert sum("dask" in str(w.message) for w in caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(lazy.compute(), lazy_y.compute())


def test_warm_start_goes_on(moons):
    model = GoodMinimaClassifier(
        (8,), warm_start=True, max_iter=5, random_state=0, alpha=0.001
    )
    losses = []
    for _ in range(4):
        with pytest.warns(ConvergenceWarning, match="max_iter"):
            model.fit(*moons)
        losses.append(model.loss_)
        if len(losses) > 1:
            assert model.loss_curve_[0] == losses[-2]
    with pytest.raises(ValueError, match="same layers"):
        model.set_params(hidden_layer_sizes=(9,)).fit(*moons)
    with pytest.raises(ValueError, match="same classes: .*0, 1.* before, .*2, 3.* now"):
        model.set_params(hidden_layer_sizes=(8,)).fit(moons[0], moons[1] + 2)
    assert model.loss_ == losses[-1]


def test_partial_fit(iris):
    X, y = iris
    model = GoodMinimaClassifier((8,), random_state=0)
    model.partial_fit(X[y < 2], y[y < 2], classes=[0, 1, 2])
    assert list(model.classes_) == [0, 1, 2]
    model.partial_fit(X, y)
    assert model.score(X, y) > 0.95
    with pytest.raises(ValueError, match="classes"):
        model.partial_fit(X, y, classes=[0, 1])
    with pytest.raises(ValueError, match="not in"):
        model.partial_fit(X, y + 5)


def test_early_stopping(moons):
    X, y = moons
    rng = np.random.RandomState(0)
    noisy = np.where(rng.uniform(size=len(y)) < 0.3, 1 - y, y)
    free = _fit(X, noisy, alpha=0, hidden_layer_sizes=(50,), max_iter=5000)
    model = _fit(
        X,
        noisy,
        alpha=0,
        hidden_layer_sizes=(50,),
        early_stopping=True,
        validation_fraction=0.3,
    )
    assert model.n_iter_ < free.n_iter_
    assert model.best_validation_score_ == model.validation_scores_.max()
    assert len(model.validation_scores_) == model.n_iter_
    assert free.validation_scores_ is None and free.best_validation_score_ is None
    model.set_params(early_stopping=False, alpha=0.1).fit(X, y)
    assert model.validation_scores_ is None and model.best_validation_score_ is None


def test_non_convergence_says_what_to_change(moons):
    with pytest.warns(ConvergenceWarning, match="increase max_iter"):
        model = _fit(*moons, max_iter=2)
    assert not model.converged_
    assert model.certificate_.status is Status.NOT_CONVERGED
    with pytest.warns(ConvergenceWarning, match="increase max_fun"):
        _fit(*moons, max_fun=3)


def test_stays_at_a_global_minimum_under_warm_start(moons):
    model = _fit(*moons, hidden_layer_sizes=(30,), alpha=0, warm_start=True)
    again = clone(model).set_params(warm_start=True)
    again.__dict__.update(model.__dict__)
    assert _same(again.fit(*moons), model)


def test_pickle(moons):
    model = _fit(*moons)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(
        again.predict_proba(moons[0]), model.predict_proba(moons[0])
    )
    assert again.certificate_.status is model.certificate_.status


def test_html_representation_has_no_dead_link(moons):
    html = _fit(*moons)._repr_html_()
    assert "GoodMinimaClassifier" in html
    assert (
        "readthedocs" not in html and "skgoodmin.GoodMinimaClassifier.html" not in html
    )


NAN = np.array([[np.nan, 0], [1, 1]])
BAD_FITS = [
    ({}, NAN, [0, 1], None, "NaN"),
    ({}, np.array([[np.inf, 0], [1, 1]]), [0, 1], None, "infinity"),
    ({}, np.eye(2), [1, 1], None, "class"),
    ({}, np.eye(3), [0, 1], None, "inconsistent"),
    ({}, np.ones(3), [0, 1, 1], None, "2D"),
    ({}, np.eye(2), [[0, 2], [1, 1]], None, "multiclass-multioutput"),
    ({}, np.eye(2), [0.3, 0.7], None, "continuous"),
    ({}, np.eye(3), ["a", "b", None], None, "y has a missing value, None in row 2"),
    ({}, np.eye(3), np.array(["a", pd.NA, "b"], object), None, "value, <NA> in row 1"),
    ({}, np.eye(3), pd.Series([np.nan, "a", "b"]), None, "missing value, nan in row 0"),
    ({"degree": 1e6}, np.eye(2), [0, 1], None, "degree=1e\\+06: The objective overfl"),
    ({}, np.eye(2), [0, 1], [1, -1], "[Nn]egative"),
    ({}, np.eye(2), [0, 1], [0, 0], "zero|above 0"),
    ({}, np.eye(2), [0, 1], [1, 2, 3], "sample_weight"),
    ({"hidden_layer_sizes": (3, 0)}, np.eye(2), [0, 1], None, "hidden_layer_sizes"),
    ({"hidden_layer_sizes": "big"}, np.eye(2), [0, 1], None, "hidden_layer_sizes"),
    ({"hidden_layer_sizes": True}, np.eye(2), [0, 1], None, "hidden_layer_sizes"),
    ({"hidden_layer_sizes": (3, 2.5)}, np.eye(2), [0, 1], None, "hidden_layer_sizes"),
    ({"activation": "gelu"}, np.eye(2), [0, 1], None, "activation"),
    ({"loss": "hinge"}, np.eye(2), [0, 1], None, "loss"),
    ({"degree": 1}, np.eye(2), [0, 1], None, "degree"),
    ({"alpha": -1}, np.eye(2), [0, 1], None, "alpha"),
    ({"alpha": "0"}, np.eye(2), [0, 1], None, "alpha"),
    ({"neuron_alpha": 0}, np.eye(2), [0, 1], None, "neuron_alpha"),
    ({"training": "magic"}, np.eye(2), [0, 1], None, "training"),
    ({"n_init": 0}, np.eye(2), [0, 1], None, "n_init"),
    ({"n_jobs": 0}, np.eye(2), [0, 1], None, "n_jobs"),
    ({"max_iter": 1.5}, np.eye(2), [0, 1], None, "max_iter"),
    ({"tol": -1e-9}, np.eye(2), [0, 1], None, "tol"),
    ({"class_weight": {5: 1}}, np.eye(2), [0, 1], None, "class_weight"),
    ({"class_weight": {0: "a"}}, np.eye(2), [0, 1], None, "class_weight"),
    ({"class_weight": {0: -1, 1: 1}}, np.eye(2), [0, 1], None, "class_weight"),
    ({"early_stopping": True}, np.eye(2), [0, 1], None, "validation_fraction"),
    ({"early_stopping": True, "training": "joint"}, np.eye(2), [0, 1], None, "joint"),
    ({}, np.eye(2) * 1e200, [0, 1], None, "overflow"),
]


@pytest.mark.parametrize("parameters, X, y, weight, match", BAD_FITS)
def test_bad_input_is_refused_and_the_earlier_fit_kept(parameters, X, y, weight, match):
    model = GoodMinimaClassifier((3,), random_state=0)
    model.fit(np.random.RandomState(0).normal(size=(20, 3)), np.arange(20) % 2)
    before = dict(vars(model))
    model.set_params(**parameters)
    with pytest.raises(ValueError, match=match):
        model.fit(X, y, sample_weight=weight)
    after = dict(vars(model))
    for name in before:
        assert name in parameters or before[name] is after[name]
    assert set(before) == set(after)


def test_predict_refuses_other_features(moons):
    model = _fit(*moons)
    with pytest.raises(ValueError, match="features"):
        model.predict(np.ones((3, 5)))
    with pytest.raises(ValueError, match="NaN"):
        model.predict([[np.nan, 1]])


HOSTILE = {
    **{f"scale 1e{k}": 10.0**k for k in (-300, -160, -30, 30, 100, 160, 300)},
    "scales apart": np.array([1e-200, 1.0, 1e150]),
    "subnormal": 5e-320,
}
SETTINGS = [
    {},
    {"alpha": 0},
    {"loss": "log_loss", "alpha": 0},
    {"activation": "tanh", "alpha": 0},
    {"activation": "silu"},
    {"training": "joint"},
    {"early_stopping": True},
]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("parameters", SETTINGS, ids=str)
@pytest.mark.parametrize("scale", HOSTILE)
def test_features_of_any_scale_end_in_a_model_or_a_clear_error(scale, parameters):
    X = np.random.RandomState(0).normal(size=(40, 3))
    y = (X[:, 0] * X[:, 1] > 0).astype(int)
    X = X * HOSTILE[scale]
    try:
        model = _fit(X, y, hidden_layer_sizes=(4,), max_iter=60, **parameters)
    except ValueError as error:
        assert "scale the data" in str(error)
    else:
        assert all(np.isfinite(c).all() for c in model.coefs_ + model.intercepts_)
        assert np.isfinite(model.predict_proba(X)).all()
