"""The door to numba: when kernels are compiled anew, and what binding does."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import skgoodmin
from skgoodmin.kernels import jit
from skgoodmin.kernels.jit import njit, read_only, unbound
from skgoodmin.kernels.losses.labels import positive
from skgoodmin.kernels.losses.sum_losses import sum_losses
from skgoodmin.kernels.sum_rows import specialised

PACKAGE = Path(skgoodmin.__file__).parent
STAMP = """
import sys, types
package = types.ModuleType("skgoodmin")  # without what its __init__ imports
package.__path__ = [sys.argv[1]]
sys.modules["skgoodmin"] = package
from skgoodmin.kernels import jit
print(jit._source_stamp())
"""


def _stamp(package):
    command = [sys.executable, "-c", STAMP, str(package)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


KERNELS = [
    "kernels/jit.py",
    "kernels/network.py",
    "kernels/losses/hinge.py",
    "kernels/activations/silu.py",
    "kernels/activations/__init__.py",
]
OTHERS = [
    "displays/certificate.py",
    "classifier.py",
    "objective/objective.py",
    "__init__.py",
]


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """A copy of the package to edit."""
    copy = tmp_path_factory.mktemp("copy") / "skgoodmin"
    ignored = shutil.ignore_patterns("__pycache__")
    return Path(shutil.copytree(PACKAGE, copy, ignore=ignored))


@pytest.mark.parametrize("name", KERNELS + OTHERS)
def test_only_an_edited_kernel_compiles_anew(name, package):
    path = package / name
    before, source = _stamp(package), path.read_text()
    assert before.strip() == jit._source_stamp()
    path.write_text(source + "# edited\n")
    edited = _stamp(package)
    path.write_text(source)
    assert (edited != before) == (name in KERNELS)
    assert _stamp(package) == before


def test_a_new_kernel_compiles_all_anew(package):
    before, path = _stamp(package), package / "kernels" / "losses" / "another.py"
    path.write_text("")
    (package / "another.py").write_text("")
    (package / "kernels" / "notes.txt").write_text("no source")
    assert _stamp(package) == before  # an empty file changes no kernel
    path.write_text("VALUE = 1\n")
    assert _stamp(package) != before
    path.unlink()


def test_the_compiled_kernel_carries_the_stamp():
    @njit
    def kernel(x):
        return x

    assert kernel(2.0) == 2.0
    assert kernel.dispatcher.py_func.__qualname__.endswith(jit._source_stamp())


step = unbound
OFFSET = 0.0


@njit
def add_step(x):
    """x <- step(x) + OFFSET, in place."""
    step(x)
    x += OFFSET


@njit
def _double(x):
    x *= 2.0


@njit
def _square(x):
    x *= x


def _of(kernel, value):
    x = np.full(1, value)
    kernel(x)
    return x[0]


def test_an_unbound_kernel_raises():
    for kernel in (unbound, add_step):
        with pytest.raises(NotImplementedError, match="without being bound"):
            _of(kernel, 3.0)
    raw, labels = np.zeros((1, 2)), np.zeros((2, 1), np.int32)
    with pytest.raises(NotImplementedError, match="without being bound"):
        sum_losses(3.0, raw, labels, np.ones(2), np.empty(6))


def test_bound_copies_differ_and_leave_the_kernel_alone():
    double = add_step.bind("double", step=_double)
    square = add_step.bind("square", step=_square, OFFSET=100.0)
    assert _of(double, 3.0) == 6.0 and _of(square, 3.0) == 109.0
    assert _of(double, 5.0) == 10.0 and _of(square, 5.0) == 125.0
    assert OFFSET == 0.0 and step is unbound
    with pytest.raises(NotImplementedError):
        _of(add_step, 3.0)
    assert double.__doc__ == add_step.__doc__
    assert double.__qualname__ == "add_step_double"
    assert square.__qualname__ == "add_step_square"
    assert double.options is add_step.options


inner = unbound


@njit
def twice(x):
    """inner(inner(x)), in place."""
    inner(x)
    inner(x)


def test_a_bound_kernel_can_be_bound_further_and_called_by_others():
    partly = add_step.bind("offset", OFFSET=1.0)
    for name, kernel, once, then in (
        ("double", _double, 7.0, 15.0),
        ("square", _square, 10.0, 101.0),
    ):
        whole = partly.bind(name, step=kernel)
        assert whole.__qualname__ == f"add_step_offset_{name}"
        assert _of(whole, 3.0) == once
        assert _of(twice.bind(name, inner=whole), 3.0) == then


def test_the_name_of_a_copy_does_not_hang_on_what_ran_before():
    """Or the cache on disk would be missed."""

    @njit
    def kernel(x):
        return x + OFFSET

    before = kernel.bind("one", OFFSET=1.0)
    kernel(1.0)
    after = kernel.bind("one", OFFSET=1.0)
    before(1.0)
    assert before.__qualname__ == after.__qualname__
    assert before.bind("two").__qualname__ == after.bind("two").__qualname__


def test_bound_copies_are_cached_under_their_own_names(tmp_path, monkeypatch):
    import numba

    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    stamp = jit._source_stamp()
    for label, kernel, expected in (("double", _double, 6), ("square", _square, 9)):
        first = add_step.bind(label, step=kernel)
        assert _of(first, 3.0) == expected
        again = add_step.bind(label, step=kernel)
        assert _of(again, 3.0) == expected
        assert sum(again.dispatcher.stats.cache_hits.values()) == 1
        assert not again.dispatcher.stats.cache_misses
        names = [path.name for path in tmp_path.rglob("*.nbi")]
        assert sum(f"add_step_{label}_{stamp}-" in name for name in names) == 1


def test_the_kernel_of_an_activation_and_a_loss_is_made_once():
    from problems import all_losses

    from skgoodmin.kernels.activations import ACTIVATIONS

    made = {}
    for activation in ACTIVATIONS.values():
        for loss in all_losses():
            kernel = specialised(activation, loss.kernel, False, False, False)
            assert specialised(activation, loss.kernel, False, False, False) is kernel
            made[kernel.__qualname__] = kernel
    assert len(made) == len(ACTIVATIONS) * len(all_losses())


PLAIN = """
import numpy as np
from skgoodmin.kernels.jit import unbound
from skgoodmin.kernels.losses.hinge import hinge
from skgoodmin.kernels.losses.logistic import logistic
from skgoodmin.kernels.losses.sum_losses import sum_losses
for kernel in (hinge, logistic):
    raw, labels = np.array([[0.5, -2.0]]), np.array([[1], [1]], np.int32)
    print(kernel(3.0, raw, labels, np.ones(2), np.empty(6)).hex())
assert not hasattr(hinge.dispatcher, "py_func")
try:
    sum_losses(3.0, raw, labels, np.ones(2), np.empty(6))
except NotImplementedError as error:
    print(error)
"""


def test_binding_without_the_compiler():
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    environment["PYTHONPATH"] = str(PACKAGE.parent)
    found = subprocess.run(
        [sys.executable, "-c", PLAIN],
        check=True,
        capture_output=True,
        text=True,
        env=environment,
    ).stdout.splitlines()
    values = [float.fromhex(value) for value in found[:2]]
    logistic = np.log1p(np.exp(-0.5)) + np.log1p(np.exp(2.0))
    np.testing.assert_allclose(values, [0.5**3 + 27, logistic], rtol=1e-14)
    assert found[2] == "a kernel was called without being bound"


def test_read_only_views():
    array = np.arange(6.0).reshape(2, 3)
    view = read_only(array)
    assert np.shares_memory(view, array) and array.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        view[0, 0] = 1.0
    assert read_only(array.T).flags.c_contiguous


def test_options():
    assert sum_losses.options["fastmath"] == {"contract"}
    assert positive.options["forceinline"] and not sum_losses.options["forceinline"]
    for flag in ("nnan", "ninf"):
        assert flag not in njit(reassoc=True)(lambda x: x).options["fastmath"]
