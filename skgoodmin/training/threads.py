"""Threads of a fit: rows are shared among them, BLAS has one.

The products of a block are too small for several BLAS threads, which would also change
the order of the sums. So a fit takes as many threads as BLAS may use when it begins
(``threadpoolctl.threadpool_limits``, ``OMP_NUM_THREADS`` and the limits that joblib
gives its workers all count), limits BLAS to one, and hands ranges of rows to the
others. The limit of BLAS belongs to the process: of fits that overlap, the first one
sets it and the last one takes it back.

A child forked meanwhile has the limit, but neither the other fits nor their threads:
BLAS gets its threads back there. A fit that goes on in the child nevertheless, since a
callback of its own forked, begins anew with the limit, and alone.
"""

import functools
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from threadpoolctl import ThreadpoolController

_lock = threading.RLock()  # a handler of a signal may fork while its thread has it


class _State:
    """What the fits of this process share."""

    fits: set = set()  # those that need the limit of BLAS
    n_threads = 1  # that BLAS had before
    limit: Any = None  # what gives them back


@functools.cache
def _controller():
    """The BLAS libraries of this process; finding them takes a millisecond."""
    import scipy.linalg.cython_blas  # noqa: F401  what numba's np.dot calls

    return ThreadpoolController().select(user_api="blas")


def _take_control():
    """Let this thread set limits, whichever thread did so before (threadpoolctl 3.7).

    The first fit and the last one of several that overlap need not be in one thread.
    """
    for library in _controller().lib_controllers:
        if hasattr(library, "clear_controlling_thread"):
            library.clear_controlling_thread(force=True)


def _enter(fit):
    """Limit BLAS to one thread as long as the fit lasts; returns how many it had."""
    with _lock:
        if not _State.fits:
            _take_control()
            controller = _controller()
            threads = [library.num_threads for library in controller.lib_controllers]
            _State.n_threads = max(threads, default=1)
            _State.limit = controller.limit(limits=1)
        _State.fits.add(fit)
        return _State.n_threads


def _leave(*fits):
    """Give BLAS its threads back once no fit needs the limit any more."""
    with _lock:
        _State.fits.difference_update(fits)
        if not _State.fits and _State.limit is not None:
            _take_control()
            _State.limit.restore_original_limits()
            _take_control()  # and leave it to whoever comes next
            _State.limit = None


def _after_fork_in_child():
    """No fit of the parent is one of the child."""
    try:
        _leave(*_State.fits)
    finally:
        _lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_lock.acquire,
        after_in_parent=_lock.release,
        after_in_child=_after_fork_in_child,
    )


@contextmanager
def one_blas_thread():
    """One BLAS thread inside the context, and no others."""
    fit = os.getpid(), object()
    _enter(fit)
    try:
        yield
    finally:
        _leave(fit)


@contextmanager
def fit_threads():
    """One BLAS thread inside the context; yields a ``map`` over the threads of rows.

    It applies a function to every element of a list, neighbours in one thread, and
    returns the results in order.
    """
    fit = os.getpid(), object()
    n_threads = _enter(fit)
    try:
        if n_threads == 1:
            yield map
        else:
            with ThreadPoolExecutor(n_threads - 1, "skgoodmin") as pool:
                yield functools.partial(_shared_map, fit, pool, n_threads)
    finally:
        _leave(fit)


def _shared_map(fit, pool, n_threads, function, elements):
    """``map`` whose first share runs here and the others in the pool."""
    if fit[0] != os.getpid():  # a child, where the pool has no threads
        _enter(fit)
        n_threads = 1
    cuts = [len(elements) * i // n_threads for i in range(n_threads + 1)]
    shares = [elements[a:b] for a, b in zip(cuts[:-1], cuts[1:], strict=True)]
    futures = [pool.submit(_apply, function, share) for share in shares[1:] if share]
    try:
        results = _apply(function, shares[0])
    finally:
        others = [future.result() for future in futures]
    return [result for part in [results, *others] for result in part]


def _apply(function, elements):
    return [function(element) for element in elements]
