"""CPU time and memory of this process and all that it has begun, from /proc."""

import os
import threading
import time
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


def _stat():
    """{process: (parent, ticks of the CPU)} of all that run."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name of the program, in brackets, may hold spaces.
            words = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        # utime, stime, and those of children that have ended
        found[int(path.parent.name)] = int(words[1]), sum(map(int, words[11:15]))
    return found


def _family(stat):
    """This process and its descendants."""
    family = [os.getpid()]
    for member in family:  # which grows meanwhile
        family += [child for child, (parent, _) in stat.items() if parent == member]
    return family


def cpu_of_each():
    """{process: CPU seconds so far}."""
    stat = _stat()
    return {process: stat[process][1] / TICK for process in _family(stat)}


def cpu_seconds():
    """CPU seconds so far."""
    return sum(cpu_of_each().values())


def own_memory():
    """MiB that are no pages of files."""
    total = 0
    for process in _family(_stat()):
        try:
            text = Path(f"/proc/{process}/status").read_text()
        except OSError:
            continue
        for line in text.splitlines():
            if line.startswith("RssAnon"):
                total += int(line.split()[1])
    return total / 1024


class Peak:
    """Largest own memory since it was made, looked at all the time."""

    def __init__(self):
        self.before = self.most = own_memory()
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self):
        while True:
            self.most = max(self.most, own_memory())
            time.sleep(0.05)

    @property
    def growth(self):
        """MiB more than at the beginning."""
        return self.most - self.before
