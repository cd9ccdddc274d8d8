"""One command serves: web and cluster start, two may run at once with one cluster, Ctrl-C stops both."""
import os
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest
from django.db import connection

pytestmark = pytest.mark.wide

ROOT = Path(__file__).resolve().parent.parent.parent


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def children(pid):
    out = subprocess.run(["pgrep", "-P", str(pid), "-a"], capture_output=True, text=True, check=False).stdout
    return out.strip().splitlines()


class Served:
    def __init__(self, database, port, **env):
        self.url, self.log = f"http://127.0.0.1:{port}", database.with_name(f"serve-{port}.log")
        environment = {
            **os.environ,
            "ENVIRONMENT": "dev",
            "DATABASE_URL": f"sqlite:///{database}",
            "PORT": str(port),
            "DEMO": "0",
            "WEB_WORKERS": "1",
            **env,
        }
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [ROOT / "bin" / "serve"], cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT
            )

    def wait(self):
        deadline = time.monotonic() + 400  # how fast it starts is measured elsewhere; here other tests take the machine
        while "Chairside runs at" not in self.log.read_text():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)
        return self

    def clusters(self):
        return [line for line in children(self.process.pid) if "qcluster" in line]

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(15)


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """One for all starts here: only the first has to make its tables."""
    return tmp_path_factory.mktemp("served") / "practice.sqlite3"


@pytest.fixture
def serve(database):
    if connection.vendor != "sqlite":
        pytest.skip("the command is the same on both; shown once, on the embedded default")
    started = []

    def start(**env):
        started.append(Served(database, free_port(), **env).wait())
        return started[-1]

    yield start
    for served in started:
        served.stop()


def until(claim, seconds=15):
    deadline = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_two_run_at_once_with_one_cluster_and_the_second_takes_over(serve):
    one, two = serve(), serve()
    for served in (one, two):
        assert urllib.request.urlopen(f"{served.url}/readyz").status == 200  # noqa: S310
    until(lambda: one.clusters())
    assert not two.clusters()
    assert "create_practice" in one.log.read_text()
    pids = [line.split()[0] for line in children(one.process.pid)]
    assert one.stop() == 0
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))
    until(lambda: two.clusters())


def test_a_taken_port_is_said(database):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [ROOT / "bin" / "serve"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env={**os.environ, "ENVIRONMENT": "dev", "DEMO": "0", "PORT": port, "DATABASE_URL": f"sqlite:///{database}"},
        )
    assert done.returncode != 0
    assert "PORT=8001" in done.stderr
