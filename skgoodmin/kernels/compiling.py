"""Compilation in turn, out of the way of signals and forks.

    result = function(*args), by one thread at a time, from its beginning to its end

Neither numba nor LLVM may be left in the middle of their work:

- What the handler of a signal raises there, as Ctrl-C does, frees memory twice or ends
  in a destructor that swallows it. Handlers run in the main thread alone, so another
  thread compiles for it. The wait can be interrupted; the compilation goes on.
- A fork there leaves the child with locks that nobody gives back. So a fork waits until
  no thread compiles.
"""

import functools
import gc
import logging  # noqa: F401  hooks of a fork: ours has to run before logging's
import os
import sys
import threading

_turn = threading.RLock()
_held: list = []  # locks that the thread that forks has


def _without_collection(compile):
    """The function, during which no garbage is collected.

    A compiler makes many objects that stay; to look through them again and again takes
    a tenth of the time.
    """

    @functools.wraps(compile)
    def wrapper(*args):
        collects = gc.isenabled()
        gc.disable()
        try:
            return compile(*args)
        finally:
            if collects:
                gc.enable()

    return wrapper


def undisturbed(function, *args):
    """The result of the function, which neither a signal nor a fork cuts in two."""
    function = _without_collection(function)
    if threading.current_thread() is not threading.main_thread():
        with _turn:
            return function(*args)
    done, outcome = threading.Lock(), []

    def work():
        try:
            with _turn:
                outcome.append((function(*args), None))
        except BaseException as error:
            outcome.append((None, error))
        finally:
            done.release()

    done.acquire()
    try:
        threading.Thread(target=work, name="skgoodmin compiles").start()
    except RuntimeError:  # no thread to be had, or the interpreter is about to end
        work()
    while not done.acquire(timeout=0.1):  # Windows sees a signal only in between
        pass
    result, error = outcome.pop()
    try:
        if error is not None:
            raise error
        return result
    finally:
        del error  # whose traceback holds this frame


def _hold():
    """Before a fork: wait for whoever compiles, by our kernels or by numba's own."""
    _turn.acquire()
    _held.append(_turn)
    numba = sys.modules.get("numba.core.compiler_lock")
    lock = getattr(numba, "global_compiler_lock", None)
    if lock is not None:
        lock.acquire()
        _held.append(lock)


def _let_go():
    """After it, in the parent and in the child."""
    while _held:
        _held.pop().release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_hold, after_in_parent=_let_go, after_in_child=_let_go)
