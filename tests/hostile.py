"""Files that are meant to do harm, the same for the same count: wrong types, bombs, polyglots, names that climb, spoilt ones."""

import functools
import itertools
import random
import struct
import zlib

from tests.pictures import HEIC, docx, odt, pdf, picture, zipped

SCRIPT = b"<script>document.title='RAN'</script>"
NAMES = [
    "../../../../etc/passwd", "..\\..\\boot.ini", "/etc/cron.d/evil", "C:\\Windows\\win.ini", "a.pdf/../../b.pdf",
    "....//x.jpg", "nul\x00byte.pdf", "CON", "aux.jpg", ".htaccess", "..",
    "x" * 3000 + ".pdf", "card.pdf\r\nSet-Cookie: a=b", 'q"uo;te.pdf',
    "‮gpj.exe", "%2e%2e%2fx.pdf", "<img src=x onerror=alert(1)>.png", "{{7*7}}.pdf", "$(id).jpg", "`id`.pdf", "日本\U0001f9b7.pdf",
    "a.pdf;.exe", "file.php.jpg", "-rf.pdf", "|cat.pdf", "\u2028line.pdf", "CLOCK$", "a" * 250, " ", "photo.svg\x00.png",
]  # fmt: skip


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width, height, content=b"", *more):
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + b"".join(more) + chunk(b"IDAT", content) + chunk(b"IEND", b"")


def wrong_types():
    """(name, content): what claims to be one thing and is another."""
    nothing = b"\x00" * 200
    raw = [
        b"MZ\x90\x00" + nothing, b"\x7fELF\x02\x01\x01" + nothing, b"#!/bin/sh\nrm -rf /\n", b"@echo off\r\ndel *\r\n\x00",
        b"<?php system($_GET['x']); ?>", b"<html>" + SCRIPT, b"<!DOCTYPE html>" + SCRIPT, b"\xef\xbb\xbf<html>" + SCRIPT,
        b" \n\t<svg onload=alert(1)>", b'<svg xmlns="http://www.w3.org/2000/svg">' + SCRIPT + b"</svg>",
        b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>", b"<!--" + SCRIPT + b"-->",
        ("<html>" + SCRIPT.decode()).encode("utf-16"), ("<html>" + SCRIPT.decode()).encode("utf-32"),
        b"+ADw-script+AD4-\x00", b"GIF89a/*" + nothing + b"*/=1;alert(1)", b"BM" + nothing, b"\x1f\x8b\x08" + nothing,
        b"7z\xbc\xaf\x27\x1c" + nothing, b"Rar!\x1a\x07\x00", b"%!PS-Adobe-3.0\n(%pipe%id) (w) file", b"SQLite format 3\x00",
        b"\x80\x04\x95cos\nsystem\n(S'id'\ntR.", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + nothing,
        b"{\\rtf1\\object\\objdata 0105}\x00", b"\x00\x00\x00\x18ftypmp42" + nothing, b"ID3\x03" + nothing, b"OggS" + nothing,
        nothing * 25, b"\xff" * 5000, b"II*\x00", b"MM\x00*", b"RIFF\x04\x00\x00\x00WEBP",
        zipped({"META-INF/MANIFEST.MF": "Main-Class: X", "X.class": "x"}), zipped({"../../evil.sh": "#!/bin/sh"}), zipped({}),
    ]  # fmt: skip
    for number, content in enumerate(raw):
        yield f"scan {number}.{('pdf', 'png', 'jpg', 'docx', 'txt')[number % 5]}", content


def bombs():
    flat = zlib.compress(b"\x00" * 30_000_000, 9)
    yield "wide.png", png(60_000, 60_000, flat)
    yield "tall.png", png(1, 2_147_483_647, flat)
    yield "lying.png", png(7_000, 8_000, zlib.compress(b"\x00" * 100))
    yield "text.png", png(4, 4, zlib.compress(b"\x00" * 60), chunk(b"zTXt", b"a\0\0" + flat))
    yield "colour.png", png(4, 4, zlib.compress(b"\x00" * 60), chunk(b"iCCP", b"a\0\0" + flat))
    yield "large.png", picture("PNG", (7_700, 7_700), "1")
    yield "large.jpg", picture("JPEG", (7_000, 8_000), "L")
    head = picture("JPEG", (64, 64))
    at = head.index(b"\xff\xc0") + 5
    yield "huge.jpg", head[:at] + b"\xff\xdc\xff\xdc" + head[at + 4:]
    yield "huge.webp", b"RIFF\x30\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff" + b"\x00" * 30
    tiff = picture("TIFF", (64, 64))
    yield "loop.tif", tiff[:-4] + tiff[4:8]
    yield "huge.tif", tiff.replace(struct.pack("<HHII", 256, 4, 1, 64), struct.pack("<HHII", 256, 4, 1, 2**31 - 1))
    yield "bomb.docx", docx(**{"word/media/image1.png": "0" * 220_000_000})
    yield "many.docx", docx(**{f"word/{number}": "" for number in range(6_000)})
    yield "macros.docx", docx(**{"word/vbaProject.bin": "x"})
    yield "bomb.odt", zipped({"mimetype": "application/vnd.oasis.opendocument.text" + " " * 9_000_000, "content.xml": ""})
    yield from pdf_bombs()


def pdf_of(*objects, root=1):
    body, places = b"%PDF-1.7\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(body))
        body += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return body + b"xref\n0 %d\n0000000000 65535 f \n%btrailer<</Size %d/Root %d 0 R>>\nstartxref\n%d\n%%%%EOF" % (
        len(objects) + 1, table, len(objects) + 1, root, len(body))  # fmt: skip


def stream(content, extra=b""):
    return b"<<%b/Length %d>>stream\n%b\nendstream" % (extra, len(content), content)


def page(content, *more, box=b"[0 0 600 800]", resources=b"<<>>"):
    return pdf_of(
        b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox%b/Contents 4 0 R/Resources%b>>" % (box, resources), content, *more)  # fmt: skip


def pdf_bombs():
    deflated = b"/Filter/FlateDecode"
    yield "zeros.pdf", page(stream(zlib.compress(b" " * 300_000_000, 9), deflated))
    twice = zlib.compress(zlib.compress(b"0 0 m 9 9 l S\n" * 4_000_000, 9), 9)
    yield "twice.pdf", page(stream(twice, b"/Filter[/FlateDecode/FlateDecode]"))
    yield "lines.pdf", page(stream(zlib.compress(b"0 0 m 600 800 l 0 800 l b*\n" * 1_000_000, 9), deflated))
    yield "endless.pdf", pdf_of(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[2 0 R 2 0 R]/Count 1000000>>")
    yield "many.pdf", pdf_of(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[]/Count 99999999>>")
    itself = stream(b"/X Do /X Do", b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X 5 0 R>>>>")
    yield "itself.pdf", page(stream(b"/X Do"), itself, resources=b"<</XObject<</X 5 0 R>>>>")
    yield "vast.pdf", page(stream(b""), box=b"[0 0 99999999 1]")
    yield "nowhere.pdf", page(stream(b""), box=b"[0 0 0 0]")
    yield "deep.pdf", page(stream(b"[" * 200_000 + b"]" * 200_000))
    picture_of = stream(zlib.compress(b"\x00" * 1000), b"/Type/XObject/Subtype/Image/Width 60000/Height 60000/ColorSpace/DeviceRGB"
                        b"/BitsPerComponent 8" + deflated)  # fmt: skip
    yield "image.pdf", page(stream(b"600 0 0 800 0 0 cm /X Do"), picture_of, resources=b"<</XObject<</X 5 0 R>>>>")
    yield "action.pdf", pdf_of(
        b"<</Type/Catalog/Pages 2 0 R/OpenAction<</S/JavaScript/JS(app.alert\\(1\\))>>>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/AA<</O<</S/Launch/F(cmd.exe)>>>>>>")  # fmt: skip


def polyglots():
    jpeg, image, sheet = picture("JPEG"), picture("PNG"), pdf()
    comment = b"\xff\xfe" + struct.pack(">H", len(SCRIPT) + 2) + SCRIPT
    yield "comment.jpg", jpeg[:2] + comment + jpeg[2:]
    yield "after.jpg", jpeg + b"<html>" + SCRIPT
    yield "page.jpg.html", jpeg + SCRIPT
    yield "archive.jpg", jpeg + zipped({"a.html": SCRIPT})
    yield "words.png", image[:33] + chunk(b"tEXt", b"Comment\0" + SCRIPT) + image[33:]
    yield "after.png", image + b"<?php system('id'); ?>"
    yield "page.pdf", b"%PDF-1.7\n<!--" + SCRIPT + b"-->\n" + sheet[9:]
    yield "after.pdf", sheet + SCRIPT
    yield "archive.pdf", sheet + docx()
    yield "program.tif", picture("TIFF") + b"MZ\x90\x00"
    yield "words.webp", picture("WEBP") + SCRIPT
    yield "page.docx", docx(**{"word/evil.html": SCRIPT.decode()})
    outside = "<Relationship Target='file:///etc/passwd' TargetMode='External'/>"
    yield "outside.docx", docx(**{"word/_rels/document.xml.rels": outside})
    yield "before.docx", SCRIPT + docx()
    yield "words.heic", HEIC + SCRIPT
    yield "quiet.txt", b"Dear Ada,\n\n=cmd|' /C calc'!A0\njava\tscript:alert(1)\n"
    yield "late.pdf", b"x" * 600 + sheet
    yield "svg.png", b"\x89PNG\r\n\x1a\n<svg onload=alert(1)>"


def names():
    contents = [pdf(), picture("JPEG"), picture("PNG"), b"Dear Ada"]
    for number, name in enumerate(NAMES):
        yield name, contents[number % 4] + (b"" if number % 4 else b"\n%% %d" % number)


def spoilt(seed=1):
    """Real files with bytes turned, cut out and written twice; endless."""
    chance = random.Random(seed)
    whole = [picture(form, (90, 60)) for form in ("JPEG", "PNG", "WEBP", "TIFF")]
    whole += [pdf(2), docx(), odt(), page(stream(b"0 0 m 9 9 l S"))]
    for number in itertools.count():
        content = bytearray(chance.choice(whole))
        for _ in range(chance.randint(1, 40)):
            at = chance.randrange(len(content))
            content[at] = chance.randrange(256)
        if chance.random() < 0.4:
            start = chance.randrange(len(content))
            del content[start:start + chance.randrange(1, 400)]
        if chance.random() < 0.2:
            content += content[chance.randrange(len(content) or 1):]
        yield f"spoilt {number}.{chance.choice(['pdf', 'jpg', 'png', 'docx'])}", bytes(content)


@functools.cache
def made_once():
    return tuple(wrong_types()), tuple(bombs()), tuple(polyglots()), tuple(names())


def hostile(count):
    """`count` of them, of each sort as many as there are, the rest spoilt ones."""
    sorts = [list(sort) for sort in made_once()]
    if count < sum(map(len, sorts)):  # a part of each sort, spread over it
        sorts = [sort[:: max(1, round(sum(map(len, sorts)) / count))] for sort in sorts]
    made = [file for sort in sorts for file in sort][:count]
    return made + list(itertools.islice(spoilt(), count - len(made)))
