"""One BLAS thread while a fit runs.

The products of a block are too small to share, and a second thread would change the
order of the sums. The limit belongs to the process, so fits that overlap in several
threads count themselves: the first one sets it, the last one takes it back.
"""

import threading
from contextlib import contextmanager

from threadpoolctl import ThreadpoolController

_lock = threading.Lock()
_state = {"fits": 0, "limit": None}


@contextmanager
def single_blas_thread():
    """Limit BLAS to one thread inside the context."""
    with _lock:
        if _state["fits"] == 0:
            import scipy.linalg.cython_blas  # noqa: F401  numba's np.dot lives there

            _state["limit"] = ThreadpoolController().limit(limits=1, user_api="blas")
        _state["fits"] += 1
    try:
        yield
    finally:
        with _lock:
            _state["fits"] -= 1
            if _state["fits"] == 0:
                _state.pop("limit").restore_original_limits()
                _state["limit"] = None
