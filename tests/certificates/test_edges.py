"""What is proven holds at the edges: tiny and huge numbers, rare rows, another y.

True values are from exact arithmetic, or of networks that are given.
"""

import numpy as np
import pytest
from dual_cases import SquaredHinge
from sklearn.datasets import load_iris
from sklearn.preprocessing import scale

from skgoodmin import GoodMinimaClassifier, GoodMinimaRegressor, certify
from skgoodmin.certificates.certificate import Status
from skgoodmin.certificates.digits import about, at_most
from skgoodmin.objective.losses import CustomLoss

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_another_mean_of_y_is_no_global_minimum():
    """The network is in units of an earlier y: its constants lose .5, not 1e8."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 2))
    y = np.sin(3 * X[:, 0]) + X[:, 1] ** 2
    model = GoodMinimaRegressor((1,), alpha=1e-3, random_state=0, max_iter=500)
    model.partial_fit(X, y).partial_fit(X, y + 1e4)
    assert model.certificate_.objective > 0.5
    assert model.certificate_.status is not Status.GLOBAL


def test_a_rare_class_that_is_not_learned_is_no_global_minimum():
    """A constant loses 2.7e-7."""
    X, weights = np.arange(4.0)[:, None], [1e7, 1e7, 1e7, 1.0]
    model = GoodMinimaClassifier((4,), alpha=1e-9, random_state=3)
    model.fit(X, [0, 0, 0, 1], sample_weight=weights)
    assert model.certificate_.objective > 2.7e-7
    assert model.certificate_.status is not Status.GLOBAL


def test_a_millionth_is_one_of_what_the_best_constant_loses():
    """That is log 2 here, and the gap .9e-6."""
    margin = -np.log(np.expm1(9e-7))
    given = [[0.0], [1.0]], [0, 1], [-margin, margin]
    assert certify(*given, loss="log_loss").status is not Status.GLOBAL


def test_the_gap_counts_the_rounding_of_predictions():
    """The weights as they are have .290774, and a network has .231055."""
    X = 1e16 + np.array([-2.0, -6.0, -2.0, 0.0, -16.0, 2.0])[:, None]
    model = GoodMinimaClassifier(
        (3,), alpha=2.5e-7, loss="log_loss", random_state=0, max_iter=300
    )
    certificate = model.fit(X, [0, 1, 1, 1, 1, 1]).certificate_
    assert certificate.relative_gap > 1 - 0.231055 / 0.290774


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_all_can_be_gained_where_predictions_are_wrong_by_more_than_a_number():
    X = np.array([[1e140, 1e140], [1.0, 0.0], [0.0, 1.0]])
    model = GoodMinimaClassifier((), alpha=0, random_state=0, max_iter=1)
    model.fit(np.eye(3, 2), [0, 1, 1])
    model.coefs_, model.intercepts_ = [np.array([[1.0], [-1.0]])], [np.zeros(1)]
    certificate = model.certify(X, [0, 1, 1], effort=0)
    assert certificate.gap == np.inf and certificate.relative_gap == 1.0


def test_no_bound_from_squares_that_underflow_in_the_plane():
    X, Y = 1e-80 * np.array([[-1.0], [1.0]]), np.array([[0, 1], [1, 0]])
    model = GoodMinimaClassifier(
        (2,), loss="log_loss", alpha=1e-95, random_state=0, max_iter=5
    ).fit(X, Y)
    size = 1e40 * np.sqrt(200.0)
    model.coefs_ = [np.array([[size, -size]]), size * np.array([[1.0, -1], [-1, 1]])]
    model.intercepts_ = [np.zeros(2), np.zeros(2)]
    certificate = model.certify(X, Y, effort=0)
    assert certificate.lower_bound <= certificate.objective < 1e-12


@pytest.mark.parametrize(
    ("loss", "true"), [("squared_error", 2.5e-166), ("huber", 3.2492e-166)]
)
def test_squares_of_tiny_shares(loss, true):
    X, y = np.array([[0.0], [0.0], [1.0], [2.0]]), [0.0, 1.0, -1.0, 1.0]
    model = GoodMinimaRegressor((5,), loss=loss, alpha=0, random_state=0)
    model.fit(X, y, sample_weight=[1, 1e-165, 1, 1])
    assert model.certificate_.lower_bound <= true


def test_weights_of_classes_do_not_round_tiny_weights():
    X, y, classes = [[0.0], [0.0], [1.0]], [0, 1, 1], {0: 0.6, 1: 1.4}
    model = GoodMinimaClassifier(
        (2,), loss="log_loss", alpha=0, class_weight=classes, random_state=0
    )
    proven = [
        model.fit(X, y, sample_weight=np.full(3, weight)).certificate_.lower_bound
        for weight in (1.0, 5e-324)
    ]
    assert proven[0] > 0.35
    np.testing.assert_allclose(proven[1], proven[0], rtol=1e-12)


def test_weights_of_many_columns_of_labels_do_not_underflow():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(20, 2)), rng.random(size=(20, 1100)) < 0.5
    weight = {0: 0.25, 1: 0.5}
    given = {"alpha": 1.0, "random_state": 0, "max_iter": 5, "special_neuron": None}
    model = GoodMinimaClassifier((2,), class_weight=weight, **given).fit(X, y)
    weights = 2.0 ** (y.sum(axis=1) - y.sum(axis=1).max())
    same = GoodMinimaClassifier((2,), **given).fit(X, y, sample_weight=weights)
    assert model.loss_ == same.loss_


def test_what_is_printed_is_below_what_is_proven():
    """1 - 1e-14 is the least loss."""
    given = [[0.0], [0.0]], [0, 1], [0.0, 0.0]
    found = certify(*given, loss="poly_hinge", degree=2, sample_weight=[1, 1 - 2e-7])
    assert "below 0.999999:" in str(found)
    assert at_most(1.2 * (1 + 5e-13), 2) == "1.3"
    assert at_most(1.2 * (1 + 4e-16), 2) == "1.2"


@pytest.mark.parametrize("value, text", [(99.7, "100"), (0.0124, "0.012"), (0, "0")])
def test_an_estimate_is_printed_to_the_nearest_of_two_digits(value, text):
    assert about(value, 2) == text


def test_y_as_it_was_given_is_not_that_which_the_network_sees():
    """The least loss is 1.6875e-16, in rounded y 2.6e-16."""
    y = [0.0, 1.0, 1.0 + 4.5e-8]
    model = GoodMinimaRegressor((3,), alpha=0, random_state=0, tol=1e-14)
    model.fit([[0.0], [1.0], [1.0]], y)
    assert "lower bound 0 of y as it was given" in str(model.certificate_)


@pytest.mark.parametrize("loss", ["squared_error", "huber"])
def test_units_of_y_are_those_of_the_loss_that_is_certified(loss):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 2))
    y = 100 * (X[:, 0] + rng.normal(size=30))
    model = GoodMinimaRegressor((3,), loss=loss, alpha=0.1, random_state=0).fit(X, y)
    unit = pytest.approx(y.std() if loss == "huber" else y.var())
    assert model.certificate_.unit == unit
    model.set_params(loss="squared_error")  # for the next fit
    assert model.certify(X, y, effort=0).unit == unit


def test_nothing_is_said_of_y_where_it_is_no_number():
    X, y = np.array([[0.0], [0.0], [1.0], [1.0]]), np.array([-1.0, 1, -1, 1])
    model = GoodMinimaRegressor((2,), alpha=0.1, random_state=0).fit(X, 1.2e154 * y)
    found = model.certify(X, 5e154 * (y + [0, 0, 0, 0.5]), effort=0)
    assert "In y" not in str(found)


class WrongMinimum(SquaredHinge):
    """What it says of its minimum is wrong for large weights."""

    def minimum(self, negative, positive):
        both = negative + positive
        least = 4.0 * negative * positive / np.where(both > 0, both, 1.0)
        return least * np.where(both > 10, 1e7, 1.0)


def test_a_minimum_of_the_users_makes_nothing_global():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 2))
    y = X[:, 0] + X[:, 1] ** 2 > 0.4
    model = GoodMinimaClassifier((5,), loss=WrongMinimum(), alpha=0.05, random_state=0)
    assert model.fit(X, y).certificate_.status is not Status.GLOBAL
    assert model.certify(X, y, effort=0).status is not Status.GLOBAL


@pytest.mark.parametrize("raw", [1e8 + 20 * np.eye(3), 1e7 + 9 * np.eye(3)])
def test_a_common_offset_of_softmax_hides_no_difference(raw):
    with pytest.raises(ValueError, match="raw_predictions of rows . and . differ"):
        certify(np.zeros((3, 1)), [0, 1, 2], raw)
    huge = np.array([[1.0], [-1.0], [1.0]]) * [1.7e308, -1.7e308, 0.0]
    with pytest.raises(ValueError, match="raw_predictions of rows . and . differ"):
        certify(np.zeros((3, 1)), [0, 1, 2], huge)
    assert certify(np.zeros((3, 1)), [0, 1, 2], 1e8 + np.ones((3, 3))).gap < 1e-11


def test_an_infimum_that_is_attained_is_told_as_such():
    found = certify(np.zeros((2, 1)), [0, 1], [0.0, 0.0])
    assert found.status is Status.GLOBAL and found.caveat == ""
    found = certify([[0.0], [1.0]], [0, 1], [-50.0, 50.0])  # nearly
    assert found.status is Status.GLOBAL and found.caveat == ""
    # All labels are in the one group, so that something attains the infimum.
    assert certify(np.zeros((2, 1)), [0, 1], [1.0, 1.0]).caveat == ""
    assert "no network" in certify([[0.0], [0.0], [1.0]], [0, 1, 1], [0, 0, 1]).caveat


def test_what_a_training_may_leave_is_that_of_the_fit():
    X, y = load_iris(return_X_y=True)
    X, y = scale(X[50:]), y[50:]
    model = GoodMinimaClassifier((2,), alpha=0.03, max_escapes=0, random_state=0)
    before = model.fit(X, y).certify(X, y)
    assert before.status is Status.IMPROVABLE
    model.set_params(training="grow", tol_gap=1.0)
    assert model.certify(X, y) == before


class NoMinimum(SquaredHinge):
    """It does not know its minimum."""

    def minimum(self, negative, positive):
        return np.full(np.shape(negative), np.nan)


def test_a_minimum_that_is_not_known_is_found():
    counts = np.array([[[1.0, 3.0]], [[0.0, 2.0]]])
    least = CustomLoss(NoMinimum()).minimum(counts)
    np.testing.assert_allclose(least, [3.0, 0.0], atol=1e-12)
