"""Writing the whole of a store to an archive and bringing an archive into a store, exactly.

An empty store that takes in an archive becomes the same store: its archive is byte for byte the same. A store
that holds something gets what it lacks; what contradicts it is listed and left out. Memory does not grow with
the length of the tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from sqlalchemy import func, select

from koatsu.ems.exchange.archive_parquet import ParquetReader, ParquetWriter
from koatsu.ems.exchange.archive_rules import ArchiveRules
from koatsu.ems.exchange.archive_zip import ZipReader, ZipWriter, torn
from koatsu.ems.exchange.manifest import Entry, Manifest, Scope
from koatsu.ems.exchange.refusals import CellError, FileRefusedError, Place
from koatsu.ems.store import Store
from koatsu.ems.store.archived import TABLES, Limits, PlainRow, held_still, plain_rows, row_count
from koatsu.ems.store.merging import Difference, Merger
from koatsu.ems.store.schema import meter
from koatsu.ems.store.sites import info, put_info
from koatsu.meter.slots import SLOTS_PER_DAY, Slot

__all__ = ["ArchiveReader", "ArchiveReport", "OnRows", "export_parquet", "export_zip", "import_archive"]

OnRows = Callable[[int, int], object]
"""Called with the rows done and those there are, about as often as a progress bar can show."""

_WHOLE: Final = ("epochs", "scales", "corrections")  #: short tables of which rows belong together
_STORE_ID: Final = "id"


class ArchiveWriter(Protocol):
    """A form of archive that is being written."""

    def add(self, table: str, chunks: Iterator[Sequence[PlainRow]]) -> Entry:
        """Write one table."""
        ...

    def close(self, manifest: Manifest) -> None:
        """Write the manifest, and end."""
        ...


class ArchiveReader(Protocol):
    """A form of archive that is being read."""

    manifest: Manifest

    def rows(self, table: str) -> Iterator[Sequence[PlainRow]]:
        """The rows of a table, some thousand at a time; it raises ``FileRefusedError``."""
        ...

    def of(self, table: str) -> str:
        """What sentences call the file of a table."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveReport:
    """What an archive brought, or would bring; see :class:`koatsu.ems.store.merging.Tally`.

    ``adopted``: the store was empty and is now the one that the archive was written from.
    """

    manifest: Manifest
    new: int
    same: int
    differing: int
    left_out: int
    listed: tuple[Difference, ...]
    adopted: bool


def export_zip(
    store: Store, target: BinaryIO, scope: Scope | None = None, *, on_rows: OnRows = lambda _done, _all: None
) -> Manifest:
    """Write an archive as a zip of CSV files.

    Args:
        store: what to write.
        target: a binary file.
        scope: days and meter; ``None``: everything.
        on_rows: told of the progress.
    """
    return _export(store, ZipWriter(target), scope or Scope(), on_rows)


def export_parquet(
    store: Store, folder: Path, scope: Scope | None = None, *, on_rows: OnRows = lambda _done, _all: None
) -> Manifest:
    """Write an archive as Parquet files into an empty folder.

    Raises:
        UsageError: pyarrow is not installed.
    """
    return _export(store, ParquetWriter(folder), scope or Scope(), on_rows)


def _export(store: Store, writer: ArchiveWriter, scope: Scope, on_rows: OnRows) -> Manifest:
    done = 0
    with store.reading() as connection:
        held_still(connection)
        total = row_count(connection)
        limits = _limits(scope)

        def watched(table: str) -> Iterator[Sequence[PlainRow]]:
            nonlocal done
            for chunk in plain_rows(connection, table, limits):
                yield chunk
                done += len(chunk)
                on_rows(min(done, total), total)

        entries = tuple(writer.add(table, watched(table)) for table in TABLES)
        manifest = Manifest(store=info(connection)[_STORE_ID], scope=scope, entries=entries)
    writer.close(manifest)
    return manifest


def _limits(scope: Scope) -> Limits:
    def midnight(day: date | None) -> int | None:
        return None if day is None else int(Slot(day, 1).start.timestamp())

    until = None if scope.last is None else int(Slot(scope.last, SLOTS_PER_DAY).end.timestamp())
    return Limits(since=midnight(scope.first), until=until, meter_id=scope.meter_id)


def import_archive(
    store: Store,
    source: BinaryIO | Path,
    name: str,
    *,
    dry_run: bool = False,
    on_rows: OnRows = lambda _done, _all: None,
) -> ArchiveReport:
    """Bring an archive into a store.

    Every row is read and checked before the first one is written. Then some thousand rows at a time are one
    transaction, so that readings can be recorded in between; what is interrupted there is completed by doing
    it again.

    Args:
        store: what to bring it into.
        source: an open zip file, or a folder of Parquet files.
        name: what errors call it.
        dry_run: change nothing, and tell what would happen.
        on_rows: told of the progress.

    Raises:
        FileRefusedError: the archive is damaged; nothing was imported.
        UsageError: it is Parquet, and pyarrow is not installed.
    """
    reader: ArchiveReader = (
        ParquetReader(source, name) if isinstance(source, Path) else ZipReader(source, name)
    )
    try:
        total = 2 * sum(entry.rows for entry in reader.manifest.entries)
        _check(reader, lambda done: on_rows(done, total))
        with store.reading() as connection:
            empty = not connection.execute(select(func.count()).select_from(meter)).scalar_one()
        merger = Merger(write=not dry_run)
        done = total // 2
        for table in TABLES:
            for rows in _portions(table, reader):
                with store.reading() if dry_run else store.writing() as connection:
                    merger.take(connection, table, rows)
                done += len(rows)
                on_rows(done, total)
        if empty and not dry_run:
            with store.writing() as connection:
                put_info(connection, _STORE_ID, reader.manifest.store)
    finally:
        reader.close()
    tally = merger.tally
    return ArchiveReport(
        manifest=reader.manifest,
        new=tally.new,
        same=tally.same,
        differing=tally.differing,
        left_out=tally.left_out,
        listed=tuple(tally.listed),
        adopted=empty,
    )


def _portions(table: str, reader: ArchiveReader) -> Iterator[Sequence[PlainRow]]:
    """The rows of a table in the portions in which they can be taken in; at least one, perhaps empty."""
    if table not in _WHOLE:
        yield from reader.rows(table)
        return
    yield [row for rows in reader.rows(table) for row in rows]


def _check(reader: ArchiveReader, on_rows: Callable[[int], object]) -> None:
    """Read everything once; nothing is written yet."""
    rules = ArchiveRules()
    done = 0
    for entry, table in zip(reader.manifest.entries, TABLES, strict=True):
        seen = 0
        for rows in reader.rows(table):
            try:
                rules.look(table, rows)
            except CellError as cause:
                place = Place(seen + cause.args[1] + 2, cause.args[2])  # the heading is row 1
                raise FileRefusedError(reader.of(table), cause, place) from cause
            seen += len(rows)
            on_rows(done + seen)
        done += seen
        if seen != entry.rows:
            raise FileRefusedError(reader.of(table), torn(f"{seen} / {entry.rows}"))
    try:
        rules.whole()
    except CellError as cause:
        raise FileRefusedError(reader.of("scales"), cause) from cause
