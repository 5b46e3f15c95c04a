"""Rows on disk: the same rows, in order, in a file that goes with them."""

import errno
import os
import re
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from skgoodmin import GoodMinimaClassifier
from skgoodmin.objective import sorted_file
from skgoodmin.objective.canonical_rows import canonical_form, canonical_rows


@pytest.mark.parametrize("leaf", [1, 100, 1000, 2**20])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_rows_are_those_in_memory(monkeypatch, tmp_path, leaf, dtype):
    monkeypatch.setattr(sorted_file, "LEAF", leaf)
    rng = np.random.RandomState(0)
    X = rng.randint(3, size=(200, 4)).astype(dtype)  # many rows are equal
    labels = rng.randint(2, size=(200, 1)).astype(np.int32)
    weight = rng.randint(3, size=200).astype(float)
    inside = canonical_rows(X, labels, weight)
    outside, _ = canonical_form(X, labels, weight, tmp_path)
    assert 0 < inside.n_rows < 200
    np.testing.assert_array_equal(outside.block(), inside.block())
    np.testing.assert_array_equal(outside.rows.dense, inside.block())
    np.testing.assert_array_equal(outside.weights, inside.weights)
    np.testing.assert_array_equal(outside.labels, inside.labels)
    assert outside.block().dtype == dtype


def test_the_file_goes_with_the_rows(tmp_path):
    X, labels = np.eye(5), np.zeros((5, 1), np.int32)
    data, _ = canonical_form(X, labels, None, tmp_path)
    base = data.rows.dense
    while isinstance(base, np.ndarray) and not isinstance(base, np.memmap):
        base = base.base
    assert isinstance(base, np.memmap)
    del data, base
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("n_writes", [0, 1, 3])
def test_a_full_disk_is_told_and_nothing_is_left(tmp_path, monkeypatch, n_writes):
    """Before it writes, on the way to the leaves, and in a leaf."""
    write, left = sorted_file._Stretch.write, n_writes

    def counting(stretch, file, block):
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(stretch, file, block)

    monkeypatch.setattr(sorted_file, "LEAF", 500)
    monkeypatch.setattr(sorted_file._Stretch, "write", counting)
    X = np.random.RandomState(0).normal(size=(100, 3))
    model = GoodMinimaClassifier((2,), cache_dir=tmp_path)
    folder = re.escape(repr(str(tmp_path)))
    told = f"cache_dir={folder}: the rows need 2400 bytes .*No space left"
    with pytest.raises(OSError, match=told) as caught:
        model.fit(X, X[:, 0] > 0)
    assert caught.value.errno == errno.ENOSPC
    assert os.listdir(tmp_path) == [] and not hasattr(model, "coefs_")


def test_a_file_that_may_not_be_so_large(tmp_path):
    resource = pytest.importorskip("resource")  # Unix
    X, labels = np.eye(500), np.zeros((500, 1), np.int32)
    canonical_form(X, labels, None, tmp_path)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10**6, before[1]))
    try:
        with pytest.raises(OSError, match="cache_dir=.* need 2000000 bytes"):
            canonical_form(X, labels, None, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert os.listdir(tmp_path) == []


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("alpha", [0, 0.01, "auto"])
def test_a_fit_on_disk_has_the_bits_of_one_in_memory(tmp_path, monkeypatch, alpha):
    monkeypatch.setattr(sorted_file, "LEAF", 5000)
    rng = np.random.RandomState(0)
    X = np.round(rng.normal(size=(400, 3)), 1)
    y = (X[:, 0] * X[:, 1] > 0.1).astype(int)
    X[:20], y[:10] = X[20:40], 0
    np.save(tmp_path / "X.npy", X)
    model = GoodMinimaClassifier((6,), alpha=alpha, max_iter=30, random_state=0)
    expected = model.fit(X, y)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    found = GoodMinimaClassifier(**model.get_params()).set_params(cache_dir=tmp_path)
    found.fit(mapped, y)
    for a, b in zip(found.coefs_, expected.coefs_, strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(found.loss_curve_, expected.loss_curve_)
    assert str(found.certificate_) == str(expected.certificate_)
    np.testing.assert_array_equal(
        found.certificate_.contradictions, expected.certificate_.contradictions
    )
    assert os.listdir(tmp_path) == ["X.npy"]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_fit_on_disk_holds_no_copy_of_the_rows(tmp_path, monkeypatch, early_stopping):
    monkeypatch.setattr(sorted_file, "LEAF", 2**20)
    X = np.random.RandomState(0).normal(size=(60_000, 80))
    np.save(tmp_path / "X.npy", X)
    y, size = X[:, 0] > 0, X.nbytes
    del X
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    model = GoodMinimaClassifier((4,), alpha=0.01, max_iter=2, random_state=0)
    model.set_params(early_stopping=early_stopping)
    peaks = []
    for cache_dir in (tmp_path, None):
        model.set_params(cache_dir=cache_dir).fit(mapped[:500], y[:500])  # compile
        tracemalloc.start()
        data = mapped if cache_dir else np.array(mapped)
        model.fit(data, y)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[0] < 0.4 * size < size < peaks[1]


def test_errors_name_the_parameter(tmp_path):
    from scipy.sparse import eye

    model, y = GoodMinimaClassifier((2,), cache_dir=tmp_path / "none"), [0, 1, 0]
    with pytest.raises(ValueError, match="cache_dir must be a folder that exists"):
        model.fit(np.eye(3), y)
    if Path("/proc").is_dir():  # nobody can write there, whatever the rights
        told = "cache_dir must be a folder that files can be written to, got '/proc'"
        with pytest.raises(ValueError, match=told):
            model.set_params(cache_dir="/proc").fit(np.eye(3), y)
    with pytest.raises(ValueError, match="needs a dense array, got a sparse one"):
        model.set_params(cache_dir=tmp_path).fit(eye(3, format="csr"), y)
