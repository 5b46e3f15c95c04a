"""Distributed estimators beside ours, for ``beyond_one_machine.py``.

Each peer is a function of the folder with the data and of a number of iterations, which
returns (CPU seconds of one fit, MiB, accuracy on the test rows). What is not installed
is an ImportError. All have two workers of one thread, or two threads, and a first fit
of some rows, which is not counted.

``xgboost``
    ``xgboost.dask.DaskXGBClassifier``, 100 trees, depth 6.
``dask-ml logistic``
    ``dask_ml.linear_model.LogisticRegression`` by L-BFGS: a linear model.
``dask-ml MLP, a pass``
    ``dask_ml.wrappers.Incremental`` of scikit-learn's ``MLPClassifier`` with 64 units:
    Adam, one pass over the blocks, one after another.
``Spark MLP``
    ``MultilayerPerceptronClassifier`` with 64 units and as many iterations of L-BFGS as
    ours, ``local[2]``, from parquet, at most 6 GiB of heap. Its units are sigmoids.
"""

import tempfile
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import numpy as np
from process_family import Peak, cpu_seconds

N_BLOCKS, N_FIRST = 12, 2_000


@contextmanager
def two_workers():
    """Client of a cluster on this machine."""
    from distributed import Client, LocalCluster

    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with LocalCluster(**options) as cluster, Client(cluster) as client:
        yield client


def _block(path, start, stop):
    return np.load(path, mmap_mode="r")[start:stop].copy()


def dask_rows(folder, name="", n=None):
    """X and y as arrays of dask that read files; the first ``n`` rows of them."""
    import dask
    import dask.array as da

    collections = []
    for path in (folder / f"X{name}.npy", folder / f"y{name}.npy"):
        whole, blocks = np.load(path, mmap_mode="r")[:n], []
        size = -(-len(whole) // N_BLOCKS)
        for a in range(0, len(whole), size):
            b = min(a + size, len(whole))
            block = dask.delayed(_block)(str(path), a, b)
            shape = (b - a, *whole.shape[1:])
            blocks.append(da.from_delayed(block, shape, dtype=whole.dtype))
        collections.append(da.concatenate(blocks))
    return collections


def _on_dask(model, folder):
    """What the second fit of a model on arrays of dask takes."""
    model.fit(*dask_rows(folder, n=N_FIRST))
    peak, begin = Peak(), cpu_seconds()
    model.fit(*dask_rows(folder))
    seconds, memory = cpu_seconds() - begin, peak.growth
    X, y = dask_rows(folder, "_test")
    hits = np.asarray(model.predict(X)) == np.asarray(y)
    return seconds, memory, float(hits.mean())


def xgboost(folder, n_iter):
    from xgboost.dask import DaskXGBClassifier

    with two_workers() as client:
        model = DaskXGBClassifier(n_estimators=100, max_depth=6, tree_method="hist")
        model.client = client
        return _on_dask(model, folder)


def logistic(folder, n_iter):
    from dask_ml.linear_model import LogisticRegression

    with two_workers():
        model = LogisticRegression(solver="lbfgs", max_iter=n_iter)
        return _on_dask(model, folder)


class _OnePass:
    """``Incremental`` that is told the classes."""

    def __init__(self, model):
        self.model = model
        self.predict = model.predict

    def fit(self, X, y):
        self.model.fit(X, y, classes=[0, 1])


def incremental(folder, n_iter):
    from dask_ml.wrappers import Incremental
    from sklearn.neural_network import MLPClassifier

    with two_workers():
        return _on_dask(_OnePass(Incremental(MLPClassifier((64,)))), folder)


def _to_parquet(folder, name, n=None):
    """The rows as parquet, some hundred thousand a file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    X = np.load(folder / f"X{name}.npy", mmap_mode="r")[:n]
    y = np.load(folder / f"y{name}.npy")[:n]
    path = Path(tempfile.mkdtemp(dir=folder))
    size = -(-len(X) // N_BLOCKS)
    for start in range(0, len(X), size):
        columns = [pa.array(column) for column in X[start : start + size].T]
        label = pa.array(y[start : start + size].astype(float))
        names = [f"x{i}" for i in range(X.shape[1])]
        table = pa.table([*columns, label], [*names, "label"])
        pq.write_table(table, path / f"{start}.parquet")
    return str(path), names


def spark(folder, n_iter):
    import_module("pyarrow")  # whether it is there is told before Java begins
    from pyspark.errors import PySparkRuntimeError
    from pyspark.ml.classification import MultilayerPerceptronClassifier
    from pyspark.ml.feature import VectorAssembler
    from pyspark.sql import SparkSession

    session = SparkSession.builder.master("local[2]").config(
        map={
            "spark.driver.memory": "6g",
            "spark.ui.enabled": "false",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.host": "127.0.0.1",
            "spark.local.dir": str(folder),
        }
    )
    try:
        session = session.getOrCreate()
    except PySparkRuntimeError as error:
        raise ImportError(f"Spark does not start: {error}") from error

    def rows(path, names):
        frame = session.read.parquet(path)
        return VectorAssembler(inputCols=names, outputCol="features").transform(frame)

    layers = [np.load(folder / "X.npy", mmap_mode="r").shape[1], 64, 2]
    mlp = MultilayerPerceptronClassifier(
        layers=layers, maxIter=n_iter, tol=1e-14, solver="l-bfgs", seed=0
    )
    mlp.fit(rows(*_to_parquet(folder, "", N_FIRST)))
    train, test = _to_parquet(folder, ""), _to_parquet(folder, "_test")
    peak, begin = Peak(), cpu_seconds()
    model = mlp.fit(rows(*train))
    seconds, memory = cpu_seconds() - begin, peak.growth
    found = model.transform(rows(*test)).select("prediction", "label").collect()
    session.stop()
    hits = [row.prediction == row.label for row in found]
    return seconds, memory, float(np.mean(hits))


PEERS = {
    "xgboost": xgboost,
    "dask-ml logistic": logistic,
    "dask-ml MLP, a pass": incremental,
    "Spark MLP": spark,
}
