"""What is compiled, kept on disk, and what to do where the disk fails.

    code = what is where numba writes, else where it can only read, else compiled now

numba by itself lets every trouble with a file end the call of a kernel, again and again
until the file is deleted, and passes by a directory that it cannot write to, full as it
may be of what it needs. Here

- a file that is damaged, unreadable or of another signature counts as not there, and
  the index of the kernel is emptied, so that it will be written anew;
- code that cannot be saved is used all the same;
- directories where numba would rather have written, had it been allowed to, are read;
- of all this a process warns once;
- of several processes one compiles (:mod:`.process_lock`);
- whoever waits is told: the logger ``skgoodmin``, and who asks by :func:`listening`.

numba has no public way to do so. What is used of its inside: the attribute ``_cache``
of a dispatcher, two methods of it, and the list of places where it looks. If a version
lacks them, its cache remains as it is.
"""

import contextlib
import functools
import logging
import os
import warnings

from .process_lock import alone

TROUBLE = (
    "The cache of compiled code in {path} is damaged, unreadable or full: {error!r}. "
    "What is missing there is compiled, and saved anew if that is possible. If another "
    "process says this again, delete the files *.nbi there, make room, or set the "
    "environment variable NUMBA_CACHE_DIR to a directory that can be written to."
)
NOWHERE = (
    "No directory for compiled code can be written to, so every process has to compile "
    "anew. Set the environment variable NUMBA_CACHE_DIR to one that can."
)
COMPILING = "Compiling for the first fit of its kind, which takes some seconds."
_told: set[str] = set()
_listeners: list = []


@contextlib.contextmanager
def listening(listener):
    """Calls ``listener(sentence)`` each time that a kernel is compiled meanwhile."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


class KernelCache:
    """The cache of one kernel.

    Parameters
    ----------
    dispatcher : numba dispatcher
        With numba's cache, or without one where nothing can be written. It will use
        this one.
    """

    def __init__(self, dispatcher):
        self.function = dispatcher.py_func
        self.own = getattr(dispatcher, "_cache", None)
        if hasattr(self.own, "load_overload") and hasattr(self.own, "save_overload"):
            self._load, self._save = self.own.load_overload, self.own.save_overload
            self.own.load_overload, self.own.save_overload = self.load, self.save
            self._compile, dispatcher.compile = dispatcher.compile, self.compile

    def compile(self, signature):
        """Load the code for a signature, or compile and save it."""
        with contextlib.ExitStack() as self._until_saved:
            return self._compile(signature)

    def load(self, signature, target):
        """The code for a signature, or None; from then on no other process compiles."""
        found, path = self._find(signature, target), self.own.cache_path
        if found is None and path is not None:
            self._until_saved.enter_context(alone(path, self.function.__qualname__))
            found = self._find(signature, target)
        if found is None:
            _announce(COMPILING + (f" The code is kept in {path}." if path else ""))
        return found

    def _find(self, signature, target):
        """The code for a signature where numba or others have put it, or None."""
        found = self._read(self.own, self._load, signature, target)
        for kind in _kinds():
            if found is not None:
                break
            with contextlib.suppress(RuntimeError):  # no such place
                cache = kind(self.function)
                if cache.cache_path == self.own.cache_path:  # numba came no further
                    break
                found = self._read(cache, cache.load_overload, signature, target)
        return found

    def _read(self, cache, load, signature, target):
        try:
            code = load(signature, target)
            # Two processes that compile at once may write to the same file.
            if code is not None and code.signature.args != tuple(signature):
                raise ValueError("code for other arguments")
            return code
        except Exception as error:
            with contextlib.suppress(Exception):
                cache.flush()
            _tell(TROUBLE, path=cache.cache_path, error=error)

    def save(self, signature, code):
        """Save the code if possible."""
        if self.own.cache_path is None:
            _tell(NOWHERE)
        try:
            self._save(signature, code)
        except Exception as error:
            _tell(TROUBLE, path=self.own.cache_path, error=error)


def _tell(text, **details):
    """Warn, but only once in the life of a process, of however many kernels."""
    if text not in _told:
        _told.add(text)
        warnings.warn(text.format(**details), RuntimeWarning, stacklevel=2)


def _announce(sentence):
    """Tell whoever listens, and the log once in the life of a process."""
    for listener in list(_listeners):
        listener(sentence)
    if COMPILING not in _told:
        _told.add(COMPILING)
        logging.getLogger("skgoodmin").info(sentence)


@functools.cache
def _kinds():
    """One class of caches, which need not be writable, for each place numba looks."""
    try:
        from numba.core.caching import FunctionCache

        implementation = FunctionCache._impl_class
        places = implementation._locator_classes
    except (ImportError, AttributeError):
        return []

    def subclass(parent, **attributes):
        return type(parent.__name__, (parent,), attributes)

    return [
        subclass(
            FunctionCache,
            _impl_class=subclass(
                implementation,
                _locator_classes=[subclass(place, ensure_cache_path=_check_readable)],
            ),
        )
        for place in places
    ]


def _check_readable(place):
    if not os.access(place.get_cache_path(), os.R_OK | os.X_OK):
        raise PermissionError(place.get_cache_path())
