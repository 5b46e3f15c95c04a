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

NAME = "skgoodmin.lock"
PATIENCE, PAUSE = 60.0, 0.02  # seconds


@contextlib.contextmanager
def alone(folder, kernel):
    """No other process is in here with the same folder and name of a kernel.

    Parameters
    ----------
    folder : str
        Where the kernel is kept.
    kernel : str
        Its name.
    """
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            os.makedirs(folder, exist_ok=True)
            file = stack.enter_context(open(os.path.join(folder, NAME), "ab"))
            if fcntl is not None:
                _wait(file, zlib.crc32(kernel.encode()))
        yield


def _wait(file, place):
    """Lock the byte at ``place``, or wait in vain; closing the file gives it back."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            return fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
        except (BlockingIOError, PermissionError):  # another process has it
            time.sleep(PAUSE)
