"""Multilayer perceptrons that know whether they are stuck in a bad minimum."""

from .callbacks import ValidationMonitor
from .certificate import Certificate, Status
from .classifier import GoodMinimaClassifier
from .classifier_cv import GoodMinimaClassifierCV
from .display import CertificateDisplay, LandscapeDisplay, LossCurveDisplay
from .version import __version__
from .witness import Witness

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
