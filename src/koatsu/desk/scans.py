"""What a paper is that somebody sends: PDF, PNG or JPEG, told by its content and never by its name.

A file is taken apart as far as its own structure goes, and never shown, run or unpacked. It is refused when
it is none of the three, broken, too large, two kinds of file at once, or able to do more than be looked at.
What stands behind the end of a picture (telephones put films there) is not kept. Pure.
"""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from koatsu.desk.pdf_check import check_pdf
from koatsu.desk.scan_faults import ScanFault, ScanRefusedError, refuse_large

__all__ = ["MOST_PIXELS", "Scan", "ScanKind", "inspect"]

MOST_PARTS: Final = 100_000  #: chunks of a PNG, segments of a JPEG; a picture has some dozens
MOST_PIXELS: Final = 250_000_000  #: A3 at 600 dpi has 70 million, the largest telephone camera 200 million


class ScanKind(StrEnum):
    """What is taken in."""

    PDF = "pdf"
    PNG = "png"
    JPEG = "jpeg"

    @property
    def media_type(self) -> str:
        """How it is called on the web."""
        return "application/pdf" if self is ScanKind.PDF else f"image/{self.value}"

    @property
    def suffix(self) -> str:
        """What its file name ends in."""
        return ".jpg" if self is ScanKind.JPEG else f".{self.value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """A file that is what it says: its kind, and the bytes that are kept."""

    kind: ScanKind
    content: bytes
    trimmed: bool  #: something behind the end of the picture was left out
    width: int = 0  #: pixels of a picture
    height: int = 0


def inspect(content: bytes, largest: int) -> Scan:
    """Look into a file without running anything of it.

    Args:
        content: the whole file.
        largest: bytes that it may have.

    Raises:
        ScanRefusedError: it is not taken; the error says why and what to do.
    """
    if not content:
        raise ScanRefusedError(ScanFault.EMPTY)
    refuse_large(len(content), largest)
    if content.startswith(_PNG):
        scan = _png(content)
    elif content.startswith(_JPEG):
        scan = _jpeg(content)
    elif content.startswith(b"%PDF-"):
        check_pdf(content)
        scan = Scan(kind=ScanKind.PDF, content=content, trimmed=False)
    else:
        what = next((words for sign, words in _OTHERS if sign.match(content)), "")
        raise ScanRefusedError(ScanFault.KIND, what=f" ({what})" if what else "")
    if scan.width * scan.height > MOST_PIXELS:
        raise ScanRefusedError(ScanFault.PIXELS, size=f"{scan.width:,} × {scan.height:,}")
    if _is_double(scan):
        raise ScanRefusedError(ScanFault.DOUBLE)
    return scan


# --- what is not taken, so that the sentence can name it -------------------------------------------------

_OTHERS: Final = tuple(
    (re.compile(sign, re.DOTALL | re.IGNORECASE), words)
    for sign, words in (
        (rb"....ftyp(heic|heix|mif1|msf1|hevc)", "HEIC"),
        (rb"PK\x03\x04|PK\x05\x06", "Word / Excel / ZIP"),
        (rb"\xd0\xcf\x11\xe0", "Word / Excel"),
        (rb"II\*\0|MM\0\*", "TIFF"),
        (rb"GIF8", "GIF"),
        (rb"BM....\0\0\0\0", "BMP"),
        (rb"RIFF....WEBP", "WebP"),
        (rb"....ftyp", "MP4 / MOV"),
        (rb"Rar!|7z\xbc\xaf|\x1f\x8b", "RAR / 7z / gzip"),
        (rb"MZ|\x7fELF|#!", "program"),
        (rb"\s*<(!doctype|html|script|svg|\?xml)", "HTML / XML"),
    )
)


# --- PNG: ISO/IEC 15948 ----------------------------------------------------------------------------------

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_HEADER: Final = struct.Struct(">IIBBBBB")
_COLOURS: Final = {0: {1, 2, 4, 8, 16}, 2: {8, 16}, 3: {1, 2, 4, 8}, 4: {8, 16}, 6: {8, 16}}
"""Type of colour -> bits of a sample that go with it (11.2.2)."""


def _png(content: bytes) -> Scan:
    at, header = len(_PNG), b""
    names: list[bytes] = []
    while not names or names[-1] != b"IEND":
        if len(names) == MOST_PARTS:
            raise ScanRefusedError(ScanFault.TANGLED)
        length, name = int.from_bytes(content[at : at + 4]), content[at + 4 : at + 8]
        end = at + 12 + length
        if end > len(content) or not name.isalpha():
            raise ScanRefusedError(ScanFault.BROKEN)
        if zlib.crc32(content[at + 4 : end - 4]) != int.from_bytes(content[end - 4 : end]):
            raise ScanRefusedError(ScanFault.BROKEN)
        if not names:
            header = content[at + 8 : end - 4]
        names.append(name)
        at = end
    if names[0] != b"IHDR" or len(header) != _HEADER.size or b"IDAT" not in names:
        raise ScanRefusedError(ScanFault.BROKEN)
    width, height, bits, colour, *_ = _HEADER.unpack(header)
    if not width or not height or bits not in _COLOURS.get(colour, ()):
        raise ScanRefusedError(ScanFault.BROKEN)
    return _picture(ScanKind.PNG, content, at, width, height)


# --- JPEG: ITU-T T.81, annex B ---------------------------------------------------------------------------

_JPEG: Final = b"\xff\xd8\xff"
_FRAMES: Final = frozenset(b"\xc0\xc1\xc2\xc3\xc5\xc6\xc7\xc9\xca\xcb\xcd\xce\xcf")  # SOF0 to SOF15
_ALONE: Final = frozenset(b"\x01\xd0\xd1\xd2\xd3\xd4\xd5\xd6\xd7")  # markers without a segment
_START, _SCAN, _END, _FILL = b"\xd8\xda\xd9\xff"
_FILLS: Final = re.compile(rb"\xff+(?=\xff)")
_NEXT_MARKER: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def _jpeg(content: bytes) -> Scan:
    at, size, scanned = 2, (0, 0), False
    for _ in range(MOST_PARTS):
        if fills := _FILLS.match(content, at):
            at = fills.end()
        if at + 2 > len(content) or content[at] != _FILL or content[at + 1] == _START:
            raise ScanRefusedError(ScanFault.BROKEN)
        marker = content[at + 1]
        at += 2
        if marker == _END:
            break
        if marker in _ALONE:
            continue
        length = int.from_bytes(content[at : at + 2])
        if length < 2 or at + length > len(content):
            raise ScanRefusedError(ScanFault.BROKEN)
        if marker in _FRAMES and length >= 8:
            size = int.from_bytes(content[at + 5 : at + 7]), int.from_bytes(content[at + 3 : at + 5])
        at += length
        if marker == _SCAN:
            scanned = True
            found = _NEXT_MARKER.search(content, at)
            if found is None:
                raise ScanRefusedError(ScanFault.BROKEN)
            at = found.start()
    else:
        raise ScanRefusedError(ScanFault.TANGLED)
    if not scanned or not all(size):
        raise ScanRefusedError(ScanFault.BROKEN)
    return _picture(ScanKind.JPEG, content, at, *size)


def _picture(kind: ScanKind, content: bytes, end: int, width: int, height: int) -> Scan:
    trimmed = end < len(content)
    return Scan(
        kind=kind,
        content=content[:end] if trimmed else content,
        trimmed=trimmed,
        width=width,
        height=height,
    )


# --- two kinds at once -----------------------------------------------------------------------------------

_MARKUP: Final = re.compile(rb"<script|<!doctype|<iframe|<html[\s>]|<\?php", re.IGNORECASE)
_PDF_SEARCHED: Final = 1024  #: readers look for the header of a PDF in so many bytes


def _is_double(scan: Scan) -> bool:
    """Whether some program would read the kept bytes as a web page, an archive or another paper."""
    picture = scan.kind is not ScanKind.PDF
    hidden = picture and b"%PDF-" in scan.content[:_PDF_SEARCHED]
    return hidden or _MARKUP.search(scan.content) is not None or _holds_archive(scan.content)


_END_OF_ARCHIVE: Final = b"PK\x05\x06"
_FEW: Final = 16  #: in a large picture it stands by chance once in a thousand


def _holds_archive(content: bytes) -> bool:
    """Whether there is an end of a ZIP archive with the directory of that archive before it."""
    at = content.find(_END_OF_ARCHIVE)
    for _ in range(_FEW):
        if at < 0:
            return False
        directory = at - int.from_bytes(content[at + 12 : at + 16], "little")
        large = content[at - 20 : at - 16] == b"PK\x06\x07"  # ZIP64: its directory is told elsewhere
        if large or (0 <= directory < at and content.startswith(b"PK\x01\x02", directory)):
            return True
        at = content.find(_END_OF_ARCHIVE, at + 4)
    return at >= 0
