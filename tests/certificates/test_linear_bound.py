"""The bound of linear models against the best ones of scikit-learn and scipy."""

import numpy as np
import pytest
from problems import random_objective
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from skgoodmin import GoodMinimaClassifier
from skgoodmin.certificates.certify import Ending, certify
from skgoodmin.objective.losses import LOSSES
from skgoodmin.objective.predictions import Predictions

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def _data(n_classes, n=80):
    rng = np.random.RandomState(n_classes)
    X = rng.normal(size=(n, 4))
    y = np.digitize(
        X[:, 0] + rng.normal(size=n), np.linspace(-1, 1, n_classes + 1)[1:-1]
    )
    return X, y


@pytest.mark.parametrize("alpha", [1e-4, 1e-2, 1.0])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("weighted", [False, True])
def test_scikit_learn_is_never_below_the_bound_of_log_loss(weighted, n_classes, alpha):
    X, y = _data(n_classes)
    weight = np.random.RandomState(0).uniform(0.2, 3, len(X)) if weighted else None
    total = len(X) if weight is None else weight.sum()
    best = LogisticRegression(C=1 / (alpha * total), tol=1e-12, max_iter=10_000)
    best.fit(X, y, weight)
    parameters = {"loss": "log_loss", "alpha": alpha, "tol": 1e-9, "max_iter": 2000}
    model = GoodMinimaClassifier((), random_state=0, **parameters).fit(X, y, weight)
    raw = best.decision_function(X).astype(np.longdouble)
    if n_classes == 2:
        losses = np.logaddexp(0, -np.where(y == 1, 1, -1) * raw)
    else:
        losses = np.logaddexp.reduce(raw, axis=1) - raw[np.arange(len(X)), y]
    loss = np.average(losses, weights=weight)
    reached = loss + alpha / 2 * (best.coef_.astype(np.longdouble) ** 2).sum()
    certificate = model.certificate_
    assert certificate.lower_bound <= reached
    np.testing.assert_allclose(certificate.objective, float(reached), rtol=1e-6)
    assert certificate.relative_gap < 1e-6
    assert certificate.status.name == "GLOBAL"
    own = [bound for bound in certificate.bounds if bound.of == "objective"]
    assert [bound.networks for bound in own] == ["linear model"]


@pytest.mark.parametrize("options", [
    {}, {"n_outputs": 3}, {"n_outputs": 2, "multilabel": True}, {"sparse": True},
    {"weights": True, "dtype": np.float32},
], ids=str)  # fmt: skip
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("alpha", [1e-3, 0.3, 10.0])
def test_scipy_is_never_below_and_at_its_end_there_is_no_gap(alpha, loss, options):
    objective, theta = random_objective((), "identity", loss, alpha=alpha, **options)
    options_of_data = options
    options = {"maxiter": 3000, "ftol": 1e-15, "gtol": 1e-11}
    best = minimize(
        objective.value_and_gradient,
        theta,
        jac=True,
        method="L-BFGS-B",
        options=options,
    )
    rng = np.random.RandomState(0)
    found = certify(Predictions(objective, best.x), Ending(), rng)
    single = options_of_data.get("dtype") is np.float32  # scipy 1.12 ends earlier there
    assert found.relative_gap < (1e-5 if single else 1e-6)
    for point in (theta, 0 * theta, 0.9 * best.x):
        far = certify(Predictions(objective, point), Ending(), rng)
        rounding = 1e-15 * best.fun
        assert far.lower_bound <= best.fun + rounding
        assert 0 <= far.lower_bound <= far.objective
