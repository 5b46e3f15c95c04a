"""scikit-learn's own tests of its MLPs, run against our estimators.

    python benchmarks/sklearn_test_mlp.py

Adapters take the names of the parameters of ``MLPClassifier`` and ``MLPRegressor``, and
give them to ``GoodMinimaClassifier`` (log-loss) and ``GoodMinimaRegressor``; what is
about steps of Adam and SGD has no counterpart and is only kept. Printed is a line for
each test; the exit code is 0 if those that differ are the ones listed below.
"""

import contextlib
import io
import sys

import numpy as np
import pytest
from sklearn.neural_network.tests import test_mlp

from skgoodmin import GoodMinimaClassifier, GoodMinimaRegressor

STEPS = "reads the optimizer of Adam or SGD; there are no such steps here"
# Name of a test, without parameters -> why it differs.
DIFFERENCES = {
    "test_fit": "sets private attributes and does one step of SGD",
    "test_gradient": "calls a private method; ours is in test_objective.py",
    "test_learning_rate_warmstart": STEPS,
    "test_adaptive_learning_rate": STEPS,
    "test_n_iter_no_change": "reads a private counter of SGD and Adam",
    "test_n_iter_no_change_inf": "L-BFGS comes to rest before max_iter",
    "test_partial_fit_errors": "partial_fit is there, with L-BFGS",
    "test_mlp_partial_fit_after_fit": "partial_fit works with early_stopping=True",
    "test_verbose_sgd": "other words: a line for each run, 'Start 0: 7 iterations'",
    "test_early_stopping": "no best_loss_; validation_scores_ is an array, no list",
    "test_warm_start": "refused as there, in other words",
    "test_early_stopping_stratified": "refused as there, and names the class",
    "test_preserve_feature_names": "y has one class, which is an error here",
    "test_minimum_input_sample_size": "refused as there, in other words",
    "test_mlp_diverging_loss": "L-BFGS does not diverge",
    "test_mlp_regressor_dtypes_casting": "150 iterations drift apart in float32",
    "test_mlp_vs_poisson_glm_equivalent": "there is no loss='poisson'",
    "test_nonfinite_params": "refused as there, in other words",
    "test_partial_fit_regression": "100 fits of 200 iterations are no 100 iterations",
    "test_lbfgs_classification_maxfun": "10 evaluations are enough with relu",
    "test_mlp_warm_start_no_convergence": "comes to rest, so that nothing warns",
    "test_mlp_param_dtypes": "predictions of float32 rows are float64, as y is",
    "test_shuffle": "there is no shuffle: the order of the rows does not matter",
}


STEP_PARAMETERS = {
    "solver": "adam",
    "batch_size": "auto",
    "learning_rate": "constant",
    "learning_rate_init": 0.001,
    "power_t": 0.5,
    "shuffle": True,
    "momentum": 0.9,
    "nesterovs_momentum": True,
    "beta_1": 0.9,
    "beta_2": 0.999,
    "epsilon": 1e-8,
}


class Adapter:
    """An estimator of ours that is called like one of scikit-learn's."""

    ours: type
    given: dict

    def __init__(
        self,
        hidden_layer_sizes=(100,),
        activation="relu",
        *,
        loss="squared_error",
        solver="adam",
        alpha=0.0001,
        batch_size="auto",
        learning_rate="constant",
        learning_rate_init=0.001,
        power_t=0.5,
        max_iter=200,
        shuffle=True,
        random_state=None,
        tol=1e-4,
        verbose=False,
        warm_start=False,
        momentum=0.9,
        nesterovs_momentum=True,
        early_stopping=False,
        validation_fraction=0.1,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        n_iter_no_change=10,
        max_fun=15000,
    ):
        self.ours.__init__(
            self,
            hidden_layer_sizes,
            activation,
            alpha=alpha,
            max_iter=max_iter,
            random_state=random_state,
            tol=tol,
            verbose=verbose,
            warm_start=warm_start,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            n_iter_no_change=n_iter_no_change,
            max_fun=max_fun,
            **{"loss": loss} | self.given,
        )
        own = self.ours().get_params(deep=False)
        for name, value in locals().items():
            if name in STEP_PARAMETERS and name not in own:
                setattr(self, name, value)

    def _validate_params(self):
        """Those of ours; the others are kept, not used."""
        ours = self.ours().get_params(deep=False)
        given = {name: getattr(self, name) for name in ours}
        self.ours(**given)._validate_params()


class ClassifierAdapter(Adapter, GoodMinimaClassifier):
    """GoodMinimaClassifier that is called like MLPClassifier."""

    ours, given = GoodMinimaClassifier, {"loss": "log_loss"}


class RegressorAdapter(Adapter, GoodMinimaRegressor):
    """GoodMinimaRegressor that is called like MLPRegressor."""

    ours, given = GoodMinimaRegressor, {}


ADAPTERS = {
    test_mlp.MLPClassifier: ClassifierAdapter,
    test_mlp.MLPRegressor: RegressorAdapter,
}
NAMES = {original.__name__ for original in ADAPTERS}


class Tests:
    """A plugin of pytest: which tests are run, and what comes of them."""

    def __init__(self):
        self.outcomes, self.why = {}, {}

    def pytest_collection_modifyitems(self, items):
        """Those that ask for a class, which gets the adapter in its place."""
        kept = []
        for item in items:
            call = getattr(item, "callspec", None)
            given = dict(call.params) if call else {}
            asked = [
                name
                for name, value in given.items()
                if isinstance(value, type) and value in ADAPTERS
            ]
            for name in asked:
                call.params[name] = ADAPTERS[given[name]]
            if asked or NAMES & set(item.function.__code__.co_names):
                kept.append(item)
        items[:] = kept

    def pytest_runtest_setup(self, item):
        """Random starts are the same at each run."""
        np.random.seed(0)

    def pytest_runtest_logreport(self, report):
        """The outcome of a test."""
        if report.when != "call":
            return
        name = report.nodeid.split("::")[-1]
        self.outcomes[name] = report.passed
        if report.failed:
            self.why[name] = str(report.longreprtext).splitlines()[-1]
            crash = getattr(report.longrepr, "reprcrash", None)
            if crash is not None:
                self.why[name] = crash.message.splitlines()[0]


def run():
    """(name -> whether it passes, name -> the error) of the tests."""
    tests, output = Tests(), io.StringIO()
    options = ["-q", "-p", "no:cacheprovider", "-W", "ignore", "--pyargs"]
    for original, adapter in ADAPTERS.items():
        setattr(test_mlp, original.__name__, adapter)
    try:
        with contextlib.redirect_stdout(output):
            pytest.main([*options, test_mlp.__name__], plugins=[tests])
    finally:
        for original in ADAPTERS:
            setattr(test_mlp, original.__name__, original)
    if not tests.outcomes:
        raise RuntimeError(output.getvalue())
    return tests.outcomes, tests.why


def main():
    outcomes, why = run()
    for name, passes in outcomes.items():
        plain = name.split("[")[0]
        outcome = "passes" if passes else f"differs: {DIFFERENCES.get(plain, '?')}"
        print(f"{name:60}{outcome}")
        if not passes and plain not in DIFFERENCES:
            print(" " * 8 + why[name])
    differ = {name.split("[")[0] for name, passes in outcomes.items() if not passes}
    passed = sum(outcomes.values())
    print(f"{len(outcomes)} tests: {passed} pass, {len(outcomes) - passed} differ")
    for name in sorted(differ - DIFFERENCES.keys()):
        print(f"not documented: {name}")
    for name in sorted(DIFFERENCES.keys() - differ):
        print(f"documented, but it passes: {name}")
    return differ != DIFFERENCES.keys()


if __name__ == "__main__":
    sys.exit(main())
