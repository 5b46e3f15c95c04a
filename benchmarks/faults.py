"""Faults injected into fits: each ends in its own error, and loses nothing.

    python benchmarks/faults.py --times 50

Ctrl-C at random moments, with the starts one after the other and in threads; a
callback, a loss of the user's and an evaluation that raise (the last one for want of
memory), each at a random call; a worker process killed from within. After each fault it
is checked that the error is the one that was injected, that the estimator still has the
fitted attributes it had before, bit for bit, that the limit on BLAS threads is given
back, and that the next fit is the same as one that nothing disturbed.

A file of numba's cache, drawn at random, is emptied, cut, overwritten, exchanged for
another one, or a directory stands in its place. Here the fit has to succeed, with one
warning, and the next process with none, but where nothing can be replaced.
"""

import argparse
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
from joblib.externals.loky.process_executor import TerminatedWorkerError
from sklearn.base import clone
from sklearn.datasets import make_moons
from sklearn.model_selection import cross_validate
from threadpoolctl import threadpool_info

from skgoodmin import GoodMinimaClassifier, GoodMinimaClassifierCV
from skgoodmin.kernels.rows import hash_rows
from skgoodmin.objective.objective import Objective

X, Y = make_moons(200, noise=0.25, random_state=0)


class InjectedError(Exception):
    """The fault."""


def _model(**parameters):
    given = {"hidden_layer_sizes": (10,), "n_init": 4, "max_fun": 600, "alpha": 0.0}
    return GoodMinimaClassifier(**(given | {"random_state": 0} | parameters))


def fitted(model):
    """Fitted attributes, by name."""
    return {name: value for name, value in vars(model).items() if name.endswith("_")}


def limits():
    """How many threads each library may use."""
    return [(pool["prefix"], pool["num_threads"]) for pool in threadpool_info()]


def disturbed(model, error, inject, expected):
    """Whether a fit under ``inject`` (a context) ended as it should, or None.

    None: the fault came too late, when the fit was over.
    """
    before, allowed = fitted(model), limits()
    try:
        with inject:
            model.fit(X, Y)
        return None
    except error:
        after = fitted(model)
    if not any(after[name] is value for name, value in before.items()):
        return None  # all are new
    kept = before.keys() == after.keys() and all(after[k] is before[k] for k in before)
    again = clone(model)
    if hasattr(again, "set_callbacks"):
        again.set_callbacks()
    same = again.fit(X, Y).coefs_[0].tobytes() == expected
    clean = "_callback_fit_ctx" not in vars(model) and limits() == allowed
    return kept and same and clean


class Alarm:
    """SIGINT after some seconds and once more, as from Ctrl-C twice.

    The first one only asks a fit to stop.
    """

    def __init__(self, seconds):
        self.seconds = seconds

    def __enter__(self):
        # What runs in the background of a shell ignores Ctrl-C.
        self.before = signal.signal(signal.SIGINT, signal.default_int_handler)
        self.left = 2

        def interrupt(number, frame):
            self.left -= 1
            if self.left == 0:
                signal.setitimer(signal.ITIMER_REAL, 0)
            os.kill(os.getpid(), signal.SIGINT)

        signal.signal(signal.SIGALRM, interrupt)
        signal.setitimer(signal.ITIMER_REAL, self.seconds, 2e-4)

    def __exit__(self, *_):
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGINT, self.before)


def _refit(model, times, error, inject):
    """Outcomes of ``times`` disturbed refits of a fitted model."""
    expected = model.fit(X, Y).coefs_[0].tobytes()
    outcomes = []
    for _ in range(20 * times):
        outcome = disturbed(model, error, inject(), expected)
        if outcome is not None:  # in time
            outcomes.append(outcome)
        if len(outcomes) == times:
            return outcomes
    raise RuntimeError(f"only {len(outcomes)} of {times} faults came in time")


def interrupts(times, rng, **parameters):
    """Ctrl-C."""
    model, lasts = _model(**parameters).fit(X, Y), np.inf
    for _ in range(5):
        began = time.perf_counter()
        model.fit(X, Y)
        lasts = min(lasts, time.perf_counter() - began)
    return _refit(
        model, times, KeyboardInterrupt, lambda: Alarm(rng.uniform(0.02, 0.9) * lasts)
    )


class RaisingCallback:
    """Raises at the end of some task."""

    def __init__(self, number):
        self.number = number

    def setup(self, estimator, context):
        self.left = self.number

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        self.left -= 1
        if self.left == 0:
            raise InjectedError


class Nothing:
    """No fault from outside."""

    def __enter__(self):
        pass

    def __exit__(self, *_):
        pass


def callbacks(times, rng):
    """A callback that raises (scikit-learn 1.9 and later)."""
    model = _model(alpha=0.01)
    if not hasattr(model, "set_callbacks"):
        return []
    expected, outcomes = model.fit(X, Y).coefs_[0].tobytes(), []
    for _ in range(times):
        model.set_callbacks(RaisingCallback(rng.randint(1, 100)))
        outcomes.append(disturbed(model, InjectedError, Nothing(), expected))
        model.set_callbacks()
    return outcomes


class SquaredHinge:
    """A loss of the user's, which raises at some call."""

    left = None

    def value(self, raw, sign):
        if self.left is not None:
            SquaredHinge.left -= 1
            if self.left == 0:
                raise InjectedError
        return np.maximum(0, 1 - sign * raw) ** 2

    def derivative(self, raw, sign):
        return -2 * sign * np.maximum(0, 1 - sign * raw)

    def minimum(self, negative, positive):
        return 4 * negative * positive / (negative + positive)

    def __eq__(self, other):
        return isinstance(other, SquaredHinge)

    __hash__ = None


class RaisingLoss(Nothing):
    """Makes the loss raise at some call."""

    def __init__(self, number):
        self.number = number

    def __enter__(self):
        SquaredHinge.left = self.number

    def __exit__(self, *_):
        SquaredHinge.left = None


def losses(times, rng):
    """A loss of the user's that raises."""
    model = _model(loss=SquaredHinge(), n_init=2, max_escapes=1)
    return _refit(model, times, InjectedError, lambda: RaisingLoss(rng.randint(1, 60)))


class NoMemory:
    """Makes an evaluation run out of memory."""

    def __init__(self, number):
        self.left, self.original = number, Objective.value_and_gradient

    def __enter__(self):
        def short(objective, theta):
            self.left -= 1
            if self.left == 0:
                raise MemoryError
            return self.original(objective, theta)

        Objective.value_and_gradient = short

    def __exit__(self, *_):
        Objective.value_and_gradient = self.original


def memory(times, rng, **parameters):
    """An evaluation for which there is no memory."""
    model = _model(**parameters)
    return _refit(model, times, MemoryError, lambda: NoMemory(rng.randint(1, 100)))


def kill_worker(estimator, X, y):
    """A scorer that kills its process."""
    os.kill(os.getpid(), signal.SIGKILL)


def workers(times):
    """Worker processes killed: an error within a minute, not a hang."""
    outcomes = []
    for i in range(times):
        began = time.monotonic()
        try:
            if i % 2:
                cross_validate(_model(), X, Y, scoring=kill_worker, n_jobs=2)
            else:
                model = GoodMinimaClassifierCV(alphas=2, scoring=kill_worker, n_jobs=2)
                model.fit(X, Y)
            outcomes.append(False)
        except TerminatedWorkerError:
            outcomes.append(time.monotonic() - began < 60)
    return outcomes


CACHE_PATH = """
from skgoodmin.kernels.rows import hash_rows
print(hash_rows.dispatcher.stats.cache_path)
"""
CACHED_FIT = """
import sys, warnings
sys.path.insert(0, sys.argv[1])
from faults import X, Y, _model, digest
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    model = _model().fit(X, Y)
print(sum("NUMBA_CACHE_DIR" in str(w.message) for w in caught), digest(model))
"""


def digest(model):
    """Of the parameters."""
    return hashlib.sha256(model.coefs_[0].tobytes()).hexdigest()


def _directory(path, rng):
    path.unlink()
    path.mkdir()


def _exchange(path, rng):
    others = sorted(set(path.parent.glob(f"*{path.suffix}")) - {path})
    shutil.copy(others[rng.randint(len(others))], path)


DAMAGES = {
    "empty": lambda path, rng: path.write_bytes(b""),
    "cut": lambda path, rng: os.truncate(path, rng.randint(path.stat().st_size)),
    "noise": lambda path, rng: path.write_bytes(rng.bytes(1000)),
    "exchanged": _exchange,
    "directory": _directory,
}


def caches(times, rng):
    """A file of the cache damaged: the same model, told once, and mended."""
    expected, outcomes = digest(_model().fit(X, Y)), []
    here, kinds = Path(hash_rows.dispatcher.stats.cache_path), sorted(DAMAGES)
    stamp = hash_rows.dispatcher.py_func.__qualname__.removeprefix("hash_rows")
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"NUMBA_CACHE_DIR": folder}

        def run(script):
            command = [sys.executable, "-c", script, str(Path(__file__).parent)]
            options = {"env": environment, "capture_output": True, "text": True}
            return subprocess.run(command, **options, timeout=600).stdout.split()

        cache = Path(run(CACHE_PATH)[0])
        for i in range(times):
            shutil.rmtree(cache)
            cache.mkdir()
            for path in here.glob(f"*{stamp}-*.nb?"):
                shutil.copy(path, cache)
            run(CACHED_FIT)  # what is not there yet
            paths = sorted(cache.glob("*.nb?"))
            # Kernels that this fit uses, whatever others have left there.
            used = ("hash_rows",)
            if i % 10 == 9:  # it takes seconds to compile
                used = ("sum_rows_relu_sum_losses_hinge",)
            paths = [path for path in paths if any(name in path.name for name in used)]
            kind, path = kinds[i % len(kinds)], paths[rng.randint(len(paths))]
            # Code for other arguments lies beside that for these, and is not read.
            is_read = path.suffix == ".nbi"
            DAMAGES[kind](path, rng)
            first, second = run(CACHED_FIT), run(CACHED_FIT)
            # A stale one is fine.
            told = ("1",) if is_read and kind != "exchanged" else ("0", "1")
            again = "1" if kind == "directory" else "0"
            outcomes.append(
                first[-1] == second[-1] == expected
                and first[0] in told
                and second[0] in ("0", again)
            )
    return outcomes


def inject_all(times, seed=0):
    """kind of fault -> list of whether each ended as it should."""
    rng = np.random.RandomState(seed)
    return {
        "Ctrl-C": interrupts(times, rng),
        "Ctrl-C, starts in threads": interrupts(times, rng, n_jobs=2),
        "callback raises": callbacks(times, rng),
        "loss raises": losses(times, rng),
        "no memory": memory(times, rng),
        "no memory, starts in threads": memory(times, rng, n_jobs=2),
        "worker killed": workers(max(times // 5, 2)),
        "cache damaged": caches(max(times // 5, 2), rng),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=50)
    arguments = parser.parse_args()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = inject_all(arguments.times)
    for kind, outcomes in found.items():
        print(f"{kind:30}{len(outcomes):5} injected{sum(map(bool, outcomes)):5} as due")
    wrong = sum(not outcome for outcomes in found.values() for outcome in outcomes)
    print(f"{wrong} failures")
    return wrong > 0


if __name__ == "__main__":
    sys.exit(main())
