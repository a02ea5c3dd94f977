"""Where the bytes of a file come from: plain, or one file inside a zip, and never more of them than allowed.

A zip is opened without trust in what it says of itself: sizes are counted while they are read.
"""

from __future__ import annotations

import lzma
import struct
import zipfile
import zlib
from typing import BinaryIO, Final, Literal

from koatsu.ems.exchange.refusals import CellError, FileRefusedError

__all__ = ["BROKEN_ZIP", "MAX_BYTES", "Kind", "read_single", "sniffed"]

Kind = Literal["archive", "retailer-csv", "occto-xml"]

MAX_BYTES: Final = 64 * 1024 * 1024  #: of a file from outside, unpacked
_MANIFEST: Final = "manifest.json"
_CHUNK: Final = 1 << 20

#: what ``zipfile`` raises over bytes that are no sound zip: it parses before it checks
BROKEN_ZIP: Final = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    IndexError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
)


def sniffed(source: BinaryIO, name: str) -> Kind:
    """What a file most likely is, by its first bytes or, of a zip, by what is in it.

    Raises:
        FileRefusedError: it is a broken zip.
    """
    source.seek(0)
    head = source.read(4096)
    if head.startswith(b"PK"):
        with _opened(source, name) as packed:
            names = [entry.filename for entry in packed.infolist()]
        if _MANIFEST in names:
            return "archive"
        return "occto-xml" if any(one.lower().endswith(".xml") for one in names) else "retailer-csv"
    source.seek(0)
    return "occto-xml" if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") else "retailer-csv"


def read_single(source: BinaryIO, name: str, limit: int = MAX_BYTES) -> bytes:
    """The bytes of a file, or of the one file in a zip.

    Raises:
        FileRefusedError: more than ``limit`` bytes, a zip that is broken, locked or holds several files.
    """
    source.seek(0)
    if source.read(2) != b"PK":
        source.seek(0)
        return _limited(source, name, limit)
    with _opened(source, name) as packed:
        files = [entry for entry in packed.infolist() if not entry.is_dir()]
        if len(files) != 1:
            raise FileRefusedError(
                name,
                CellError(
                    f"the zip holds {len(files)} files",
                    f"zip に {len(files)} 個のファイルがあります",
                    expected="one file; unpack it and import them one by one",
                    expected_ja="1 個のファイル(展開して 1 つずつ取り込んでください)",
                ),
            )
        try:
            with packed.open(files[0]) as inside:
                return _limited(inside, name, limit)
        except BROKEN_ZIP as error:
            raise _broken(name) from error


def _limited(source: object, name: str, limit: int) -> bytes:
    read = source.read  # type: ignore[attr-defined] # a binary file or a member of a zip
    parts: list[bytes] = []
    total = 0
    while part := read(min(_CHUNK, limit + 1 - total)):
        parts.append(part)
        total += len(part)
        if total > limit:
            raise FileRefusedError(
                name,
                CellError(
                    f"the file holds more than {limit // (1024 * 1024)} MiB",
                    f"ファイルが {limit // (1024 * 1024)} MiB を超えています",
                    expected="half-hour data of one supply point",
                    expected_ja="1 つの供給地点の 30 分値",
                ),
            )
    return b"".join(parts)


def _opened(source: BinaryIO, name: str) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(source)
    except BROKEN_ZIP as error:
        raise _broken(name) from error


def _broken(name: str) -> FileRefusedError:
    return FileRefusedError(
        name,
        CellError(
            "this zip file is damaged or locked",
            "zip ファイルが壊れているか、パスワードが付いています",
            expected="a whole zip file without a password",
            expected_ja="壊れていない、パスワードのない zip ファイル",
        ),
    )
