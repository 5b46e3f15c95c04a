"""Displays, after scikit-learn's convention.

``from_estimator`` computes and draws, ``plot`` draws again, the arrays are attributes.
matplotlib is imported when something is drawn.
"""

from .alpha import AlphaDisplay
from .certificate import CertificateDisplay
from .landscape import LandscapeDisplay
from .loss_curve import LossCurveDisplay

__all__ = [
    "AlphaDisplay",
    "CertificateDisplay",
    "LandscapeDisplay",
    "LossCurveDisplay",
]
