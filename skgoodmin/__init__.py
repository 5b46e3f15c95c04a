"""Multilayer perceptrons that know whether they are stuck in a bad minimum."""

from .certificate import Certificate, Status, Witness
from .classifier import GoodMinimaClassifier

__version__ = "0.1.0"
__all__ = ["Certificate", "GoodMinimaClassifier", "Status", "Witness"]
