"""``python -m skgoodmin.compile``: what it has run compiles no more."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sklearn.base import is_classifier

import skgoodmin
from skgoodmin import compile as ahead

FIT = """
import warnings
import numba.core.event as events
from sklearn.datasets import load_iris, make_classification
from skgoodmin import GoodMinimaClassifier, GoodMinimaClassifierCV
warnings.simplefilter("ignore")
two = make_classification(90, 7, random_state=1)
three = load_iris(return_X_y=True)
many = make_classification(5000, 40, n_informative=9, n_classes=3, random_state=1)
with events.install_recorder("numba:compile") as seen:
    for X, y in (two, three, (two[0][:, :2], two[1])):
        GoodMinimaClassifier((9,), n_init=2).fit(X, y)
        GoodMinimaClassifier((5, 4), alpha=0).fit(X, y)
        GoodMinimaClassifierCV((5,), alphas=2, cv=2).fit(X, y)
    GoodMinimaClassifier(max_iter=5).fit(*many)
print(len(seen.buffer))
"""

COMPILE = """
import joblib, runpy
joblib.cpu_count = lambda: 1  # no second process compiles
import numba.core.event as events
with events.install_recorder("numba:compile") as seen:
    runpy.run_module("skgoodmin.compile", run_name="__main__")
print({event.data["dispatcher"].py_func.__module__ for _, event in seen.buffer})
"""


def _run(words, cache, **environment):
    environment = {
        "NUMBA_CACHE_DIR": str(cache),
        "PYTHONPATH": str(Path(skgoodmin.__file__).parents[1]),
    } | environment
    return subprocess.run(
        [sys.executable, *words],
        env=os.environ | environment,
        capture_output=True,
        text=True,
    )


@pytest.mark.slow
def test_fits_find_all_in_the_cache(tmp_path):
    compiled = _run(["-c", COMPILE], tmp_path)
    assert compiled.returncode == 0, compiled.stderr
    kind, last, modules = compiled.stdout.splitlines()
    assert kind.startswith("poly_hinge, relu, escape") and str(tmp_path) in last
    # The text of an error in the assignment of a slice takes two seconds.
    assert "skgoodmin.kernels.polar" in modules and "unicode" not in modules
    found = _run(["-c", FIT], tmp_path)
    assert found.stdout == "0\n", found.stderr


DIGEST = """
import hashlib
from sklearn.datasets import load_wine
from sklearn.preprocessing import scale
from skgoodmin import GoodMinimaClassifier
X, y = load_wine(return_X_y=True)
model = GoodMinimaClassifier(random_state=0).fit(scale(X), y)
told = [*(w.tobytes() for w in model.coefs_), repr(model.alpha_).encode()]
print(hashlib.sha256(b"".join(told)).hexdigest())
"""


@pytest.mark.slow
def test_a_fit_that_compiles_has_the_bits_of_one_that_does_not(tmp_path):
    """With numba before 0.62 it has not."""
    first, second = (_run(["-c", DIGEST], tmp_path) for _ in range(2))
    assert first.returncode == second.returncode == 0, first.stderr + second.stderr
    assert len(first.stdout) == 65 and first.stdout == second.stdout


def test_each_kind_is_timed(capsys):
    ahead.main("--training grow --sparse --certify".split())
    *kinds, last = capsys.readouterr().out.splitlines()
    assert [kind.partition(":")[0] for kind in kinds] == [
        f"poly_hinge, relu, grow, {rows} float64" for rows in ("dense", "sparse")
    ]
    assert last.startswith("All in")


def test_all_combinations_are_run():
    words = "--loss log_loss huber --activation relu tanh --training grow escape"
    arguments = ahead.parser().parse_args([*words.split(), "--sparse"])
    names = {name for name, *_ in ahead.fits(arguments)}
    # Growing is for relu alone.
    assert len(names) == 2 * 2 * (2 + 1)
    for _, model, X, y in ahead.fits(arguments):
        assert len(X.shape) == 2 and X.shape[0] == len(y)
        assert is_classifier(model) == (model.loss == "log_loss") == (y.dtype == int)
        assert model.training == "escape" or model.activation == "relu"


@pytest.mark.parametrize(
    ("words", "environment", "problem"),
    [
        ("--loss squared", {}, "squared_error"),
        ("--training grow --activation tanh", {}, "needs --activation relu"),
        ("", {"NUMBA_DISABLE_JIT": "1"}, "nothing to compile"),
    ],
    ids=str,
)
def test_what_can_not_be_compiled_is_told(words, environment, problem, tmp_path):
    found = _run(["-m", "skgoodmin.compile", *words.split()], tmp_path, **environment)
    assert found.returncode == 2 and problem in found.stderr
