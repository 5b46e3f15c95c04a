"""Multilayer perceptrons that tell how far they are from the best one."""

from .any_model import certify
from .certificates.bound import Bound, Known
from .certificates.certificate import Certificate, Status
from .certificates.witness import Witness
from .classifier import GoodMinimaClassifier
from .classifier_cv import GoodMinimaClassifierCV
from .displays import (
    AlphaDisplay,
    CertificateDisplay,
    LandscapeDisplay,
    LossCurveDisplay,
)
from .estimator.callbacks import ValidationMonitor
from .regressor import GoodMinimaRegressor
from .regressor_cv import GoodMinimaRegressorCV
from .version import __version__

__all__ = [
    "AlphaDisplay",
    "Bound",
    "Certificate",
    "CertificateDisplay",
    "GoodMinimaClassifier",
    "GoodMinimaClassifierCV",
    "GoodMinimaRegressor",
    "GoodMinimaRegressorCV",
    "Known",
    "LandscapeDisplay",
    "LossCurveDisplay",
    "Status",
    "ValidationMonitor",
    "Witness",
    "__version__",
    "certify",
]
