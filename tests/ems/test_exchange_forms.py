"""The forms of an archive: the types of Parquet, a way between SQLite and PostgreSQL, bounded memory."""

from __future__ import annotations

import tracemalloc
from datetime import timedelta
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store_site import Site, jst, plate

from koatsu.ems.exchange import export_parquet, export_zip, import_archive
from koatsu.ems.exchange.archive_parquet import ParquetReader, ParquetWriter
from koatsu.ems.exchange.manifest import Manifest, Scope
from koatsu.ems.store import Store
from koatsu.ems.store.archived import TABLES, PlainRow
from koatsu.errors import UsageError
from koatsu.meter.registers import Register

KINDS = {
    "text": pa.string(),
    "int": pa.int64(),
    "flag": pa.bool_(),
    "day": pa.date32(),
    "instant": pa.timestamp("ms", "UTC"),
    "decimal": pa.decimal128(38, 12),
}


def filled(store: Store, days: int = 2) -> Store:
    site = Site(store, ceiling_kw=500)
    site.begin(plate())
    site.run(jst(1), range(100, 101 + 48 * days))
    return store


def zipped(store: Store) -> bytes:
    target = BytesIO()
    export_zip(store, target)
    return target.getvalue()


def test_parquet_has_the_types_of_its_values(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    folder.mkdir()
    export_parquet(filled(store), folder)
    assert {file.stem for file in folder.glob("*.parquet")} == TABLES.keys()
    for table, layout in TABLES.items():
        schema = pq.read_schema(folder / f"{table}.parquet")
        assert {name: schema.field(name).type for name in schema.names} == {
            field.name: KINDS[field.kind] for field in layout.fields
        }
        assert [schema.field(name).nullable for name in schema.names] == [
            field.optional for field in layout.fields
        ]
    rows = pq.read_table(folder / "readings.parquet").to_pylist()
    assert rows[0]["instant"] == jst(1)
    assert rows[0]["count"] == 100
    [scale] = [row for row in pq.read_table(folder / "scales.parquet").to_pylist() if row["what"] == "energy"]
    assert scale["unit"] == Decimal("0.1")


def test_without_pyarrow_there_is_one_sentence(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> object:
        raise ImportError(name)

    monkeypatch.setattr("koatsu.ems.exchange.archive_parquet.importlib.import_module", missing)
    with pytest.raises(UsageError, match="pyarrow"):
        export_parquet(store, tmp_path)


def canonical(value: Decimal) -> str:
    """Without needless zeros, as imports and scales are kept."""
    text = f"{value:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) if value else "0"


VALUES = {
    "text": st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12),
    "int": st.integers(-(10**17), 10**17),
    "flag": st.booleans(),
    "day": st.dates().map(lambda day: day.isoformat()),
    "instant": st.integers(0, 7_258_118_399),
    "decimal": st.integers(-(10**20), 10**20).map(lambda n: canonical(Decimal(n).scaleb(-6))),
}


@given(st.data(), st.sampled_from(sorted(TABLES)))
@settings(max_examples=60)
def test_parquet_gives_back_every_row(data: st.DataObject, table: str) -> None:
    fields = TABLES[table].fields
    one = st.tuples(
        *((st.none() if field.optional else st.nothing()) | VALUES[field.kind] for field in fields)
    )
    rows: list[PlainRow] = data.draw(st.lists(one, max_size=5))
    with TemporaryDirectory() as name:
        writer = ParquetWriter(Path(name))
        entries = tuple(writer.add(each, [rows] if each == table else []) for each in TABLES)
        writer.close(Manifest(store="0" * 32, scope=Scope(), entries=entries))
        with ParquetReader(Path(name), "archive") as reader:
            assert [row for chunk in reader.rows(table) for row in chunk] == rows


def test_an_archive_is_the_way_from_a_file_to_a_server_and_back(either: Store, tmp_path: Path) -> None:
    with Store.open(tmp_path / "one.db") as one, Store.open(tmp_path / "back.db") as back:
        filled(one)
        one.correct("main", Register.ENERGY, jst(1), 7, reason="r", author="a", at=jst(9))
        archive = zipped(one)
        assert import_archive(either, BytesIO(archive), "a.zip").adopted
        assert zipped(either) == archive
        import_archive(back, BytesIO(zipped(either)), "a.zip")
        assert zipped(back) == archive


def test_memory_does_not_grow_with_the_length_of_the_tables(store: Store, tmp_path: Path) -> None:
    """Twice the days, about the same memory: what is held is a portion of the rows."""
    filled(store, days=150)

    class Nowhere(BytesIO):
        def write(self, data: object) -> int:  # type: ignore[override]  # counts, keeps nothing
            self.seek(self.tell() + len(data))  # type: ignore[arg-type]
            return len(data)  # type: ignore[arg-type]

    def most() -> int:
        tracemalloc.start()
        export_zip(store, Nowhere())
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    short = most()
    Site(store).run(jst(1) + timedelta(days=151), range(48 * 150))
    assert most() < short * 1.2
