"""Warnings that show the user's own line, however deep they arise."""

import sys
import warnings

BETWEEN = {"skgoodmin", "sklearn", "joblib"}  # packages between a fault and the user


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
    return frame.f_globals.get("__name__", "").partition(".")[0]
