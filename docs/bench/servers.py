"""Starts a side as it would serve: gunicorn with two sync workers, on a port of its own, ended with the run."""
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from docs.bench.client import Browser
from docs.bench.databases import ROOT, environment, postmaster

PATIENCE = 60  # seconds until the first answer


class Server:
    """`with Server("config.wsgi", url, first="/livez") as server:` and `server.url` answers."""

    def __init__(self, application, database_url, first, **more):
        self.application, self.first = application, first
        self.environment = {**environment(database_url), **more}
        self.postgres = None if database_url.startswith("sqlite") else postmaster()

    def __enter__(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", self.application, "--bind", f"127.0.0.1:{port}", "--workers", "2",
             "--worker-class", "sync", "--log-level", "warning"],
            cwd=ROOT, env=self.environment, start_new_session=True)
        started = time.monotonic()
        while True:
            try:
                Browser(self.url).get(self.first)
                return self
            except OSError:
                if self.process.poll() is not None or time.monotonic() - started > PATIENCE:
                    self.__exit__()
                    raise RuntimeError(f"{self.application} did not start; its reason stands above.") from None
                time.sleep(0.05)

    def cpu(self):
        """Milliseconds of processor time that it and its workers have used, and on PostgreSQL the database's processes."""
        return processor_time(self.process.pid) + (processor_time(self.postgres) if self.postgres else 0)

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()


def processor_time(pid):
    """Milliseconds that a process and its living descendants have run."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except FileNotFoundError:  # one of PostgreSQL's helpers, gone since its parent named it
        return 0
    own = (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")
    return own + sum(processor_time(child) for child in children)
