"""A process whose fits are interrupted; run by ``test_interruption.py``.

It reads names of scenarios, and prints for each of them a line that begins with
``RESULT``. Fits would take minutes; how far they are is told by their own prints.
"""

import json
import signal
import sys
import threading
import time
import warnings

import numpy as np
from sklearn.datasets import make_moons
from sklearn.ensemble import AdaBoostClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multioutput import ClassifierChain
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgoodmin import GoodMinimaClassifier, GoodMinimaClassifierCV

X, y = make_moons(60, noise=0.4, random_state=0)


class SlowHinge:
    """max(0, 1 - y f)^2, as if there were many rows."""

    pause = 0.0

    def value(self, raw, sign):
        time.sleep(self.pause)
        return np.maximum(0.0, 1.0 - sign * raw) ** 2

    def derivative(self, raw, sign):
        return -2.0 * sign * np.maximum(0.0, 1.0 - sign * raw)

    def minimum(self, negative, positive):
        return 4.0 * negative * positive / (negative + positive)


class Stuck(SlowHinge):
    """After some evaluations there is one that takes a minute."""

    left = 60

    def value(self, raw, sign):
        self.left -= 1
        if self.left < 0:
            for i in range(1200):
                print(f"stuck {i}", flush=True)
                time.sleep(0.05)
        return super().value(raw, sign)


def slow(**parameters):
    """A classifier whose fit takes minutes."""
    loss = SlowHinge()
    loss.pause = 0.02
    given = {"loss": loss, "alpha": 1e-6, "tol": 0.0, "max_iter": 10**6, "verbose": 2}
    given |= {"max_fun": 10**7, "random_state": 0}
    return GoodMinimaClassifier((10,), "tanh", **(given | parameters))


def outcome(fit):
    """How ``fit()`` ended: the error, or what is known of the model it returns."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            model = fit()
        except KeyboardInterrupt:
            return {"error": "KeyboardInterrupt"}
    told = [str(w.message) for w in caught if w.category is ConvergenceWarning]
    return {
        "error": None,
        "status": model.certificate_.status.name,
        "warnings": told,
        "converged": bool(model.converged_),
        "falls": bool(model.loss_ < model.loss_curve_[0]),
        "is_best": bool(model.loss_ == min(model.init_losses_)),
        "finite": bool(np.isfinite(model.predict_proba(X)).all()),
    }


def second():
    """The second Ctrl-C."""
    model = slow(verbose=0, loss=SlowHinge(), tol=1e-2, max_iter=5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X, y)
    before = dict(vars(model))
    model.set_params(loss=Stuck())
    found = outcome(lambda: model.fit(X, y))
    after = {k: v for k, v in vars(model).items() if k.endswith("_")}
    found["kept"] = all(after[name] is before[name] for name in after) and (
        after.keys() == {name for name in before if name.endswith("_")}
    )
    return found


def going_on():
    """A model that has been stopped goes on where it was."""
    model = slow(warm_start=True)
    found = outcome(lambda: model.fit(X, y))
    reached = model.loss_
    model.set_params(max_iter=2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X, y)
    return found | {"goes_on": bool(model.loss_curve_[0] == reached)}


def own_handler():
    """A handler of the user's own."""
    calls = []
    signal.signal(signal.SIGINT, lambda *_: calls.append(1))
    found = outcome(lambda: slow(max_iter=40).fit(X, y))
    return found | {"calls": len(calls)}


def other_thread():
    """A fit that is not in the main thread."""
    models = []

    def fit():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            models.append(slow(max_iter=60).fit(X, y))

    thread = threading.Thread(target=fit)
    thread.start()
    try:
        while thread.is_alive():
            time.sleep(0.01)
        error = None
    except KeyboardInterrupt:
        error = "KeyboardInterrupt"
    thread.join()
    return {"error": error, "n_iter": models[0].n_iter_}


def in_refit():
    """The last fit of the CV estimator is one fit."""
    given = slow().get_params()
    own = GoodMinimaClassifierCV().get_params()
    given = {name: value for name, value in given.items() if name in own}
    given |= {"loss": SlowHinge(), "max_iter": 3, "verbose": 0}
    model = GoodMinimaClassifierCV(**given, alphas=[1e-3], cv=2)
    original = GoodMinimaClassifier._fit

    def last(self, X, y, sample_weight, *rest, short=None, **more):
        if short is None:  # of the fit on all rows
            self.loss.pause, self.max_iter, self.verbose = 0.02, 10**6, 2
        return original(self, X, y, sample_weight, *rest, short=short, **more)

    GoodMinimaClassifier._fit = last
    try:
        return outcome(lambda: model.fit(X, y))
    finally:
        GoodMinimaClassifier._fit = original


def _cv():
    given = slow(verbose=3).get_params()
    names = set(GoodMinimaClassifierCV().get_params()) & set(given)
    return GoodMinimaClassifierCV(**{name: given[name] for name in names}, cv=2)


def _search():
    search = GridSearchCV(slow(), {"alpha": [1e-5, 1e-6]}, cv=2, error_score=0.0)
    return outcome(lambda: search.fit(X, y))


def _boosted():
    return AdaBoostClassifier(slow(), n_estimators=2).fit(X, y)


def _chain():
    return ClassifierChain(slow()).fit(X, np.column_stack([y, 1 - y]))


SCENARIOS = {
    "fit": lambda: outcome(lambda: slow().fit(X, y)),
    "partial_fit": lambda: outcome(lambda: slow().partial_fit(X, y)),
    "early_stopping": lambda: outcome(
        lambda: slow(early_stopping=True, n_iter_no_change=np.inf, n_init=2).fit(X, y)
    ),
    "joint": lambda: outcome(lambda: slow(training="joint").fit(X, y)),
    "starts": lambda: outcome(lambda: slow(n_init=3).fit(X, y)),
    "threads": lambda: outcome(lambda: slow(n_init=3, n_jobs=2).fit(X, y)),
    "float32": lambda: outcome(lambda: slow().fit(X.astype(np.float32), y)),
    "pipeline": lambda: outcome(
        lambda: make_pipeline(StandardScaler(), slow()).fit(X, y)[-1]
    ),
    "in_refit": in_refit,
    "going_on": going_on,
    "second": second,
    "own_handler": own_handler,
    "other_thread": other_thread,
    "GridSearchCV": _search,
    "cross_val_score": lambda: outcome(lambda: cross_val_score(slow(), X, y, cv=2)),
    "CV": lambda: outcome(lambda: _cv().fit(X, y)),
    "AdaBoost": lambda: outcome(_boosted),
    "ClassifierChain": lambda: outcome(_chain),
}

if __name__ == "__main__":
    for line in sys.stdin:
        # What runs in the background of a shell ignores Ctrl-C.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        found = SCENARIOS[line.strip()]()
        usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
        print("RESULT", json.dumps(found | {"usual": usual}), flush=True)
