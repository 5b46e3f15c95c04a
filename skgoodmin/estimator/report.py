"""What a fit prints."""

import contextlib
import sys
import threading
import time

from ..kernels.kernel_cache import listening

PAUSE = 0.1  # seconds between two states of a line that moves


@contextlib.contextmanager
def telling_of_compilation(verbose):
    """Says once that kernels are compiled meanwhile; nothing where verbose is 0.

    On stderr: what a fit prints does not depend on the machine's cache.
    """
    told: list = []

    def tell(sentence):
        if not told:
            told.append(sentence)
            print(sentence, file=sys.stderr, flush=True)

    with listening(tell) if verbose else contextlib.nullcontext():
        yield


class Report:
    """Prints the runs of a fit, or all its iterations, and how it ended.

    A line tells of a run (a start, or what an escape began) once it is left; in a
    terminal the line of the present run moves.

    Parameters
    ----------
    verbose : int
        0 is silent, 1 a line for each run, 2 one for each iteration; one less for a fit
        inside another one, of which 1 shows the end alone.
    place : str
        Which of the fits of another one it is, or empty.
    """

    def __init__(self, verbose, place=""):
        self.verbose, self.level = int(verbose), int(verbose) - bool(place)
        self.prefix = f"{place}: " if place else ""
        self.lock, self.present = threading.Lock(), {}  # run of each thread
        self.width, self.moved = 0, 0.0  # of the line that moves

    def __call__(self, progress):
        """One iteration."""
        if self.level < 1:
            return
        with self.lock:
            if self.level > 1:
                self._print(self._run(progress, f", iteration {progress.n_iter}"))
                return
            thread = threading.get_ident()
            before = self.present.get(thread)
            if before and before[:2] != (progress.start, progress.escape):
                self._print(before[2])
            line = self._run(progress, f": {progress.n_iter} iterations")
            self.present[thread] = progress.start, progress.escape, line
            if sys.stdout.isatty() and time.monotonic() > self.moved + PAUSE:
                self._print(line, end="")

    def tell_alpha(self, choice):
        """How alpha was chosen, where it was."""
        if self.level > 0 and choice.reason:
            self._print(f"{self.prefix}alpha={choice.sentence}")

    def close(self, value, why):
        """The fit has ended, at the objective ``value``."""
        if not self.verbose:
            return
        for _, _, line in self.present.values():
            self._print(line)
        self.present = {}
        self._print(f"{self.prefix}Objective {value:.8g}. {why}")

    def _run(self, progress, count):
        escape = f", escape {progress.escape}" if progress.escape else ""
        score = progress.score
        score = "" if score is None else f", validation {score:.4f}"
        separator = ", " if self.level == 1 else ": "
        return (
            f"{self.prefix}Start {progress.start}{escape}{count}{separator}"
            f"objective {progress.value:.8g}{score}"
        )

    def _print(self, line, end="\n"):
        """A line over the one that moves."""
        if self.width:
            line = "\r" + line.ljust(self.width)
        print(line, end=end, flush=not end)
        self.width = 0 if end else len(line.strip())
        self.moved = time.monotonic()
