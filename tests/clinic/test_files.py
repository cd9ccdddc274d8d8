"""Files at rest and on their way in: sealed in frames, told by content, looked into by a process that may break."""

import io
import os
import subprocess
import sys
from datetime import date

import pytest
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from django.db import transaction
from PIL import Image

from clinic.db.cipher import CannotDecrypt
from clinic.files import examine as examining
from clinic.files.examine import DRAW, MOST_BYTES, Unfit, examine, shown_name
from clinic.files.frames import FRAME, TAG, Damaged, Opened, Sealed
from clinic.models import Document, FileKey, StoredFile
from tests.clinic.test_rotate_keys import keys, ring, rotate  # noqa: F401  a fixture
from tests.pictures import HEIC, docx, odt, pdf, picture, zipped

KEY = b"k" * 32


def sealed(content, name="a", key=KEY):
    return Sealed(io.BytesIO(content), key, name).read()


def opened(content, name="a", key=KEY):
    return Opened(io.BytesIO(content), key, name).read()


# Frames


@pytest.mark.parametrize("size", [0, 1, FRAME - 1, FRAME, FRAME + 1, 3 * FRAME, 3 * FRAME + 17])
def test_what_is_sealed_opens_again_and_is_not_to_be_read_before(size):
    content = os.urandom(size)
    there = sealed(content)
    assert opened(there) == content
    assert size < 16 or content[:16] not in there
    assert len(there) == 4 + size + TAG * max(1, -(-size // FRAME))


def test_a_source_that_gives_little_at_a_time_seals_the_same():
    class Slow(io.BytesIO):
        def read(self, size=-1):
            return super().read(min(size, 1000) if size >= 0 else 1000)

    content = os.urandom(2 * FRAME + 5)
    assert b"".join(Sealed(Slow(content), KEY, "a").chunks()) == sealed(content)
    assert b"".join(Opened(Slow(sealed(content)), KEY, "a").chunks(777)) == content


@pytest.mark.parametrize("at", [0, 3, 4, 20, FRAME, FRAME + TAG + 3, 2 * FRAME + 2 * TAG, -1])
def test_a_flipped_bit_is_seen(at):
    there = bytearray(sealed(os.urandom(2 * FRAME + 100)))
    there[at] ^= 1
    with pytest.raises(Damaged):
        opened(bytes(there))


@pytest.mark.parametrize("length", [0, 3, 4, 10, 4 + FRAME + TAG, 4 + 2 * (FRAME + TAG), -1])
def test_a_cut_end_is_seen_also_between_two_frames(length):
    with pytest.raises(Damaged):
        opened(sealed(os.urandom(3 * FRAME))[:length])


def test_what_is_added_moved_or_taken_from_another_file_is_seen():
    one, two = sealed(os.urandom(3 * FRAME)), sealed(os.urandom(3 * FRAME), key=b"t" * 32)
    step = FRAME + TAG
    head, first, second, last = one[:4], one[4:4 + step], one[4 + step:4 + 2 * step], one[4 + 2 * step:]
    for wrong in (one + b"x", one + last, head + second + first + last, head + first + last, head + last,
                  head + first + two[4 + step:4 + 2 * step] + last):  # fmt: skip
        with pytest.raises(Damaged):
            opened(wrong)
    for other in ({"name": "b"}, {"key": b"x" * 32}):
        with pytest.raises(Damaged):
            opened(one, **other)


def test_no_byte_of_a_changed_frame_is_given_out():
    content = os.urandom(3 * FRAME)
    there = bytearray(sealed(content))
    there[4 + FRAME + TAG + 9] ^= 1
    seen = []
    with pytest.raises(Damaged):
        seen.extend(Opened(io.BytesIO(bytes(there)), KEY, "a").chunks(4096))
    assert b"".join(seen) == content[:FRAME]


# In the storage


@pytest.fixture
def letter(cast):
    return Document.add(by=cast.desk, patient=cast.ada, kind="letter", content=b"Dear Ada", name="to Ada.txt").file


def on_disk(file):
    return storages["files"].path(file.path)


def test_the_disk_holds_a_random_name_and_nothing_readable(letter):
    name = os.path.basename(on_disk(letter))
    assert name == letter.key_id.hex
    assert len(name) == 32
    with open(on_disk(letter), "rb") as file:
        content = file.read()
    assert b"Dear" not in content
    assert b"Ada" not in content
    assert os.stat(on_disk(letter)).st_mode & 0o077 == 0
    assert letter.content() == b"Dear Ada"


def test_two_files_that_change_places_are_seen(cast, letter):
    other = Document.add(by=cast.desk, patient=cast.ada, kind="letter", content=b"Dear Bob", name="b.txt").file
    one, two = on_disk(letter), on_disk(other)
    os.rename(one, f"{one}.x")
    os.rename(two, one)
    os.rename(f"{one}.x", two)
    assert (letter.content(), other.content()) == (None, None)


def test_a_file_that_is_gone_is_no_crash(letter, caplog):
    os.remove(on_disk(letter))
    assert letter.content() is None
    assert str(letter.pk) in caplog.text
    assert "to Ada" not in caplog.text


def test_keys_of_files_are_wrapped_anew_and_files_are_not_touched(keys, cast):  # noqa: F811
    file = Document.add(by=cast.desk, patient=cast.ada, kind="letter", content=b"Dear Ada", name="a.txt").file
    before = os.stat(on_disk(file)).st_mtime_ns, open(on_disk(file), "rb").read()
    keys.KEYRING = ring("new", "old")
    assert "1 of 1 keys of files" in rotate()
    keys.KEYRING = ring("new")
    assert FileKey.objects.get().ring_key == "new"
    assert StoredFile.objects.get(pk=file.pk).content() == b"Dear Ada"
    assert (os.stat(on_disk(file)).st_mtime_ns, open(on_disk(file), "rb").read()) == before


def test_a_key_of_a_file_that_does_not_open_stops_the_rotation_whole(keys, cast):  # noqa: F811
    file = Document.add(by=cast.desk, patient=cast.ada, kind="letter", content=b"Dear Ada", name="a.txt").file
    FileKey.objects.filter(pk=file.key_id).update(ring_key="lost")
    keys.KEYRING = ring("new", "old")
    with pytest.raises(CommandError, match="lacks the key 'lost'"):
        rotate()
    with pytest.raises(CannotDecrypt):
        FileKey.objects.get().unwrapped()


def test_the_key_of_one_file_does_not_open_as_that_of_another(cast, letter):
    other, _ = FileKey.make()
    other.wrapped = FileKey.objects.get(pk=letter.key_id).wrapped
    with pytest.raises(CannotDecrypt):
        other.unwrapped()


def check(*arguments):
    out = io.StringIO()
    call_command("check_files", *arguments, stdout=out)
    return out.getvalue()


def test_files_are_checked_and_what_is_wrong_is_named(cast, letter):
    assert "1 stored file is as it was kept" in check()
    with open(on_disk(letter), "r+b") as file:
        file.write(b"X")
    with pytest.raises(CommandError, match=str(letter.pk)):
        check()


def test_what_a_rollback_left_behind_is_found_and_taken_away(cast, letter):
    with transaction.atomic():
        lost = Document.add(by=cast.desk, patient=cast.ada, kind="letter", content=b"Dear Bob", name="b.txt").file
        transaction.set_rollback(True)
    assert os.path.exists(on_disk(lost))
    assert "1 file without a key" in check()
    check("--delete-strays")
    assert not os.path.exists(on_disk(lost))
    assert os.path.exists(on_disk(letter))


@pytest.fixture(autouse=True)
def own_folder(tmp_path, settings):
    """A storage of the test's own, so that nothing of other tests lies in it."""
    storage = storages["files"]
    before = storage._location
    storage._location = str(tmp_path / "files")
    for name in ("base_location", "location"):
        storage.__dict__.pop(name, None)
    yield
    storage._location = before
    for name in ("base_location", "location"):
        storage.__dict__.pop(name, None)


# What a file is


@pytest.mark.wide
@pytest.mark.parametrize(
    ("content", "media_type", "facts"),
    [
        (picture("JPEG"), "image/jpeg", (None, 400, 300)),
        (picture("PNG"), "image/png", (None, 400, 300)),
        (picture("WEBP"), "image/webp", (None, 400, 300)),
        (picture("TIFF"), "image/tiff", (1, 400, 300)),
        (pdf(3), "application/pdf", (3, None, None)),
        (HEIC, "image/heic", (None, None, None)),
        ("Grüße <ada@patients.example>\r\n".encode(), "text/plain", (None, None, None)),
        (docx(), "application/vnd.openxmlformats-officedocument.wordprocessingml.document", (None, None, None)),
        (odt(), "application/vnd.oasis.opendocument.text", (None, None, None)),
    ],
)
def test_a_file_is_what_its_content_says_whatever_it_is_called(content, media_type, facts):
    found = examine(content, "holiday.exe")
    assert found.kind.media_type == media_type
    assert (found.pages, found.width, found.height) == facts


MODES = ["RGB", "L", "1", "P", "RGBA", "CMYK", "I;16"]
NOT_WRITTEN = {("JPEG", "P"), ("JPEG", "RGBA"), ("JPEG", "I;16"), ("PNG", "CMYK")}


@pytest.mark.wide
@pytest.mark.parametrize(
    ("form", "mode"),
    [(form, mode) for form in ("JPEG", "PNG", "WEBP", "TIFF") for mode in MODES if (form, mode) not in NOT_WRITTEN],
)
def test_pictures_are_drawn_anew_of_every_form_and_mode(form, mode):
    content = picture(form, (800, 500), mode)
    pictures = {each.use: each for each in examine(content).pictures}
    assert {use: (each.width, each.height) for use, each in pictures.items()} == {
        "preview": (800, 500),
        "thumbnail": (240, 150),
    }
    for each in pictures.values():
        with Image.open(io.BytesIO(each.content)) as drawn:
            assert (drawn.format, drawn.size) == ("WEBP", (each.width, each.height))


def test_a_picture_that_lies_on_its_side_is_drawn_upright_and_says_nothing_of_its_maker():
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Secret camera"
    found = examine(picture("JPEG", (400, 200), exif=exif))
    assert (found.pictures[0].width, found.pictures[0].height) == (200, 400)
    assert all(b"Secret" not in each.content for each in found.pictures)


def test_a_sixteen_bit_picture_is_not_drawn_all_white():
    image = Image.new("I;16", (40, 40), 20000)
    out = io.BytesIO()
    image.save(out, "PNG")
    with Image.open(io.BytesIO(examine(out.getvalue()).pictures[0].content)) as drawn:
        assert 60 < drawn.convert("L").getpixel((20, 20)) < 100


def test_a_locked_pdf_is_kept_without_a_picture():
    locked = (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n"
        b"3 0 obj<</Filter/Standard/V 1/R 2/O(" + b"o" * 32 + b")/U(" + b"u" * 32 + b")/P -4>>endobj\n"
        b"trailer<</Root 1 0 R/Encrypt 3 0 R/ID[(aaaaaaaaaaaaaaaa)(aaaaaaaaaaaaaaaa)]>>\n%%EOF"
    )
    assert examine(locked, "locked.pdf").pictures == ()


@pytest.mark.wide
@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("empty.pdf", b"", "empty"),
        ("large.txt", b"a" * (MOST_BYTES + 1), "large"),
        ("page.png", b"<html><script>alert(1)</script>", "kind"),
        ("drawing.svg", b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "kind"),
        ("hidden.txt", b"Dear Ada,\n<SCRIPT>alert(1)</SCRIPT>", "kind"),
        ("run.txt", b"#!/bin/sh\nrm -rf /", "kind"),
        ("page.php", b"hello <?php system('id'); ?>", "kind"),
        ("utf16.txt", "<html><script>".encode("utf-16"), "kind"),
        ("nul.txt", b"a\x00b", "kind"),
        ("setup.pdf", b"MZ\x90\x00" + b"\x00" * 80, "kind"),
        ("moving.gif", b"GIF89a" + b"\x00" * 40, "kind"),
        ("late.pdf", b"junk\n%PDF-1.7", None),
        ("archive.docx", zipped({"a.txt": "a"}), "kind"),
        ("macros.docx", docx(**{"word/vbaProject.bin": "x"}), "macros"),
        ("bomb.docx", docx(**{"word/media/a.xml": "0" * 210_000_000}), "bomb"),
        ("cut.jpg", picture("JPEG")[:600], "damaged"),
        ("cut.pdf", b"%PDF-1.7\n1 0 obj", "damaged"),
        ("cut.docx", docx()[:60], "damaged"),
        ("wide.png", picture("PNG", (60_001, 1000), "1"), "pixels"),
    ],
)
def test_what_is_not_kept_is_refused_in_a_sentence_with_its_name(name, content, code):
    if code is None:  # text that only mentions a PDF is text
        assert examine(content, name).kind.extension == "txt"
        return
    with pytest.raises(Unfit) as refused:
        examine(content, name)
    assert (refused.value.code, refused.value.message.startswith(f"{name} was not added. ")) == (code, True)


@pytest.mark.wide
def test_a_reader_that_breaks_or_hangs_ends_in_a_sentence(monkeypatch, tmp_path):
    for broken in ("import os; os.abort()", "while True: pass", "x = bytearray(10**11)", "print('no JSON', end='')",
                   "import time; time.sleep(60)"):  # fmt: skip
        script = tmp_path / "draw.py"
        script.write_text(f"import resource; resource.setrlimit(resource.RLIMIT_CPU, (1, 1))\n{broken}")
        monkeypatch.setattr(examining, "DRAW", script)
        monkeypatch.setattr(examining, "PATIENCE", 2)
        with pytest.raises(Unfit, match="far more time or memory"):
            examine(picture(), "scan.jpg")


def test_the_reader_may_use_so_much_and_no_more():
    source = (
        "import runpy, resource, sys; space = runpy.run_path(sys.argv[1]); space['limit'](); "
        "print([resource.getrlimit(getattr(resource, name))[1] for name in ('RLIMIT_CPU', 'RLIMIT_AS', 'RLIMIT_FSIZE')])"
    )
    said = subprocess.run([sys.executable, "-I", "-c", source, DRAW], capture_output=True, text=True, check=True).stdout
    assert said.strip() == f"[10, {1536 * 1024 * 1024}, {8 * 1024 * 1024}]"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ada\\card.png", "card.png"),
        ("/etc/cron.d/x", "x"),
        ("invoice‮gpj.exe", "invoice gpj.exe"),
        ("a\r\nSet-Cookie: x.pdf", "a Set-Cookie: x.pdf"),
        ("...", "unnamed"),
        ("", "unnamed"),
        (None, "unnamed"),
        ("x" * 400 + ".pdf", "x" * 140 + "….pdf"),
        ("Überweisung 日本.pdf", "Überweisung 日本.pdf"),
    ],
)
def test_a_name_is_text_to_show_and_never_a_path(name, shown):
    assert shown_name(name) == shown


def test_dates_of_today_are_the_clinics(cast):
    paper = Document.add(by=cast.desk, patient=cast.ada, kind="letter", content=b"Dear Ada")
    assert paper.received_on == cast.clinic.today()
    assert isinstance(paper.received_on, date)
