"""Whose displays these are."""

from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from ..estimator.base import Network


def drawn(estimator, *, pipelines=False, needs=None):
    """The fitted network that ``from_estimator`` draws.

    Parameters
    ----------
    estimator : object
        What the user gave.
    pipelines : bool, default=False
        Whether it may be a Pipeline, whose last step is drawn.
    needs : str, optional
        The attribute that is enough, where not all of a fit is needed.

    Raises
    ------
    TypeError
        If it is no network of this package.
    NotFittedError
    """
    is_pipeline = isinstance(estimator, Pipeline)
    network = estimator[-1] if is_pipeline and pipelines else estimator
    if isinstance(network, FrozenEstimator):
        network = network.estimator
    if not isinstance(network, Network):
        given = type(network).__name__
        if network is not estimator:
            given = f"a Pipeline that ends in {given}"
        elif is_pipeline and isinstance(estimator[-1], Network):
            given = f"{given}: pass its last step"
        raise TypeError(
            "estimator must be a GoodMinimaClassifier, GoodMinimaRegressor, "
            "GoodMinimaClassifierCV or GoodMinimaRegressorCV"
            f"{', or a Pipeline that ends in one' if pipelines else ''}; got {given}."
        )
    check_is_fitted(network, needs)
    return network
