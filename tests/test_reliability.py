"""The scripts that count what goes wrong, shortened: fuzz, hostile data, soak."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

from skgoodmin.special_neuron import sufficient_degree

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


def _load(name):
    return runpy.run_path(str(BENCHMARKS / f"{name}.py"))


@pytest.mark.parametrize("seed", range(0, 2000, 100))
def test_fuzz(seed):
    one_case = _load("fuzz")["one_case"]
    for case in range(seed, seed + 100):
        _, changed, wrong = one_case(case)
        assert not wrong, (case, changed)


@pytest.mark.parametrize("seed", range(0, 2000, 100))
def test_soak(seed):
    one_case = _load("soak")["one_case"]
    for case in range(seed, seed + 100):
        _, wrong = one_case(case)
        assert not wrong, case


@pytest.mark.parametrize("case", [9854, 13351, 1152820])
def test_what_the_soak_found(case):
    assert _load("soak")["one_case"](case)[1] == []


def test_hostile_data(monkeypatch, capsys):
    pytest.importorskip("hypothesis")
    monkeypatch.setattr(sys, "argv", ["hostile.py", "--cases", "300"])
    _load("hostile")["main"]()
    assert "300 cases" in capsys.readouterr().out


def test_the_degree_does_not_overflow():
    z = np.array([[1e250, 1e-200], [-1e250, 1e-200], [1e250, -1e-200]])
    assert sufficient_degree(z) == sufficient_degree(np.sign(z) * [[1, 1e-300]])
