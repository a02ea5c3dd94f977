"""An archive as one zip of CSV files: every table a file with a heading, read and written row by row.

Equal tables give equal bytes. Reading trusts nothing that the zip says of its sizes: a line, a file of a
table and the manifest are each limited while they are read.
"""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, BinaryIO, Final, Self

from koatsu.ems.exchange.containers import BROKEN_ZIP
from koatsu.ems.exchange.manifest import MANIFEST, MAX_MANIFEST, Entry, Manifest, not_an_archive
from koatsu.ems.exchange.plain_text import read_cells, text_cells
from koatsu.ems.exchange.refusals import CellError, FileRefusedError, Place
from koatsu.ems.store.archived import TABLES, PlainRow

__all__ = ["ZipReader", "ZipWriter", "changed", "torn"]

_SUFFIX: Final = ".csv"
_OLDEST: Final = (1980, 1, 1, 0, 0, 0)  # a zip must date its files; this one says nothing
_MAX_LINE: Final = 16_384
_BLOCK: Final = 1 << 16
_AT_ONCE: Final = 2_000


class ZipWriter:
    """Writes an archive into a binary file."""

    def __init__(self, target: BinaryIO) -> None:
        self._zip = zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6)

    def add(self, table: str, chunks: Iterable[Sequence[PlainRow]]) -> Entry:
        """Write one table."""
        fields = TABLES[table].fields
        digest, rows = hashlib.sha256(), 0
        with self._zip.open(_info(table + _SUFFIX), "w", force_zip64=True) as out:
            heading = _lines([[field.name for field in fields]])
            out.write(heading)
            digest.update(heading)
            for chunk in chunks:
                lines = _lines(text_cells(fields, row) for row in chunk)
                out.write(lines)
                digest.update(lines)
                rows += len(chunk)
        return Entry(name=table + _SUFFIX, rows=rows, sha256=digest.hexdigest())

    def close(self, manifest: Manifest) -> None:
        """Write the manifest, and end the file."""
        self._zip.writestr(_info(MANIFEST), manifest.to_bytes())
        self._zip.close()


class ZipReader:
    """Reads an archive from a binary file.

    Raises:
        FileRefusedError: it is no zip with a manifest.
    """

    def __init__(self, source: BinaryIO, name: str) -> None:
        self._name = name
        try:
            self._zip = zipfile.ZipFile(source)
            with self._zip.open(MANIFEST) as file:
                said = file.read(MAX_MANIFEST)
        except (*BROKEN_ZIP, KeyError) as error:
            raise not_an_archive(name) from error
        self.manifest = Manifest.from_bytes(said, name, _SUFFIX)

    def rows(self, table: str) -> Iterator[Sequence[PlainRow]]:
        """The rows of a table, some thousand at a time.

        Raises:
            FileRefusedError: a cell is wrong, or in the end the checksum is.
        """
        fields = TABLES[table].fields
        name = table + _SUFFIX
        [entry] = [one for one in self.manifest.entries if one.name == name]
        with self._opened(name) as file:
            lines = _Lines(file)
            reader = csv.reader(lines, strict=True)
            rows: list[PlainRow] = []
            line = 1
            try:
                if next(reader, None) != [field.name for field in fields]:
                    raise CellError(
                        "the headings are others",
                        "見出しが違います",
                        expected=",".join(field.name for field in fields),
                        expected_ja=",".join(field.name for field in fields),
                    )
                for cells in reader:
                    line = reader.line_num
                    if len(cells) != len(fields):
                        raise torn(f"{len(cells)} / {len(fields)}")
                    rows.append(read_cells(fields, cells))
                    if len(rows) >= _AT_ONCE:
                        yield rows
                        rows = []
            except (csv.Error, UnicodeDecodeError) as error:
                raise FileRefusedError(
                    self.of(table), torn(str(error)), Place(max(line, lines.number))
                ) from error
            except CellError as cause:
                column = cause.args[1] if len(cause.args) > 1 else None
                raise FileRefusedError(self.of(table), cause, Place(line, column)) from cause
            yield rows
            if lines.digest.hexdigest() != entry.sha256:
                raise FileRefusedError(self.of(table), changed())

    def of(self, table: str) -> str:
        """What sentences call the file of a table."""
        return f"{self._name} / {table}{_SUFFIX}"

    @contextmanager
    def _opened(self, name: str) -> Iterator[IO[bytes]]:
        try:
            with self._zip.open(name) as file:
                yield file
        except KeyError as error:
            raise not_an_archive(self._name) from error
        except BROKEN_ZIP as error:
            raise FileRefusedError(f"{self._name} / {name}", torn(str(error))) from error

    def close(self) -> None:
        """Let go of the file."""
        self._zip.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Lines:
    """The lines of a file as text, each of a bounded length, counted and summed up on the way."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        rest = b""
        while block := self._file.read(_BLOCK):
            self.digest.update(block)
            whole, found, rest = (rest + block).rpartition(b"\n")
            if len(rest) > _MAX_LINE:
                raise csv.Error("a line is too long")
            if found:  # not splitlines: a text may hold what that takes for the end of a line
                for line in whole.decode().split("\n"):
                    self.number += 1
                    yield line + "\n"
        if rest:
            self.number += 1
            yield rest.decode()


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _OLDEST)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    return info


def _lines(rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def torn(what: str) -> CellError:
    """A table that cannot be read on; ``what`` is what the reader of the format says."""
    return CellError(
        f"the table is damaged here ({what})",
        f"表がここで壊れています({what})",
        expected="the file as “koatsu export” wrote it",
        expected_ja="「koatsu export」が書き出したままのファイル",
    )


def changed() -> CellError:
    """A table that is not the one whose checksum was written."""
    return CellError(
        "the table was changed after it was written",
        "書き出した後に表が変更されています",
        expected="the checksum of the manifest",
        expected_ja="目録と同じチェックサム",
    )
