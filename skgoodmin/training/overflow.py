"""An objective that overflows where a training begins."""


class OverflowAtStartError(Exception):
    """It is no finite number there. No error of a callback is this one."""
