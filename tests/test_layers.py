"""Imports point down only, none runs in a circle, and each door has its keepers."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import skgoodmin

ROOT = Path(skgoodmin.__file__).parent
# Folders and modules at the top of the package, from the lowest up.
LAYERS = [
    {"version"},
    {"kernels"},
    {"objective"},
    {"datasets"},
    {"certificates"},
    {"training"},
    {"estimator"},
    {"classifier", "regressor"},
    {"classifier_cv", "regressor_cv"},
    {"any_model", "compile", "dask", "displays", "onnx"},
    {"__init__"},
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
# Who imports what from outside, as globs of paths.
DOORS = {
    "numba": {"kernels/jit.py", "kernels/kernel_cache.py"},
    "sklearn": {
        "any_model.py",
        "classifier.py",
        "dask/*.py",
        "displays/*.py",
        "estimator/*.py",
        "regressor.py",
    },
    "scipy.optimize": {
        "certificates/polar.py",
        "certificates/relaxation.py",
        "training/lbfgs.py",
    },
    "ot": {"certificates/transport.py"},
    "dask": {"dask/*.py"},
    "distributed": {"dask/*.py"},
    "joblib": {
        "estimator/cross_validation.py",
        "estimator/second_compiler.py",
        "training/escape.py",
    },
    "threadpoolctl": {"training/threads.py"},
    "matplotlib": {"displays/axes.py"},
    "skl2onnx": {"onnx.py"},
    "onnx": {"onnx.py"},
}
SOURCES = sorted(path.relative_to(ROOT) for path in ROOT.rglob("*.py"))
IDS = [path.as_posix() for path in SOURCES]


def _parts(path):
    """Place of a source file in the package; a folder's is that of its __init__."""
    return path.with_suffix("").parts


def _exists(parts):
    return ROOT.joinpath(*parts).with_suffix(".py").exists()


def _imports(path):
    """Sets (places inside the package, dotted names outside) that a file imports."""
    inside, outside = set(), set()
    folder = path.parts[:-1]
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.Import):
            outside |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            outside |= {node.module} | {f"{node.module}.{n.name}" for n in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level <= len(folder) + 1, f"{path} leaves the package"
            base = folder[: len(folder) - node.level + 1]
            base += tuple((node.module or "").split(".")) if node.module else ()
            if _exists(base):
                inside.add(base)
                continue
            for name in node.names:  # a module, or what the __init__ holds
                module = (*base, name.name)
                package = _exists((*module, "__init__"))
                place = (*module, "__init__") if package else module
                inside.add(place if _exists(place) else (*base, "__init__"))
            # A folder is entered through its __init__.
            for depth in range(1, len(base) + 1):
                if folder[:depth] != base[:depth]:
                    inside.add((*base[:depth], "__init__"))
    for place in list(inside):
        for depth in range(1, len(place)):
            if folder[:depth] != place[:depth]:
                inside.add((*place[:depth], "__init__"))
    return inside - {_parts(path)}, outside


IMPORTS = {path: _imports(path) for path in SOURCES}


def test_every_file_has_a_layer():
    assert {path.parts[0].removesuffix(".py") for path in SOURCES} == set(LEVEL)


@pytest.mark.parametrize("path", SOURCES, ids=IDS)
def test_imports_point_down(path):
    here = _parts(path)
    for place in IMPORTS[path][0]:
        assert _exists(place), f"{path} imports {place}"
        if place[0] != here[0]:
            assert LEVEL[place[0]] < LEVEL[here[0]], f"{path} imports {place}"


def test_no_import_runs_in_a_circle():
    graph = {_parts(path): inside for path, (inside, _) in IMPORTS.items()}
    order = list(TopologicalSorter(graph).static_order())  # or it raises CycleError
    assert len(order) == len(SOURCES)
    # Not for want of imports.
    assert sum(map(len, graph.values())) > len(SOURCES)


def test_kernels_import_nothing_of_the_package():
    for path, (inside, outside) in IMPORTS.items():
        if path.parts[0] == "kernels":
            assert all(place[0] == "kernels" for place in inside), path
            assert not any(n.split(".")[0] == "skgoodmin" for n in outside), path


@pytest.mark.parametrize("path", SOURCES, ids=IDS)
def test_doors(path):
    for door, keepers in DOORS.items():
        if any(path.match(keeper) for keeper in keepers if "/" in keeper):
            continue
        if path.as_posix() in keepers:
            continue
        for name in IMPORTS[path][1]:
            assert f"{name}.".removeprefix(f"{door}.") == f"{name}.", (
                f"{path} imports {name}"
            )


@pytest.mark.parametrize("door", DOORS)
def test_every_keeper_has_a_door(door):
    """A door that nobody uses any more is no door."""
    for keeper in DOORS[door]:
        files = [path for path in SOURCES if path.match(keeper)]
        assert files and any(
            f"{name}.".startswith(f"{door}.") for f in files for name in IMPORTS[f][1]
        )


@pytest.mark.parametrize("path", SOURCES, ids=IDS)
def test_files_stay_short(path):
    assert len((ROOT / path).read_text().splitlines()) <= 350


def test_the_top_of_the_package_stays_short():
    assert sum(len(path.parts) == 1 for path in SOURCES) <= 12
