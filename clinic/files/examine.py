"""What a file really is, before it is kept: its kind by content, its size, its fingerprint, and pictures of it.

Whatever parses runs in `draw.py`, a process of its own with limits, so that no file can break or hold up a worker.
"""
import hashlib
import io
import json
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError

from clinic.files.draw import MOST_PIXELS
from clinic.files.kinds import DOCX, ODT, TAKEN, kind_of

DRAW = Path(__file__).with_name("draw.py")
MOST_BYTES = 25 * 1024 * 1024
LONGEST_NAME = 150
PATIENCE = 15  # seconds
CHUNK = 64 * 1024
# Each may take a core and a gigabyte: the rest of the office goes on working meanwhile.
_TWO_AT_ONCE = threading.BoundedSemaphore(2)

SENTENCES = {
    "kind": f"It is none of the kinds that are kept here: {TAKEN}.",
    "pixels": f"It has {{megapixels}} megapixels; at most {MOST_PIXELS // 1_000_000} are taken. Make it smaller and add it again.",
    "bomb": "It would unpack to far more than a document holds, so it was not kept.",
    "macros": "It holds a program (macros), so it was not kept. Save it as PDF, or without macros.",
    "heavy": "Opening it takes far more time or memory than a document needs, so it was not kept. Print it to PDF, or scan it.",
    "damaged": "It can't be opened, so it may be damaged or not be a {word}. Save it anew, then add it again.",
    "empty": "There is nothing in it.",
    "large": f"It is larger than {MOST_BYTES // 1024 // 1024} MB.",
}


class Unfit(ValidationError):
    """This file is not kept; the sentence names it and says what to do."""


@dataclass(frozen=True)
class Picture:
    """A picture of a file, made by us: `use` is "preview" or "thumbnail"."""

    use: str
    width: int
    height: int
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class Examined:
    """A file that may be kept. `file` is a real file, open for reading."""

    file: Any
    name: str
    kind: Any
    size: int
    sha256: str
    pages: int | None = None
    width: int | None = None
    height: int | None = None
    pictures: tuple = ()


def shown_name(name):
    """The name that somebody gave a file, as text to show: no path, nothing unprintable, not endless."""
    last = str(name or "").replace("\\", "/").rpartition("/")[2]
    clean = " ".join("".join(char if char.isprintable() else " " for char in last).split()).strip(". ")
    stem, dot, extension = clean.rpartition(".")
    if len(clean) > LONGEST_NAME:
        clean = f"{stem[:LONGEST_NAME - 10]}…{dot}{extension[:8]}" if stem else clean[:LONGEST_NAME]
    return clean or "unnamed"


def examine(content, name=""):
    """Examined; or Unfit. `content`: bytes or an open file, perhaps one that was examined already."""
    if isinstance(content, Examined):
        return content
    if hasattr(content, "examined"):
        return content.examined()
    return examine_file(_copied(content), shown_name(name or getattr(content, "name", "")))


def _copied(content):
    """In a real file, which another process can read: unnamed, gone with us."""
    file = unnamed_file()
    source = io.BytesIO(content) if isinstance(content, bytes) else content
    source.seek(0)
    while piece := source.read(CHUNK):
        file.write(piece)
    return file


def unnamed_file():
    """Without a buffer of ours: the other process moves the place from which is read."""
    return tempfile.TemporaryFile(buffering=0)


def examine_file(file, name):
    """Examined; `file` is an unnamed one of ours."""
    size, sha256 = _measure(file)
    if not size or size > MOST_BYTES:
        raise unfit(name, "empty" if not size else "large")
    kind = kind_of(file)
    if kind is None:
        raise unfit(name, "kind")
    if not kind.drawn:
        return Examined(file, name, kind, size, sha256)
    facts, pictures = _draw(file, name, kind)
    if "wrong" in facts:
        raise unfit(name, facts["wrong"], word=kind.word, **facts)
    kind = {"docx": DOCX, "odt": ODT}.get(facts.get("kind"), kind)
    return Examined(
        file, name, kind, size, sha256, facts.get("pages"), facts.get("width"), facts.get("height"), pictures)


def _measure(file):
    file.seek(0)
    digest, size = hashlib.sha256(), 0
    while piece := file.read(CHUNK):
        digest.update(piece)
        size += len(piece)
        if size > MOST_BYTES:
            break
    return size, digest.hexdigest()


def _draw(file, name, kind):
    """(facts, pictures) that draw.py tells of a file."""
    file.seek(0)
    with _TWO_AT_ONCE, tempfile.TemporaryFile() as answer:
        try:
            done = subprocess.run(
                [sys.executable, "-I", DRAW, kind.drawn], stdin=file.fileno(), stdout=answer, stderr=subprocess.DEVNULL,
                timeout=PATIENCE, env={}, cwd="/", check=False)
        except subprocess.TimeoutExpired:
            return {"wrong": "heavy"}, ()
        answer.seek(0)
        line = answer.readline()
        if done.returncode or not line.endswith(b"\n"):  # ended by the kernel, or by its own reader
            return {"wrong": "heavy"}, ()
        facts = json.loads(line)
        pictures = tuple(
            Picture(use, width, height, answer.read(length)) for use, width, height, length in facts.pop("pictures"))
    return facts, pictures


def unfit(name, reason, **facts):
    """The refusal of a file, which begins with its name."""
    return Unfit(f"{name} was not added. {SENTENCES[reason].format(**facts)}", code=reason)
