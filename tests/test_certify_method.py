"""model.certify: tighter bounds for more effort, the same each time."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris, make_moons
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_info, threadpool_limits

import skgoodmin.any_model
import skgoodmin.estimator.base
from skgoodmin import (
    GoodMinimaClassifier,
    GoodMinimaClassifierCV,
    GoodMinimaRegressor,
    Status,
    certify,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
MOONS = make_moons(60, noise=0.3, random_state=0)
RNG = np.random.RandomState(0)
WIDE = RNG.normal(size=(60, 4)), RNG.randint(2, size=60)
IRIS = load_iris(return_X_y=True)
HEAVY = RNG.normal(size=(300, 4)), RNG.standard_t(2, size=300)
HEAVY[1][:] += 3.0 * np.sin(2.0 * HEAVY[0][:, 0])
MODELS = {
    "plane": (GoodMinimaClassifier((6,), alpha=0.02), MOONS),
    "relu": (GoodMinimaClassifier((6,), alpha=0.02), WIDE),
    "softplus": (GoodMinimaClassifier((6,), "softplus", alpha=0.02), WIDE),
    "tanh": (GoodMinimaClassifier((6,), "tanh", alpha=0.02, loss="log_loss"), WIDE),
    "silu": (GoodMinimaClassifier((6,), "silu", alpha=0.02), WIDE),
    "softmax": (GoodMinimaClassifier((6,), alpha=0.01, loss="log_loss"), IRIS),
    "huber": (GoodMinimaRegressor((6,), loss="huber", alpha=0.02), HEAVY),
    "deep": (GoodMinimaClassifier((6, 3), alpha=0.02), WIDE),
    "linear": (GoodMinimaClassifier((), alpha=0.02), WIDE),
    "without decay": (GoodMinimaClassifier((2,), alpha=0, max_escapes=0), WIDE),
}


@pytest.fixture(scope="module")
def fitted():
    made = {}

    def get(name):
        if name not in made:
            model, (X, y) = MODELS[name]
            made[name] = clone(model).set_params(random_state=0).fit(X, y)
        return made[name], *MODELS[name][1]

    return get


@pytest.mark.parametrize("name", MODELS)
def test_more_effort_is_no_worse(name, fitted):
    model, X, y = fitted(name)
    found = [model.certify(X, y, effort=e) for e in (0, 0.2, 0.6, 1)]
    bounds = np.array([c.lower_bound for c in found])
    # Each effort is a descent of its own, so a little worse can happen.
    assert (bounds[1:] >= bounds[:-1] * (1 - 2e-2)).all(), bounds
    assert bounds[-1] >= bounds[0] * (1 - 1e-9)
    for certificate in found:
        assert certificate.lower_bound <= certificate.objective * (1 + 1e-12)
        assert certificate.objective == found[0].objective


@pytest.mark.parametrize("name", MODELS)
def test_deterministic_and_effort_0_is_that_of_the_fit(name, fitted):
    model, X, y = fitted(name)
    assert model.certify(X, y, effort=0.1) == model.certify(X, y, effort=0.1)
    by_fit, again = model.certificate_, model.certify(X, y, effort=0)
    np.testing.assert_allclose(again.objective, by_fit.objective, rtol=1e-12)
    np.testing.assert_allclose(again.lower_bound, by_fit.lower_bound, rtol=1e-6)
    assert again.status is by_fit.status
    order = np.random.RandomState(1).permutation(len(X))
    permuted = model.certify(X[order], y[order], effort=0.1)
    assert permuted == model.certify(X, y, effort=0.1)


@pytest.mark.parametrize("tol_gap", [1e-2, 5e-2])
@pytest.mark.parametrize("data", [MOONS, IRIS], ids=["plane", "softmax"])
def test_growing_leaves_tol_gap_whoever_asks(data, tol_gap):
    grown = GoodMinimaClassifier(
        "auto", training="grow", alpha=0.01, tol_gap=tol_gap, random_state=0
    )
    by_fit = grown.fit(*data).certificate_
    assert by_fit.witness.decrease > 0 and by_fit.status is Status.BOUNDED
    for effort in (0, 0.1):
        assert grown.certify(*data, effort=effort).status is Status.BOUNDED
    grown.set_params(tol_gap=0.0)  # for the next fit
    assert grown.certify(*data, effort=0).status is Status.BOUNDED
    grown._learned_with_ = grown._learned_with_ | {"tol_gap": 0.0}
    assert grown.certify(*data, effort=0).status is Status.IMPROVABLE


def test_weights_are_repeats(fitted):
    model, X, y = fitted("relu")
    weight = np.random.RandomState(0).randint(1, 4, size=len(X))
    many = np.repeat(np.arange(len(X)), weight)
    weighted = model.certify(X, y, weight, effort=0.1)
    assert weighted == model.certify(X[many], y[many], effort=0.1)
    assert weighted.objective != model.certify(X, y, effort=0.1).objective


def test_the_plane_is_nearly_closed(fitted):
    X, y = MOONS
    model = GoodMinimaClassifier((30,), alpha=0.02, n_init=4, random_state=0)
    model.fit(X, y)
    found = model.certify(X, y)
    assert found.relative_gap < 0.05
    assert found.relative_gap <= model.certificate_.relative_gap


def test_other_data_are_what_the_certificate_is_of(fitted):
    model, X, y = fitted("relu")
    rng = np.random.RandomState(3)
    other, labels = rng.normal(size=(40, 4)), np.tile([0, 1], 20)
    found = model.certify(other, labels, effort=0.1)
    again = clone(model).set_params(warm_start=False).fit(other, labels)
    # The bound holds for the networks of that data, of which this is one.
    assert found.lower_bound <= again.certificate_.objective
    assert found.objective >= again.certificate_.lower_bound
    assert found.objective != model.certificate_.objective
    doubled = model.certify(np.vstack([X, X[:3]]), np.r_[y, 1 - y[:3]], effort=0)
    assert doubled.contradictions.tolist() == [0, 1, 2, 60, 61, 62]


def test_cross_validated():
    X, y = WIDE
    model = GoodMinimaClassifierCV((4,), alphas=2, cv=2, random_state=0).fit(X, y)
    found = model.certify(X, y, effort=0.1)
    np.testing.assert_allclose(found.objective, model.certificate_.objective)
    assert found.lower_bound >= model.certificate_.lower_bound * (1 - 0.02)
    plain = GoodMinimaClassifier((4,), alpha=model.alpha_, random_state=0).fit(X, y)
    np.testing.assert_allclose(
        plain.certify(X, y, effort=0).lower_bound,
        plain.certificate_.lower_bound,
        rtol=1e-6,
    )


def test_last_step_of_a_pipeline():
    X, y = WIDE
    model = GoodMinimaClassifier((4,), random_state=0)
    pipeline = make_pipeline(StandardScaler(), model).fit(100 * X, y)
    inside = pipeline[:-1].transform(100 * X)
    found = pipeline[-1].certify(inside, y, effort=0)
    np.testing.assert_allclose(
        found.lower_bound, pipeline[-1].certificate_.lower_bound, rtol=1e-6
    )


def test_class_weight_counts():
    X, y = WIDE
    model = GoodMinimaClassifier((4,), class_weight={0: 1, 1: 5}, random_state=0)
    model.fit(X, y)
    found = model.certify(X, y, effort=0)
    np.testing.assert_allclose(found.objective, model.certificate_.objective, rtol=1e-9)
    by_hand = model.certify(X, y, np.ones(len(y)), effort=0)
    assert found == by_hand


def test_what_ended_the_fit_is_remembered():
    X, y = MOONS
    short = GoodMinimaClassifier((4,), alpha=1e-4, max_iter=2, max_escapes=0).fit(X, y)
    assert short.certificate_.status is Status.NOT_CONVERGED
    assert short.certify(X, y, effort=0).status is Status.NOT_CONVERGED
    early = GoodMinimaClassifier((4,), alpha=1e-4, early_stopping=True, random_state=0)
    early.fit(X, y)
    if early.certificate_.status is Status.STOPPED:
        assert early.certify(X, y, effort=0).status is Status.STOPPED


@pytest.mark.parametrize("effort", [-1, np.nan, np.inf, "1", None])
def test_effort_is_a_number_from_0_on(effort, fitted):
    model, X, y = fitted("linear")
    with pytest.raises(ValueError, match="effort must be a number from 0 on"):
        model.certify(X, y, effort=effort)


def test_errors(fitted):
    model, X, y = fitted("linear")
    with pytest.raises(NotFittedError):
        GoodMinimaClassifier().certify(X, y)
    with pytest.raises(ValueError, match="features"):
        model.certify(X[:, :2], y)
    with pytest.raises(ValueError, match="y"):
        model.certify(X, y + 7)
    with pytest.raises(ValueError, match="inconsistent"):
        model.certify(X, y[:-1])
    with pytest.raises(ValueError, match="sample_weight|[Nn]egative"):
        model.certify(X, y, -np.ones(len(X)))
    with pytest.raises(ValueError, match="NaN"):
        model.certify(X * np.nan, y)


def test_blas_has_one_thread_meanwhile(fitted, monkeypatch):
    """Its products are small: threads that wait for each other take many times as long,
    and they add in another order."""
    model, X, y = fitted("relu")
    threads = []
    for module, name in [
        (skgoodmin.estimator.base, "certify"),
        (skgoodmin.any_model, "certify_predictions"),
    ]:
        real = getattr(module, name)

        def spy(*args, real=real, **kwargs):
            of_blas = [i for i in threadpool_info() if i["user_api"] == "blas"]
            threads.append({library["num_threads"] for library in of_blas})
            return real(*args, **kwargs)

        monkeypatch.setattr(module, name, spy)
    found = []
    for n in (1, 2):
        with threadpool_limits(n, user_api="blas"):
            found.append(model.certify(X, y))
            certify(X, y, model.decision_function(X))
    assert threads == [{1}] * 4
    assert found[0] == found[1]
