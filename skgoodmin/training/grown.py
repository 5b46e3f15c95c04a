"""What growing ends with."""

from dataclasses import dataclass

from .lbfgs import Solution


@dataclass(frozen=True)
class Grown:
    """What growing ends with.

    Attributes
    ----------
    solution : Solution
    trace : list of (0, n_fun, objective)
        By round.
    gap : float
        The estimated one.
    neurons : (coefs (m, d), intercepts (m,))
        The best ones that the last search found.
    """

    solution: Solution
    trace: list
    gap: float
    neurons: tuple
