"""Pulses leave the store and come back: archive and backup keep constants that no decimal can hold."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from pulse_site import DAY, START, Bench

from koatsu.ems.exchange.archive import export_parquet, export_zip, import_archive
from koatsu.ems.pulses import as_stored, pulse_day
from koatsu.ems.store import Store
from koatsu.ems.store.pulse_rows import put_pulses, stored_pulses

END = START + timedelta(days=1)


@pytest.fixture
def store(both: Store) -> Store:
    """In a file and on a server: what is shown must not depend on it."""
    return both


@pytest.fixture
def kept(store: Store) -> Store:
    bench = Bench(store, slots=8)
    bench.run()
    for span in bench.spans:
        put_pulses(store, as_stored("main", span))
    assert {row.per_kwh for row in stored_pulses(store, "main", START, END)} == {"250/3"}
    return store


@pytest.mark.parametrize("form", ["zip", "parquet"])
def test_an_archive_brings_them_back(kept: Store, tmp_path: Path, form: str) -> None:
    with Store.open(tmp_path / "other.db") as other:
        if form == "zip":
            packed = BytesIO()
            export_zip(kept, packed)
            import_archive(other, BytesIO(packed.getvalue()), "a.zip")
        else:
            folder = tmp_path / "archive"
            folder.mkdir()
            export_parquet(kept, folder)
            import_archive(other, folder, "archive")
        assert stored_pulses(other, "main", START, END) == stored_pulses(kept, "main", START, END)
        assert pulse_day(other, "main", DAY, END) == pulse_day(kept, "main", DAY, END)


def test_a_backup_brings_them_back(kept: Store, tmp_path: Path) -> None:
    kept.backup(tmp_path / "b.koatsu", at=END)
    with Store.open(tmp_path / "other.db") as other:
        other.restore(tmp_path / "b.koatsu", at=END)
        assert pulse_day(other, "main", DAY, END) == pulse_day(kept, "main", DAY, END)
