"""The fitted link: one slope, and the class that is predicted stays the likeliest."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from skgoodmin import GoodMinimaClassifier
from skgoodmin.estimator.link import fitted_slope, link_of
from skgoodmin.estimator.targets import encode
from skgoodmin.objective.losses import PolynomialHinge


# scikit-learn 1.8 takes the infinite C for no penalty, and says so.
@pytest.mark.filterwarnings("ignore:Setting penalty=None")
def test_the_slope_is_that_of_a_logistic_regression():
    rng = np.random.RandomState(0)
    raw = rng.normal(size=(20000, 1))
    y = (rng.uniform(size=20000) < expit(3.0 * np.arcsinh(raw[:, 0]))).astype(int)
    target, labels = encode(y)
    slope = fitted_slope(raw, labels, np.ones(len(raw)))
    model = LogisticRegression(C=np.inf, fit_intercept=False).fit(np.arcsinh(raw), y)
    np.testing.assert_allclose(slope, model.coef_[0, 0], rtol=0.01)


@pytest.mark.parametrize("kind", ["two", "several", "labels"])
def test_rows_that_are_all_right_have_a_finite_slope(kind):
    rng = np.random.RandomState(0)
    y = {
        "two": np.arange(30) % 2,
        "several": np.arange(30) % 3,
        "labels": rng.randint(2, size=(30, 3)),
    }[kind]
    target, labels = encode(y)
    sign = {"two": 2 * labels - 1, "several": 2 * np.eye(3)[y] - 1, "labels": 2 * y - 1}
    raw = sign[kind].astype(float)
    slope = fitted_slope(raw, labels, np.ones(30))
    assert 1.0 < slope < 20.0
    p = target.probabilities(link_of(PolynomialHinge(), target, slope), raw)
    right = np.where(y == 1, p, 1 - p) if kind == "labels" else p[np.arange(30), y]
    # One label of n + 2 is drawn anew, and is the right one by chance.
    n_values = 3 if kind == "several" else 2
    np.testing.assert_allclose(right, 1 - (1 - 1 / n_values) / 32, atol=1e-4)


def test_noise_has_a_slope_of_nothing():
    rng = np.random.RandomState(0)
    target, labels = encode(rng.randint(2, size=100))
    raw = -0.2 * (2.0 * labels - 1.0)  # always wrong
    assert fitted_slope(raw, labels, np.ones(100)) < 1e-3


def test_odds_are_a_power_of_the_raw_prediction():
    raw = np.array([[-1e3], [-3.0], [-1e-3], [0.0], [0.5], [3.0], [1e3]])
    target, _ = encode(np.arange(2))
    lacks, has = target.probabilities(link_of(PolynomialHinge(), target, 2.5), raw).T
    size = np.abs(raw[:, 0])
    ahead = np.where(raw[:, 0] >= 0, has / lacks, lacks / has)
    np.testing.assert_allclose(ahead, (size + np.sqrt(1 + size**2)) ** 2.5, rtol=1e-6)
    # Of several classes, the odds of two are the quotient of what they are to nothing.
    target, _ = encode(np.arange(3))
    raw = np.array([[2.0, -1.0, 0.5], [1e5, 1e6, -40.0]])
    p = target.probabilities(link_of(PolynomialHinge(), target, 2.5), raw)
    assert (0 < p).all() and (p.argmax(axis=1) == raw.argmax(axis=1)).all()
    odds = (raw[0] + np.sqrt(1 + raw[0] ** 2)) ** 2.5
    np.testing.assert_allclose(p[0] / p[0, 0], odds / odds[0])


@pytest.mark.parametrize("scale", [1e-3, 1.0, 30.0, 1e4])
@pytest.mark.parametrize("kind", ["two", "several", "labels"])
def test_no_other_slope_is_likelier(kind, scale):
    rng = np.random.RandomState(0)
    raw = rng.normal(size=(50, 1 if kind == "two" else 4))
    raw[0] *= 3.0  # far off, and wrong
    noisy = raw + rng.normal(size=raw.shape)
    y = {
        "two": (noisy[:, 0] > 0).astype(int),
        "several": noisy.argmax(axis=1),
        "labels": (noisy > 0).astype(int),
    }[kind]
    y[0] = raw[0].argmin() if kind == "several" else (raw[0] < 0).squeeze()
    target, labels = encode(y)
    weights = rng.uniform(0.5, 2.0, 50)

    def loss(log_slope):
        link = link_of(PolynomialHinge(), target, np.exp(log_slope))
        p = target.probabilities(link, scale * raw)
        if kind == "labels":
            given = np.where(labels == 1, p, 1 - p)
            logs, any_log = np.log(given), 0.5 * (np.log(p) + np.log1p(-p))
        else:
            logs, any_log = np.log(p)[np.arange(50), y], np.log(p).mean(axis=1)
            logs, any_log = logs[:, None], any_log[:, None]
        drawn = (51 / 52 * logs + 1 / 52 * any_log).mean(axis=1)
        return -np.average(drawn, weights=weights)

    slope = fitted_slope(scale * raw, labels, weights)
    assert 0.01 < slope < 10.0 / min(scale, 1.0)
    best = loss(np.log(slope))
    assert best <= min(loss(np.log(slope) - 0.01), loss(np.log(slope) + 0.01))
    found = minimize_scalar(loss, bounds=(-12, 12), method="bounded")
    assert best <= found.fun + 1e-9


@pytest.mark.parametrize("loss", ["poly_hinge", "log_loss"])
def test_no_probability_is_0_or_1(loss):
    rng = np.random.RandomState(0)
    X = rng.normal(size=(60, 2))
    y = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)
    model = GoodMinimaClassifier((20,), loss=loss, random_state=0).fit(X, y)
    for scale in (1.0, 1e2, 1e10):
        p = model.predict_proba(scale * X)
        assert (p > 0).all() and (p < 1).all()
        assert np.isfinite(model.predict_log_proba(scale * X)).all()
