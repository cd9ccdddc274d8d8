"""Small real files of every kind that is taken, made when a test asks for them."""

import io
import time
import zipfile

from PIL import Image, ImageDraw

EPOCH = time.gmtime(0)  # the same file each time


def picture(form="JPEG", size=(400, 300), mode="RGB", colour=0, **more):
    """A picture with something on it, so that no two of different colours are alike."""
    image = Image.new(mode, size, "white" if mode == "RGB" else 0)
    if mode == "RGB":
        ImageDraw.Draw(image).rectangle((10, 10, 60 + colour % 90, 60), fill=(colour * 7 % 256, 40, 90))
    out = io.BytesIO()
    image.save(out, form, **more)
    return out.getvalue()


def pdf(pages=1, size=(850, 1100), colour=0):
    first, *rest = [Image.new("RGB", size, (255, 255 - number, colour % 256)) for number in range(pages)]
    out = io.BytesIO()
    first.save(out, "PDF", save_all=True, append_images=rest, creationDate=EPOCH, modDate=EPOCH)
    return out.getvalue()


def zipped(parts):
    """A ZIP of {name: content}, in this order."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def docx(**more):
    return zipped({"[Content_Types].xml": "<Types/>", "word/document.xml": "<w:document/>", **more})


def odt():
    return zipped({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": "<office/>"})


HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + b"\x00" * 40
