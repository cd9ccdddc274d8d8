"""Which files are taken, told by their first bytes alone: a name and what a browser says of a file prove nothing."""
from dataclasses import dataclass


@dataclass(frozen=True)
class FileKind:
    """A kind of file that we keep. `drawn`: the part of draw.py that opens it; empty: it is kept and never opened by us."""

    word: str
    media_type: str
    extension: str
    drawn: str = ""


PDF = FileKind("PDF", "application/pdf", "pdf", "pdf")
JPEG = FileKind("JPEG picture", "image/jpeg", "jpg", "JPEG")
PNG = FileKind("PNG picture", "image/png", "png", "PNG")
WEBP = FileKind("WebP picture", "image/webp", "webp", "WEBP")
TIFF = FileKind("TIFF picture", "image/tiff", "tif", "TIFF")
HEIC = FileKind("HEIC picture", "image/heic", "heic")
TEXT = FileKind("plain text", "text/plain", "txt")
DOCX = FileKind("Word document", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx")
ODT = FileKind("OpenDocument text", "application/vnd.oasis.opendocument.text", "odt")
# A ZIP may be one of the two above; draw.py looks into it.
ZIP = FileKind("text document", "application/zip", "zip", "zip")

KINDS = {kind.media_type: kind for kind in (PDF, JPEG, PNG, WEBP, TIFF, HEIC, TEXT, DOCX, ODT)}
TAKEN = "PDF, JPEG, PNG, WebP, TIFF, HEIC, plain text, Word (.docx) and OpenDocument text (.odt)"
# What the chooser of files offers; the content decides.
ACCEPT = ".pdf,.jpg,.jpeg,.png,.webp,.tif,.tiff,.heic,.txt,.docx,.odt"
PICTURES = "image/jpeg,image/png,image/webp"

HEAD = 64
HEIC_BRANDS = {b"heic", b"heix", b"mif1", b"msf1", b"heim", b"heis"}
LONGEST_TEXT = 1024 * 1024
# A text with one of these is a page or a program, whatever it is called.
ACTIVE = (b"<script", b"<html", b"<!doctype", b"<svg", b"<iframe", b"<object", b"<embed", b"<?php", b"<?xml", b"javascript:")


def kind_of(file):
    """The kind of this file; None for one that we don't take."""
    file.seek(0)
    head = file.read(HEAD)
    for marks, kind in (
            ((b"%PDF-",), PDF), ((b"\xff\xd8\xff",), JPEG), ((b"\x89PNG\r\n\x1a\n",), PNG), ((b"II*\0", b"MM\0*"), TIFF),
            ((b"PK\x03\x04",), ZIP)):
        if head.startswith(marks):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return WEBP
    if head[4:8] == b"ftyp" and head[8:12] in HEIC_BRANDS:
        return HEIC
    return TEXT if is_plain_text(file) else None


def is_plain_text(file):
    """Whether it is text that only a person reads: UTF-8, no control characters, nothing that a browser or a shell runs."""
    file.seek(0)
    content = file.read(LONGEST_TEXT + 1)
    if not content.strip() or len(content) > LONGEST_TEXT:
        return False
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    if any(ord(char) < 32 and char not in "\t\n\r\f" for char in text):
        return False
    lower = content.lower()
    return not text.lstrip().startswith(("#!", "<")) and not any(mark in lower for mark in ACTIVE)
