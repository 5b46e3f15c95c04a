"""scikit-learn's own checks: all of them, none excused."""

import inspect

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from skgoodmin import (
    GoodMinimaClassifier,
    GoodMinimaClassifierCV,
    GoodMinimaRegressor,
    GoodMinimaRegressorCV,
)

# An empty list of expected failures; that none may be hidden can be said since 1.8.
known = inspect.signature(parametrize_with_checks).parameters
STRICT = {"expected_failed_checks": None}
STRICT |= {"xfail_strict": True} if "xfail_strict" in known else {}

VARIANTS = [
    GoodMinimaClassifier(),
    GoodMinimaClassifier(loss="log_loss"),
    GoodMinimaClassifier((10, 6), alpha=0.1),
    GoodMinimaClassifier(activation="tanh", alpha=0.1),
    GoodMinimaClassifier(special_neuron=None, alpha=0.1),
    GoodMinimaClassifier(training="joint", alpha=0.1),
    # Some checks fit twice and compare; a convex problem has one minimum to go on to.
    GoodMinimaClassifier((), warm_start=True, tol=1e-8, max_iter=1000),
    GoodMinimaClassifier(class_weight="balanced"),
    GoodMinimaClassifierCV((20,), alphas=3),
    GoodMinimaRegressor(),
    GoodMinimaRegressor(loss="huber"),
    GoodMinimaRegressor((10, 6), alpha=0.1),
    GoodMinimaRegressor(activation="tanh", alpha=0.1),
    GoodMinimaRegressor(special_neuron=None, alpha=0.1),
    GoodMinimaRegressor(training="joint", alpha=0.1),
    GoodMinimaRegressor((), warm_start=True, tol=1e-8, max_iter=1000),
    GoodMinimaRegressorCV((20,), alphas=3),
]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@pytest.mark.filterwarnings("ignore:The least populated class:UserWarning")
@pytest.mark.filterwarnings("ignore:The best alpha:UserWarning")  # of such small data
@parametrize_with_checks(VARIANTS, **STRICT)
def test_sklearn_compatible_estimator(estimator, check):
    check(estimator)
