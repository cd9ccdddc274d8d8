"""Opens one foreign file and draws pictures of it: a program of its own, as what it reads may be made to break it.

Run by `clinic.files.examine` with the file as its input and the answer as its output: a line of JSON, then the bytes of
the pictures. It imports nothing of ours, limits itself before it imports a reader, and may write nowhere but its output.
"""
import io
import json
import os
import resource
import sys

MEGA = 1024 * 1024
MOST_PIXELS = 60_000_000
MOST_UNPACKED = 200 * MEGA
EDGES = {"preview": 1600, "thumbnail": 240}
QUALITY = {"preview": 80, "thumbnail": 65}


def limit():
    """What this process may use at most; the kernel ends it beyond."""
    for what, most in (
            (resource.RLIMIT_CPU, 10), (resource.RLIMIT_FSIZE, 8 * MEGA), (resource.RLIMIT_NOFILE, 32),
            (resource.RLIMIT_CORE, 0), (resource.RLIMIT_AS, 1536 * MEGA)):
        resource.setrlimit(what, (most, most))


class Wrong(Exception):
    """A reason that examine.py knows a sentence for."""


def picture(kind):
    from PIL import Image, ImageOps, TiffImagePlugin, WebPImagePlugin  # noqa: F401  what is not imported isn't known

    Image.MAX_IMAGE_PIXELS = None  # asked below, before anything is unpacked
    with Image.open(sys.stdin.buffer, formats=[kind]) as image:
        width, height = image.size
        if width * height > MOST_PIXELS:
            raise Wrong("pixels", {"megapixels": width * height // 1_000_000})
        pages = getattr(image, "n_frames", 1) if kind == "TIFF" else None
        image.draft("RGB", (EDGES["preview"], EDGES["preview"]))
        image.load()
        return {"width": width, "height": height, "pages": pages}, ImageOps.exif_transpose(image)


def pdf(kind):
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(sys.stdin.buffer.read())
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            return {"locked": True}, None
        raise
    facts = {"pages": len(document)}
    page = document[0]
    scale = EDGES["preview"] / max(page.get_size())
    return facts, page.render(scale=scale, may_draw_forms=False).to_pil()


def zipped(kind):
    """Which text document a ZIP is, by its own table of contents; nothing of it is unpacked but the name of its type."""
    import zipfile

    with zipfile.ZipFile(sys.stdin.buffer) as archive:
        parts = archive.infolist()
        names = {part.filename for part in parts}
        if len(parts) > 5000 or sum(part.file_size for part in parts) > MOST_UNPACKED:
            raise Wrong("bomb", {})
        if any(name.lower().endswith(("vbaproject.bin", ".exe", ".js", ".bin")) or "Basic/" in name for name in names):
            raise Wrong("macros", {})
        if {"[Content_Types].xml", "word/document.xml"} <= names:
            return {"kind": "docx"}, None
        if "content.xml" in names and parts[0].filename == "mimetype" and parts[0].file_size < 100:
            if archive.read(parts[0]) == b"application/vnd.oasis.opendocument.text":
                return {"kind": "odt"}, None
    raise Wrong("kind", {})


def drawn(image):
    """[(use, width, height, WebP)] of a picture: fresh pixels on white, with nothing of what else the file holds."""
    from PIL import Image, WebPImagePlugin  # noqa: F401

    if image.mode.startswith("I;16"):
        image = image.point(lambda value: value / 256, "L")
    image.thumbnail((EDGES["preview"], EDGES["preview"]), reducing_gap=2.0)
    flat = Image.new("RGB", image.size, "white")
    seen = image.convert("RGBA")
    flat.paste(seen, mask=seen.getchannel("A"))
    for use, edge in EDGES.items():
        flat.thumbnail((edge, edge))
        out = io.BytesIO()
        flat.save(out, "WEBP", quality=QUALITY[use])
        yield use, *flat.size, out.getvalue()


def main(kind):
    limit()
    os.lseek(0, 0, os.SEEK_SET)
    pictures = []
    try:
        facts, image = {"pdf": pdf, "zip": zipped}.get(kind, picture)(kind)
        if image is not None:
            pictures = list(drawn(image))
    except Wrong as wrong:
        facts = {"wrong": wrong.args[0], **wrong.args[1]}
    except MemoryError:
        facts = {"wrong": "heavy"}
    except Exception:  # whatever a reader says of a file that it can't read
        facts = {"wrong": "damaged"}
    facts["pictures"] = [[use, width, height, len(content)] for use, width, height, content in pictures]
    sys.stdout.buffer.write(json.dumps(facts).encode() + b"\n" + b"".join(content for *_, content in pictures))


if __name__ == "__main__":
    main(sys.argv[1])
