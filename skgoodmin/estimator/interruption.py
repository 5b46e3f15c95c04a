"""Ctrl-C in a long fit: the first one asks to stop, the second one leaves at once.

A fit that is asked to stop ends after the present iteration and keeps the best point so
far. A fit that is one of many (of a grid search, of cross-validation, of an ensemble)
does not: there Ctrl-C means the whole of them.
"""

import signal
import sys
import threading
from contextlib import contextmanager
from types import FrameType

from ..training.stop import StopRequest

STOPPED = (
    "Ctrl-C: the fit has stopped, and the model is the best point so far. Fitted "
    "again with warm_start=True it goes on from there."
)
TOO_LATE = "Ctrl-C came when the training had ended: the model is complete."

# Who fits many: whatever works through joblib (its cache keeps what is the result for
# its arguments, which a fit cut short is not), and scikit-learn's own loops.
LOOPS = (
    "joblib",
    "sklearn.ensemble",
    "sklearn.feature_selection",
    "sklearn.impute",
    "sklearn.linear_model",
    "sklearn.multiclass",
    "sklearn.multioutput",
    "sklearn.semi_supervised",
)


@contextmanager
def interruptible():
    """A :class:`StopRequest` that the first Ctrl-C makes; the second one raises.

    Signals reach the main thread alone, and a handler of the user's own is left in
    place: then nothing asks.
    """
    request = StopRequest()
    usual = signal.default_int_handler
    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or signal.getsignal(signal.SIGINT) is not usual:
        yield request
        return

    def handle(number, frame):
        if request.made:
            raise KeyboardInterrupt
        request.made = True

    signal.signal(signal.SIGINT, handle)
    try:
        yield request
    finally:
        signal.signal(signal.SIGINT, usual)


def is_one_of_many():
    """Whether somebody who fits many models is among the callers."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if any(module == loop or module.startswith(f"{loop}.") for loop in LOOPS):
            return True
        frame = frame.f_back
    return False
