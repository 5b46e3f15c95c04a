"""scikit-learn's own checks: all of them, none excused."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from skgoodmin import GoodMinimaClassifier

VARIANTS = [
    GoodMinimaClassifier(),
    GoodMinimaClassifier(loss="log_loss"),
    GoodMinimaClassifier((10, 6)),
    GoodMinimaClassifier(activation="tanh"),
    GoodMinimaClassifier(special_neuron=None),
    GoodMinimaClassifier(training="joint"),
    GoodMinimaClassifier(warm_start=True),
    GoodMinimaClassifier(class_weight="balanced"),
]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks(VARIANTS, expected_failed_checks=None, xfail_strict=True)
def test_sklearn_compatible_estimator(estimator, check):
    check(estimator)
