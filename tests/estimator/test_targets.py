"""Targets: names of classes, labels inside, losses and probabilities of each kind."""

import numpy as np
import pytest
from problems import all_losses
from scipy.sparse import csr_array

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
    target, found = encode(y, None, None)
    np.testing.assert_array_equal(target.classes, classes)
    np.testing.assert_array_equal(found, labels)
    assert found.dtype == np.int32
    dense = y.toarray() if hasattr(y, "toarray") else y
    np.testing.assert_array_equal(target.decode(found), dense)


def test_rows_without_weight_name_no_class():
    y, weights = np.array([1, 2, 9, 1]), np.array([1.0, 1, 0, 1])
    target, labels = encode(y, weights, None)
    np.testing.assert_array_equal(target.classes, [1, 2])
    np.testing.assert_array_equal(labels, [[0], [1], [0], [0]])


def test_classes_that_y_need_not_have():
    target, labels = encode(np.array([8, 3]), None, [8, 5, 3])
    np.testing.assert_array_equal(target.classes, [3, 5, 8])
    np.testing.assert_array_equal(labels, [[2], [0]])
    target, labels = encode(np.array([8]), None, [8, 5])
    np.testing.assert_array_equal(labels, [[1]])


@pytest.mark.parametrize(
    ("y", "classes", "message"),
    [
        ([1, 1], None, "has the one class 1"),
        ([1, 4], [1, 2], r"y has classes .*4.* that are not in"),
        ([0.5, 1.5], None, "continuous"),
        ([[1, 2], [3, 4]], None, "multiclass-multioutput targets are not supported"),
    ],
)
def test_no_target(y, classes, message):
    with pytest.raises(ValueError, match=message):
        encode(np.array(y), None, classes)


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
    labels = np.array([[0], [1], [1]])
    for target in (TWO, SEVERAL):
        np.testing.assert_array_equal(target.strata(labels), [0, 1, 1])
        np.testing.assert_array_equal(target.label_names, target.classes)
    assert LABELS.strata(labels) is None
    np.testing.assert_array_equal(LABELS.label_names, [0, 1])
