"""Kernels whatever happens to their cache, in forks and under Ctrl-C.

Each test runs two small kernels in processes of their own.
"""

import os
import shutil
import subprocess
import sys
import textwrap

import pytest

# Without the rest of the package, whose import takes a second.
KERNELS = """
import importlib.util
import sys
import numpy as np

sys.modules["skgoodmin"] = importlib.util.module_from_spec(
    importlib.util.find_spec("skgoodmin")
)
from skgoodmin.kernels.jit import njit

@njit(inline=True)
def square(x):
    return x * x

@njit
def total(array):
    result = 0.0
    for x in array:
        result += square(x)
    return result

@njit
def slowly(array):
    return np.sort(array)[0] + np.median(array)  # two seconds to compile

array = np.arange(4.0)
"""
# Prints how often numba's compiler was at work, and all warnings.
WATCH = """
import warnings
import numba.core.event as events
from kernels import array, slowly, square, total
with events.install_recorder("numba:compile") as seen:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert total(array) == 14.0 and total(array[1:].astype("f4")) == 14.0
for w in caught:
    print(w.category.__name__, w.message)
names = [event.data["dispatcher"].__name__ for _, event in seen.buffer]
print("compiled", sum(name == "total" for name in names) // 2)
"""
# Refuses what an operating system would refuse other users than root.
REFUSE = """
import errno, os, sys

def refuse(event, arguments):
    if event == "open" and isinstance(arguments[0], (str, bytes)):
        path, flags = os.fsdecode(arguments[0]), arguments[2]
        writes = flags & (os.O_WRONLY | os.O_RDWR)
        if {condition}:
            raise {error}

sys.addaudithook(refuse)
"""
pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture
def run(tmp_path):
    """Runs a script beside the kernels, with a cache in ``tmp_path / "cache"``."""
    (tmp_path / "kernels.py").write_text(KERNELS)

    def run(script, preamble="", check=True, **environment):
        paths = [str(tmp_path), *(path for path in sys.path if path)]
        environment = {
            "NUMBA_CACHE_DIR": str(tmp_path / "cache"),
            "PYTHONPATH": os.pathsep.join(paths),
        } | environment
        process = subprocess.run(
            [sys.executable, "-c", preamble + textwrap.dedent(script)],
            env=os.environ | environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=100,
        )
        assert not check or process.returncode == 0, process.stderr
        return process.stdout.splitlines() if check else process

    return run


def _files(tmp_path, ending):
    return [path for path in (tmp_path / "cache").rglob(f"*.total_*{ending}")]


def _one_warning(lines, *words):
    assert len(lines) == 2 and lines[0].startswith("RuntimeWarning"), lines
    for word in (*words, "NUMBA_CACHE_DIR"):
        assert word in lines[0]
    return lines[1]


def test_a_warm_cache_is_used_without_a_word(run):
    assert run(WATCH) == ["compiled 2"]
    assert run(WATCH) == ["compiled 0"]


def _empty(content):
    return b""


def _cut(content):
    return content[: len(content) // 2]


def _garbage(content):
    return content[::-1]


@pytest.mark.parametrize("damage", [_empty, _cut, _garbage])
def test_a_damaged_file_is_told_and_replaced(run, tmp_path, damage):
    run(WATCH)
    for ending, compiled in ((".nbi", "compiled 2"), (".nbc", "compiled 2")):
        for path in _files(tmp_path, ending):
            path.write_bytes(damage(path.read_bytes()))
        lines = run(WATCH)
        assert _one_warning(lines, str(tmp_path), "damaged") == compiled
    assert run(WATCH) == ["compiled 0"]


def test_code_for_other_arguments_is_told_and_replaced(run, tmp_path):
    """What two processes may leave behind that compile at once."""
    run(WATCH)
    first, second = sorted(_files(tmp_path, ".nbc"))
    shutil.copy(first, second)
    assert _one_warning(run(WATCH), "other arguments") == "compiled 1"
    run(WATCH)  # the index was emptied: the other one
    assert run(WATCH) == ["compiled 0"]


def test_a_file_of_somebody_else_is_told(run, tmp_path):
    """It can neither be read nor, in a directory like /tmp, replaced."""
    run(WATCH)
    theirs = REFUSE.format(condition="'.nbi' in path", error="PermissionError(13, '')")
    assert _one_warning(run(WATCH, theirs), "PermissionError") == "compiled 2"
    assert run(WATCH) == ["compiled 0"]


def test_a_full_disk_is_told(run, tmp_path):
    full = REFUSE.format(
        condition="writes and '.nb' in path",
        error="OSError(errno.ENOSPC, 'No space left on device')",
    )
    assert _one_warning(run(WATCH, full), "No space left") == "compiled 2"
    assert _files(tmp_path, "nb?") == []
    assert run(WATCH) == ["compiled 2"]


READ_ONLY = REFUSE.format(
    condition="writes and not path.startswith('/dev')",
    error="PermissionError(13, 'read-only')",
)


def test_a_warm_cache_that_is_read_only_is_used(run, tmp_path):
    run(WATCH)
    assert run(WATCH, READ_ONLY) == ["compiled 0"]
    # As in an image: beside the sources, and the only directory of all.
    (cache,) = (tmp_path / "cache").iterdir()
    shutil.copytree(cache, tmp_path / "__pycache__", dirs_exist_ok=True)
    shutil.rmtree(cache)
    assert run(WATCH, READ_ONLY, NUMBA_CACHE_DIR="") == ["compiled 0"]
    # Not where numba can write what it was asked to write.
    assert run(WATCH) == ["compiled 2"]
    # What is missing there is saved elsewhere.
    for path in (tmp_path / "__pycache__").glob("*.2.nbc"):
        path.unlink()
    here = f"path.startswith({str(tmp_path / '__pycache__')!r})"
    beside = READ_ONLY.replace("not path.startswith('/dev')", here)
    home = {"HOME": str(tmp_path), "XDG_CACHE_HOME": "", "NUMBA_CACHE_DIR": ""}
    assert run(WATCH, beside, **home) == ["compiled 1"]
    assert run(WATCH, beside, **home) == ["compiled 0"]


def test_nowhere_to_write_is_told(run):
    assert _one_warning(run(WATCH, READ_ONLY), "No directory") == "compiled 2"


def test_a_warning_that_is_an_error_comes_once(run, tmp_path):
    run(WATCH)
    for path in _files(tmp_path, "nbi"):
        path.write_bytes(b"")
    lines = run("""
        import warnings
        from kernels import array, total
        warnings.simplefilter("error")
        try:
            total(array)
        except RuntimeWarning:
            print("told", total(array))
    """)
    assert lines == ["told 14.0"]
    run(WATCH)
    assert run(WATCH) == ["compiled 0"]


def test_without_the_compiler(run, tmp_path):
    lines = run(
        "from kernels import *; print(total(array), slowly(array))",
        NUMBA_DISABLE_JIT="1",
    )
    assert lines == ["14.0 1.5"] and not (tmp_path / "cache").exists()


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
FORK = """
import os, signal, threading, time, warnings
import numpy as np
from kernels import array, slowly, total
warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside threads

def child():
    signal.alarm(20)
    try:
        assert total(array.astype("f4")) == 14.0  # which is to be compiled
        os._exit(0)
    finally:
        os._exit(1)

def fork():
    pid = os.fork()
    if pid == 0:
        child()
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
"""


@needs_fork
@pytest.mark.parametrize(
    ("before", "compiled"),
    [
        ("", "slowly"),  # imports numba first
        ("total(array)", "slowly"),
        # What numba itself sets up at its very first call it does without a lock.
        ("import numba; total(array)", "numba.njit(slowly.function)"),
    ],
    ids=["the first", "ours", "one of the user's"],
)
def test_fork_while_another_thread_compiles(run, before, compiled):
    lines = run(
        FORK
        + f"""
{before}
thread = threading.Thread(target=lambda: {compiled}(array))
thread.start()
codes = []
while thread.is_alive():
    time.sleep(0.2)
    codes.append(fork())
print(set(codes))
"""
    )
    assert lines == ["{0}"]


INTERRUPT = """
import os, signal, sys, threading, time, warnings
import numpy as np
from kernels import array, slowly, total
signal.signal(signal.SIGINT, signal.default_int_handler)

def interrupt(seconds):
    threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGINT)).start()
"""


@pytest.mark.skipif(os.name == "nt", reason="os.kill would end the process there")
def test_ctrl_c_while_compiling_comes_at_once_and_harms_nothing(run):
    """As often as it comes; the code is there in the end.

    The compilation ends after the last one: if one waited for it, both would wait for
    ever.
    """
    lines = run(
        INTERRUPT
        + """
import numba.core.event as events
total(array)  # numba is there
begun, interrupted = threading.Event(), threading.Event()

class Compilation(events.Listener):
    def on_start(self, event):
        if event.data["dispatcher"] is slowly.dispatcher:
            begun.set()

    def on_end(self, event):
        if event.data["dispatcher"] is slowly.dispatcher:
            interrupted.wait()

came = 0  # while it compiles
with events.install_listener("numba:compile", Compilation()):
    while came < 20:
        try:
            interrupt(0.03)
            slowly(array)
            break
        except KeyboardInterrupt:
            came += begun.is_set()
    print(came)
    interrupted.set()
    print(slowly(array), len(slowly.dispatcher.signatures))
print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)
"""
    )
    assert lines == ["20", "1.5 1", "True"]


@pytest.mark.skipif(os.name == "nt", reason="os.kill would end the process there")
def test_ctrl_c_at_the_very_first_call_leaves_numba_whole(run):
    """While it is imported, that is."""
    lines = run(
        INTERRUPT
        + """
for seconds in (0.02, 0.1, 0.2):
    interrupt(seconds)
    try:
        total(array)
        time.sleep(1)
    except KeyboardInterrupt:
        print("interrupted", threading.current_thread() is threading.main_thread())
print(total(array))
"""
    )
    assert lines == ["interrupted True"] * 3 + ["14.0"]


@pytest.mark.skipif(os.name == "nt", reason="os.kill would end the process there")
def test_a_handler_of_the_users_runs_while_a_kernel_compiles(run):
    lines = run(
        INTERRUPT
        + """
total(array)
def handler(*_):
    print("handled", not slowly.dispatcher.signatures)
signal.signal(signal.SIGINT, handler)
slowly.dispatcher
interrupt(0.1)
slowly(array)
print(len(slowly.dispatcher.signatures), signal.getsignal(signal.SIGINT) is handler)
"""
    )
    assert lines == ["handled True", "1 True"]


def test_an_error_of_the_compiler_is_the_callers(run):
    process = run("from kernels import total; total('text')", check=False)
    assert process.returncode == 1 and "TypingError" in process.stderr


def test_of_processes_that_start_at_once_one_compiles(tmp_path):
    """The others wait for its code."""
    pytest.importorskip("fcntl")
    (tmp_path / "kernels.py").write_text(KERNELS)
    script = """
import numba.core.event as events
from kernels import array, slowly
with events.install_recorder("numba:compile") as seen:
    assert slowly(array) == 1.5
names = [event.data["dispatcher"].__name__ for _, event in seen.buffer]
print(sum(name == "slowly" for name in names) // 2)
"""
    paths = [str(tmp_path), *(path for path in sys.path if path)]
    environment = os.environ | {
        "NUMBA_CACHE_DIR": str(tmp_path / "cache"),
        "PYTHONPATH": os.pathsep.join(paths),
    }
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    compiled = [int(process.communicate(timeout=100)[0]) for process in processes]
    assert sorted(compiled) == [0, 0, 1]


HOLD = """
import sys, time
from kernels import array
from skgoodmin.kernels.process_lock import alone
with alone(sys.argv[1], "kernel"):
    print("held", flush=True)
    time.sleep(100)
"""


def test_nobody_waits_for_long(tmp_path, monkeypatch):
    """For a process that has been suspended, or at all for one that has ended."""
    pytest.importorskip("fcntl")
    from skgoodmin.kernels import process_lock

    (tmp_path / "kernels.py").write_text(KERNELS)
    folder = tmp_path / "not there yet"
    paths = [str(tmp_path), *(path for path in sys.path if path)]
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout.readline() == "held\n"
        pauses: list = []
        monkeypatch.setattr(process_lock.time, "sleep", pauses.append)
        with process_lock.alone(str(folder), "another") as alone:
            assert alone and not pauses
        with process_lock.alone(str(folder), "kernel", patience=0.0) as alone:
            assert not (alone or pauses)
        with process_lock.alone(str(folder), "kernel", patience=0.1) as alone:
            assert pauses and not alone
    finally:
        holder.kill()
        holder.communicate()
    pauses.clear()
    with process_lock.alone(str(folder), "kernel", patience=0.0) as alone:
        assert alone and not pauses


def test_a_folder_that_can_not_be_made_is_no_error(tmp_path):
    from skgoodmin.kernels.process_lock import alone

    (tmp_path / "file").write_text("")
    with alone(str(tmp_path / "file" / "folder"), "kernel") as is_known:
        assert not is_known


def test_who_waits_is_told(run, tmp_path):
    """The log once in a process, a listener of each kernel; nobody of a warm cache."""
    script = """
import logging, sys
from kernels import array, total
from skgoodmin.kernels.kernel_cache import listening
form = "%(name)s %(message)s"
logging.basicConfig(level=logging.INFO, format=form, stream=sys.stdout)
with listening(lambda sentence: print("told", sentence)):
    total(array)
    total(array.astype("f4"))
total(array.astype("i8"))
"""
    told = [line for line in run(script) if "Compiling" in line]
    assert len(told) == 3 and all(str(tmp_path / "cache") in line for line in told)
    logged = [line for line in told if line.startswith("skgoodmin Compiling")]
    assert len(logged) == 1 and sum(line.startswith("told") for line in told) == 2
    assert not any("Compiling" in line for line in run(script))
