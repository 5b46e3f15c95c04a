"""Multilayer perceptrons that know whether they are stuck in a bad minimum."""

from .callbacks import ValidationMonitor
from .certificate import Certificate, Status, Witness
from .classifier import GoodMinimaClassifier
from .classifier_cv import GoodMinimaClassifierCV
from .display import CertificateDisplay, LandscapeDisplay, LossCurveDisplay
from .version import __version__

__all__ = [
    "Certificate",
    "CertificateDisplay",
    "GoodMinimaClassifier",
    "GoodMinimaClassifierCV",
    "LandscapeDisplay",
    "LossCurveDisplay",
    "Status",
    "ValidationMonitor",
    "Witness",
    "__version__",
]
