"""The scripts that count what goes wrong, shortened: fuzz, hostile data, soak."""

import gc
import io
import os
import pickle
import runpy
import subprocess
import sys
import tracemalloc
import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from skgoodmin import GoodMinimaClassifier
from skgoodmin.objective.losses import LOSSES

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


def _load(name):
    return runpy.run_path(str(BENCHMARKS / f"{name}.py"))


def _fuzz(cases):
    one_case = _load("fuzz")["one_case"]
    for case in cases:
        _, changed, wrong = one_case(case)
        assert not wrong, (case, changed)


@pytest.mark.parametrize("seed", range(0, 1000, 100))
def test_fuzz(seed):
    _fuzz(range(seed, seed + 100))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1000, 3000, 1000))
def test_the_rest_of_three_thousand_cases(seed):
    _fuzz(range(seed, seed + 1000))


@pytest.mark.parametrize("seed", range(0, 1000, 100))
def test_soak(seed):
    one_case = _load("soak")["one_case"]
    for case in range(seed, seed + 100):
        _, wrong = one_case(case)
        assert not wrong, case


@pytest.mark.parametrize("seed", range(0, 60, 15))
def test_no_bound_is_above_what_a_rival_reached(seed):
    soak = _load("soak")
    for case in range(seed, seed + 15):
        _, wrong = soak["one_case"](case, soak["draw_for_bounds"])
        assert not wrong, case
    assert soak["COUNTS"]["rivals"] > 50


@pytest.mark.parametrize("seed", [0, 15, 1438])
def test_regressors(seed):
    soak = _load("soak")
    for case in range(seed, seed + 15):
        _, wrong = soak["one_case"](case, soak["draw_for_regression"])
        assert not wrong, case


@pytest.mark.parametrize("case", [9854, 13351, 1152820, 9061382])
def test_what_the_soak_found(case):
    assert _load("soak")["one_case"](case)[1] == []


def test_hostile_data(monkeypatch, capsys):
    pytest.importorskip("hypothesis")
    monkeypatch.setattr(sys, "argv", ["hostile.py", "--cases", "300"])
    _load("hostile")["main"]()
    assert "300 cases" in capsys.readouterr().out


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", range(0, 400, 100))
def test_calls_in_any_order(seed):
    """Fits, warm ones, partial fits, new parameters: a true model, or the old one."""
    soak, fitted, models = _load("soak"), _load("faults")["fitted"], 0
    for case in range(seed, seed + 100):
        rng = np.random.RandomState(case)
        X, y, weight, parameters = soak["draw"](rng)
        classes = np.unique(y) if y.ndim == 1 else None
        parameters |= {"max_fun": 100, "warm_start": bool(rng.randint(2))}
        model = GoodMinimaClassifier(**parameters)
        for call in rng.choice(["fit", "partial_fit"], size=4):
            arguments = (weight,) if call == "fit" else (classes, weight)
            before = pickle.dumps(fitted(model))
            try:
                getattr(model, call)(X, y, *arguments)
            except ValueError as error:
                assert any(name in str(error) for name in soak["NAMES"]), (case, error)
                assert pickle.dumps(fitted(model)) == before, case
            else:
                assert soak["verify"](model, X, y, weight) == [], case
                models += 1
            others = soak["draw"](rng)[3]
            name = rng.choice(sorted(others.keys() - {"max_fun"}))
            model.set_params(**{name: others[name]})
    assert models > 200


@pytest.mark.filterwarnings("ignore")
def test_faults():
    found = _load("faults")["inject_all"](times=4, seed=1)
    assert len(found) == 8
    for kind, outcomes in found.items():
        assert all(outcomes), kind


PROBE = """
import os, pickle, sys
import numpy as np
import skgoodmin.classifier, joblib, threadpoolctl
from sklearn.exceptions import ConvergenceWarning
seen = []

def watch(event, arguments):
    if event == "open":
        path, mode, flags = arguments
        if isinstance(path, str) and flags & 3 and path != os.devnull:
            seen.append(f"writes {path}")
    elif event.startswith("socket."):
        seen.append(event)

sys.addaudithook(watch)
X = np.random.RandomState(0).normal(size=(40, 2))
y = (X[:, 0] * X[:, 1] > 0).astype(int)
model = skgoodmin.GoodMinimaClassifier((3,), tol=1e-2, alpha=0.01, random_state=0)
model.fit(X, y).predict_proba(X)
again = pickle.loads(pickle.dumps(model))
assert (again.predict(X) == model.predict(X)).all()
print("\\n".join(seen))
"""


def test_nothing_is_written_and_nobody_called():
    """But numba's cache, beside the sources or where NUMBA_CACHE_DIR says."""
    command = [sys.executable, "-W", "ignore", "-c", PROBE]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    cache = os.environ.get("NUMBA_CACHE_DIR", "__pycache__")
    assert [line for line in run.stdout.split("\n") if line and cache not in line] == []


def test_a_pickle_calls_nothing_but_what_rebuilds_it():
    called = set()

    class Watching(pickle.Unpickler):
        def find_class(self, module, name):
            called.add(f"{module}.{name}")
            return super().find_class(module, name)

    model = GoodMinimaClassifier((3,), alpha=0.01, tol=1e-2, random_state=0)
    model.fit([[0.0], [1.0], [2.0]], [0, 1, 0])
    Watching(io.BytesIO(pickle.dumps(model))).load()
    ours = "skgoodmin.classifier.GoodMinimaClassifier"
    assert ours in called
    assert all(name == ours or name.startswith("numpy.") for name in called), called


def test_a_thousand_fits_leave_nothing_behind():
    """Resident memory after 1000 small fits, against after the first 200 of them."""
    X = np.random.RandomState(0).normal(size=(30, 3))
    y = (X[:, 0] > 0).astype(int)

    def resident():
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    if not Path("/proc/self/statm").exists():
        pytest.skip("needs /proc")
    for seed in range(1200):
        model = GoodMinimaClassifier((4,), alpha=0.1, random_state=seed, tol=1e-2)
        model.fit(X, y).predict(X)
        if seed == 199:
            before = resident()
    assert resident() - before < 10


def test_peak_memory_is_a_few_blocks_of_rows():
    """Nothing of the size of X is copied but the order of its rows, and no hidden
    value is kept for all rows at once: 100 units would take 160 MB here."""
    X = np.random.RandomState(0).normal(size=(200_000, 10))
    y = (X[:, 0] * X[:, 1] > 0).astype(int)
    model = GoodMinimaClassifier((100,), max_fun=3, max_escapes=0, random_state=0)
    with pytest.warns(UserWarning):
        model.fit(X[:1000], y[:1000])  # what is loaded once
    tracemalloc.start()
    with pytest.warns(UserWarning):
        model.fit(X, y)
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    assert peak < 4 * X.nbytes / 2**20


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:y has .* classes in")
def test_ten_thousand_classes_and_labels():
    n = 10_000
    rng = np.random.RandomState(0)
    X, y = rng.normal(size=(n, 3)), rng.permutation(n)
    options = {"max_fun": 3, "max_escapes": 0, "random_state": 0}
    for loss in LOSSES:
        with pytest.warns(UserWarning, match="max_fun"):
            model = GoodMinimaClassifier(
                (4,), loss=loss, special_neuron=None, **options
            ).fit(X, y)
        p = model.predict_proba(X[:50])
        assert p.shape == (50, n) and np.isfinite(p).all()
        np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-9)
    labels = (rng.uniform(size=(200, n)) < 0.01).astype(int)
    with pytest.warns(UserWarning, match="max_fun"):
        model = GoodMinimaClassifier((4,), **options).fit(X[:200], labels)
    assert model.predict(X[:5]).shape == (5, n)
    assert np.isfinite(model.predict_proba(X[:5])).all()


@pytest.mark.parametrize("scale", [1e3, 1e6, 1e12, 1e25])
def test_float32_on_data_of_any_scale_ends_well_or_says_what_to_do(scale):
    """A good model, or a sentence that tells to scale."""
    rng = np.random.RandomState(0)
    X = (scale * rng.normal(size=(200, 3))).astype(np.float32)
    y = (X[:, 0] + X[:, 1] > 0).astype(int)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            model = GoodMinimaClassifier((10,), random_state=0).fit(X, y)
        except ValueError as error:
            assert "scale the data" in str(error)
            return
    advised = any("scale the data" in str(w.message) for w in caught)
    assert model.score(X, y) > 0.95 or advised
    assert all(issubclass(w.category, ConvergenceWarning) for w in caught)
