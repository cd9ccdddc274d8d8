"""Hostile files against a live server: none runs, none escapes, no worker dies, and each gets an answer."""

import http.client
import io
import os
import re
import time
from pathlib import Path
from urllib.parse import unquote
from uuid import uuid4

import pytest
from PIL import Image

from clinic.files.kinds import KINDS
from clinic.models import Document
from tests.hostile import hostile
from tests.races.client import TOKEN, Browser

COUNT = 300 if "CAMPAIGN" in os.environ else 24
LONGEST = 30  # seconds

pytestmark = [pytest.mark.race, pytest.mark.wide]


class Sender(Browser):
    """A browser that sends a file, with a name that the client's own library would refuse to write."""

    def file(self, path, name, content):
        """(status, what was said)"""
        mark = uuid4().hex.encode()
        parts = b"".join(
            b'--%b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n' % (mark, field, value)
            for field, value in ((b"kind", b"other"), (b"csrfmiddlewaretoken", TOKEN.encode()))
        )
        shown = name.replace('"', "%22").replace("\r\n", "%0D%0A").encode(errors="surrogateescape")
        body = parts + (
            b'--%b\r\nContent-Disposition: form-data; name="files"; filename="%b"\r\n' % (mark, shown)
            + b"Content-Type: text/html\r\n\r\n%b\r\n--%b--\r\n" % (content, mark)
        )
        headers = self.headers() | {
            "Content-Type": f"multipart/form-data; boundary={mark.decode()}", "HX-Request": "true",
            "Idempotency-Key": uuid4().hex}  # fmt: skip
        return self.ask("POST", path, body, headers)

    def ask(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection(self.host, timeout=LONGEST)
        try:
            connection.request(method, path, body, headers or self.headers())
            answer = connection.getresponse()
            return answer, answer.read()
        finally:
            connection.close()


def test_no_hostile_file_runs_escapes_or_kills_a_worker(clone, live, files_dir, tmp_path):
    server = live(workers=2, threads=4)
    desk, before = Sender(server.url, clone.user("receptionist")), set(server.worker_pids())
    outside = set(tmp_path.parent.iterdir())
    wrong, kept, slowest = [], 0, 0
    for name, content in hostile(COUNT):
        started = time.monotonic()
        answer, said = desk.file(f"/patients/{clone.ada.pk}/documents/add/", name, content)
        slowest = max(slowest, time.monotonic() - started)
        if answer.status not in (201, 400, 409, 413, 422):
            wrong.append((name[:60], answer.status))
        elif answer.status != 201 and not said.decode().strip():
            wrong.append((name[:60], "nothing said"))
        kept += answer.status == 201
    print(f"\n{COUNT} hostile files: {kept} kept as what they are, {COUNT - kept} refused, the slowest took {slowest:.1f} s")
    assert wrong == []
    assert set(server.worker_pids()) == before
    assert slowest < LONGEST
    assert Document.objects.count() == kept
    for document in Document.objects.select_related("file"):
        wrong += served_wrongly(desk, document)
    assert wrong == []
    for page in (f"/patients/{clone.ada.pk}/documents/", f"/patients/{clone.ada.pk}/history/"):
        answer, said = desk.ask("GET", page)
        assert answer.status == 200
        assert b"<script>document" not in said
        assert b"<img src=x" not in said
    lies = [str(path.relative_to(files_dir)) for path in Path(files_dir).rglob("*") if path.is_file()]
    assert [path for path in lies if not re.fullmatch(r"([0-9a-f]{2})/\1[0-9a-f]{30}", path)] == []
    assert set(tmp_path.parent.iterdir()) == outside


def served_wrongly(desk, document):
    """What of a kept file's answer would let it run or be taken for something else."""
    answer, content = desk.ask("GET", f"/documents/{document.pk}/content/")
    disposition = unquote(answer.getheader("Content-Disposition", ""))
    name = re.search(r"""filename\*?=(?:utf-8'')?"?(.*?)"?$""", disposition)[1]
    checks = {
        "status": answer.status == 200,
        "type": answer.getheader("Content-Type") in KINDS,
        "as it came": len(content) == document.file.size,
        "attachment": disposition.startswith("attachment"),
        "name": not re.search(r"[/\\<>\r\n\x00]|\.\.", name) and name.endswith(f".{document.file.kind.extension}"),
        "nosniff": answer.getheader("X-Content-Type-Options") == "nosniff",
        "policy": answer.getheader("Content-Security-Policy") == "sandbox; default-src 'none'",
    }
    answer, content = desk.ask("GET", f"/documents/{document.pk}/preview/")
    if answer.status == 200:
        with Image.open(io.BytesIO(content)) as picture:
            picture.load()
            checks["picture"] = (picture.format, answer.getheader("Content-Type")) == ("WEBP", "image/webp")
            checks["nothing else in it"] = b"script" not in content
    else:
        checks["picture"] = answer.status == 404
    return [(document.pk, document.file.name[:60], what) for what, holds in checks.items() if not holds]


def test_the_generator_makes_as_many_as_asked_and_the_same_each_time():
    whole = hostile(300)
    assert (len(whole), len(hostile(40)), len({name for name, _ in whole})) == (300, 40, 300)
    assert hostile(300)[-100:] == whole[-100:]
