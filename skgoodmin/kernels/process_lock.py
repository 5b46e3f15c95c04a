"""One process compiles a kernel; the others wait for it and find it in the cache.

A byte of one file beside the compiled code is locked for each kernel. The operating
system gives the lock back when its owner ends, however it ends. Nobody waits for longer
than ``PATIENCE``: the owner may have been suspended. Where there are no such locks (on
Windows, or where the file can not be written), each process compiles for itself.
"""

import contextlib
import os
import time
import zlib

try:
    import fcntl
except ImportError:  # Windows; elsewhere, where types are checked, there is a module
    fcntl = None  # type: ignore[assignment]

LOCKS = fcntl is not None  # whether there are any
NAME = "skgoodmin.lock"
PATIENCE, PAUSE = 60.0, 0.02  # seconds


@contextlib.contextmanager
def alone(folder, kernel, patience=PATIENCE):
    """No other process is in here with the same folder and name of a kernel.

    Parameters
    ----------
    folder : str
        Where the kernel is kept.
    kernel : str
        Its name, or that of other work for one process.
    patience : float, default=60.0
        Seconds to wait for the others.

    Yields
    ------
    alone : bool
        Whether that is so: False where one did not wait, or where there are no locks.
    """
    locked = False
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            os.makedirs(folder, exist_ok=True)
            file = stack.enter_context(open(os.path.join(folder, NAME), "ab"))
            if LOCKS:
                locked = _wait(file, zlib.crc32(kernel.encode()), patience)
        yield locked


def _wait(file, place, patience):
    """Whether the byte at ``place`` could be locked; closing the file gives it back."""
    end = time.monotonic() + patience
    while True:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
            return True
        except (BlockingIOError, PermissionError):  # another process has it
            if time.monotonic() >= end:
                return False
            time.sleep(PAUSE)
