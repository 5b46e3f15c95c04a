"""BLAS gets its threads back, whatever overlaps; and fits in threads are the same."""

import functools
import os
import signal
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from skgoodmin import GoodMinimaClassifier
from skgoodmin.training.threads import fit_threads


def _blas_threads():
    infos = threadpool_info()
    return [info["num_threads"] for info in infos if info["user_api"] == "blas"]


@pytest.fixture
def two_blas_threads():
    """Where there is one, taking a limit back and keeping it look alike."""
    with threadpool_limits(2):
        assert set(_blas_threads()) == {2}
        yield


@pytest.mark.usefixtures("two_blas_threads")
def test_the_limit_is_set_and_taken_back():
    before = _blas_threads()
    with fit_threads():
        assert set(_blas_threads()) == {1}
        with fit_threads():
            assert set(_blas_threads()) == {1}
        assert set(_blas_threads()) == {1}
    assert _blas_threads() == before


@pytest.mark.usefixtures("two_blas_threads")
@pytest.mark.parametrize("repeat", range(5))
def test_fits_that_overlap_in_threads_give_the_limit_back(repeat):
    before, together = _blas_threads(), Barrier(4)

    def overlap(i):
        together.wait()
        for _ in range(20):
            with fit_threads():
                assert set(_blas_threads()) == {1}

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(overlap, range(4)))
    assert _blas_threads() == before


@pytest.mark.usefixtures("two_blas_threads")
def test_an_error_gives_the_limit_back():
    before = _blas_threads()
    with pytest.raises(KeyError), fit_threads():
        raise KeyError
    assert _blas_threads() == before


def test_map_keeps_the_order_and_passes_errors_on():
    with threadpool_limits(2), fit_threads() as shared_map:
        for n in (1, 2, 3, 16):
            assert list(shared_map(lambda i: i * i, list(range(n)))) == [
                i * i for i in range(n)
            ]
        with pytest.raises(ZeroDivisionError):
            list(shared_map(lambda i: 1 // i, [1, 2, 3, 0]))


def test_the_same_model_from_any_number_of_threads():
    rng = np.random.RandomState(0)
    X = rng.normal(size=(20000, 20))
    y = (X[:, 0] * X[:, 1] > 0).astype(int)

    def fit(seed):
        model = GoodMinimaClassifier(
            (40,), max_iter=5, max_escapes=1, random_state=seed
        )
        with pytest.warns(UserWarning):
            return model.fit(X, y).coefs_[0].tobytes()

    with threadpool_limits(1):
        alone = fit(0)
    with threadpool_limits(2):
        assert fit(0) == alone


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_eight_fits_at_once_are_the_same_as_one():
    rng = np.random.RandomState(0)
    X = rng.normal(size=(3000, 10))
    y = (X[:, 0] * X[:, 1] > 0).astype(int)

    def fit(seed):
        model = GoodMinimaClassifier((8,), max_iter=20, random_state=seed)
        return model.fit(X, y).coefs_[0].tobytes()

    expected = [fit(seed) for seed in (0, 1)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(fit, [0, 1] * 8))
    assert found == expected * 8


def _in_child(function):
    """What the function returns in a forked child, an int below 256."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside threads
        pid = os.fork()
    if pid == 0:
        signal.alarm(30)
        code = 255
        try:
            code = function()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _threads_of_a_fit():
    """How many threads of rows a new fit has."""
    with fit_threads() as shared_map:
        return len(set(shared_map(_thread_name, list(range(8)))))


def _all_threads():
    """The same, if BLAS has two threads before and after."""
    before, threads = max(_blas_threads()), _threads_of_a_fit()
    return threads if before == max(_blas_threads()) == 2 else 0


def _thread_name(_):
    time.sleep(0.01)
    return threading.get_ident()


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")


@needs_fork
def test_a_child_forked_in_the_middle_of_a_fit_has_all_threads():
    """Whoever forks: the thread of the fit, in a callback, or another one."""
    with threadpool_limits(2):
        before = _blas_threads()
        with fit_threads():
            assert _in_child(_all_threads) == 2
            with ThreadPoolExecutor(1) as pool:
                assert pool.submit(_in_child, _all_threads).result() == 2
            assert set(_blas_threads()) == {1}
        assert _blas_threads() == before


@needs_fork
def test_a_fit_goes_on_in_the_child_of_its_own_thread():
    def go_on(leave):
        def again():
            found = list(shared_map(abs, [-1, 2, -3]))
            one = set(_blas_threads()) == {1}
            leave()
            return int(found == [1, 2, 3] and one and _threads_of_a_fit() == 2)

        return again

    with threadpool_limits(2):
        context = fit_threads()
        shared_map = context.__enter__()
        list(shared_map(abs, [1, 2]))  # the pool has a thread
        leave = functools.partial(context.__exit__, None, None, None)
        assert _in_child(go_on(leave)) == 1
        assert list(shared_map(abs, [-1, 2])) == [1, 2]
        leave()


@needs_fork
def test_forks_while_fits_begin_and_end():
    # They do not call threadpool_info: its lock, of the C library, is none of ours.
    with threadpool_limits(2), ThreadPoolExecutor(2) as pool:
        fits = [
            pool.submit(lambda: [_threads_of_a_fit() for _ in range(20)])
            for _ in range(2)
        ]
        while not all(fit.done() for fit in fits):
            assert _in_child(_all_threads) == 2
        assert all(fit.result() == [2] * 20 for fit in fits)


@needs_fork
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_child_forked_beside_a_fit_fits_the_same_model():
    rng = np.random.RandomState(0)
    X = rng.normal(size=(20000, 10))
    y = (X[:, 0] * X[:, 1] > 0).astype(int)

    def fit():
        model = GoodMinimaClassifier((8,), max_iter=3, max_escapes=0, random_state=0)
        return model.fit(X, y).coefs_[0].tobytes()

    with threadpool_limits(2):
        expected = fit()
        with ThreadPoolExecutor(1) as pool:
            other, codes = pool.submit(fit), []
            while not other.done() or not codes:
                codes.append(_in_child(lambda: _all_threads() + (fit() == expected)))
    assert set(codes) == {3} and other.result() == expected
