"""The scripts that count what goes wrong, shortened: benchmarks/fuzz.py and soak.py."""

import runpy
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


@pytest.mark.parametrize("seed", range(0, 2000, 100))
def test_fuzz(seed):
    one_case = runpy.run_path(str(BENCHMARKS / "fuzz.py"))["one_case"]
    for case in range(seed, seed + 100):
        _, changed, wrong = one_case(case)
        assert not wrong, (case, changed)


@pytest.mark.parametrize("seed", range(0, 2000, 100))
def test_soak(seed):
    one_case = runpy.run_path(str(BENCHMARKS / "soak.py"))["one_case"]
    for case in range(seed, seed + 100):
        _, wrong = one_case(case)
        assert not wrong, case


@pytest.mark.parametrize("case", [9854, 13351, 1152820])
def test_what_the_soak_found(case):
    one_case = runpy.run_path(str(BENCHMARKS / "soak.py"))["one_case"]
    assert one_case(case)[1] == []
