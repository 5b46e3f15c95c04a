"""Certificates of other models' raw predictions."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.special import logit
from sklearn.datasets import load_iris, make_moons
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from skgoodmin import GoodMinimaClassifier, Known, Status, certify

LONG = np.longdouble
MOONS = make_moons(120, noise=0.3, random_state=0)
IRIS = load_iris(return_X_y=True)


def loss_of(raw, y, weight=None):
    """Mean log-loss in extended precision."""
    raw = np.asarray(raw, dtype=LONG).reshape(len(raw), -1)
    if y.ndim == 2 or raw.shape[1] == 1:
        sign = np.where(y.reshape(raw.shape) == 1, 1, -1)
        losses = np.logaddexp(LONG(0), -sign * raw).sum(axis=1)
    else:
        losses = np.logaddexp.reduce(raw, axis=1) - raw[np.arange(len(y)), y]
    return np.average(losses, weights=weight)


def realised(X, y, raw, witness, weight=None, neuron_alpha=1.0):
    """By how much the exponential neuron lowers the loss, its penalty paid."""
    X = np.asarray(X, dtype=LONG)
    raw = np.asarray(raw, dtype=LONG).reshape(len(X), -1)
    e = np.exp(X @ witness.coef.astype(LONG) + LONG(witness.intercept))
    after = loss_of(raw + e[:, None] * witness.amplitude.astype(LONG), y, weight)
    cost = LONG(neuron_alpha) / 2 * (witness.amplitude.astype(LONG) ** 2).sum()
    return loss_of(raw, y, weight) - after - cost


@pytest.mark.parametrize("data", [MOONS, IRIS], ids=["two", "three"])
def test_gradient_boosting(data):
    X, y = data
    # Early rounds: some loss is left.
    model = HistGradientBoostingClassifier(max_iter=5, random_state=0).fit(X, y)
    raw = model.decision_function(X)
    certificate = certify(X, y, raw)
    np.testing.assert_allclose(
        certificate.objective, float(loss_of(raw, y)), rtol=1e-12
    )
    assert certificate.loss == certificate.objective and certificate.penalty == 0.0
    assert np.isnan(certificate.grad_norm) and certificate.status is Status.IMPROVABLE
    assert certificate.witness.kind == "exponential neuron"
    fall = realised(X, y, raw, certificate.witness)
    assert 0 < certificate.witness.decrease <= fall
    assert certificate.caveat  # log-loss
    assert [b.of for b in certificate.bounds] == ["data loss"]
    again = certify(X, y, raw)
    assert again.witness.decrease == certificate.witness.decrease


def test_a_forest():
    X, y = MOONS
    forest = RandomForestClassifier(20, max_depth=3, random_state=0).fit(X, y)
    raw = logit(np.clip(forest.predict_proba(X)[:, 1], 1e-6, 1 - 1e-6))
    found = {
        "log_loss": certify(X, y, raw),
        "poly_hinge": certify(X, y, raw, loss="poly_hinge", degree=2),
    }
    sign = np.where(y == 1, 1, -1)
    hinge = (np.maximum(0, 1 - sign * raw) ** 2).mean()
    np.testing.assert_allclose(found["poly_hinge"].loss, hinge, rtol=1e-12)
    assert found["poly_hinge"].caveat == ""
    assert found["log_loss"].witness.decrease <= realised(
        X, y, raw, found["log_loss"].witness
    )


def test_predictions_of_a_network_get_its_certificate():
    X, y = IRIS
    model = GoodMinimaClassifier(
        (3,), loss="log_loss", alpha=0, max_escapes=0, max_iter=30, random_state=0
    )
    with pytest.warns(UserWarning):
        model.fit(X, y)
    own = model.certificate_
    other = certify(X, y, model.decision_function(X))
    np.testing.assert_allclose(other.objective, own.objective, rtol=1e-12)
    assert other.lower_bound == own.lower_bound


def test_multilabel():
    X, y = MOONS
    labels = np.column_stack([y, X[:, 0] > 0]).astype(int)
    raw = np.column_stack(
        [LogisticRegression().fit(X, k).decision_function(X) for k in labels.T]
    )
    certificate = certify(X, labels, raw)
    expected = float(loss_of(raw, labels))
    np.testing.assert_allclose(certificate.objective, expected, rtol=1e-12)
    assert certificate.witness.amplitude.shape == (2,)
    assert certificate.witness.decrease <= realised(X, labels, raw, certificate.witness)
    sparse = certify(X, csr_array(labels), raw)
    assert sparse.objective == certificate.objective


def test_sparse_lists_and_frames():
    X, y = MOONS
    X = np.where(abs(X) < 0.3, 0.0, X)
    raw = X[:, 0] - X[:, 1]
    expected = certify(X, y, raw)
    for rows in (X.tolist(), np.asfortranarray(X), csr_array(X).tocsc()):
        found = certify(rows, y.tolist(), raw.reshape(-1, 1))
        if isinstance(rows, list | np.ndarray):
            assert found == expected
        np.testing.assert_allclose(found.objective, expected.objective, rtol=1e-14)
    named = certify(X, np.array(["no", "yes"])[y], raw)
    assert named == expected
    assert certify(X.astype(np.float32), y, raw).objective == expected.objective


def test_weights_are_repeats_and_removals():
    X, y = MOONS
    raw = X[:, 0] - X[:, 1]
    weight = np.random.RandomState(0).randint(3, size=len(X))
    many = np.repeat(np.arange(len(X)), weight)
    weighted = certify(X, y, raw, sample_weight=weight)
    assert weighted == certify(X[many], y[many], raw[many])
    np.testing.assert_allclose(
        weighted.objective, float(loss_of(raw, y, weight)), rtol=1e-13
    )
    assert weighted.witness.decrease <= realised(X, y, raw, weighted.witness, weight)


@pytest.mark.parametrize("loss", ["log_loss", "poly_hinge"])
def test_duplicates(loss):
    """Rows 0 to 2 contradict each other; their best prediction is known."""
    X = np.array([[0.0], [0.0], [0.0], [1.0], [2.0], [2.0]])
    y = np.array([0, 1, 1, 1, 0, 0])
    best = np.log(2.0) if loss == "log_loss" else (np.sqrt(2) - 1) / (np.sqrt(2) + 1)
    raw = np.array([best, best, best, 60.0, -60.0, -60.0])
    found = certify(X, y, raw, loss=loss)
    assert found.contradictions.tolist() == [0, 1, 2]
    assert found.status is Status.GLOBAL and found.witness is None
    entropy = (np.log(3) * 3 - 2 * np.log(2)) / 6
    hinge = ((1 + best) ** 3 + 2 * (1 - best) ** 3) / 6
    expected = entropy if loss == "log_loss" else hinge
    np.testing.assert_allclose(found.lower_bound, expected, rtol=1e-11)
    assert found.lower_bound < expected and found.bounds[0].known is Known.PROVEN
    off = certify(X, y, raw - 0.3, loss=loss)
    assert off.status is Status.IMPROVABLE and off.lower_bound == found.lower_bound
    assert off.gap > 0
    order = [5, 2, 3, 0, 1, 4]
    moved = certify(X[order], y[order], raw[order], loss=loss)
    assert moved.contradictions.tolist() == [1, 3, 4]
    # Row 1 has no weight: it contradicts nobody, and its prediction counts for nothing.
    light = certify(X, y, raw, loss=loss, sample_weight=[1, 0, 0, 1, 1, 1])
    assert light.contradictions.tolist() == []


class Own:
    """max(0, 1 - m)^2, and a minimum that can be told to lie."""

    lie = 1.0

    def value(self, raw, sign):
        return np.maximum(0.0, 1.0 - sign * raw) ** 2

    def derivative(self, raw, sign):
        return -2.0 * sign * np.maximum(0.0, 1.0 - sign * raw)

    def minimum(self, negative, positive):
        both = np.where(negative + positive > 0, negative + positive, 1.0)
        return self.lie * 4.0 * negative * positive / both


@pytest.mark.parametrize("lie", [1.0, 1.0 + 4e-7])
def test_no_proof_rests_on_a_minimum_of_the_users(lie):
    own = Own()
    own.lie = lie  # too small a lie to be caught by check_loss
    X, y = np.array([[0.0], [0.0], [1.0]]), np.array([0, 1, 1])
    found = certify(X, y, [0.0, 0.0, 1.0], loss=own)
    assert found.bounds[0].known is Known.PROVEN
    assert found.lower_bound <= 2 / 3 and found.objective == pytest.approx(2 / 3)
    np.testing.assert_allclose(found.lower_bound, 2 / 3, rtol=1e-8)
    assert found.status is Status.GLOBAL


def test_errors_name_the_array():
    X, y = MOONS
    raw = X[:, 0]
    cases = [
        ((X * np.nan, y, raw), {}, "X"),
        ((X[:, 0], y, raw), {}, "X"),
        ((X, np.full(len(X), np.nan), raw), {}, "y"),
        ((X, np.zeros(len(X), int), raw), {}, "y|class"),
        ((X, y, raw * np.inf), {}, "raw_predictions"),
        ((X, y, np.column_stack([raw, raw])), {}, "raw_predictions.* 1 columns"),
        ((X, IRIS[1][:120], raw), {}, "raw_predictions|columns"),
        ((X, y[:-1], raw), {}, "^X, y and raw_predictions: .*inconsistent"),
        ((X, y, raw[:-1]), {}, "^X, y and raw_predictions: .*inconsistent"),
        ((X, y, raw), {"sample_weight": -np.ones(len(X))}, "sample_weight|[Nn]egative"),
        ((X, y, raw), {"sample_weight": np.ones(3)}, "sample_weight"),
        ((X, y, raw), {"sample_weight": np.zeros(len(X))}, "sample_weight"),
        (
            (X, y, raw),
            {"sample_weight": np.full(len(X), 1e308)},
            "sample_weight: ",
        ),
        ((X, y, raw), {"loss": "hinge"}, "loss must be one of"),
        ((X, y, raw), {"loss": 3}, "loss must be .* object with the methods .* got 3"),
        ((X, y, raw), {"loss": None}, "loss must be .* got None"),
        ((X, y, raw), {"degree": 1.5, "loss": "poly_hinge"}, "degree must be"),
        ((X, y, raw), {"degree": np.nan, "loss": "poly_hinge"}, "degree must be"),
        ((X, y, raw), {"degree": "3", "loss": "poly_hinge"}, "degree"),
    ]
    for arguments, options, match in cases:
        with pytest.raises((ValueError, TypeError), match=match):
            certify(*arguments, **options)


def test_predictions_that_are_no_function_of_the_rows():
    X = np.array([[1.0], [0.0], [1.0]])
    with pytest.raises(ValueError, match=r"rows (0 and 2|2 and 0) differ"):
        certify(X, [0, 1, 1], [0.0, 1.0, 0.5])
    # Each output for itself: another one may be large.
    with pytest.raises(ValueError, match="rows 0 and 1 differ|rows 1 and 0 differ"):
        certify([[0.0], [0.0]], [[1, 0], [1, 1]], [[1e9, -50.0], [1e9, 50.0]])
    # Rows of one label, too, and of the weight 0.
    for weight in (None, [1, 0, 1]):
        with pytest.raises(ValueError, match="rows 0 and 1 differ"):
            certify(
                [[0.0], [0.0], [1.0]], [1, 1, 0], [0.0, 5.0, 1.0], sample_weight=weight
            )
    # float32 rounding is no difference.
    near = certify(X, [0, 1, 1], [0.5, 1.0, np.float32(0.5) + 1e-8])
    assert near.contradictions.tolist() == [0, 2]


@pytest.mark.parametrize("data", [MOONS, IRIS], ids=["two", "three"])
def test_what_equal_rows_differ_by_is_counted(data):
    X, y = (np.repeat(part, 4, axis=0) for part in data)
    model = LogisticRegression(C=0.01).fit(X, y)
    raw = model.decision_function(X)
    exact = certify(X, y, raw)
    assert exact.rounding < 1e-12
    raw[::4] -= 5e-7 * np.sign(raw[::4])
    found = certify(X, y, raw)
    assert 1e-8 < found.rounding < 1e-5
    assert abs(float(loss_of(raw, y)) - found.objective) <= found.rounding
    fall = realised(X, y, raw, found.witness)
    assert 0 < found.witness.decrease <= fall
    if raw.ndim == 2:  # nor does an output that stays excuse the others
        raw = model.decision_function(X)
        raw[::4, 1:] += 5e-7
        found = certify(X, y, raw)
        assert abs(float(loss_of(raw, y)) - found.objective) <= found.rounding
        # softmax sees no offset
        offset = 1e-7 * np.arange(len(raw))[:, None]
        near = certify(X, y, model.decision_function(X) + offset)
        assert near.rounding < 1e-12


def test_real_targets_are_for_the_regressor_itself():
    y = MOONS[0][:, 0]
    with pytest.raises(ValueError, match=r"\by\b.*takes classes only; .*Regressor has"):
        certify(MOONS[0], y, y)


@pytest.mark.parametrize(
    "change, told",
    [
        ({"random_state": "x"}, "random_state: 'x'"),
        ({"y": None}, "y is None"),
        ({"y": [0, 1]}, "X, y and raw_predictions: .* inconsistent"),
    ],
)
def test_errors_name_the_argument(change, told):
    given = {"X": np.eye(4), "y": [0, 1, 0, 1], "raw_predictions": np.zeros(4)}
    with pytest.raises(ValueError, match=told):
        certify(**(given | change))


def test_a_loss_beyond_float64_is_an_error():
    X, y = np.arange(4.0)[:, None], [0, 1, 0, 1]
    with pytest.raises(ValueError, match="up to 1e.308 is beyond the range of float64"):
        certify(X, y, [1e308, -1e308, 1e308, -1e308], loss="poly_hinge")
