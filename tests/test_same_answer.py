"""The same input and seed give the same bits, however they come in and wherever."""

import hashlib
import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import scipy.sparse as sp
from joblib import Parallel, delayed, parallel_config
from sklearn.base import clone
from threadpoolctl import threadpool_limits

from skgoodmin import GoodMinimaClassifier, GoodMinimaClassifierCV

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
RNG = np.random.RandomState(0)
X = np.round(RNG.normal(size=(150, 4)), 1)
X[RNG.uniform(size=X.shape) < 0.3] = 0.0
TARGETS = {
    "two": (X[:, 0] * X[:, 1] > 0).astype(int),
    "three": RNG.randint(3, size=150),
    "multilabel": RNG.randint(2, size=(150, 2)),
}
WEIGHT = RNG.randint(4, size=150).astype(float)
MODELS = {
    "hinge": (GoodMinimaClassifier((5,), n_init=4, alpha=0), "two"),
    "log-loss": (GoodMinimaClassifier((5, 3), "tanh", loss="log_loss"), "three"),
    "multilabel": (GoodMinimaClassifier((5,), "silu", n_init=3), "multilabel"),
    "per layer": (
        GoodMinimaClassifier(
            (5, 3), alpha=0.13, neuron_placement="per_layer", n_init=2
        ),
        "three",
    ),
    "joint": (
        GoodMinimaClassifier((5,), alpha=0.13, training="joint", n_init=2),
        "two",
    ),
    "held out": (GoodMinimaClassifier((5,), early_stopping=True, n_init=2), "two"),
    "linear": (GoodMinimaClassifier((), alpha=0.03, loss="log_loss"), "two"),
    "CV": (GoodMinimaClassifierCV((5,), alphas=3, cv=3, n_init=2), "two"),
}


def _case(name):
    """(unfitted model, y)."""
    model, target = MODELS[name]
    parameters = {"random_state": 0, "max_iter": 60, "max_fun": 400}
    return clone(model).set_params(**parameters), TARGETS[target]


@pytest.fixture(params=MODELS)
def case(request):
    return _case(request.param)


# The folds of cross-validation depend on the order of the rows, and count them.
@pytest.fixture(params=[name for name in MODELS if name != "CV"])
def case_without_folds(request):
    return _case(request.param)


def digest(model, rows=X):
    """Bits of the parameters, of the certificate and of the predictions.

    Not the rows of X that contradict each other, which are where they stand.
    """
    found = hashlib.sha256()
    for array in (*model.coefs_, *model.intercepts_, model.predict_proba(rows)):
        found.update(np.ascontiguousarray(array).tobytes())
    certificate = model.certificate_
    plain = certificate.to_dict()
    del plain["contradictions"]
    witness = plain.pop("witness")
    for name, value in sorted((witness or {}).items()):
        found.update(name.encode() + np.asarray(value).tobytes())
    # The shortest text of a float has all its bits.
    found.update(repr(sorted(plain.items())).encode() + str(model.n_fun_).encode())
    found.update(repr((certificate.lower_bound, certificate.estimated_gap)).encode())
    return found.hexdigest()


def _mapped(tmp_path):
    np.save(tmp_path / "X.npy", X)
    return np.load(tmp_path / "X.npy", mmap_mode="r")


def _read_only():
    rows = X.copy()
    rows.flags.writeable = False
    return rows


def test_repeats_threads_and_jobs(case):
    model, y = case
    expected = digest(clone(model).fit(X, y))
    assert digest(clone(model).fit(X, y)) == expected
    for n_jobs in (1, 2):
        assert digest(clone(model).set_params(n_jobs=n_jobs).fit(X, y)) == expected
    for n_threads in (1, 2):
        with threadpool_limits(n_threads):
            assert digest(clone(model).fit(X, y)) == expected


def test_memory_layouts(case, tmp_path):
    model, y = case
    expected = digest(clone(model).fit(X, y))
    strided = np.repeat(X, 2, axis=0)[::2]
    for rows in (np.asfortranarray(X), _read_only(), _mapped(tmp_path), strided):
        assert digest(clone(model).fit(rows, y)) == expected
    assert digest(clone(model).fit(X.tolist(), y.tolist())) == expected


def test_sparse_formats(case):
    model, y = case
    expected = digest(clone(model).fit(sp.csr_array(X), y))
    wide = sp.csr_array(X)
    wide.indices, wide.indptr = wide.indices.astype("i8"), wide.indptr.astype("i8")
    explicit = sp.csr_array(np.ones_like(X))
    explicit.data = X.ravel().copy()  # zeros among them
    for rows in (sp.csc_array(X), sp.coo_array(X), wide, explicit):
        assert digest(clone(model).fit(rows, y)) == expected


def test_pickles(case):
    model, y = case
    fitted = clone(model).fit(X, y)
    again = pickle.loads(pickle.dumps(fitted))
    assert digest(again) == digest(fitted)
    assert digest(pickle.loads(pickle.dumps(clone(model))).fit(X, y)) == digest(fitted)
    if "warm_start" in model.get_params():
        going = [m.set_params(warm_start=True).fit(X, y) for m in (fitted, again)]
        assert digest(going[0]) == digest(going[1])


@pytest.mark.parametrize("sparse", [False, True])
def test_order_of_the_rows(case_without_folds, sparse):
    model, y = case_without_folds
    rows = sp.csr_array(X) if sparse else X
    order = np.random.RandomState(1).permutation(len(X))
    expected = digest(clone(model).fit(rows, y, WEIGHT))
    permuted = clone(model).fit(rows[order], y[order], WEIGHT[order])
    assert digest(permuted) == expected


@pytest.mark.parametrize("sparse", [False, True])
def test_weights_are_repeats_and_removals(case_without_folds, sparse):
    model, y = case_without_folds
    rows = sp.csr_array(X) if sparse else X
    many = np.repeat(np.arange(len(X)), WEIGHT.astype(int))
    repeated = clone(model).fit(rows[many], y[many])
    assert digest(clone(model).fit(rows, y, WEIGHT)) == digest(repeated)


@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_weights_are_repeats_where_rows_contradict_each_other(class_weight):
    rows, y = np.round(X[:, :2]), TARGETS["three"]
    model = GoodMinimaClassifier((5,), class_weight=class_weight, random_state=0)
    many = np.repeat(np.arange(len(X)), WEIGHT.astype(int))
    weighted = clone(model).fit(rows, y, WEIGHT)
    repeated = clone(model).fit(rows[many], y[many])
    assert weighted.certificate_.lower_bound > 0.1
    assert digest(weighted, rows) == digest(repeated, rows)


def test_threads_that_share_arrays_and_a_model(case):
    model, y = case
    fitted = clone(model).fit(X, y)
    expected, labels = digest(fitted), fitted.predict(X)
    with ThreadPoolExecutor(8) as pool:
        fits = [pool.submit(clone(model).fit, X, y) for _ in range(8)]
        predictions = [pool.submit(fitted.predict, X) for _ in range(32)]
        assert {digest(fit.result()) for fit in fits} == {expected}
        assert all((p.result() == labels).all() for p in predictions)


def _fit_digest(model, y):
    return digest(clone(model).fit(X, y))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_forked_children_after_a_fit_in_the_parent(case):
    model, y = case
    expected = _fit_digest(model, y)
    children = []
    for _ in range(3):
        out, into = os.pipe()
        child = os.fork()
        if child == 0:
            code = 1
            try:
                os.write(into, _fit_digest(model, y).encode())
                code = 0
            finally:
                os._exit(code)
        os.close(into)
        children.append((child, out))
    for child, out in children:
        assert os.waitpid(child, 0)[1] == 0
        assert os.read(out, 100).decode() == expected
        os.close(out)


def test_processes_of_loky(case):
    model, y = case
    expected = _fit_digest(model, y)
    with parallel_config("loky", n_jobs=2):
        found = Parallel()(delayed(_fit_digest)(model, y) for _ in range(4))
    assert found == 4 * [expected]


def test_threads_of_dask(case):
    dask = pytest.importorskip("dask")
    model, y = case
    tasks = [dask.delayed(_fit_digest)(model, y) for _ in range(6)]
    found = dask.compute(*tasks, scheduler="threads", num_workers=4)
    assert set(found) == {_fit_digest(model, y)}


FIT = """
import hashlib, numpy as np
from skgoodmin import GoodMinimaClassifier
rng = np.random.RandomState(0)
X = rng.normal(size=(60, 3))
y = (X[:, 0] * X[:, 1] > 0).astype(int)
model = GoodMinimaClassifier((4,), alpha=0.01, tol=1e-2, random_state=0).fit(X, y)
print(hashlib.sha256(model.coefs_[0].tobytes()).hexdigest())
"""


@pytest.mark.slow
def test_two_processes_compile_into_one_empty_cache(tmp_path):
    """At once, then a third one with the cache warm: the same bits from all."""
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    command = [sys.executable, "-W", "error", "-c", FIT]
    options = {"env": environment, "stdout": subprocess.PIPE, "text": True}
    both = [subprocess.Popen(command, **options) for _ in range(2)]
    cold = [process.communicate(timeout=400)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    warm = subprocess.run(command, **options, check=True, timeout=100).stdout
    assert cold == [warm, warm] and len(warm) == 65
    assert list((tmp_path / "cache").rglob("*.nbc"))
