"""The second process that compiles: when it begins, and what fits have of it."""

import os
import subprocess
import sys
import types
from pathlib import Path

import pytest

import skgoodmin
from skgoodmin.estimator import second_compiler as module
from skgoodmin.estimator.second_compiler import script, second_compiler
from skgoodmin.kernels.rows import hash_rows
from skgoodmin.training.small_calls import CALLS, compile_kernels

pytest.importorskip("fcntl")

FIT = """
import warnings
import numba.core.event as events
from sklearn.datasets import load_wine
from sklearn.preprocessing import scale
from skgoodmin import GoodMinimaClassifier
warnings.simplefilter("ignore")
X, y = load_wine(return_X_y=True)
with events.install_recorder("numba:compile") as seen:
    GoodMinimaClassifier(random_state=0).fit(scale(X), y)
    GoodMinimaClassifier("auto", training="grow", random_state=0).fit(scale(X), y)
print({event.data["dispatcher"].py_func.__module__ for _, event in seen.buffer})
"""


@pytest.fixture
def begun(monkeypatch):
    """The calls of ``subprocess.run`` by a process that has begun no other one."""
    calls: list = []

    class Thread:
        def __init__(self, target, **options):
            self.start = target

    monkeypatch.setattr(module, "_begun", [])
    monkeypatch.setattr(module.threading, "Thread", Thread)
    monkeypatch.setattr(module.joblib, "cpu_count", lambda: 2)
    monkeypatch.setattr(
        module.subprocess, "run", lambda words, **options: calls.append(words)
    )
    return calls


def _compile(*how):
    """As if a kernel were compiled in such a fit."""
    from skgoodmin.kernels import kernel_cache

    with second_compiler(*how):
        for listener in list(kernel_cache._listeners):
            listener("compiling")


@pytest.mark.parametrize(
    ("how", "names"),
    [
        (("escape", "relu", "auto"), ["steps", "ascents"]),
        (("escape", "softplus", 0.1), ["steps", "ascents"]),
        (("escape", "tanh", "auto"), ["steps"]),
        (("escape", "relu", 0), ["steps"]),
        (("grow", "relu", 0.1), ["steps", "ascents", "kinks", "amplitudes"]),
        (("joint", "tanh", 0.1), []),
    ],
    ids=str,
)
def test_nothing_is_compiled_that_the_fit_does_not_need(begun, how, names):
    _compile(*how)
    assert len(begun) == bool(names)
    for words in begun:
        assert words[0] == sys.executable and words[-1].endswith(f", {names})\n")


def test_it_begins_once_and_only_where_something_is_compiled(begun):
    with second_compiler("escape", "relu", "auto"):
        pass
    assert not begun
    for _ in range(2):
        _compile("escape", "relu", "auto")
    assert len(begun) == 1


@pytest.mark.parametrize("interpreter", ["", None, "/usr/sbin/apache2", "C:\\app.exe"])
def test_no_other_program_is_called(begun, monkeypatch, interpreter):
    monkeypatch.setattr(sys, "executable", interpreter)
    _compile("escape", "relu", "auto")
    assert not begun


def test_one_core_compiles_alone(begun, monkeypatch):
    monkeypatch.setattr(module.joblib, "cpu_count", lambda: 1)
    _compile("escape", "relu", "auto")
    assert not begun


@pytest.mark.parametrize("missing", ["locks", "folder"])
def test_code_that_can_not_be_shared_is_not_made(begun, monkeypatch, missing):
    if missing == "locks":
        monkeypatch.setattr(module, "LOCKS", False)
    else:
        stats = types.SimpleNamespace(cache_path=None)
        hash_rows = types.SimpleNamespace(dispatcher=types.SimpleNamespace(stats=stats))
        monkeypatch.setattr(module, "hash_rows", hash_rows)
    _compile("escape", "relu", "auto")
    assert not begun


@pytest.mark.parametrize("error", [PermissionError(13, "no"), FileNotFoundError(2, "")])
def test_a_process_that_can_not_be_started_is_no_error(begun, monkeypatch, error):
    def refuse(*_, **__):
        begun.append("refused")
        raise error

    monkeypatch.setattr(module.subprocess, "run", refuse)
    _compile("escape", "relu", "auto")
    assert begun == ["refused"]


def test_a_process_that_does_not_end_is_ended(begun, monkeypatch):
    def run(words, timeout, **options):
        begun.append(timeout)
        raise subprocess.TimeoutExpired(words, timeout)

    monkeypatch.setattr(module.subprocess, "run", run)
    _compile("escape", "relu", "auto")
    assert begun == [module.PATIENCE]


def test_an_error_of_the_fit_comes_through(begun):
    with pytest.raises(ZeroDivisionError), second_compiler("escape", "relu", "auto"):
        raise ZeroDivisionError
    assert not begun


def test_of_several_one_compiles(monkeypatch, tmp_path):
    """The others end at once."""
    from skgoodmin.kernels.process_lock import alone
    from skgoodmin.training import small_calls

    called: list = []
    monkeypatch.setitem(CALLS, "steps", lambda: called.append("steps"))
    compile_kernels(str(tmp_path), ["steps"])
    assert called == ["steps"]
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"from {alone.__module__} import alone\n"
            f"with alone({str(tmp_path)!r}, {small_calls.__name__!r}):\n"
            "    print('held', flush=True)\n"
            "    input()",
        ],
        env=os.environ | {"PYTHONPATH": str(Path(skgoodmin.__file__).parents[1])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout.readline() == "held\n"
        compile_kernels(str(tmp_path), ["steps"])
    finally:
        holder.communicate("\n")
    assert called == ["steps"]


@pytest.mark.slow
def test_fits_find_what_it_has_compiled(tmp_path, monkeypatch):
    """The very kernels, for the very arguments."""
    path = [str(Path(skgoodmin.__file__).parents[1]), *filter(None, sys.path)]
    environment = os.environ | {
        "NUMBA_CACHE_DIR": str(tmp_path),
        "PYTHONPATH": os.pathsep.join(path),
    }
    run = dict(env=environment, check=True, text=True, capture_output=True)
    # Files that hide modules of the standard library and of others.
    for name in ("types", "warnings", "random", "numba", "skgoodmin"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('imported')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert hash_rows.dispatcher  # numba is there
    words = [sys.executable, "-I", "-S", "-c", script(str(tmp_path), list(CALLS))]
    subprocess.run(words, **run)
    for file in tmp_path.glob("*.py"):
        file.unlink()
    # With one core, so that no other process compiles now.
    alone = "import joblib; joblib.cpu_count = lambda: 1\n"
    found = subprocess.run([sys.executable, "-c", alone + FIT], **run).stdout
    assert "skgoodmin.kernels.sum_rows" in found
    for kernel in ("lbfgs_step", "polar", "group_descent"):
        assert f"skgoodmin.kernels.{kernel}" not in found
