"""The rows that are dealt to folds, and classes that have too few of them."""

import warnings

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.datasets import load_iris, make_classification, make_moons
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss

from skgoodmin import GoodMinimaClassifier
from skgoodmin.estimator import alpha_choice
from skgoodmin.estimator.alpha_choice import ALPHAS
from skgoodmin.estimator.deal import dealt
from skgoodmin.estimator.targets import encode
from skgoodmin.objective.canonical_rows import canonical_rows

IRIS = load_iris(return_X_y=True)


def _fit(X, y, sample_weight=None, **parameters):
    parameters = {"random_state": 0, "hidden_layer_sizes": (6,)} | parameters
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return GoodMinimaClassifier(**parameters).fit(X, y, sample_weight)


def test_equal_rows_are_in_one_fold():
    rng = np.random.RandomState(0)
    X = rng.randint(4, size=(200, 2)).astype(float)
    target, labels = encode(rng.randint(2, size=200))
    data = canonical_rows(X, labels)
    deal = dealt(data, target, 1000)
    folds = [set(deal.fold[data.group == group]) for group in range(data.group[-1] + 1)]
    assert all(len(fold) == 1 for fold in folds)
    assert set.union(*folds) == {0, 1, 2, 3}


def test_a_sample_has_its_share_of_each_class(monkeypatch):
    small = alpha_choice.SMALL._replace(n_groups=400)
    monkeypatch.setattr(alpha_choice, "SMALL", small)
    rng = np.random.RandomState(0)
    X, y = rng.normal(size=(1000, 2)), np.repeat([0, 1, 2], [690, 300, 10])
    target, labels = encode(y)
    data = canonical_rows(X, labels, rng.uniform(0.5, 2.0, 1000))
    deal = dealt(data, target, 400)
    codes, fold = deal.data.labels[:, 0], deal.fold
    counts = np.bincount(codes)
    assert counts.tolist() == [276, 120, 10]  # none of the rare class is left out
    by_fold = np.array([np.bincount(codes[fold == k], minlength=3) for k in range(4)])
    assert (np.ptp(by_fold, axis=0) <= 1).all()
    assert deal.share == 406 / 1000
    # Weights make up for it.
    of_classes = np.bincount(codes, deal.data.weights)
    whole = np.bincount(data.labels[:, 0], data.weights)
    np.testing.assert_allclose(
        of_classes / of_classes.sum(), whole / whole.sum(), rtol=0.1
    )
    X, y = make_moons(1000, noise=0.3, random_state=0)
    model = _fit(X, y, max_iter=20)
    np.testing.assert_allclose(model.alpha_scores_["alpha"], 0.4 * ALPHAS)
    assert "on 400 distinct rows" in model.alpha_reason_


def test_too_few_rows_for_folds_are_told():
    X, y = IRIS
    rows = np.r_[:50, 50:52, 100:103]
    model = _fit(X[rows], y[rows], max_iter=5)
    assert model.alpha_ == 0.2 and model.alpha_scores_ is None
    assert "class 2 has too few distinct rows for 4 folds (3)" in model.alpha_reason_
    assert model.alpha_reason_ in str(model.certificate_)
    assert model.link_slope_ is None and model.out_activation_ == "hinge"
    one = _fit(X[:60], y[:60], np.repeat([1.0, 0.0], [50, 10]))
    assert "y is constant" in one.alpha_reason_


def _with_rare(X, y, n):
    """The rows, and n of one class more."""
    more = 2 * np.random.RandomState(1).normal(size=(n, X.shape[1]))
    return np.r_[X, more], np.r_[y, np.full(n, y.max() + 1)]


@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_rare_class_does_not_spoil_the_others(n_classes):
    X, y = make_classification(
        2000, 15, n_informative=8, n_classes=n_classes, flip_y=0.15, random_state=0
    )
    X, y, X_test, y_test = X[:1000], y[:1000], X[1000:], y[1000:]
    losses = []
    for n_rare in (0, 3):
        model = GoodMinimaClassifier(random_state=0).fit(*_with_rare(X, y, n_rare))
        p = model.predict_proba(X_test)
        losses.append(log_loss(y_test, p, labels=model.classes_))
    assert losses[1] < 1.15 * losses[0]


@pytest.mark.parametrize("loss", ["poly_hinge", "log_loss"])
def test_a_rare_class_has_no_say(loss):
    """Strengths score as without it, on 149 contents; the slope is of all outputs."""
    X, y = IRIS
    plain = _fit(X, y, loss=loss, max_iter=5)
    model = _fit(*_with_rare(X, y, 3), loss=loss, max_iter=5)
    for name in ("score", "error"):
        found, expected = model.alpha_scores_[name], plain.alpha_scores_[name]
        np.testing.assert_array_equal(found, expected)
    np.testing.assert_allclose(model.alpha_, 149 / 152 * plain.alpha_)
    share = {"poly_hinge": 1.0, "log_loss": 0.25}[loss]
    np.testing.assert_allclose(model.alpha_scores_["alpha"], 149 / 152 * share * ALPHAS)
    assert model.classes_.tolist() == [0, 1, 2, 3] and model.n_outputs_ == 4
    assert "of the 3 classes with at least 4 distinct rows" in model.alpha_reason_
    assert model.alpha_reason_ in str(model.certificate_)
    assert "classes with" not in plain.alpha_reason_
    if loss == "poly_hinge":
        assert plain.link_slope_ < model.link_slope_ < 2 * plain.link_slope_


@pytest.mark.parametrize("convert", [np.asarray, csr_array], ids=["dense", "sparse"])
def test_beside_a_rare_class_order_and_repetition_change_nothing(convert):
    rng = np.random.RandomState(0)
    X = rng.randint(4, size=(200, 2)).astype(float)  # rows with several labels
    y = (X.sum(axis=1) + rng.randint(2, size=200) > 3).astype(int)
    X, y = _with_rare(X, y, 3)
    X[-2:], y[:2] = X[:2], 2
    times = rng.randint(1, 4, len(X))
    repeated = rng.permutation(np.repeat(np.arange(len(X)), times))
    weighted = _fit(convert(X), y, times.astype(float), max_iter=5)
    again = _fit(convert(X[repeated]), y[repeated], max_iter=5)
    assert weighted.link_slope_ == again.link_slope_
    assert weighted.alpha_scores_.tobytes() == again.alpha_scores_.tobytes()
    for first, second in zip(weighted.coefs_, again.coefs_, strict=True):
        np.testing.assert_array_equal(first, second)


def test_what_is_dealt_beside_rare_classes():
    X, y = make_moons(100, noise=0.2, random_state=0)
    X, y = np.r_[X, X[:1], 9 + X[:2]], np.r_[5 * y + 2, 3, 9, 9]
    target, labels = encode(y)
    data = canonical_rows(X, labels)
    deal = dealt(data, target, 1000)
    assert deal.target.classes.tolist() == [2, 7] and deal.target.n_left_out == 2
    assert deal.target.n_outputs == 2  # as in the whole network, one for each class
    assert deal.data.n_rows == 100 and deal.share == 100 / 102  # of the contents
    codes = np.bincount(deal.data.labels[:, 0])
    assert codes.tolist() == [50, 50]
    for row, label in zip(deal.data.block(), deal.data.labels[:, 0], strict=True):
        place = np.flatnonzero((X[:100] == row).all(axis=1))
        assert y[place].tolist() == [deal.target.classes[label]]


def test_a_choice_on_few_of_the_rows_is_none():
    X = np.random.RandomState(0).normal(size=(68, 2))
    y = np.repeat(np.arange(22), [4, 4] + 20 * [3])
    model = _fit(X, y, max_iter=5)
    assert model.alpha_scores_ is None and model.link_slope_ is None
    assert model.alpha_ == 0.2 and "most classes have too few" in model.alpha_reason_
