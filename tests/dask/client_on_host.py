"""A client that fits on a cluster and in memory; begun by test_hosts.py, on its host.

    python client_on_host.py ADDRESS

It says "middle" and waits for a line when the fit is half done, and "same" in the end,
if that is so.
"""

import itertools
import sys
import warnings

import dask.array as da
import numpy as np
from distributed import Client

from skgoodmin import GoodMinimaClassifier
from skgoodmin.dask import DaskGoodMinimaClassifier, workers
from skgoodmin.dask.rows import ClusterRows

N, MIDDLE = 20_000, 10


def pausing(method):
    """The method, which at its MIDDLE-th call waits for a line."""
    calls = itertools.count(1)

    def paused(*arguments):
        if next(calls) == MIDDLE:
            print("middle", flush=True)
            sys.stdin.readline()
        return method(*arguments)

    return paused


def main():
    warnings.simplefilter("ignore")
    workers.PATIENCE = 30.0
    rng = np.random.RandomState(0)
    X = rng.normal(size=(N, 8))
    y = (X[:, 0] * X[:, 1] + 0.3 * rng.normal(size=N) > 0).astype(int)
    model = GoodMinimaClassifier((100,), alpha=0.001, max_iter=20, random_state=0)
    parameters = model.get_params()
    expected = model.fit(X, y)
    ClusterRows.fold = pausing(ClusterRows.fold)
    with Client(sys.argv[1]) as client:
        client.wait_for_workers(2)
        found = DaskGoodMinimaClassifier(client=client, **parameters)
        found.fit(da.from_array(X, chunks=(6000, 8)), da.from_array(y, chunks=6000))
    np.testing.assert_array_equal(found.history_, expected.history_)
    for name in ("coefs_", "intercepts_"):
        for a, b in zip(getattr(found, name), getattr(expected, name), strict=True):
            np.testing.assert_array_equal(a, b)
    assert found.certificate_.bounds == expected.certificate_.bounds
    assert str(found.certificate_) == str(expected.certificate_)
    print("same", flush=True)


if __name__ == "__main__":
    main()
