"""An archive as a folder of Parquet files: counts int64, instants timestamps in UTC, factors decimal128.

The same tables in the same order as the zip of CSV files. Equal tables give equal bytes with one version of
pyarrow, which is imported only here.
"""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Self

from koatsu.ems.exchange.archive_zip import changed, torn
from koatsu.ems.exchange.manifest import MANIFEST, MAX_MANIFEST, Entry, Manifest, not_an_archive
from koatsu.ems.exchange.plain_text import check_value
from koatsu.ems.exchange.refusals import CellError, FileRefusedError, Place
from koatsu.ems.store.archived import TABLES, Field, PlainRow
from koatsu.errors import UsageError
from koatsu.meter.quantity import EXACT

__all__ = ["ParquetReader", "ParquetWriter"]

_SUFFIX: Final = ".parquet"
_GROUP: Final = 10_000  #: rows held in memory before they are written
_AT_ONCE: Final = 2_000
_DIGITS: Final = (38, 12)  #: all digits of a factor, and those after its point


def _arrow() -> tuple[Any, Any]:
    """Pyarrow and pyarrow.parquet.

    Raises:
        UsageError: they are not installed.
    """
    try:
        return importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise UsageError(
            "Parquet needs the package pyarrow.",
            ja="Parquet には pyarrow が必要です。",
            hint="Install it with: pip install 'koatsu[parquet]'",
            hint_ja="pip install 'koatsu[parquet]' で入ります。",
        ) from None


class ParquetWriter:
    """Writes an archive into an empty folder.

    Raises:
        UsageError: pyarrow is not installed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pa, self._pq = _arrow()

    def add(self, table: str, chunks: Iterable[Sequence[PlainRow]]) -> Entry:
        """Write one table."""
        fields = TABLES[table].fields
        schema = self._pa.schema(
            [self._pa.field(field.name, self._type(field), nullable=field.optional) for field in fields]
        )
        path = self._folder / (table + _SUFFIX)
        rows = 0
        held: list[PlainRow] = []
        with self._pq.ParquetWriter(path, schema, compression="zstd") as out:
            for chunk in chunks:
                held += chunk
                rows += len(chunk)
                if len(held) >= _GROUP:
                    out.write_table(self._table(fields, schema, held))
                    held = []
            out.write_table(self._table(fields, schema, held))
        return Entry(name=path.name, rows=rows, sha256=_sha256(path))

    def close(self, manifest: Manifest) -> None:
        """Write the manifest."""
        (self._folder / MANIFEST).write_bytes(manifest.to_bytes())

    def _type(self, field: Field) -> Any:
        pa = self._pa
        return {
            "text": pa.string(),
            "int": pa.int64(),
            "flag": pa.bool_(),
            "day": pa.date32(),
            "instant": pa.timestamp("ms", "UTC"),
            "decimal": pa.decimal128(*_DIGITS),
        }[field.kind]

    def _table(self, fields: Sequence[Field], schema: Any, rows: Sequence[PlainRow]) -> Any:
        columns = []
        for at, field in enumerate(fields):
            out = _TYPED.get(field.kind)
            values = [row[at] if out is None or row[at] is None else out(row[at]) for row in rows]
            columns.append(self._pa.array(values, self._type(field)))
        return self._pa.table(columns, schema=schema)


class ParquetReader:
    """Reads an archive from a folder.

    Raises:
        FileRefusedError: it is no folder with a manifest.
        UsageError: pyarrow is not installed.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        self._pa, self._pq = _arrow()
        try:
            with (folder / MANIFEST).open("rb") as file:
                said = file.read(MAX_MANIFEST)
        except OSError as error:
            raise not_an_archive(name) from error
        self.manifest = Manifest.from_bytes(said, name, _SUFFIX)

    def rows(self, table: str) -> Iterator[Sequence[PlainRow]]:
        """The rows of a table, some thousand at a time.

        Raises:
            FileRefusedError: a value is wrong, or the checksum is.
        """
        fields = TABLES[table].fields
        path = self._folder / (table + _SUFFIX)
        [entry] = [one for one in self.manifest.entries if one.name == path.name]
        try:
            if _sha256(path) != entry.sha256:
                raise FileRefusedError(self.of(table), changed())
            with self._pq.ParquetFile(path) as file:
                if file.schema_arrow.names != [field.name for field in fields]:
                    raise FileRefusedError(self.of(table), torn("columns"))
                yield from self._batches(file, table, fields)
        except (self._pa.ArrowException, OSError, ValueError, TypeError, OverflowError) as error:
            raise FileRefusedError(self.of(table), torn(str(error)[:60])) from error

    def _batches(self, file: Any, table: str, fields: Sequence[Field]) -> Iterator[Sequence[PlainRow]]:
        done = 0
        for batch in file.iter_batches(_AT_ONCE):
            columns = [
                [_plain(field, value) for value in column.to_pylist()]
                for field, column in zip(fields, batch.columns, strict=True)
            ]
            rows = []
            for index, row in enumerate(zip(*columns, strict=True)):
                try:
                    rows.append(
                        tuple(
                            check_value(field, value, number)
                            for number, (field, value) in enumerate(zip(fields, row, strict=True), 1)
                        )
                    )
                except CellError as cause:
                    place = Place(done + index + 1, cause.args[1])
                    raise FileRefusedError(self.of(table), cause, place) from cause
            done += len(rows)
            yield rows

    def of(self, table: str) -> str:
        """What sentences call the file of a table."""
        return f"{self._name} / {table}{_SUFFIX}"

    def close(self) -> None:
        """Nothing is held open between tables."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


_TYPED: Final[dict[str, Callable[[Any], Any]]] = {
    "instant": lambda value: datetime.fromtimestamp(value, UTC),
    "decimal": Decimal,
    "day": date.fromisoformat,
}


def _plain(field: Field, value: Any) -> Any:
    """A value as rows carry it."""
    if value is None:
        return None
    match field.kind:
        case "instant" if isinstance(value, datetime):
            return int(value.timestamp())
        case "decimal" if isinstance(value, Decimal):
            whole = value == value.to_integral_value()
            return format(value.quantize(Decimal(1), context=EXACT) if whole else value.normalize(EXACT), "f")
        case "day" if isinstance(value, date):
            return value.isoformat()
        case _:
            return value


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
