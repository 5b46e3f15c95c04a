"""The one door to numba: kernels compiled at their first call, cached on disk.

Rules that every kernel keeps:

- Arrays, numbers and named tuples of them go in; no closures, no classes.
- ``error_model="numpy"``: the check for a division by zero would otherwise keep
  every loop from being vectorised.
- No blanket ``fastmath``. ``contract`` (fused multiply-add) is allowed unless a kernel
  asks for the bits of numpy; ``reassoc`` only where a kernel asks for it, to sum with
  several accumulators.
  ``nnan`` and ``ninf`` are never allowed: a network with an exponential in it must
  be able to see an infinity.
- Never ``parallel=True``: its thread layers abort or hang after a fork.

What differs from one activation or loss to the next is bound, not dispatched on: a
kernel calls it by a global name, and :meth:`Kernel.bind` makes a copy of the kernel in
which that name stands for the kernel asked for. Nothing else is compiled, and a name
that nobody bound is an error.

What compiling costs: LLVM goes through a whole kernel again for each one that calls it,
and makes it for nobody once more where the caller has it inline. The assignment of a
slice, arithmetic of whole arrays, ``reshape`` and ``argsort`` take up to seconds, loops
hundredths. A literal number as an argument has a kernel compiled once more.
"""

import functools
import hashlib
import types
from pathlib import Path

import numpy as np

from .cached import cached_property
from .compiling import undisturbed
from .kernel_cache import KernelCache


@functools.cache
def _source_stamp():
    """Digest of the sources of this folder.

    numba looks only at the file of the function it compiles, not at those of the
    functions called from there; with this stamp in its name a kernel is compiled
    anew whenever any kernel has changed, and only then.
    """
    digest = hashlib.blake2b(digest_size=6)
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _silently(function, *args):
    """The function without numpy's warnings, which compiled code has none of."""
    with np.errstate(all="ignore"):
        return function(*args)


def _kind(arg):
    """What numba looks at to find the type of an argument, which takes it longer."""
    if isinstance(arg, np.ndarray):
        return arg.dtype, arg.ndim, arg.flags.num
    return type(arg)


class Kernel:
    """A function that numba compiles when it is first called.

    Importing numba takes longer than a prediction, and predicting needs no kernel,
    so the import waits until the first fit.
    """

    def __init__(self, function, options):
        functools.update_wrapper(self, function)
        self.function, self.options = function, options
        self._dispatcher = None
        self._pointers = {}

    def bind(self, label, **names):
        """A copy of the kernel in which global ``names`` stand for what is given.

        Parameters
        ----------
        label : str
            Tells the copy from others, in the cache on disk too.
        **names : Kernel or number
            What the kernel's global names stand for.
        """
        plain = self.function
        bound = types.FunctionType(
            plain.__code__, plain.__globals__ | names, plain.__name__
        )
        bound.__doc__ = plain.__doc__
        bound.__qualname__ = f"{self.__qualname__}_{label}"
        return Kernel(bound, self.options)

    @property
    def dispatcher(self):
        """The compiled function (the plain one under ``NUMBA_DISABLE_JIT=1``)."""
        if self._dispatcher is None:
            undisturbed(self._build)
        return self._dispatcher

    def _build(self):
        import numba

        if numba.config.DISABLE_JIT:
            self._dispatcher = functools.partial(_silently, self.function)
        if self._dispatcher is not None:  # another thread was faster
            return
        self.function.__qualname__ = f"{self.__qualname__}_{_source_stamp()}"
        try:
            dispatcher = numba.njit(cache=True, **self.options)(self.function)
        except RuntimeError:  # nowhere to write: a read-only install without a home
            dispatcher = numba.njit(**self.options)(self.function)
        KernelCache(dispatcher)
        numba.typeof(np.empty(0))  # imports more of numpy at the first time
        # numba calls this where there is no code yet for the arguments.
        dispatcher.compile = functools.partial(undisturbed, dispatcher.compile)
        self._dispatcher = dispatcher

    def pointer(self, *args):
        """The function for such arguments as a value that other kernels take.

        They call it by its address, so that it is not compiled once more for them.
        Without numba it is the function itself.
        """
        import numba

        if numba.config.DISABLE_JIT:
            return self.dispatcher
        kinds = tuple(map(_kind, args))
        if kinds not in self._pointers:
            types = tuple(map(numba.typeof, args))
            self.dispatcher.compile(types)
            code = self.dispatcher.overloads[types]
            self._pointers[kinds] = numba.types.CompileResultWAP(code)
        return self._pointers[kinds]

    @cached_property
    def _callee(self):
        """The function as other kernels call it.

        It needs no way in from Python, which takes as long to compile as a small
        kernel itself.
        """
        import numba

        wrappers = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
        return numba.njit(**self.options | wrappers)(self.function)

    @property
    def _numba_type_(self):
        """Lets a kernel call another one by its global name."""
        import numba

        return numba.typeof(self._callee)

    def __call__(self, *args):
        """Compile, if need be, and run."""
        return self.dispatcher(*args)


def njit(
    function=None, *, contract=True, reassoc=False, inline=False, pointed_at=False
):
    """Mark a function as a kernel; see :class:`Kernel`.

    Only those that are ``pointed_at`` have a :meth:`Kernel.pointer`.
    """
    if function is None:
        return functools.partial(
            njit,
            contract=contract,
            reassoc=reassoc,
            inline=inline,
            pointed_at=pointed_at,
        )
    options = {
        "error_model": "numpy",
        "fastmath": {"contract"} if contract else set(),
        "nogil": True,
        "forceinline": inline,
        "no_cfunc_wrapper": not pointed_at,
    }
    if reassoc:
        options["fastmath"].add("reassoc")
    return Kernel(function, options)


@njit
def unbound(*args):
    """Stands where :meth:`Kernel.bind` has to put a kernel."""
    raise NotImplementedError("a kernel was called without being bound")


def read_only(array):
    """C-ordered, read-only view: numba sees one array type, so it compiles once."""
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view
