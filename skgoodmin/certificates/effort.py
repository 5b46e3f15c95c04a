"""How hard a certificate tries: numbers of iterations, never seconds."""

from dataclasses import dataclass

from .transport import LARGEST

WORK = 4e6  # work of an iteration of a plan, up to which all are done
LEAST = 0.5  # iterations of those of a fit that are not worth one
FEW = 10  # iterations of a stage, or steps of W, that are left of more
SEVERAL = 0.65  # what part of them several outputs need


@dataclass(frozen=True)
class Effort:
    """How much work.

    Attributes
    ----------
    n_neighbours : int
        Of each row, in a plan.
    stages : tuple of (power, iterations)
        See :func:`.relaxation.optimise`.
    n_tighten : int
        Steps of W at the end; see :meth:`steps`.
    n_units, n_random, n_steps : int
        Ascents from units and random directions, and evaluations of each.
    amplitudes : int
        Quadratic models of the convex amplitudes at most; 0 leaves them out.
    n_grown : int
        Rounds of neurons added to them.
    n_rounds : int
        Plans for softmax.
    largest : int
        Entries of a plan that is solved in one piece: the time grows faster than they.
    arcs : (tolerance, number)
        For one and two features.
    """

    n_neighbours: int
    stages: tuple
    n_tighten: int
    n_units: int
    n_random: int
    n_steps: int
    amplitudes: int
    n_grown: int
    n_rounds: int
    largest: int
    arcs: tuple

    def affordable(self, n_variables, n_features, n_outputs):
        """The stages, with fewer iterations where each one is long.

        An iteration takes variables times features, and the eigenvalues of a matrix of
        all features. With hundreds of features that is longer than a fit, for little
        gain: a fit has no iterations there.
        """
        work = n_variables * n_features + 0.5 * n_features**3
        share = min(1.0, WORK / max(work, 1))

        def number(n):
            if n <= FEW:  # those of a fit
                return max(int(n * share), 2) if n * share >= LEAST else 0
            return max(int(n * share * (SEVERAL if n_outputs > 1 else 1.0)), FEW)

        stages = [(power, number(n)) for power, n in self.stages]
        return tuple(stage for stage in stages if stage[1])

    def steps(self, n_features):
        """Steps of W, fewer where the eigenvalues of each take long."""
        share = min(1.0, WORK / max(0.5 * n_features**3, 1))
        least = 1 if self.n_tighten <= FEW else FEW
        return max(int(self.n_tighten * share), least)


def effort_of(effort):
    """Numbers for an effort: 0 is what a fit does by the way, 1 what certify does."""
    if effort <= 0:
        return Effort(
            n_neighbours=5,
            stages=((30.0, 7),),
            n_tighten=2,
            n_units=1,
            n_random=2,
            n_steps=60,
            amplitudes=0,
            n_grown=0,
            n_rounds=1,
            largest=60_000,
            arcs=(3e-2, 200),
        )

    def share(n, least):
        return max(int(n * effort), least)

    return Effort(
        n_neighbours=20,
        stages=tuple(
            (p, share(n, 10)) for p, n in ((30.0, 150), (100.0, 150), (300.0, 120))
        ),
        n_tighten=20,
        n_units=share(12, 2),
        n_random=share(12, 2),
        n_steps=200,
        amplitudes=50,
        n_grown=3,
        n_rounds=share(12, 3),
        largest=LARGEST,
        arcs=(1e-3, 20_000),
    )
