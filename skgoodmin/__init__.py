"""Multilayer perceptrons that know whether they are stuck in a bad minimum."""

from .callbacks import ValidationMonitor
from .certificate import Certificate, Status, Witness
from .classifier import GoodMinimaClassifier

__all__ = [
    "Certificate",
    "GoodMinimaClassifier",
    "Status",
    "ValidationMonitor",
    "Witness",
]
__version__ = "0.1.0"
