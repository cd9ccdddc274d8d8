"""A mail server that misbehaves as it is told: takes, refuses, hangs, or dies before or after it took a letter."""

import random
import socketserver
import threading
import time

FAULTS = ["takes", "refuses", "hangs", "hangs_after", "dies", "dies_after"]


class Session(socketserver.StreamRequestHandler):
    """One connection: enough SMTP for one letter after the other."""

    def say(self, line):
        self.wfile.write(f"{line}\r\n".encode())

    def handle(self):
        fault, to = self.server.fault(), []
        self.say("220 fake")
        while line := self.rfile.readline().decode().strip():
            verb = line.split(":")[0].split()[0].upper()
            if verb == "RCPT":
                to.append(line.split("<")[1].split(">")[0])
                self.say("550 not today" if fault == "refuses" else "250 ok")
            elif verb == "DATA":
                self.say("354 go on")
                while self.rfile.readline() not in (b".\r\n", b""):
                    pass
                if not self.take(fault, to):
                    return
            elif verb == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")

    def take(self, fault, to):
        """Whether the line holds after the letter's last dot."""
        if fault in ("takes", "hangs_after", "dies_after"):
            self.server.taken(to)
        if fault in ("hangs", "hangs_after"):
            time.sleep(self.server.hangs)
        if fault != "takes":
            return False
        time.sleep(self.server.works)
        self.say("250 taken")
        return True


class MailServer(socketserver.ThreadingTCPServer):
    """`letters`: {address: how often a letter to it was taken}. `healthy`: it misbehaves no more."""

    daemon_threads = allow_reuse_address = True
    hangs, works = 3, 0.02

    def __init__(self, seed=1):
        super().__init__(("127.0.0.1", 0), Session)
        self.chance, self.letters, self.healthy = random.Random(seed), {}, False
        self.lock = threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"smtp://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request, client_address):
        """A client that was killed is what the test is about."""

    def fault(self):
        with self.lock:
            return "takes" if self.healthy or self.chance.random() < 0.4 else self.chance.choice(FAULTS)

    def taken(self, addresses):
        with self.lock:
            for address in addresses:
                self.letters[address] = self.letters.get(address, 0) + 1
