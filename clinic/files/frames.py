"""The form of a file at rest: a mark, then frames of 64 KiB, each sealed with AES-256-GCM under the file's own key.

A frame's nonce is its number and whether it is the last one, and each frame is bound to the file's name. So a flipped bit,
a frame that is missing, moved or taken from another file, and a cut end are all seen. A key seals one file only, which is
why numbers can be nonces. Nothing is read or written as a whole.
"""
import io
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MARK = b"CSF1"
FRAME = 64 * 1024
TAG = 16


class Damaged(Exception):
    """What is stored is not what was sealed: changed, cut, or another file. The message names the file, nothing of its content."""


def _nonce(number, is_last):
    return struct.pack(">xxxQ?", number, is_last)


class Frames(io.RawIOBase):
    """A stream that gives, frame by frame, what `_frames` makes."""

    def __init__(self, source, key, name):
        super().__init__()
        self.source, self.cipher, self.bound_to = source, AESGCM(key), name.encode()
        self.made, self.left = self._frames(), b""

    def readable(self):
        return True

    def readinto(self, buffer):
        if not self.left:
            self.left = next(self.made, b"")
        count = min(len(buffer), len(self.left))
        buffer[:count], self.left = self.left[:count], self.left[count:]
        return count

    def chunks(self, chunk_size=None):
        """All of it in pieces, as Django's storages ask for it."""
        while piece := self.read(chunk_size or FRAME):
            yield piece

    def _pieces(self, size):
        """(piece, whether it is the last) of the source; an empty source is one empty piece."""
        piece = _read_full(self.source, size)
        while True:
            following = _read_full(self.source, size) if len(piece) == size else b""
            yield piece, not following
            if not following:
                return
            piece = following


class Sealed(Frames):
    """Reads plain bytes from `source`, gives what may lie on a disk."""

    def _frames(self):
        yield MARK
        for number, (piece, is_last) in enumerate(self._pieces(FRAME)):
            yield self.cipher.encrypt(_nonce(number, is_last), piece, self.bound_to)


class Opened(Frames):
    """Reads what lies on a disk from `source`, gives the plain bytes; Damaged instead of a byte that was not sealed here.

    The first frame is opened at once: a file that does not open says so before an answer has begun.
    """

    def __init__(self, source, key, name):
        super().__init__(source, key, name)
        self.left = next(self.made)

    def _frames(self):
        if _read_full(self.source, len(MARK)) != MARK:
            raise Damaged(f"The file {self.bound_to.decode()} does not begin as our files do.")
        for number, (piece, is_last) in enumerate(self._pieces(FRAME + TAG)):
            try:
                yield self.cipher.decrypt(_nonce(number, is_last), piece, self.bound_to)
            except InvalidTag as error:
                raise Damaged(f"The file {self.bound_to.decode()} was changed or cut at frame {number}.") from error

    def readinto(self, buffer):
        while not self.left:  # an empty frame is no end
            frame = next(self.made, None)
            if frame is None:
                return 0
            self.left = frame
        return super().readinto(buffer)

    def close(self):
        self.source.close()
        super().close()


def _read_full(source, size):
    """Exactly `size` bytes, fewer only at the end: a stream may give less than it was asked for."""
    parts, missing = [], size
    while missing and (part := source.read(missing)):
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)
