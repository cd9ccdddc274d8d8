"""gunicorn for live tests: started once for each way of starting it, and kept for the tests that follow."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from urllib.error import HTTPError

ROOT = Path(__file__).resolve().parent.parent


class Server:
    def __init__(self, workers, threads, app, env):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", app, "-b", f"127.0.0.1:{port}", "-w", str(workers), "--threads", str(threads),
             "-k", "gthread", "--preload", "--log-level", "error", "--graceful-timeout", "5"],
            cwd=ROOT, env={**os.environ, "ENVIRONMENT": "test", **env}, start_new_session=True)  # fmt: skip

    def worker_pids(self):
        out = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True, check=False).stdout
        return [int(pid) for pid in out.split()]

    def wait(self):
        deadline = time.monotonic() + 30
        while True:
            try:
                urllib.request.urlopen(f"{self.url}/readyz", timeout=2).close()  # noqa: S310
                return self
            except OSError as error:
                if isinstance(error, HTTPError) or self.process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def stop(self):
        try:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


class Servers:
    def __init__(self):
        self.running = {}

    def get(self, workers=2, threads=4, app="tests.served", **env):
        """The one that was started this way before, if it still lives."""
        way = (workers, threads, app, *sorted(env.items()))
        if way not in self.running or self.running[way].process.poll() is not None:
            self.running[way] = Server(workers, threads, app, env)
        return self.running[way].wait()

    def stop(self):
        for server in self.running.values():
            server.stop()
