"""Threads of a fit: rows are shared among them, BLAS has one.

The products of a block are too small for several BLAS threads, which would also change
the order of the sums. So a fit takes as many threads as BLAS may use when it begins
(``threadpoolctl.threadpool_limits``, ``OMP_NUM_THREADS`` and the limits that joblib
gives its workers all count), limits BLAS to one, and hands ranges of rows to the
others. The limit of BLAS belongs to the process: of fits that overlap, the first one
sets it and the last one takes it back.
"""

import functools
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from threadpoolctl import ThreadpoolController

_lock = threading.Lock()
_state = {"fits": 0, "n_threads": 1, "limit": None}


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


def _enter():
    """Limit BLAS to one thread; returns how many it had."""
    with _lock:
        if _state["fits"] == 0:
            _take_control()
            controller = _controller()
            threads = [library.num_threads for library in controller.lib_controllers]
            _state["n_threads"] = max(threads, default=1)
            _state["limit"] = controller.limit(limits=1)
        _state["fits"] += 1
        return _state["n_threads"]


def _leave():
    """Give BLAS its threads back once nobody needs the limit any more."""
    with _lock:
        _state["fits"] -= 1
        if _state["fits"] == 0:
            _take_control()
            _state.pop("limit").restore_original_limits()
            _take_control()  # and leave it to whoever comes next
            _state["limit"] = None


@contextmanager
def fit_threads():
    """One BLAS thread inside the context; yields a ``map`` over the threads of rows.

    It applies a function to every element of a list, neighbours in one thread, and
    returns the results in order.
    """
    n_threads = _enter()
    try:
        if n_threads == 1:
            yield map
        else:
            with ThreadPoolExecutor(n_threads - 1, "skgoodmin") as pool:
                yield functools.partial(_shared_map, pool, n_threads)
    finally:
        _leave()


def _shared_map(pool, n_threads, function, elements):
    """``map`` whose first share runs here and the others in the pool."""
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
