"""Ctrl-C: real signals to a process in the middle of a long fit."""

import json
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from skgoodmin.estimator.interruption import STOPPED, is_one_of_many

SCRIPT = Path(__file__).parent / "interrupted.py"
PATIENCE = 240  # seconds until a scenario is given up


class Child:
    """The process of ``interrupted.py``."""

    def __init__(self):
        self.process = subprocess.Popen(
            [sys.executable, "-u", str(SCRIPT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, scenario, *moments):
        """What comes of a scenario with Ctrl-C after lines that match ``moments``."""
        alarm = threading.Timer(PATIENCE, self.process.kill)
        alarm.start()
        try:
            print(scenario, file=self.process.stdin, flush=True)
            left = list(moments)
            for line in self.process.stdout:
                if line.startswith("RESULT"):
                    assert not left, f"it ended before {left}"
                    return json.loads(line.removeprefix("RESULT"))
                if left and re.search(left[0], line):
                    left.pop(0)
                    self.process.send_signal(signal.SIGINT)
        finally:
            alarm.cancel()
        raise AssertionError(f"{scenario}: the process has died, or was too slow")

    def close(self):
        self.process.kill()
        self.process.communicate()


@pytest.fixture(scope="module")
def child():
    process = Child()
    yield process
    process.close()


ON_THE_WAY = "iteration 5: objective"


@pytest.mark.parametrize(
    "scenario",
    "fit partial_fit early_stopping joint starts threads float32 pipeline in_refit "
    "going_on".split(),
)
def test_the_first_one_keeps_the_best_point_so_far(scenario, child):
    found = child.run(scenario, ON_THE_WAY)
    assert found["error"] is None
    assert found["status"] == "STOPPED" and not found["converged"]
    told = found["warnings"]
    assert told.pop() == STOPPED and all(text.startswith("Fold") for text in told)
    assert found["finite"] and found["usual"]
    if scenario != "joint":  # whose neuron has just been dropped
        assert found["falls"]
    if scenario != "early_stopping":  # which keeps the best score
        assert found["is_best"]
    assert found.get("goes_on", True)


def test_the_second_one_leaves_at_once_and_the_earlier_fit_stays(child):
    # Two signals in a row may be one.
    found = child.run("second", "^stuck 2$", "^stuck 8$")
    assert found == {"error": "KeyboardInterrupt", "kept": True, "usual": True}


@pytest.mark.parametrize(
    "scenario", ["GridSearchCV", "cross_val_score", "CV", "AdaBoost", "ClassifierChain"]
)
def test_who_fits_many_is_stopped_as_a_whole(scenario, child):
    found = child.run(scenario, ON_THE_WAY)
    assert found == {"error": "KeyboardInterrupt", "usual": True}


def test_a_handler_of_the_users_own_is_left_alone(child):
    found = child.run("own_handler", ON_THE_WAY)
    assert found["calls"] == 1 and not found["usual"]
    assert found["error"] is None and found["status"] == "NOT_CONVERGED"
    assert STOPPED not in found["warnings"]


def test_in_another_thread_a_fit_goes_on(child):
    found = child.run("other_thread", ON_THE_WAY)
    assert found == {"error": "KeyboardInterrupt", "n_iter": 60, "usual": True}


def test_who_fits_many():
    assert not is_one_of_many()
    for name in (
        "joblib",
        "joblib.memory",
        "joblib.parallel",
        "joblib.externals.loky.process_executor",
        "sklearn.ensemble._bagging",
        "sklearn.impute._iterative",
        "sklearn.linear_model._ransac",
    ):
        space = {"__name__": name, "ask": is_one_of_many}
        exec("def call(): return ask()", space)
        assert space["call"]()
    for name in (
        "joblibs",
        "sklearn.pipeline",
        "sklearn.base",
        "ensemble",
    ):
        space = {"__name__": name, "ask": is_one_of_many}
        exec("def call(): return ask()", space)
        assert not space["call"]()
