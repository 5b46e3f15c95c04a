"""A request to stop, that a training looks at between iterations."""

from dataclasses import dataclass


@dataclass
class StopRequest:
    """Whether somebody asks a training to end, and to keep the best point so far."""

    made: bool = False
