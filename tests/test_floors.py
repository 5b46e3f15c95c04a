"""Imports point down only, and the side doors are the only ones."""

import ast
from pathlib import Path

import pytest

import skgoodmin

FLOORS = [
    {"compiling", "evaluations", "kernel_cache", "parameters", "threads", "version"},
    {"jit"},
    {"elementary", "rows", "datasets"},
    {"activations", "losses"},
    {"custom_loss", "network", "special_neuron"},
    {"objective", "validation"},
    {"augmented", "solver", "witness"},
    {"certificate", "scout", "joint"},
    {"escape"},
    {"training", "labels", "callbacks"},
    {"problem"},
    {"predictor", "display"},
    {"classifier"},
    {"classifier_cv"},
    {"onnx"},
    {"__init__"},
]
LEVEL = {name: level for level, names in enumerate(FLOORS) for name in names}
DOORS = {
    "numba": {"jit", "kernel_cache"},
    "sklearn": {
        "callbacks",
        "classifier",
        "classifier_cv",
        "display",
        "labels",
        "predictor",
        "problem",
    },
    "scipy.optimize": {"solver"},
    "joblib": {"escape", "classifier_cv"},
    "threadpoolctl": {"threads"},
}
SOURCES = sorted(Path(skgoodmin.__file__).parent.glob("*.py"))


def _imports(path):
    """Pairs (module, is_relative) of all imports of a file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield node.module, node.level > 0
        elif isinstance(node, ast.Import):
            yield from ((name.name, False) for name in node.names)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_imports(path):
    for module, relative in _imports(path):
        if relative:
            assert LEVEL[module] < LEVEL[path.stem], f"{path.stem} imports {module}"
            continue
        for door, users in DOORS.items():
            if module == door or module.startswith(door + "."):
                assert path.stem in users, f"{path.stem} imports {module}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_files_stay_short(path):
    limit = 650 if path.stem == "classifier" else 350
    assert len(path.read_text().splitlines()) <= limit
