"""Warnings show the user's own line."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from sklearn.datasets import make_moons
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgoodmin import GoodMinimaClassifier, GoodMinimaClassifierCV

X, Y = make_moons(40, noise=0.2, random_state=0)
SHORT = GoodMinimaClassifier((3,), alpha=1e-6, max_iter=1, max_escapes=0)
LARGE = np.array([[2**53 + 1], [2**53 + 2], [7], [8]])
LARGE_Y = [0, 1, 0, 1]


def _low():
    model = GoodMinimaClassifier(special_neuron="monomial", neuron_degree=1, alpha=0)
    model.set_params(training="joint", max_escapes=0, hidden_layer_sizes=2)
    model.fit(X, Y)


def _another_version():
    state = SHORT.__getstate__() | {"_skgoodmin_version": "0.0.1"}
    copy = GoodMinimaClassifier()
    copy.__setstate__(state)


CAUSES = {
    "converged": lambda: SHORT.fit(X, Y),
    "by itself": lambda: SHORT._fit(X, Y, None),
    "pipeline": lambda: make_pipeline(StandardScaler(), SHORT).fit(X, Y),
    "cross-validation": lambda: cross_val_score(SHORT, X, Y, cv=2),
    "integers": lambda: SHORT.fit(LARGE, LARGE_Y),
    "neuron_degree": _low,
    "another version": _another_version,
    "edge": lambda: GoodMinimaClassifierCV(alphas=[30.0, 10.0, 1e-3], cv=2).fit(X, Y),
}


@pytest.mark.parametrize("cause", CAUSES)
def test_a_warning_shows_the_line_of_the_user(cause):
    with pytest.warns(Warning) as told:
        CAUSES[cause]()
    assert {warning.filename for warning in told} == {__file__}


def test_what_is_pickled_shows_the_line_of_the_user(monkeypatch):
    saved = pickle.dumps(SHORT)
    monkeypatch.setattr("skgoodmin.estimator.base.__version__", "99")
    with pytest.warns(UserWarning, match="saved by") as told:
        pickle.loads(saved)
    assert told[0].filename == __file__


def test_a_thread_that_no_line_of_the_user_has_begun_warns():
    with pytest.warns(ConvergenceWarning) as told, ThreadPoolExecutor(1) as pool:
        pool.submit(SHORT.fit, X, Y).result()
    assert "skgoodmin" not in told[0].filename


def test_the_category_stays():
    with pytest.warns(ConvergenceWarning):
        SHORT.fit(X, Y)
