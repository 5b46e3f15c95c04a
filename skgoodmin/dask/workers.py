"""Workers: which of them does what is asked of a leaf, and what becomes of the dead.

Leaves are futures with a lineage: when a worker dies, the scheduler makes its leaves
again from the source, wherever there is room. (Actors and scattered data would be
lost.) Each request is one task a thread of a worker, with neighbouring leaves, and
small results come back. A task names the worker it should run on, and may run on
others.
"""

import platform
import time
import uuid
from contextlib import contextmanager
from pathlib import Path

import dask
import numpy as np
from distributed import CancelledError, Client, Future, default_client, wait
from distributed.comm import CommClosedError

from ..estimator.warned import warn_user
from ..objective.leaves import add
from ..training.threads import one_blas_thread

PATIENCE = 60.0  # seconds without any worker after which a fit gives up
LOOK = 2.0  # seconds between two looks at who is there
WAIT = 5.0  # seconds for results before a look whether anybody is left to make them


class Workers:
    """The threads of the workers of a client, in a fixed order.

    Parameters
    ----------
    client : distributed.Client
    """

    def __init__(self, client: Client):
        self.client = client
        self.known: list[str] = []  # the address of each thread
        self.looked = -np.inf

    def threads(self):
        """The address of each thread of each worker; waits for the first one."""
        if time.monotonic() - self.looked > LOOK:
            self.known = self._present()
            self.looked = time.monotonic()
        begun = time.monotonic()
        while not self.known:
            if time.monotonic() - begun > PATIENCE:
                raise RuntimeError(
                    f"client: no worker has come in {PATIENCE:.0f} seconds."
                )
            time.sleep(0.1)
            self.known = self._present()
        return self.known

    def compare(self):
        """Warn where workers have processors of several kinds."""
        with self._connected():
            # A worker that dies meanwhile is none that will work.
            found = self.client.run(processor, on_error="ignore")
            kinds = sorted(set(found.values()))
        if len(kinds) > 1:
            warn_user(
                f"client: the workers have different processors ({', '.join(kinds)}"
                "): the last bits of a sum depend on which of them makes it. Choose "
                "workers of one kind for a model that is the same each time."
            )

    @contextmanager
    def _connected(self):
        """An error where the scheduler is gone, or has dropped the tasks."""
        lost = (
            "client: the connection to the scheduler is lost, or the tasks of the fit "
            "were cancelled there."
        )
        if self.client.status != "running":
            raise RuntimeError(lost)
        try:
            yield
        except (CancelledError, CommClosedError) as error:
            raise RuntimeError(lost) from error
        except Exception as error:
            if self.client.status == "running":
                raise
            raise RuntimeError(lost) from error

    def _present(self):
        """Those that the scheduler knows of."""
        with self._connected():
            counts = self.client.nthreads()
        return [address for address in sorted(counts) for _ in range(counts[address])]

    def shares(self, n):
        """Pairs of an address and the neighbours out of ``range(n)`` it cares for."""
        threads = self.threads()
        cuts = np.arange(len(threads) + 1) * n // len(threads)
        spans = zip(threads, cuts[:-1].tolist(), cuts[1:].tolist(), strict=True)
        return [(address, range(a, b)) for address, a, b in spans if a < b]

    def submit(self, address, name, function, *arguments):
        """A future of the function; the dashboard shows the name.

        It is made at the address if there is one and its worker lives, or anywhere.
        """
        # Parameters go with each task: nobody wants a warning of large ones.
        silent = {"distributed.admin.large-graph-warning-threshold": "1PiB"}
        with self._connected(), dask.config.set(silent):
            return self.client.submit(
                function,
                *arguments,
                key=key_of(name),
                workers=None if address is None else [address],
                allow_other_workers=address is not None,
            )

    def gather(self, futures):
        """Their results; an error if nobody is left to make them."""
        while True:
            with self._connected(), self.client.as_current():
                try:
                    wait(futures, timeout=WAIT)
                except TimeoutError:
                    self.looked = -np.inf
                    self.threads()
                else:
                    return self.client.gather(futures)


class Held:
    """Leaves that workers hold.

    Parameters
    ----------
    workers : Workers
    leaves : list of distributed.Future
        Each of a :class:`CanonicalRows`; 2^b of them.
    """

    def __init__(self, workers: Workers, leaves: list[Future]):
        self.workers, self.leaves = workers, leaves

    def each(self, function, *arguments):
        """``function(leaf, number, *arguments)`` of each leaf, a list in order."""
        return [
            result
            for results in self._of_shares("ask-leaves", _each, function, *arguments)
            for result in results
        ]

    def fold(self, function, *arguments):
        """The sum of these, in the order of the tree."""
        nodes: dict[int, list] = {}
        n = len(self.leaves)
        for some in self._of_shares("evaluate", _fold, function, n, *arguments):
            nodes |= some
        return _united(nodes)[1]

    def _of_shares(self, name, task, *arguments):
        """What a task makes of the share of each thread."""
        futures = [
            self.workers.submit(
                address,
                name,
                task,
                span,
                self.leaves[span.start : span.stop],
                *arguments,
            )
            for address, span in self.workers.shares(len(self.leaves))
        ]
        return self.workers.gather(futures)

    def of_each(self, function, arguments):
        """The leaves that ``function(leaf, argument)`` makes of these, held as they."""
        spans = self.workers.shares(len(self.leaves))
        return Held(
            self.workers,
            [
                self.workers.submit(
                    address, "change-leaf", function, self.leaves[i], arguments[i]
                )
                for address, span in spans
                for i in span
            ],
        )

    def united(self, n, function):
        """``n`` leaves, each ``function`` of a list of neighbours out of these."""
        size = len(self.leaves) // n
        return Held(
            self.workers,
            [
                self.workers.submit(
                    address,
                    "unite-leaves",
                    function,
                    self.leaves[i * size : (i + 1) * size],
                )
                for address, span in self.workers.shares(n)
                for i in span
            ],
        )


def current_client():
    """The client that was made last."""
    try:
        return default_client()
    except ValueError as error:
        raise ValueError(
            "client=None needs a client of dask, and there is none. A cluster on this "
            "machine takes three lines:\n"
            "    from distributed import Client\n"
            "    if __name__ == '__main__':  # in a script\n"
            "        client = Client()"
        ) from error


def key_of(name):
    """Key of a task that the dashboard shows by its name."""
    return f"{name}-{uuid.uuid4()}"


def processor():
    """Name of the processor of this machine."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:  # no Linux
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if "model name" in line]
    return names[0] if names else f"{platform.processor()} {platform.machine()}"


def _each(span, leaves, function, *arguments):
    """On a worker: the function of some leaves."""
    with one_blas_thread():
        return [
            function(leaf, number, *arguments)
            for number, leaf in zip(span, leaves, strict=True)
        ]


def _fold(span, leaves, function, n, *arguments):
    """On a worker: sums of the subtrees of ``n`` leaves that are all here."""
    terms = _each(span, leaves, function, *arguments)
    return _united({n + number: term for number, term in zip(span, terms, strict=True)})


def _united(nodes):
    """The sums of all subtrees whose two branches are there, in place of those.

    Nodes are numbered as in a heap: 1 is the root, 2k and 2k + 1 are the branches of k.
    """
    nodes = {node: [_own(term) for term in terms] for node, terms in nodes.items()}
    for left in sorted(nodes, reverse=True):
        while left in nodes and left > 1 and (left ^ 1) in nodes:
            left, right = left & ~1, left | 1
            nodes[left // 2] = add(nodes.pop(left), nodes.pop(right))
            left //= 2
    return nodes


def _own(term):
    """An array that can be added to: those that came over the network can not."""
    return np.require(term, requirements="W") if np.ndim(term) else term
