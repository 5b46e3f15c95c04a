"""Warnings that show the user's own line, if it is a line of his that led there."""

import sys
import warnings

# Packages between a fault and the user.
BETWEEN = {"skgoodmin", "sklearn", "joblib", "pickle", "copy", "skops"}


def warn_user(sentence, category=UserWarning):
    """Warn at the line that called the package, by itself or in a tool.

    Parameters
    ----------
    sentence : str
        What is the matter, and what to change.
    category : type of Warning, default=UserWarning
    """
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and _package_of(frame) in BETWEEN:
        level, frame = level + 1, frame.f_back
    warnings.warn(sentence, category, stacklevel=level)


def _package_of(frame):
    """Name of the package that a frame's code is in."""
    return str(frame.f_globals.get("__name__")).partition(".")[0]
