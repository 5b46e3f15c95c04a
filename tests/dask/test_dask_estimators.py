"""The model of a cluster is that of one machine, whatever happens to rows and workers.

Each test has a time limit: what is lost must end in an error, not in waiting.
"""

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path
from traceback import extract_stack

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from skgoodmin import GoodMinimaClassifier, GoodMinimaRegressor, ValidationMonitor

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")
distributed = pytest.importorskip("distributed")

# Importing it is an error where the above are missing.
from skgoodmin.dask import (  # noqa: E402  so it comes after them
    DaskGoodMinimaClassifier,
    DaskGoodMinimaRegressor,
)
from skgoodmin.dask.rows import ClusterRows  # noqa: E402  and so does this
from skgoodmin.dask.sharing import _cut  # noqa: E402  and this
from skgoodmin.dask.workers import Workers, _united  # noqa: E402  and this

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.slow,
]
LIMIT = 600  # seconds of a test
N = 20_000
RNG = np.random.RandomState(0)
X = np.round(RNG.normal(size=(N, 8)), 2)
X[RNG.uniform(size=X.shape) < 0.3] = 0.0
X[1000:1400], X[15000:15300] = X[:400], X[:300]  # equal rows, far apart
SIGNAL = X[:, 0] * X[:, 1] + X[:, 2]
TWO = (SIGNAL + 0.3 * RNG.normal(size=N) > 0).astype(int)
THREE = np.array(["a", "bb", "ccc"])[np.digitize(SIGNAL, [-0.5, 0.5])]
RARE = np.where(np.arange(N) % 9000, THREE, "rare")  # three rows
LABELS = np.column_stack([TWO, SIGNAL > 0.5]).astype(int)
WEIGHT = RNG.uniform(size=N) * (RNG.uniform(size=N) < 0.95)
UNEVEN = (1, 7000, 0, 4999, 8000)


@pytest.fixture(autouse=True)
def time_limit():
    def late(number, frame):
        raise TimeoutError(f"this test took more than {LIMIT} seconds")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(LIMIT)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def _cluster(n_workers, n_threads=1):
    dask.config.set({"distributed.comm.timeouts.connect": "120s"})  # a busy machine
    return distributed.LocalCluster(
        n_workers=n_workers,
        threads_per_worker=n_threads,
        processes=True,
        dashboard_address=":0",
        memory_limit=None,
    )


@pytest.fixture(scope="module")
def client():
    with _cluster(2) as cluster, distributed.Client(cluster) as client:
        yield client


def _models(client, **parameters):
    """The same on a cluster and on this machine; the rows are worth sharing."""
    given = {"hidden_layer_sizes": (100,), "alpha": 0.001, "max_iter": 6}
    given |= {"random_state": 0} | parameters
    return DaskGoodMinimaClassifier(client=client, **given), GoodMinimaClassifier(
        **given
    )


def _assert_same(found, expected):
    for a, b in zip(found.coefs_, expected.coefs_, strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.dtype == b.dtype
    for a, b in zip(found.intercepts_, expected.intercepts_, strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(found.history_, expected.history_)
    assert found.alpha_ == expected.alpha_
    if hasattr(expected, "classes_"):
        np.testing.assert_array_equal(found.classes_, expected.classes_)
        assert found.link_slope_ == expected.link_slope_
    assert found.certificate_.bounds == expected.certificate_.bounds
    assert str(found.certificate_) == str(expected.certificate_)
    for name in ("objective", "loss", "grad_norm"):
        assert getattr(found.certificate_, name) == getattr(expected.certificate_, name)
    np.testing.assert_array_equal(
        found.certificate_.contradictions, expected.certificate_.contradictions
    )
    witnesses = found.certificate_.witness, expected.certificate_.witness
    assert (witnesses[0] is None) == (witnesses[1] is None)
    if witnesses[0] is not None:
        np.testing.assert_array_equal(witnesses[0].coef, witnesses[1].coef)
        assert witnesses[0].decrease == witnesses[1].decrease


def _arrays(*arrays, chunks=6000):
    return [
        None if a is None else da.from_array(a, chunks=(chunks, *a.shape[1:]))
        for a in arrays
    ]


def test_processors_of_several_kinds_are_told(client, monkeypatch):
    told = Workers(client)
    told.compare()  # no warning
    kinds = {"a": "Xeon", "b": "EPYC", "c": "Xeon"}
    monkeypatch.setattr(client, "run", lambda function, on_error: kinds)
    with pytest.warns(UserWarning, match=r"client: .* different .* \(EPYC, Xeon\)"):
        told.compare()


@pytest.mark.parametrize("n_workers, n_threads", [(1, 1), (1, 2), (3, 1)])
def test_any_number_of_workers(n_workers, n_threads):
    with (
        _cluster(n_workers, n_threads) as cluster,
        distributed.Client(cluster) as client,
    ):
        model, local = _models(client)
        _assert_same(model.fit(*_arrays(X, TWO)), local.fit(X, TWO))
        assert model.loss_curve_[-1] < model.loss_curve_[0]
        assert model.history_["n_fun"][0] > 3  # Adam came before


def test_a_client_that_is_not_the_default_one():
    with (
        _cluster(1) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        model, local = _models(client)
        _assert_same(model.fit(*_arrays(X, TWO)), local.fit(X, TWO))


def test_what_is_no_client_and_no_y(client):
    with pytest.raises(ValueError, match="'client' parameter .* Got 'here'"):
        DaskGoodMinimaClassifier(client="here").fit(*_arrays(X, TWO))
    with pytest.raises(ValueError, match="y is None"):
        DaskGoodMinimaClassifier(client=client).fit(_arrays(X)[0], None)


@pytest.mark.parametrize(
    "chunks", [N, 7000, 1700, UNEVEN], ids=["1", "3", "12", "uneven"]
)
def test_any_chunks(client, chunks):
    model, local = _models(client, alpha=0, max_escapes=1, max_iter=15, tol=1e-2)
    found = model.fit(*_arrays(X, TWO, WEIGHT, chunks=chunks))
    _assert_same(found, local.fit(X, TWO, WEIGHT))


def test_shuffled_rows(client):
    model, local = _models(client)
    order = np.random.RandomState(1).permutation(N)
    found = model.fit(*_arrays(X[order], TWO[order], WEIGHT[order]))
    expected = local.fit(X, TWO, WEIGHT)
    for a, b in zip(found.coefs_, expected.coefs_, strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(
        np.sort(order[found.certificate_.contradictions]),
        expected.certificate_.contradictions,
    )


@pytest.mark.parametrize(
    "y, parameters",
    [
        (THREE, {}),
        (THREE, {"loss": "log_loss", "hidden_layer_sizes": (60, 20)}),
        (LABELS, {"activation": "tanh"}),
        (TWO, {"class_weight": "balanced"}),
        (TWO, {"alpha": "auto"}),
        (RARE, {"alpha": "auto"}),
        (TWO, {"neuron_placement": "per_layer", "max_escapes": 1, "tol": 0.1}),
        (THREE, {"class_weight": {"a": 0, "bb": 1, "ccc": 2}}),
        (THREE, {"early_stopping": True, "validation_fraction": 0.3, "n_init": 2}),
    ],
    ids=[
        "classes",
        "log-loss",
        "labels",
        "balanced",
        "auto",
        "auto beside a rare class",
        "per layer",
        "class weight 0",
        "early stopping",
    ],
)
def test_targets_and_parameters(client, y, parameters):
    model, local = _models(client, **parameters)
    _assert_same(model.fit(*_arrays(X, y)), local.fit(X, y))
    np.testing.assert_array_equal(model.validation_scores_, local.validation_scores_)


def test_going_on_from_the_fit_before(client):
    model, local = _models(client, warm_start=True, max_iter=3)
    for _ in range(2):
        _assert_same(model.fit(*_arrays(X, TWO)), local.fit(X, TWO))
    with pytest.raises(ValueError, match=r"X has 7 features, but .* expecting 8"):
        model.fit(*_arrays(X[:, 1:], TWO))
    _assert_same(model, local)


def test_callbacks_are_told_of_each_iteration(client):
    pytest.importorskip("sklearn.callback", reason="scikit-learn 1.9")
    model, local = _models(client, warm_start=True, max_iter=4)
    monitors = [ValidationMonitor(X[:100], TWO[:100]) for _ in range(2)]
    model.set_callbacks(monitors[0])
    local.set_callbacks(monitors[1])
    _assert_same(model.fit(*_arrays(X, TWO)), local.fit(X, TWO))
    assert len(monitors[0].curve_) >= model.n_iter_
    np.testing.assert_array_equal(monitors[0].curve_, monitors[1].curve_)


def test_the_dashboard_shows_what_is_done(client):
    model, _ = _models(client, alpha=0, max_escapes=1, tol=1e-2)
    model.fit(*_arrays(X, TWO))
    told = client.run_on_scheduler(
        lambda dask_scheduler: list(dask_scheduler.task_prefixes)
    )
    names = {"check-block", "cut-block", "merge-leaf", "unite-leaves", "leaf"}
    assert names | {"evaluate", "ask-leaves", "fetch-rows"} <= set(told)


@pytest.mark.parametrize("alpha, effort", [(0, 0.01), (0.001, 0), (0.001, 0.01)])
def test_certify(client, alpha, effort):
    model, local = _models(client, alpha=alpha, max_iter=3)
    rows = _arrays(X, TWO, WEIGHT)
    found = model.fit(*rows).certify(*rows, effort=effort)
    expected = local.fit(X, TWO, WEIGHT).certify(X, TWO, WEIGHT, effort=effort)
    assert str(found) == str(expected) and found.bounds == expected.bounds
    here = model.certify(X, TWO, WEIGHT, effort=effort)
    assert str(here) == str(expected) and here.bounds == expected.bounds


def test_a_unit_that_some_rows_miss_is_worth_the_same(client, monkeypatch):
    monkeypatch.setattr("skgoodmin.objective.objective.LARGE", 50)
    monkeypatch.setattr("skgoodmin.certificates.certify.SOME_ROWS", 2000)
    model, local = _models(client, max_iter=1, alpha=1e-5)
    found, expected = model.fit(*_arrays(X, TWO, WEIGHT)), local.fit(X, TWO, WEIGHT)
    _assert_same(found, expected)
    assert found.certificate_.witness.decrease > 0


@pytest.mark.parametrize(
    "y, weight, parameters",
    [
        (SIGNAL, WEIGHT, {}),
        (np.column_stack([SIGNAL, X[:, 3]]), None, {"loss": "huber"}),
        (np.resize([-1.0, 1.0], N), None, {}),
        (np.resize([1.0, -1.0], N), None, {}),
        (SIGNAL, None, {"early_stopping": True}),
    ],
    ids=["weights", "two targets", "not skewed", "nor its mirror", "early stopping"],
)
def test_regression(client, y, weight, parameters):
    parameters = {"hidden_layer_sizes": (100,), "max_iter": 4} | parameters
    local = GoodMinimaRegressor(alpha=0.001, random_state=0, **parameters)
    model = DaskGoodMinimaRegressor(client=client, **local.get_params())
    local.fit(X, y, weight)
    rows, *rest = _arrays(X, y, weight)
    model.fit(rows, *rest)
    _assert_same(model, local)
    np.testing.assert_array_equal(model.y_mean_, local.y_mean_)
    np.testing.assert_array_equal(model.predict(rows).compute(), local.predict(X))
    assert model.score(rows, rest[0]) == local.score(X, y)
    assert type(model.to_local()) is GoodMinimaRegressor


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["ones", "weights"])
def test_sparse_blocks(client, weight):
    model, local = _models(client)
    blocks = _arrays(X, TWO, weight)
    blocks[0] = blocks[0].map_blocks(csr_array)
    _assert_same(model.fit(*blocks), local.fit(csr_array(X), TWO, weight))


def test_single_precision(client):
    model, local = _models(client, max_iter=3)
    single = X.astype(np.float32)
    found = model.fit(*_arrays(single, TWO))
    assert found.coefs_[0].dtype == np.float32
    _assert_same(found, local.fit(single, TWO))


@pytest.mark.parametrize("n", [300, 17_000])  # too few rows, too little work
def test_what_is_not_worth_sharing(client, n):
    model, local = _models(client, hidden_layer_sizes=(5,))
    found = model.fit(*_arrays(X[:n], TWO[:n], WEIGHT[:n], chunks=100 * n // 300))
    _assert_same(found, local.fit(X[:n], TWO[:n], WEIGHT[:n]))


def test_unknown_chunk_sizes_and_frames(client):
    pytest.importorskip("pandas")
    dd = pytest.importorskip("dask.dataframe")
    import pandas as pd

    names = list("abcdefgh")
    frame = pd.DataFrame(X, columns=names)
    model, local = _models(client)
    found = model.fit(
        dd.from_pandas(frame, npartitions=3),
        dd.from_pandas(pd.Series(THREE, name="y"), npartitions=3),
    )
    _assert_same(found, local.fit(frame, THREE))
    np.testing.assert_array_equal(found.feature_names_in_, names)
    lazy = found.predict(dd.from_pandas(frame[:50], npartitions=2))
    np.testing.assert_array_equal(lazy.compute(), local.predict(frame[:50]))
    rows = frame[:50].assign(y=THREE[:50], weight=WEIGHT[:50])
    parts = dd.from_pandas(rows, npartitions=2)
    assert THREE.dtype.kind == "U"  # strings are an extension type of frames
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        score = found.score(parts[names], parts["y"], parts["weight"])
    assert score == local.score(frame[:50], THREE[:50], WEIGHT[:50])
    for columns, told in (names[1:], "now missing"), (names[::-1], "same order"):
        with pytest.raises(ValueError, match=f"(?s)feature names .*{told}"):
            found.predict(dd.from_pandas(frame[columns], npartitions=2))

    kept = X[:, 3] != 0
    rows, y = _arrays(X, TWO)
    mask = rows[:, 3] != 0
    found = clone(model).fit(rows[mask], y[mask])
    _assert_same(found, clone(local).fit(X[kept], TWO[kept]))


def test_predictions_are_lazy_and_the_local_model_is_the_same(client):
    model, local = _models(client, max_iter=2)
    rows, y = _arrays(X, THREE, chunks=(5000, 0, 15_000))
    model.fit(rows, y)
    local.fit(X, THREE)
    for method in ("predict", "predict_proba", "decision_function"):
        expected = getattr(local, method)(X)
        lazy = getattr(model, method)(rows)
        assert isinstance(lazy, da.Array) and lazy.shape == expected.shape
        np.testing.assert_array_equal(lazy.compute(), expected)
        np.testing.assert_array_equal(getattr(model, method)(X), expected)
    assert model.score(rows, y) == local.score(X, THREE) == model.score(X, THREE)
    for y_given in (THREE.tolist(), y):
        assert model.score(rows, y_given) == model.score(X, THREE)
    before = model.certify(rows, y, effort=0)
    model.set_params(loss="log_loss", activation="tanh", cache_dir=".")
    assert model.certify(rows, y, effort=0) == before
    assert model.score(rows, y) == local.score(X, THREE)
    model.set_params(loss="poly_hinge", activation="relu", cache_dir=None)
    here = model.to_local()
    assert type(here) is GoodMinimaClassifier
    _assert_same(here, local)
    again = pickle.loads(pickle.dumps(model))
    assert again.client is None
    np.testing.assert_array_equal(again.predict(X[:9]), local.predict(X[:9]))


NO_CLIENT = """
import dask.array as da
from skgoodmin.dask import DaskGoodMinimaClassifier
DaskGoodMinimaClassifier().fit(da.ones((4, 2)), da.arange(4) % 2)
"""


def test_without_a_client_the_way_to_one_is_told():
    words = [sys.executable, "-c", NO_CLIENT]
    found = subprocess.run(words, capture_output=True, text=True)
    assert "ValueError: client=None needs a client of dask" in found.stderr
    assert "    from distributed import Client\n" in found.stderr


def test_clones_share_the_client():
    with (
        _cluster(1) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        model, local = _models(client)
        again = clone(model)
        assert again.client is client and again.get_params() == model.get_params()
        assert clone(make_pipeline(model))[0].client is client
        _assert_same(again.fit(*_arrays(X, TWO)), local.fit(X, TWO))
        assert not hasattr(clone(again), "coefs_")
        with pytest.raises(ValueError, match="DaskGoodMinimaRegressor"):
            DaskGoodMinimaRegressor(client=client).set_params(degree=2)


def test_a_parameter_that_is_none():
    with pytest.raises(TypeError, match=r"DaskGoodMinimaClassifier\(\) .* 'foo'"):
        DaskGoodMinimaClassifier(foo=1)


def test_predicting_other_columns_is_an_error_at_once(client):
    model, _ = _models(client, max_iter=2)
    model.fit(*_arrays(X, TWO))
    for method in ("predict", "predict_proba", "decision_function"):
        with pytest.raises(ValueError, match=r"X has 7 features, .* expecting 8"):
            getattr(model, method)(_arrays(X[:, 1:])[0])
    with pytest.raises(ValueError, match=r"\bX\b"):
        model.predict(_arrays(X[:, 0])[0])


class _Killer:
    """Kills a worker when a module asks something of the rows for the n-th time."""

    def __init__(self, monkeypatch, pids, module, name, n):
        self.pids, self.left, method = pids, n, getattr(ClusterRows, name)

        def counting(rows, *arguments):
            callers = [Path(frame.filename).stem for frame in extract_stack()]
            self.left -= module in callers
            if self.left == 0 and self.pids:
                os.kill(self.pids[0], signal.SIGKILL)
                self.pids.clear()
            return method(rows, *arguments)

        monkeypatch.setattr(ClusterRows, name, counting)


# In the middle of a run, in the scout of an escape, in the certificate.
@pytest.mark.parametrize(
    "module, name, n",
    [("lbfgs", "fold", 4), ("graft", "first", 1), ("certify", "each", 1)],
    ids=["fit", "scout", "certificate"],
)
def test_a_killed_worker_costs_no_bit(monkeypatch, module, name, n):
    parameters = {"alpha": 0, "max_escapes": 1, "max_iter": 20, "tol": 1e-2}
    model, local = _models(None, **parameters)
    expected = local.fit(X, TWO, WEIGHT)
    with _cluster(2) as cluster, distributed.Client(cluster) as client:
        model.client = client
        pids = list(client.run(os.getpid).values())
        killer = _Killer(monkeypatch, pids, module, name, n)
        _assert_same(model.fit(*_arrays(X, TWO, WEIGHT)), expected)
        assert not killer.pids


def test_a_worker_that_joins_costs_no_bit(monkeypatch):
    from skgoodmin.dask import workers

    monkeypatch.setattr(workers, "LOOK", 0.0)
    model, local = _models(None, max_iter=8)
    with _cluster(1) as cluster, distributed.Client(cluster) as client:
        model.client = client
        timer = threading.Timer(1.0, cluster.scale, [2])
        timer.start()
        rows = _arrays(X, TWO)
        while timer.is_alive() or len(client.nthreads()) < 2:
            found = model.fit(*rows)
        _assert_same(found, local.fit(X, TWO))
        _assert_same(model.fit(*rows), local)


def test_a_worker_that_dies_at_the_beginning_is_none_that_is_compared():
    with _cluster(2) as cluster, distributed.Client(cluster) as client:
        workers = Workers(client)
        assert len(workers.threads()) == 2
        os.kill(next(iter(client.run(os.getpid).values())), signal.SIGKILL)
        for _ in range(50):
            workers.compare()  # neither a warning nor an error


def test_without_workers_there_is_an_error(monkeypatch):
    from skgoodmin.dask import workers

    monkeypatch.setattr(workers, "PATIENCE", 1.0)
    with _cluster(0) as cluster, distributed.Client(cluster) as client:
        with pytest.raises(RuntimeError, match="client: no worker has come in 1 sec"):
            _models(client)[0].fit(*_arrays(X, TWO))


def test_a_lost_scheduler_is_an_error(monkeypatch):
    from skgoodmin.dask import workers

    monkeypatch.setattr(workers, "PATIENCE", 2.0)
    cluster = _cluster(1)
    client = distributed.Client(cluster)
    model = _models(client, max_iter=10**6, tol=0, max_fun=10**6)[0]
    timer = threading.Timer(8.0, cluster.close)
    timer.start()
    begin = time.monotonic()
    with pytest.raises(RuntimeError, match="client: the connection to the scheduler"):
        model.fit(*_arrays(X, TWO))
    assert time.monotonic() - begin < 120
    client.close()


def _mixed(array):
    """With a string in the second block."""
    changed = array.astype(object)
    changed[7001:7002] = "a"
    return changed


def _holed(at, value):
    changed = X.copy()
    changed[at, 2] = value
    return changed


@pytest.mark.parametrize(
    "arrays, told",
    [
        ((_holed(7001, np.nan), TWO), r"X contains NaN. \(block 1\)$"),
        ((X, TWO, np.where(np.arange(N) == 19000, -1.0, 1.0)), r"sample_weight.*block"),
        ((X, TWO[:-1]), "X and y: .* same number of rows, got 20000 and 19999"),
        ((X, np.where(np.arange(N) < 9000, 0.5, 0.25) + SIGNAL), "y.* continuous"),
        ((X, np.zeros(N, dtype=int)), "at least 2 classes"),
        ((X, TWO, np.zeros(N)), "sample_weight: the sum"),
        ((X[:, 0], TWO), "X: the number of dimensions must be 2, got 1"),
        ((X, TWO, WEIGHT[:, None]), "sample_weight: .* must be 1, got 2"),
        ((_mixed(X), TWO), r"\bX\b.*could not convert.*\(block 1\)$"),
        ((X, _mixed(TWO)), r"\by\b.*\(block 1\)$"),
        ((X, TWO, _mixed(WEIGHT)), r"sample_weight.*could not.*\(block 1\)$"),
    ],
    ids=[
        "NaN",
        "weight",
        "rows",
        "numbers",
        "one class",
        "no weight",
        "column",
        "weights in a column",
        "mixed X",
        "mixed y",
        "mixed weight",
    ],
)
def test_errors_name_the_array(client, arrays, told):
    with pytest.raises((TypeError, ValueError), match=told):
        _models(client)[0].fit(*_arrays(*arrays))


def test_strings_and_numbers_in_different_blocks(client):
    parts = [
        da.from_delayed(dask.delayed(part), part.shape, object)
        for part in (TWO[:9000], THREE[9000:])
    ]
    y = da.concatenate(parts)
    with pytest.raises(ValueError, match="y: some blocks hold numbers and others do"):
        _models(client)[0].fit(_arrays(X, chunks=(9000, 11_000))[0], y)


@pytest.mark.parametrize("y", [SIGNAL, np.round(1000 * SIGNAL)])
def test_real_numbers_are_for_the_regressor_of_dask(client, y):
    told = f"{len(np.unique(y))} .* in {N} rows: use a regressor, DaskGoodMinimaReg"
    with pytest.raises(ValueError, match=told):
        _models(client)[0].fit(*_arrays(X, y))


@pytest.mark.parametrize(
    "y, told", [(_mixed(SIGNAL), "could not convert"), (THREE, "must hold numbers")]
)
def test_a_regressor_names_the_block_of_y(client, y, told):
    with pytest.raises(ValueError, match=rf"\by\b.*{told}.*\(block \d\)$"):
        DaskGoodMinimaRegressor(client=client).fit(*_arrays(X, y))


def test_partitions_that_do_not_match_are_an_error(client):
    model = _models(client)[0]
    rows, y = _arrays(X, TWO)
    mask = rows[:, 3] != 0
    with pytest.raises(ValueError, match="X and y: .* same partitions, got 4 and 2"):
        model.fit(rows[mask], y.rechunk(10_000))
    with pytest.raises(ValueError, match=r"X and y.*\(block \d\)"):
        model.fit(rows[mask], y)
    with pytest.raises(TypeError, match="X: a dask array or frame is needed, got nda"):
        model.fit(X, y)


@pytest.mark.parametrize(
    "name, value",
    [
        ("training", "grow"),
        ("training", "joint"),
        ("special_neuron", "monomial"),
        ("cache_dir", "."),
    ],
)
def test_what_a_cluster_can_not_do_is_told(client, name, value):
    model = _models(client)[0].set_params(**{name: value})
    with pytest.raises(NotImplementedError, match=name):
        model.fit(*_arrays(X, TWO))


def test_partial_fit_is_not_there(client):
    with pytest.raises(NotImplementedError, match=r"to_local\(\)\.partial_fit"):
        _models(client)[0].partial_fit(X, TWO)


def test_branches_are_united_where_both_are_there():
    terms = {8 + i: [float(10**i)] for i in (0, 1, 2, 4, 5, 6, 7)}
    assert _united(dict(terms)) == {4: [11.0], 10: [100.0], 3: [11110000.0]}
    terms[11] = [1000.0]
    assert _united(dict(reversed(terms.items()))) == {1: [11111111.0]}


@pytest.mark.parametrize("weight", [None, WEIGHT])
def test_equal_rows_of_a_block_travel_once(weight):
    rows, y = np.tile(X[:300], (5, 1)), np.tile(TWO[:300], 5)[:, None]
    weight = None if weight is None else weight[:1500]
    pieces = _cut([(rows, y, weight)], 7000, lambda y: y.astype(np.int32), X.dtype)
    assert sum(len(piece.X) for piece in pieces) == len(np.unique(X[:300], axis=0))
    numbers = np.concatenate([piece.numbers for piece in pieces])
    np.testing.assert_array_equal(np.sort(numbers), 7000 + np.arange(1500))
