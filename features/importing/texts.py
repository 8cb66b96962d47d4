"""Text files line by line: whatever ends a line, and whatever in one cannot be read said beside it."""

from __future__ import annotations

import codecs
import gzip
import io
import re
from typing import IO, TYPE_CHECKING, NamedTuple

import orjson

from features.importing.problems import MappingError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from features.importing.finding import Found

LONGEST = 1 << 21
"""Characters of a line or record at most: where there are more, a quote or a line end is missing."""
KEPT = 10_000
"""Characters of a line that the quarantine keeps."""

_PIECE = 1 << 20
_BLOCK = 1 << 16
_UTF_8 = "utf-8-sig"
_APART = "kairos-apart"
_FIRST_APART = 0xDC00
_ODD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\udc00-\udcff]")
_UNDECODED = re.compile("[\udc00-\udcff]")
_MIXED = b""
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r"))
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def _set_apart(error: UnicodeError) -> tuple[str, int]:
    """Stand lone surrogates in for bytes that cannot be decoded: no decoder yields them otherwise."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(chr(_FIRST_APART + byte) for byte in error.object[error.start : error.end]), error.end


codecs.register_error(_APART, _set_apart)


class Line(NamedTuple):
    """A line with its end, and why it cannot be read where it cannot."""

    number: int
    text: str
    why: str | None


class Odd(NamedTuple):
    """A line, or several that belong together, that cannot be read: from which number on, and why."""

    number: int
    text: str
    why: str

    def row(self, file: Found) -> str:
        """Return what the quarantine keeps of it, as JSON."""
        text = _ODD.sub(_as_bytes, self.text)
        cut = {"cut": f"the first {KEPT} characters are kept"} if len(text) > KEPT else {}
        kept = {"file": file.shown, "number": self.number, "why": self.why, "line": text[:KEPT], **cut}
        return orjson.dumps(kept).decode()


def _as_bytes(odd: re.Match[str]) -> str:
    return f"\\x{ord(odd[0]) % _FIRST_APART:02x}"


def codec_of(encoding: str | None) -> str:
    """Return the codec that reads ``encoding``; UTF-8 with or without a mark where none is named."""
    name = codecs.lookup(encoding or _UTF_8).name
    return _UTF_8 if name == "utf-8" else name


class Lines:
    """The lines of a file, ended by LF, CR LF or CR or all of them: one by one, or many at a time."""

    def __init__(self, file: Found, encoding: str | None) -> None:
        self._codec = codec_of(encoding)
        self._blocks = _blocks(file, self._codec)
        self._block: list[str] = []
        self._at = 0
        self._dropped = 0
        self._number = 0

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> Line:
        """Return the next line."""
        if not self._more():
            raise StopIteration
        text = self._block[self._at]
        dropped = self._dropped if self._at == 0 else 0
        self._at += 1
        self._number += 1
        if len(text) + dropped > LONGEST:
            why = f"the line has {len(text) + dropped} characters; at most {LONGEST} are read"
            return Line(self._number, text[: KEPT + 1], why)
        return Line(self._number, text, _why(text, self._codec) if _ODD.search(text) else None)

    def many(self) -> list[str]:
        """Return the next lines as they are, if nothing in them is odd; :meth:`skip` goes past them."""
        if not self._more() or self._at:
            return []
        if len(self._block[0]) + self._dropped > LONGEST or max(map(len, self._block)) > LONGEST:
            return []
        if _ODD.search("".join(self._block)):
            return []
        return self._block

    def skip(self) -> None:
        """Go past the lines that :meth:`many` returned."""
        self._at = len(self._block)
        self._number += self._at

    def _more(self) -> bool:
        if self._at == len(self._block):
            self._block, self._dropped = next(self._blocks, ([], 0))
            self._at = 0
        return bool(self._block)


def _blocks(file: Found, codec: str) -> Iterator[tuple[list[str], int]]:
    """Yield lines with their ends, and how much of the first was dropped: what is too long is not kept whole."""
    with io.TextIOWrapper(_bytes(file), encoding=codec, errors=_APART, newline="") as text:
        begun, dropped = "", 0
        mark = "\ufeff"  # left by the codecs that name their byte order
        while piece := text.read(_BLOCK).removeprefix(mark):
            mark = ""
            block = io.StringIO(begun + piece, newline="").readlines()
            begun = "" if block[-1][-1] in "\r\n" else block.pop()
            if block:
                yield block, dropped
                dropped = 0
            if len(begun) > LONGEST or dropped:
                dropped += max(len(begun) - KEPT - 1, 0)
                begun = begun[: KEPT + 1]
        if begun:
            yield [begun], dropped


def _bytes(file: Found) -> IO[bytes]:
    # The wrapper that reads it as text closes it.
    return gzip.open(file.path) if file.packed else file.path.open("rb")  # type: ignore[return-value]


def _why(text: str, codec: str) -> str:
    undecoded = _UNDECODED.search(text)
    if undecoded is None:
        return f"it holds the control character U+{ord(_ODD.search(text)[0]):04X}"  # type: ignore[index]  # it was found
    if codec != _UTF_8:
        return f"it holds bytes that are no {codec}"
    looks = _looks_like(bytes(ord(c) % _FIRST_APART for c in _UNDECODED.findall(text)))
    return f"it holds bytes that are no UTF-8; if the whole file is {looks}, write encoding: {looks} in its source"


def _looks_like(strange: bytes) -> str:
    try:
        strange.decode("windows-1252")
    except UnicodeDecodeError:
        return "latin-1"
    return "windows-1252"


def check_encoding(file: Found, encoding: str | None) -> None:
    """Refuse a file that is plainly of another encoding than UTF-8, where none is named.

    Raises:
        MappingError: naming the encoding it looks like.
    """
    if codec_of(encoding) != _UTF_8:
        return
    with _bytes(file) as raw:
        begun = raw.read(4096)
    looks = next((name for mark, name in _MARKS.items() if begun.startswith(mark)), None) or _wide(begun)
    if looks:
        raise MappingError(
            f"file {file.shown} looks like {looks}, not UTF-8: write encoding: {looks} in its source"
        )


def _wide(begun: bytes) -> str | None:
    """Tell UTF-16 without its mark: every other byte of a Latin text is NUL."""
    half = len(begun) // 2
    for name, zeros in (("utf-16-le", begun[1::2]), ("utf-16-be", begun[::2])):
        if half and zeros.count(0) > half * 0.7:
            return name
    return None


def plain(file: Found, encoding: str | None) -> bool:
    """Tell whether nothing needs a second look: UTF-8, one kind of line end, no controls, no blank first line.

    A packed file is read to its end, should it be cut short.
    """
    if codec_of(encoding) != _UTF_8:
        return False
    decoder = codecs.getincrementaldecoder("utf-8")()
    held, ends = codecs.BOM_UTF8, None
    with _bytes(file) as raw:
        while piece := raw.read(_PIECE):
            if held == codecs.BOM_UTF8 and piece.removeprefix(held)[:1] in (b"\r", b"\n"):
                return False
            piece, held = (b"" if held == codecs.BOM_UTF8 else held) + piece, b""
            if piece.endswith(b"\r"):
                piece, held = piece[:-1], b"\r"
            found = _ends(piece)
            ends = found if ends is None else ends
            if found not in (None, ends) or len(piece.translate(None, _CONTROLS)) < len(piece):
                return False
            if not _decodes(decoder, piece):
                return False
    return held != b"\r" and ends != _MIXED and _decodes(decoder, b"", final=True)


def _ends(piece: bytes) -> bytes | None:
    """Return what ends the lines of ``piece``, None where it has no end."""
    returns = piece.count(b"\r")
    if not returns:
        return b"\n" if b"\n" in piece else None
    return b"\r\n" if returns == piece.count(b"\r\n") == piece.count(b"\n") else _MIXED


def _decodes(decoder: codecs.IncrementalDecoder, piece: bytes, *, final: bool = False) -> bool:
    if not final and piece.isascii() and not decoder.getstate()[0]:
        return True
    try:
        decoder.decode(piece, final)
    except UnicodeDecodeError:
        return False
    return True
