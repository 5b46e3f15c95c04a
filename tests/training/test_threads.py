"""BLAS gets its threads back, whatever overlaps; and fits in threads are the same."""

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


def test_the_limit_is_set_and_taken_back():
    before = _blas_threads()
    with fit_threads():
        assert set(_blas_threads()) == {1}
        with fit_threads():
            assert set(_blas_threads()) == {1}
        assert set(_blas_threads()) == {1}
    assert _blas_threads() == before


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
