"""Multilayer perceptrons that know whether they are stuck in a bad minimum."""

from .callbacks import ValidationMonitor
from .certificate import Certificate, Status, Witness
from .classifier import GoodMinimaClassifier
from .display import CertificateDisplay, LandscapeDisplay, LossCurveDisplay

__all__ = [
    "Certificate",
    "CertificateDisplay",
    "GoodMinimaClassifier",
    "LandscapeDisplay",
    "LossCurveDisplay",
    "Status",
    "ValidationMonitor",
    "Witness",
]
__version__ = "0.1.0"
