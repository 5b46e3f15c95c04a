"""Rows on a cluster of dask: the same model as on one machine, bit for bit.

Needs the extra ``dask``: ``pip install skgoodmin[dask]``.
"""

from importlib import import_module

try:
    import_module("distributed")
except ImportError as error:
    raise ImportError(
        "skgoodmin.dask needs dask and distributed; install them with 'pip install "
        "skgoodmin[dask]'."
    ) from error

from .classifier import DaskGoodMinimaClassifier
from .regressor import DaskGoodMinimaRegressor

__all__ = ["DaskGoodMinimaClassifier", "DaskGoodMinimaRegressor"]
