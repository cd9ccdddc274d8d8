"""A load client on raw sockets: on two cores it shares the processor with the server, so it must cost next to nothing."""
import ipaddress
import re
import socket
import statistics
import time
from urllib.parse import urlencode, urlsplit

TOKEN = re.compile(rb'name="csrfmiddlewaretoken" value="([^"]+)"')
LOCATION = re.compile(rb"^location: *([^\r\n]+)", re.I | re.M)
LENGTH = re.compile(rb"^content-length: *(\d+)", re.I | re.M)
COOKIE = re.compile(rb"^set-cookie: *([^=]+)=([^;\r\n]*)", re.I | re.M)
CLOSES = re.compile(rb"^connection: *close", re.I | re.M)
FORM = "application/x-www-form-urlencoded"


class Answer:
    __slots__ = ("body", "head", "status")

    def __init__(self, status, head, body):
        self.status, self.head, self.body = status, head, body

    @property
    def location(self):
        found = LOCATION.search(self.head)
        return found.group(1).decode() if found else ""


class Browser:
    """One visitor with cookies; speaks only to this machine."""

    def __init__(self, url, **cookies):
        parts = urlsplit(url)
        self.place = (parts.hostname, parts.port)
        if not ipaddress.ip_address(parts.hostname).is_loopback:
            raise ValueError(f"{url} is not on this machine. The bench measures over loopback only.")
        self.cookies, self.wire = cookies, None

    def get(self, path):
        return self.ask("GET", path)

    def post(self, path, form):
        """Send a form, with the token of the cookie where there is one."""
        if token := self.cookies.get("csrftoken"):
            form = {"csrfmiddlewaretoken": token, **form}
        return self.ask("POST", path, urlencode(form).encode())

    def ask(self, method, path, body=b""):
        head = [f"{method} {path} HTTP/1.1", f"Host: {self.place[0]}:{self.place[1]}"]
        if self.cookies:
            head.append("Cookie: " + "; ".join(f"{name}={value}" for name, value in self.cookies.items()))
        if method == "POST":
            head += [f"Content-Type: {FORM}", f"Content-Length: {len(body)}"]
        self._connect()
        self.wire.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + body)
        return self._read()

    def _connect(self):
        if self.wire is None:
            self.wire = socket.create_connection(self.place, timeout=60)
            self.wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _read(self):
        """One answer. Both servers give a length or close the connection: sync workers keep none open."""
        data = bytearray()
        while (end := data.find(b"\r\n\r\n")) < 0:
            self._more(data)
        head, length = bytes(data[:end]), LENGTH.search(data[:end])
        if length:
            while len(data) < end + 4 + int(length.group(1)):
                self._more(data)
        if not length or CLOSES.search(head):
            while part := self.wire.recv(65536):
                data += part
            self.close()
        for name, value in COOKIE.findall(head):
            self.cookies[name.decode()] = value.decode()
        return Answer(int(head[9:12]), head, bytes(data[end + 4:]))

    def _more(self, data):
        part = self.wire.recv(65536)
        if not part:
            raise ConnectionError("The server hung up in the middle of an answer.")
        data += part

    def close(self):
        if self.wire is not None:
            self.wire.close()
            self.wire = None

    def sign_in(self, path, **fields):
        """Through the page's own form."""
        token = TOKEN.search(self.get(path).body)
        answer = self.ask("POST", path, urlencode({"csrfmiddlewaretoken": token.group(1).decode(), **fields}).encode())
        if answer.status != 302:
            raise ValueError(f"{path} answered the sign-in with {answer.status}.")
        return self


def timed(call, wanted, seconds, most=10_000):
    """Call again and again for so long; milliseconds of each. Any other status than `wanted` is an error: no error is fast."""
    spent, end = [], time.perf_counter() + seconds
    while len(spent) < most and (before := time.perf_counter()) < end:
        answer = call()
        after = time.perf_counter()
        if answer.status != wanted:
            raise ValueError(f"Got {answer.status} instead of {wanted}: {answer.body[:300]!r}")
        spent.append((after - before) * 1000)
    return spent


def median(spent):
    return statistics.median(spent)
