"""What a fit prints: few lines that say how far it is, and why it ended."""

import re
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from sklearn.datasets import make_moons
from sklearn.exceptions import ConvergenceWarning

from skgoodmin import GoodMinimaClassifier
from skgoodmin.estimator import report
from skgoodmin.kernels.jit import njit

X, y = make_moons(100, noise=0.2, random_state=0)


def _fit(**parameters):
    parameters = {"alpha": 0.01, "random_state": 0} | parameters
    return GoodMinimaClassifier((4,), **parameters).fit(X, y)


def test_two_prints_each_iteration_and_the_end(capsys):
    model = _fit(verbose=2, max_escapes=0)
    *lines, end = capsys.readouterr().out.splitlines()
    assert len(lines) == model.n_iter_
    last = f"iteration {model.n_iter_}: objective {model.loss_:.8g}"
    assert lines[-1] == f"Start 0, {last}"
    assert end.startswith(f"Objective {model.loss_:.8g}. The ")
    _fit(verbose=2)
    assert "Start 0, escape 1, iteration 1: objective" in capsys.readouterr().out


@pytest.mark.parametrize(
    "parameters",
    [{}, {"n_init": 4, "n_jobs": 2}, {"training": "joint"}, {"early_stopping": True}],
    ids=str,
)
def test_one_prints_a_line_for_each_run_and_the_end(parameters, capsys):
    model = _fit(verbose=True, **parameters)
    *lines, end = capsys.readouterr().out.splitlines()
    told = {re.match(r"Start (\d+)(?:, escape (\d+))?: \d+ iter", s).groups("0")
            for s in lines}  # fmt: skip
    runs = {tuple(map(str, run)) for run in model.history_[["start", "escape"]]}
    assert told == runs and len(lines) <= 2 * len(runs)
    assert f"objective {model.loss_:.8g}" in end.lower()
    assert ("validation" in lines[0]) is bool(parameters.get("early_stopping"))


@pytest.mark.parametrize(
    "parameters, why",
    [
        ({"max_iter": 3}, "max_iter iterations were done; increase max_iter."),
        ({"max_fun": 3}, "max_fun evaluations were spent; increase max_fun."),
        (
            {"early_stopping": True, "n_iter_no_change": 1},
            "The validation score did not improve for n_iter_no_change iterations.",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_last_line_has_the_reason(parameters, why, capsys):
    model = _fit(verbose=1, **parameters)
    end = capsys.readouterr().out.splitlines()[-1]
    assert end == f"Objective {model.loss_:.8g}. {why}"


def test_in_a_terminal_the_line_moves(monkeypatch, capsys):
    monkeypatch.setattr(report, "PAUSE", 0.0)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    model = _fit(verbose=1, max_escapes=0)
    out = capsys.readouterr().out
    assert out.count("\r") >= model.n_iter_ and out.count("\n") == 2
    assert f": {model.n_iter_} iterations, objective {model.loss_:.8g}" in out


def test_silence(capsys):
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: _fit(), range(2)))
    with pytest.warns(ConvergenceWarning):
        _fit(max_iter=2)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("verbose", [0, 1, True])
def test_a_verbose_fit_says_once_that_it_compiles(
    verbose, capfd, tmp_path, monkeypatch
):
    import numba

    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))

    @njit
    def kernel(x):
        return x

    for number in (1, 1.0), (True,):
        with report.telling_of_compilation(verbose):
            for value in number:
                assert kernel(value) == value
    out, err = capfd.readouterr()
    assert out == "" and err.count("Compiling") == (2 if verbose else 0)
    assert err.count(str(tmp_path)) == err.count("Compiling")
    with report.telling_of_compilation(verbose):
        kernel(2)  # of a type that is there
    assert capfd.readouterr().err == ""
