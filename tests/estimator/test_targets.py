"""Targets: names of classes, labels inside, losses and probabilities of each kind."""

import warnings

import numpy as np
import pandas as pd
import pytest
from problems import all_losses
from scipy.sparse import coo_array, csr_array
from sklearn.datasets import load_diabetes

from skgoodmin import GoodMinimaClassifier, GoodMinimaClassifierCV
from skgoodmin.estimator.known import checked_classes
from skgoodmin.estimator.targets import (
    Labels,
    SeveralClasses,
    TwoClasses,
    encode,
    target_of,
)
from skgoodmin.objective.losses import LOSSES, PolynomialHinge, Softmax

RAW = np.array([[0.2, -0.4, 0.1], [0.3, 0.9, -0.8], [-5.0, -4.0, -3.0]])
TWO = TwoClasses(np.array(["no", "yes"]))
SEVERAL = SeveralClasses(np.array([3, 5, 8]))
LABELS = Labels(np.arange(3))


def test_the_target_of_some_classes():
    for target in (TWO, SEVERAL, LABELS):
        found = target_of(target.classes, target.multilabel)
        assert type(found) is type(target)
        np.testing.assert_array_equal(found.classes, target.classes)
    assert type(target_of(np.arange(2), True)) is Labels
    assert [target.n_outputs for target in (TWO, SEVERAL, LABELS)] == [1, 3, 3]
    assert [t.multilabel for t in (TWO, SEVERAL, LABELS)] == [False, False, True]


@pytest.mark.parametrize(
    ("y", "classes", "labels"),
    [
        (["b", "a", "b"], ["a", "b"], [[1], [0], [1]]),
        ([5, 8, 3, 5], [3, 5, 8], [[1], [2], [0], [1]]),
        ([True, False], [False, True], [[1], [0]]),
        ([[0, 1, 1], [1, 0, 0]], [0, 1, 2], [[0, 1, 1], [1, 0, 0]]),
        (csr_array([[0, 1], [1, 1]]), [0, 1], [[0, 1], [1, 1]]),
    ],
)
def test_encode_and_decode(y, classes, labels):
    y = y if hasattr(y, "toarray") else np.array(y)
    target, found = encode(y)
    np.testing.assert_array_equal(target.classes, classes)
    np.testing.assert_array_equal(found, labels)
    assert found.dtype == np.int32
    dense = y.toarray() if hasattr(y, "toarray") else y
    np.testing.assert_array_equal(target.decode(found), dense)


def test_classes_that_y_need_not_have():
    classes = np.array([3, 5, 8])
    target, labels = encode(np.array([8, 3]), classes)
    np.testing.assert_array_equal(target.classes, classes)
    np.testing.assert_array_equal(labels, [[2], [0]])
    target, labels = encode(np.array([8]), classes[1:])
    np.testing.assert_array_equal(labels, [[1]])


@pytest.mark.parametrize(
    ("y", "classes", "message"),
    [
        ([1, 1], None, "has the one class 1"),
        ([1, 4], [1, 2], r"y has classes .*4.* that are not in"),
        (["a", "b"], [1, 2], r"y has classes .*'a', 'b'.* that are not in"),
        ([[1, 2], [3, 4]], None, "multiclass-multioutput targets are not supported"),
    ],
)
def test_no_target(y, classes, message):
    with pytest.raises(ValueError, match=message):
        encode(np.array(y), classes if classes is None else np.array(classes))


SIGNS = np.array([[0, 1, 1], [1, 0, 0], [1, 1, 0], [0, 0, 1]])


def _duplicates():
    places = [0, 0, 1, 2, 3], [1, 1, 0, 2, 2]  # (0, 1) twice
    return coo_array((np.ones(5, dtype=int), places), shape=(4, 3))


@pytest.mark.parametrize(
    ("Y", "held"),
    [
        (SIGNS + 1, "2"),
        (5 * SIGNS, "5"),
        (255 * SIGNS.astype(np.uint8), "255"),
        (2 * SIGNS - 1, "-1"),
        (csr_array(3 * SIGNS), "3"),
        (csr_array(-SIGNS), "-1"),
        (csr_array(0.5 * SIGNS), "0.5"),
        (_duplicates(), "2"),
        (5.0 * SIGNS.astype(np.float32), "5.0"),
    ],
    ids=str,
)
def test_label_matrices_hold_0_and_1_only(Y, held):
    with pytest.raises(ValueError, match=f"must hold 0 and 1 only; it holds {held}"):
        encode(Y)
    X = np.random.RandomState(0).normal(size=(4, 2))
    for model in (
        GoodMinimaClassifier((2,), max_iter=3),
        GoodMinimaClassifierCV((2,), max_iter=3, alphas=1, cv=2),
    ):
        with pytest.raises(ValueError, match=r"\by\b"):
            model.fit(X, Y)
    with pytest.raises(ValueError, match=r"\by\b"):
        GoodMinimaClassifier((2,), max_iter=3).partial_fit(X, Y)


@pytest.mark.parametrize(
    "convert",
    [
        lambda Y: Y == 1,
        lambda Y: Y.astype(np.float32),
        lambda Y: Y.astype(np.uint8),
        lambda Y: csr_array(Y == 1),
        lambda Y: coo_array(Y.astype(float)),
        lambda Y: Y.tolist(),
    ],
)
def test_label_matrices_of_all_kinds(convert):
    target, labels = encode(convert(SIGNS))
    assert isinstance(target, Labels)
    np.testing.assert_array_equal(labels, SIGNS)


@pytest.mark.parametrize(
    "y",
    [
        np.array([0.5, 1.5, 0.2]),
        np.array([[0.5, 1.5], [0.25, 1.0]]),
        np.array([0.5, 1.5], dtype=np.float32),
        load_diabetes().target,  # 214 different integers, as floats
        np.arange(31.0),
    ],
    ids=["one", "two", "float32", "diabetes", "31"],
)
def test_real_numbers_are_for_a_regressor(y):
    with pytest.raises(ValueError, match=r"\by\b.* regressor, GoodMinimaRegressor"):
        encode(y)


@pytest.mark.filterwarnings("ignore:y has .* classes in")
def test_numbers_that_are_classes():
    for y in (np.arange(30.0), np.arange(400) % 40 * 1.0, np.arange(100), np.arange(2)):
        target, _ = encode(y)
        np.testing.assert_array_equal(target.classes, np.unique(y))
    known = np.arange(200.0)  # named by the user
    target, labels = encode(known[:50], known)
    assert target.n_outputs == 200
    np.testing.assert_array_equal(labels[:, 0], np.arange(50))


def test_as_many_classes_as_rows_may_be_no_classes():
    y = np.arange(60) % 31
    with pytest.warns(UserWarning, match="y has 31 classes in 60 rows: .* a regressor"):
        encode(y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        encode(np.arange(60) % 30)
        encode(y, np.arange(31))  # named by the user


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ([], "classes must not be empty"),
        (np.array([]), "classes must not be empty"),
        ({1, 2}, "classes must be a list or array"),
        ({1: 2}, "classes must be a list or array"),
        (3, "classes must be a list or array"),
        (np.array(3), "classes must be a list or array"),
        ("ab", "classes must be a list or array"),
        (b"ab", "classes must be a list or array"),
        ([[1, 2]], "classes must be a list or array"),
        ([[1], [2, 3]], "classes must be a list or array"),
        (iter([1, 2]), "classes must be a list or array"),
        ([1, np.nan], "classes must not hold NaN"),
        (["a", np.nan], "classes must not hold NaN"),
        (["a", None], "classes must not hold NaN"),
        ([pd.NA, 1], "classes must not hold NaN"),
        (np.array(["2020-01-01", "NaT"], dtype="M8[D]"), "classes must not hold NaN"),
        (np.array(["a", 1], dtype=object), "classes must be of one kind"),
    ],
)
def test_what_is_no_list_of_classes(classes, message):
    with pytest.raises(ValueError, match=message):
        checked_classes(classes, None)
    model = GoodMinimaClassifier((2,), max_iter=3)
    with pytest.raises(ValueError, match=message):
        model.partial_fit(np.eye(2), [0, 1], classes=classes)
    assert not hasattr(model, "classes_")


@pytest.mark.parametrize(
    "classes", [[2, 0, 1], (0, 1, 2), range(3), pd.Series([1, 0, 2, 0]), np.arange(3)]
)
def test_lists_of_classes(classes):
    np.testing.assert_array_equal(checked_classes(classes, None), [0, 1, 2])


@pytest.mark.parametrize("name", LOSSES)
def test_the_loss_of_a_target(name):
    named = LOSSES[name]
    assert SEVERAL.choose_loss(named, 2.5) == named.of_classes(2.5)
    for target in (TWO, LABELS):
        assert target.choose_loss(named, 2.5) == named.of_labels(2.5)


def test_decisions():
    np.testing.assert_array_equal(SEVERAL.decide(RAW), [[0], [1], [2]])
    np.testing.assert_array_equal(TWO.decide(RAW[:, :1]), [[1], [1], [0]])
    np.testing.assert_array_equal(TWO.decide(np.zeros((1, 1))), [[0]])
    np.testing.assert_array_equal(LABELS.decide(RAW), RAW > 0)
    for target, raw in ((SEVERAL, RAW), (LABELS, RAW), (TWO, RAW[:, :1])):
        labels = target.decide(raw)
        assert labels.dtype == np.int32
        assert target.decode(labels).shape == ((3, 3) if target is LABELS else (3,))
    np.testing.assert_array_equal(TWO.decision(RAW[:, :1]), RAW[:, 0])
    for target in (SEVERAL, LABELS):
        np.testing.assert_array_equal(target.decision(RAW), RAW)
    np.testing.assert_array_equal(TWO.decode(TWO.decide(RAW[1:, :1])), ["yes", "no"])
    np.testing.assert_array_equal(SEVERAL.decode(SEVERAL.decide(RAW)), [3, 5, 8])


@pytest.mark.parametrize("loss", all_losses(), ids=str)
def test_probabilities_of_several_classes_follow_the_raw_predictions(loss):
    raw = np.array([[5.0, 4.0, -3.0], [-7.0, -9.0, -8.0], [0.2, 0.1, 0.3]])
    p = SEVERAL.probabilities(loss, raw)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    np.testing.assert_array_equal(p.argmax(axis=1), raw.argmax(axis=1))


@pytest.mark.parametrize("loss", all_losses(), ids=str)
def test_probabilities(loss):
    each = loss.probabilities(RAW)
    if not isinstance(loss, Softmax):
        np.testing.assert_array_equal(LABELS.probabilities(loss, RAW), each)
        found = TWO.probabilities(loss, RAW[:, 1:2])
        expected = np.column_stack([1 - each[:, 1], each[:, 1]])
        np.testing.assert_array_equal(found, expected)
    several = SEVERAL.probabilities(loss, RAW.astype(np.float32))
    assert several.dtype == np.float64
    expected = each / each.sum(axis=1)[:, None]
    np.testing.assert_allclose(several, expected, rtol=1e-6)
    several = SEVERAL.probabilities(PolynomialHinge(), RAW)
    each = PolynomialHinge().probabilities(RAW)
    np.testing.assert_allclose(several, each / each.sum(axis=1)[:, None], rtol=1e-15)


def test_strata():
    for target, names in ((TWO, ["no", "yes"]), (SEVERAL, [3, 5])):
        strata = target.strata(np.array([[0], [1], [1]]))
        np.testing.assert_array_equal(strata, np.array(names)[[0, 1, 1]])
        np.testing.assert_array_equal(target.label_names, target.classes)
    assert LABELS.strata(np.array([[0], [1], [1]])) is None
    np.testing.assert_array_equal(LABELS.label_names, [0, 1])


def test_later_calls_keep_the_type_of_the_first_one():
    known = np.array([0, 1])
    for classes in ([True, False], [0.0, 1.0]):
        assert checked_classes(classes, known) is known


def test_log_loss_is_chosen_for_its_own_probabilities():
    """The hinge has a link that is fitted, and is chosen for that."""
    raw, labels = (
        np.array([[2.0], [2.0], [-2.0], [-2.0]]),
        np.array([[1], [1], [0], [1]]),
    )
    target, weights = target_of(np.arange(2), False), np.ones(4)
    log_loss = target.choose_loss(LOSSES["log_loss"], 3.0)
    worth, slope = target.worth(log_loss, raw, labels, weights)
    p = 1.0 / (1.0 + np.exp(-2.0))
    np.testing.assert_allclose(worth[:3], 1.0 + 3.0 * np.log(p))
    np.testing.assert_allclose(worth[3], 3.0 * np.log(1.0 - p))
    assert np.isnan(slope)
    hinge = target.choose_loss(LOSSES["poly_hinge"], 3.0)
    worth, slope = target.worth(hinge, raw, labels, weights)
    assert slope > 0 and worth[0] < 1.0 + 3.0 * np.log(p)
