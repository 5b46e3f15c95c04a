"""scikit-learn's own tests of MLPClassifier, run against our estimator.

    python benchmarks/sklearn_test_mlp.py

An adapter takes the names of ``MLPClassifier``'s parameters and gives them to
``GoodMinimaClassifier`` (log-loss; what is about steps of Adam and SGD has no
counterpart and is only kept). The tests of the regressor are left out. Printed is a
line for each test; the exit code is 0 if those that differ are the ones listed below.
"""

import contextlib
import io
import sys

import pytest
from sklearn.neural_network.tests import test_mlp

from skgoodmin import GoodMinimaClassifier

ORIGINAL = test_mlp.MLPClassifier
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
}


class Adapter(GoodMinimaClassifier):
    """GoodMinimaClassifier that is called like MLPClassifier."""

    loss_of_ours = "log_loss"

    def __init__(
        self,
        hidden_layer_sizes=(100,),
        activation="relu",
        *,
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
        super().__init__(
            hidden_layer_sizes,
            activation,
            loss=self.loss_of_ours,
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
        )
        self.solver, self.batch_size, self.shuffle = solver, batch_size, shuffle
        self.learning_rate, self.learning_rate_init = learning_rate, learning_rate_init
        self.power_t, self.momentum = power_t, momentum
        self.nesterovs_momentum, self.epsilon = nesterovs_momentum, epsilon
        self.beta_1, self.beta_2 = beta_1, beta_2

    def _validate_params(self):
        """Those of ours; the others are kept, not used."""
        ours = GoodMinimaClassifier().get_params(deep=False)
        given = {name: getattr(self, name) for name in ours}
        GoodMinimaClassifier(**given)._validate_params()


class Tests:
    """A plugin of pytest: which tests are run, and what comes of them."""

    def __init__(self):
        self.outcomes, self.why = {}, {}

    def pytest_collection_modifyitems(self, items):
        """Without the regressor, and the adapter where a test asks for the class."""
        kept = []
        for item in items:
            call = getattr(item, "callspec", None)
            given = dict(call.params) if call else {}
            names = item.function.__code__.co_names
            asked = [name for name, value in given.items() if value is ORIGINAL]
            if not asked and "MLPClassifier" not in names:
                continue
            for name in asked:
                call.params[name] = Adapter
            kept.append(item)
        items[:] = kept

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
    """(name -> whether it passes, name -> the error) of the classifier's tests."""
    tests, output = Tests(), io.StringIO()
    options = ["-q", "-p", "no:cacheprovider", "-W", "ignore", "--pyargs"]
    test_mlp.MLPClassifier = Adapter
    try:
        with contextlib.redirect_stdout(output):
            pytest.main([*options, test_mlp.__name__], plugins=[tests])
    finally:
        test_mlp.MLPClassifier = ORIGINAL
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
