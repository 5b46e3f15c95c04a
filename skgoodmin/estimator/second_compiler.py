"""A second process compiles a part of what a first fit needs.

numba compiles one kernel at a time. The steps of L-BFGS and the ascents of the polar
are kernels of their own, the same for every loss: a second process compiles them while
the first one compiles the network, and leaves them in the cache on disk, where the
first one looks or waits for them (:mod:`skgoodmin.kernels.kernel_cache`).

It begins where the first kernel has to be compiled, once in the life of a process, and
not where there is a single core, nowhere to write, no lock of files (Windows) or no
interpreter to call (a frozen application). Nothing depends on it: what it does not
bring, the fit compiles itself.
"""

import contextlib
import os
import subprocess
import sys
import threading

import joblib

from ..kernels.activations import ACTIVATIONS, Form
from ..kernels.kernel_cache import listening
from ..kernels.process_lock import LOCKS, PATIENCE
from ..kernels.rows import hash_rows

# Of the paths of this process only those of libraries: elsewhere a file of the user's
# may have the name of one of theirs. And only a part of this package, whose import as a
# whole takes a second for scikit-learn.
SCRIPT = """
import sys
sys.path[:0] = {libraries}
from importlib.util import module_from_spec, spec_from_file_location
package = spec_from_file_location({name!r}, {file!r})
sys.modules[{name!r}] = module_from_spec(package)
from {name}.training.small_calls import compile_kernels
compile_kernels({folder!r}, {calls})
"""
LIBRARIES = "numpy", "scipy", "llvmlite", "numba"
_begun: list = []


@contextlib.contextmanager
def second_compiler(training, activation, alpha):
    """Another process compiles, too, if anything is compiled meanwhile.

    Parameters
    ----------
    training, activation : str
    alpha : float or "auto"
        What is fitted, for nothing is compiled that it does not need.
    """

    def begin(sentence):
        if not _begun:
            _begun.append(True)
            _begin(_needed(training, activation, alpha))

    with listening(begin):
        yield


def _needed(training, activation, alpha):
    """Names of the calls to make, in the order in which the fit needs them."""
    known = ACTIVATIONS[activation]
    if training != "joint" or alpha == "auto":
        yield "steps"
    if alpha != 0 and (known.form is Form.CORNER or known.is_relu_from_afar):
        yield "ascents"
    if training == "grow":
        yield from ("kinks", "amplitudes")


def _begin(calls):
    """Start the process, and a thread that waits for its end."""
    calls, folder = list(calls), hash_rows.dispatcher.stats.cache_path
    interpreter = sys.executable or ""
    is_python = os.path.basename(interpreter).lower().startswith("python")
    shared = LOCKS and folder is not None  # the code, and the turn to make it
    if not (calls and shared and is_python and joblib.cpu_count() > 1):
        return
    words = [interpreter, "-I", "-S", "-c", script(folder, calls)]
    nowhere = subprocess.DEVNULL

    def run():
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(
                words, stdin=nowhere, stdout=nowhere, stderr=nowhere, timeout=PATIENCE
            )

    with contextlib.suppress(RuntimeError):  # no thread to be had
        threading.Thread(target=run, name="skgoodmin compiles", daemon=True).start()


def script(folder, calls):
    """What the process is to do: ``calls`` of kernels that are kept in a folder."""
    name, *_ = __name__.split(".")
    homes = [sys.modules[library].__path__[0] for library in LIBRARIES]
    return SCRIPT.format(
        libraries=list(dict.fromkeys(map(os.path.dirname, homes))),
        name=name,
        file=sys.modules[name].__file__,
        folder=folder,
        calls=calls,
    )
