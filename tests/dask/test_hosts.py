"""Scheduler, client and workers on hosts of their own, whose network may fail.

A host is a network namespace of this machine with a cable, a pair of virtual interfaces
to a switch that is a namespace too. A cable that is pulled is worse than a process that
dies: nobody is told, and connections stay open.
"""

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("distributed")

pytestmark = pytest.mark.slow
CLIENT = Path(__file__).with_name("client_on_host.py")
HOSTS = {"scheduler": 1, "client": 2, "a": 3, "b": 4}
ADDRESS = "tcp://10.77.0.1:8786"
LIMIT = 300  # seconds of a fit
TIMEOUTS = {  # seconds after which silence is the end, 30 by default
    "DASK_DISTRIBUTED__COMM__TIMEOUTS__TCP": "12s",
    "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "20s",
}


class Network:
    """Hosts by their names in HOSTS, and a switch."""

    def __init__(self):
        self.name = f"skgoodmin{os.getpid()}"

    def host(self, name):
        return f"{self.name}-{name}"

    def ip(self, *words):
        subprocess.run(["ip", *words], check=True, capture_output=True, text=True)

    def __enter__(self):
        switch = self.host("switch")
        self.ip("netns", "add", switch)
        self.ip("-n", switch, "link", "add", "bridge", "type", "bridge")
        self.ip("-n", switch, "link", "set", "bridge", "up")
        for name, number in HOSTS.items():
            host = self.host(name)
            self.ip("netns", "add", host)
            ends = "link", "add", "cable", "type", "veth", "peer", "name", name
            self.ip("-n", host, *ends, "netns", switch)
            self.ip("-n", switch, "link", "set", "dev", name, "master", "bridge", "up")
            self.ip("-n", host, "addr", "add", f"10.77.0.{number}/24", "dev", "cable")
            self.ip("-n", host, "link", "set", "cable", "up")
            self.ip("-n", host, "link", "set", "lo", "up")
        return self

    def __exit__(self, *error):
        for name in [*HOSTS, "switch"]:
            words = ["ip", "netns", "del", self.host(name)]
            subprocess.run(words, capture_output=True, check=False)

    def pull(self, name):
        """Pull the cable of a host."""
        self.ip("-n", self.host("switch"), "link", "set", "dev", name, "down")

    @contextlib.contextmanager
    def running(self, name, *words, **options):
        """Python on a host."""
        begin = ["ip", "netns", "exec", self.host(name), sys.executable]
        environment = os.environ | TIMEOUTS
        process = subprocess.Popen([*begin, *words], env=environment, **options)
        try:
            yield process
        finally:
            process.kill()
            process.wait()


@pytest.fixture
def network():
    if shutil.which("ip") is None:
        pytest.skip("there is no command ip, which makes hosts of their own")
    with contextlib.ExitStack() as stack:
        network = Network()
        stack.callback(network.__exit__)
        try:
            network.__enter__()
        except subprocess.CalledProcessError as error:
            pytest.skip(f"no hosts of their own can be made here: {error.stderr}")
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        scheduler = "-m", "distributed.cli.dask_scheduler", "--host", "10.77.0.1"
        stack.enter_context(
            network.running("scheduler", *scheduler, "--no-dashboard", **quiet)
        )
        worker = "-m", "distributed.cli.dask_worker", ADDRESS, "--nthreads", "1"
        for name in "ab":
            host = "--no-nanny", "--no-dashboard", "--host", f"10.77.0.{HOSTS[name]}"
            stack.enter_context(network.running(name, *worker, *host, **quiet))
        yield network


def _fitted(network, pulled):
    """(output, errors) of a client in the middle of whose fit a cable is pulled."""
    pipes = dict.fromkeys(["stdin", "stdout", "stderr"], subprocess.PIPE)
    with network.running("client", str(CLIENT), ADDRESS, text=True, **pipes) as client:
        said = client.stdout.readline()
        assert said == "middle\n", client.communicate(timeout=LIMIT)
        if pulled is not None:
            network.pull(pulled)
        return client.communicate("\n", timeout=LIMIT)  # or it is late, an error


def test_hosts_of_their_own(network):
    out, errors = _fitted(network, None)
    assert out == "same\n", errors


def test_a_worker_behind_a_pulled_cable_costs_no_bit(network):
    out, errors = _fitted(network, "a")
    assert out == "same\n", errors


@pytest.mark.parametrize("name", ["scheduler", "client"])
def test_a_pulled_cable_of_scheduler_or_client_is_an_error(network, name):
    out, errors = _fitted(network, name)
    assert out == "" and "client: the connection to the scheduler is lost" in errors
