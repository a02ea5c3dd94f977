"""koatsu export and koatsu import, as a person uses them."""

from __future__ import annotations

import csv
import zipfile
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from program import Here, koatsu

from koatsu.clock import JST, SystemClock
from koatsu.ems.slot_columns import COLUMNS
from koatsu.ems.store import Store, StoredMeter
from koatsu.meter import HALF_HOUR, Nameplate, Reading, Register, Scale, Source
from koatsu.people import People

SINCE = datetime(2026, 4, 1, tzinfo=JST).astimezone(UTC)

CONFIG = """
[site]
name = "東工場"

[store]
path = "site.db"

[[meter]]
id = "main"
address = "192.0.2.10"
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a configuration and a store: three days of 6 kWh a slot."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "koatsu.toml").write_text(CONFIG, encoding="utf-8")
    with Store.open(tmp_path / "site.db") as store:
        store.put_meter(
            StoredMeter(id="main", label="受電", role="buy", class_code=0x028A, address="192.0.2.10"),
            at=SINCE,
        )
        scale = Scale(60, Decimal(1), Decimal("0.1"))
        store.open_epoch(
            "main", Nameplate(class_code=0x028A, serial="A", energy_scale=scale, energy_digits=6), SINCE
        )
        instants = [SINCE + HALF_HOUR * number for number in range(3 * 48 + 1)]
        store.record(
            "main",
            1,
            [
                Reading(
                    register=Register.ENERGY, instant=at, count=number, source=Source.FIXED,
                    received=at + timedelta(seconds=20),
                )
                for number, at in enumerate(instants)
            ],
        )  # fmt: skip
    return tmp_path


def retailer(path: Path, *, sixth: str = "6", codec: str = "cp932") -> Path:
    """A retailer's day in one row, with one value of its own."""
    heading = "年月日," + ",".join(f"{n // 2}:{n % 2 * 30:02}" for n in range(48))
    path.write_bytes(f"{heading}\r\n2026/4/2,{','.join(['6'] * 5 + [sixth] + ['6'] * 42)}\r\n".encode(codec))
    return path


def test_slots_are_exported_as_csv(site: Path, here: Here) -> None:
    done = here("export", "--from", "2026-04-02", "--to", "2026-04-02", "-o", "day.csv")
    assert (done.status, done.err) == (0, "Wrote 48 rows to day.csv.\n")
    data = (site / "day.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(data.decode("utf-8-sig").splitlines()))
    assert tuple(rows[0]) == COLUMNS
    assert rows[0]["slot_start"] == "2026-04-02T00:00:00+09:00"
    assert {row["energy_kwh"] for row in rows} == {"6.0"}
    done = here("export", "-o", "day.csv")
    assert done.status == 2
    assert "--replace" in done.err
    assert here("export", "-o", "day.csv", "--replace").status == 0
    assert len((site / "day.csv").read_text(encoding="utf-8").splitlines()) == 1 + 3 * 48
    assert not list(site.glob(".*part")), "nothing half-written stays"


def test_an_archive_goes_out_and_comes_in_the_same(site: Path, here: Here) -> None:
    here("import", str(retailer(site / "r.csv")))
    (site / "new.toml").write_text(CONFIG.replace("site.db", "new.db"), encoding="utf-8")
    for form, name in (("archive", "all.zip"), ("parquet", "all")):
        assert here("export", "--format", form, "-o", name).status == 0
        for path in site.glob("new.db*"):
            path.unlink()
        done = here("import", name, "-c", "new.toml")
        assert done.status == 0, done
        assert "0 were there already" in done.out
        assert here("export", "--format", form, "-o", "copy", "-c", "new.toml", "--replace").status == 0
        if form == "archive":
            assert (site / "copy").read_bytes() == (site / name).read_bytes()
        else:
            for file in (site / name).iterdir():
                assert (site / "copy" / file.name).read_bytes() == file.read_bytes()
    assert here("import", "all.zip").out.startswith("Added 0 rows;")


def test_a_retailers_file_is_kept_beside_the_meter(site: Path, here: Here) -> None:
    file = retailer(site / "2026-04.csv")
    done = here("import", str(file), "--dry-run")
    assert "nothing was changed" in done.out
    assert here("import", "--list", "--json").json == []
    done = here("import", str(file), lang="ja")
    assert done.status == 0
    assert "一致 48" in done.out
    assert "取り込み済み" in here("import", str(file), lang="ja").out
    [known] = here("import", "--list", "--json").json
    assert (known["file"], known["rows"], known["channel"]) == ("2026-04.csv", 48, "main")
    assert here("import", "--forget", str(known["number"])).err == "2026-04.csv was taken out.\n"
    assert here("import", "--list", "--json").json == []
    assert here("import", "--forget", "1").status == 2


def test_the_audit_log_knows_what_came_in_and_went_out(site: Path, here: Here) -> None:
    file = str(retailer(site / "r.csv"))
    assert here("import", file, "--dry-run").status == 0
    assert not list(site.glob("*.people.*")), "none is made where no people are kept"
    with People.open(site / "site.db", clock=SystemClock()) as people:
        here("import", file, "--dry-run")
        here("import", file)
        here("import", file)  # known: changes nothing
        here("import", str(retailer(site / "broken.csv", sixth="6..6")))
        here("import", "--forget", "1")
        here("export", "--format", "archive", "-o", "all.zip")
        here("import", "all.zip")
        told = [(one.author, one.action, one.subject, dict(one.detail)) for one in people.audit.entries()]
    assert told == [
        ("console", "archive_imported", "store", {"rows": "0"}),
        ("console", "import_forgotten", "meter:main", {"number": "1"}),
        ("console", "file_imported", "meter:main", {"number": "1", "rows": "48"}),
    ]


def test_a_contradiction_is_listed_and_is_found_wanting(site: Path, here: Here) -> None:
    file = retailer(site / "r.csv", sixth="66.5")
    done = here("import", str(file))
    assert done.status == 1
    assert "1 contradict" in done.out
    assert "2026-04-02 02:30–03:00" in done.out
    said = here("import", str(file), "--dry-run", "--json").json
    assert said["known"] is True
    assert said["comparison"]["contradictions"] == [
        {
            "slot_start": "2026-04-02T02:30:00+09:00", "meter_kwh": "6.0", "file_kwh": "66.5",
            "difference_kwh": "60.5", "quality": "measured",
        }
    ]  # fmt: skip
    rows = here("export", "--from", "2026-04-02", "--to", "2026-04-02", "-o", "after.csv")
    assert rows.status == 0
    assert "66.5" not in (site / "after.csv").read_text(encoding="utf-8")


def test_a_broken_file_is_one_sentence_in_both_languages(site: Path, here: Here) -> None:
    file = retailer(site / "r.csv", sixth="6..6")
    for lang, words in (("en", "row 2, column G, “2:30”"), ("ja", "2 行目 G 列 「2:30」")):
        done = here("import", str(file), lang=lang)
        assert done.status == 1
        assert done.err.count("\n") == 1
        assert words in done.err
        assert "6..6" in done.err
    assert here("import", "--list", "--json").json == []


def test_wrong_use_is_said(site: Path, here: Here) -> None:
    file = str(retailer(site / "r.csv"))
    for words, found in (
        (("import",), "Which file?"),
        (("import", "nothing.csv"), "cannot be read"),
        (("import", file, "--kind", "pdf"), "--kind cannot be 'pdf'"),
        (("import", file, "--meter", "west"), "no meter 'west'"),
        (("import", file, "-c", "none.toml"), "no configuration file"),
        (("export", "-o", "x", "--format", "xls"), "no format 'xls'"),
        (("export", "-o", "x", "--from", "yesterday"), "not a day"),
        (("export", "-o", "x", "--from", "2026-04-02", "--to", "2026-04-01"), "lies after"),
        (("export", "-o", "no/such/folder/x"), "cannot be written"),
    ):
        done = here(*words)
        assert done.status == 2, done
        assert found in done.err
    assert not (site / "x").exists()


def test_an_archive_that_contradicts_is_listed(site: Path, here: Here) -> None:
    here("export", "--format", "archive", "-o", "all.zip")
    with Store.open(site / "site.db") as store, store.writing() as connection:
        connection.exec_driver_sql("UPDATE reading SET count = 99 WHERE count = 5")
    done = here("import", "all.zip")
    assert done.status == 1
    assert "1 values contradict" in done.out
    assert "readings" in done.out
    assert here("import", "all.zip", "--json").json["differences"][0]["stored"] == "99"


def test_the_program_itself_exports(site: Path) -> None:
    done = koatsu("export", "--format", "archive", "-o", "all.zip", cwd=site)
    assert done.status == 0, done
    with zipfile.ZipFile(site / "all.zip") as packed:
        assert packed.testzip() is None
