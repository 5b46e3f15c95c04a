"""No test is left out in silence."""

import importlib.util
from pathlib import Path

import pytest

MODULES = sorted(Path(__file__).parent.rglob("test_*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_every_test_module_can_be_imported(path):
    """Or pytest, which looks for examples in it first, would take it for empty."""
    spec = importlib.util.spec_from_file_location(f"again_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert any(name.lower().startswith("test") for name in vars(module))
