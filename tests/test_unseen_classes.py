"""Cross-validation where a fold has to predict a class that it has not seen."""

import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.model_selection import KFold, TimeSeriesSplit
from sklearn.preprocessing import scale

from skgoodmin import GoodMinimaClassifierCV

X, y = load_iris(return_X_y=True)
X = scale(X)
MODEL = GoodMinimaClassifierCV((8,), alphas=[0.1, 0.03], random_state=0)


def test_rows_of_a_class_that_no_fold_has_seen_fit_no_slope():
    """The rows of iris are sorted: each of three folds is a class."""
    model = clone(MODEL).set_params(cv=KFold(3))
    with pytest.warns(UserWarning, match="fold 0 of cv 50 test rows, .* row 0, have a"):
        model.fit(X, y)
    assert model.link_slope_ is None and model.best_score_ == 0.0
    assert model.predict_proba(X).max(axis=1).mean() > 0.8


def test_a_slope_comes_from_the_rows_of_known_classes():
    model = clone(MODEL).set_params(cv=TimeSeriesSplit(3))
    with pytest.warns(UserWarning, match="link_slope_ is fitted without them"):
        model.fit(X, y)
    assert 1.5 < model.link_slope_ < 10.0


def test_only_rows_with_a_weight_are_known():
    """A class of three rows, of which only the one that is left out has a weight."""
    rows = np.r_[:50, 50:100, 100:103]
    weight = np.r_[np.ones(101), 0.0, 0.0]
    others = np.setdiff1d(np.arange(103), np.arange(0, 101, 5))
    model = clone(MODEL).set_params(cv=[(others, np.arange(0, 101, 5))])
    with pytest.warns(UserWarning, match="1 test rows, the first is row 100"):
        model.fit(X[rows], y[rows], weight)
    model.set_params(cv=[(np.arange(101), np.r_[:103:5, 101, 102])])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(X[rows], y[rows], weight)


def test_labels_that_are_not_seen():
    Y = np.c_[y > 0, y == 2].astype(int)
    model = clone(MODEL).set_params(cv=[(np.arange(90), np.arange(60, 150))])
    with pytest.warns(UserWarning, match="50 test rows, the first is row 100"):
        model.fit(X, Y)
    assert model.link_slope_ > 1.0
