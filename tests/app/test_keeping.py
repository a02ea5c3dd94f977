"""``koatsu backup``, ``restore`` and ``verify``, beside a running program and after its end."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zipfile import ZipFile

import pytest
from program import Here

from koatsu.app.holding import hold_store
from koatsu.cli import output
from koatsu.clock import SystemClock
from koatsu.ems.store import Store, StoredMeter
from koatsu.meter import Nameplate, Reading, Register, Scale, Source
from koatsu.people import People

START = datetime(2026, 7, 1, tzinfo=UTC)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Here:
    return Here(monkeypatch, capsys)


class Place:
    """A folder with a configuration and, once it was filled, its store."""

    def __init__(self, folder: Path, site: str = "本社工場") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.store = folder / "koatsu.db"
        self.config = str(folder / "koatsu.toml")
        self.backup = folder / "a.backup"
        self.site = site
        Path(self.config).write_text(
            f'[site]\nname = "{site}"\nstore = "koatsu.db"\n\n[[meter]]\nid = "main"\naddress = "127.0.0.2"\n'
        )

    def fill(self, counts: list[int], *, serial: str = "A1", first: int = 0) -> None:
        with Store.open(self.store) as store:
            store.put_site("site", self.site, at=START)
            meter = StoredMeter(id="main", label="受電", role="buy", class_code=0x028A, address="127.0.0.2")
            store.put_meter(meter, at=START)
            scale = Scale(60, Decimal(1), Decimal("0.1"))
            plate = Nameplate(class_code=0x028A, serial=serial, energy_scale=scale, energy_digits=6)
            epoch = store.open_epoch("main", plate, START)
            store.record(
                "main",
                epoch.number,
                [
                    Reading(
                        register=Register.ENERGY,
                        instant=START + timedelta(minutes=30) * step,
                        count=count,
                        source=Source.FIXED,
                        received=START + timedelta(days=9),
                    )
                    for step, count in enumerate(counts, first)
                ],
            )

    def counts(self) -> list[int | None]:
        with Store.open(self.store) as store:
            rows = store.readings("main", Register.ENERGY, START, START + timedelta(days=9))
            return [row.count for row in rows]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path / "site")
    made.fill([1, 2, 3])
    return made


@contextmanager
def running(place: Place) -> Iterator[None]:
    """As ``koatsu run`` holds its store."""
    with hold_store(str(place.store)), Store.open(place.store):
        yield


def test_backup_and_restore_of_a_lost_store(place: Place, here: Here) -> None:
    with running(place):
        done = here("backup", str(place.backup), "-c", place.config)
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith(f"Written: {place.backup} (")
    place.store.unlink()
    done = here("restore", str(place.backup), "-c", place.config)
    assert (done.status, done.out) == (0, "Restored as a whole; counts: 3.\n")
    assert place.counts() == [1, 2, 3]
    ja = here("backup", str(place.backup), "--replace", "-c", place.config, lang="ja")
    assert "3 件の指示値を書き出しました" in ja.out


def test_a_restore_adds_while_the_program_runs(place: Place, here: Here) -> None:
    here("backup", str(place.backup), "-c", place.config)
    with closing(sqlite3.connect(place.store, isolation_level=None)) as connection:
        connection.execute("DELETE FROM reading WHERE count = 2")
    with running(place):
        done = here("restore", str(place.backup), "-c", place.config)
        assert (done.status, done.out) == (0, "Counts added: 1, there already: 2.\n")
        refused = here("restore", str(place.backup), "--replace", "-c", place.config)
        assert refused.status == 2
        assert "is in use by another koatsu" in refused.err
    assert place.counts() == [1, 2, 3]


def test_contradictions_are_listed_and_nothing_is_overwritten(place: Place, here: Here) -> None:
    place.fill(list(range(3, 40)), first=3)
    here("backup", str(place.backup), "-c", place.config)
    with closing(sqlite3.connect(place.store, isolation_level=None)) as connection:
        connection.execute("UPDATE reading SET count = count + 1000")
    done = here("restore", str(place.backup), "-c", place.config)
    assert done.status == 1
    assert "Contradicting what is stored: 40; nothing was overwritten." in done.out
    assert "2026-07-01T09:00:00+09:00" in done.out
    assert "1001" in done.out
    assert "and 20 more" in done.err
    assert place.counts()[0] == 1001
    ja = here("restore", str(place.backup), "-c", place.config, lang="ja")
    assert (ja.status, ja.out) == (0, "追加 0 件、既にあったもの 40 件。\n")


def test_another_sites_backup(place: Place, here: Here, tmp_path: Path) -> None:
    other = Place(tmp_path / "other", site="第二工場")
    other.fill([7, 8], serial="X9")
    here("backup", str(other.backup), "-c", other.config)
    for lang, words in (("en", "This is a backup of another site (第二工場)."), ("ja", "別の拠点(第二工場)")):
        refused = here("restore", str(other.backup), "-c", place.config, lang=lang)
        assert refused.status == 1
        assert words in refused.err
    assert place.counts() == [1, 2, 3]
    place.store.unlink()
    refused = here("restore", str(other.backup), "-c", place.config)
    assert refused.status == 1, "nor into a configuration that does not know it"
    assert not place.store.exists()
    done = here("restore", str(other.backup), "--site", "第二工場", "-c", place.config)
    assert done.status == 0
    assert place.counts() == [7, 8]


def test_a_damaged_store_is_put_aside_for_its_backup(place: Place, here: Here) -> None:
    here("backup", str(place.backup), "-c", place.config)
    place.store.write_bytes(place.store.read_bytes()[:4096] + b"\xff" * 60_000)
    damaged = here("verify", "-c", place.config)
    assert damaged.status == 1
    assert "is damaged" in damaged.err
    assert "koatsu restore --replace" in damaged.err
    done = here("restore", str(place.backup), "--replace", "-c", place.config)
    assert (done.status, done.out) == (0, "Restored as a whole; counts: 3.\n")
    assert place.counts() == [1, 2, 3]
    (aside,) = place.store.parent.glob("koatsu.db.before-*T??????")
    assert aside.read_bytes().endswith(b"\xff" * 60_000)


@pytest.mark.parametrize("there", [True, False], ids=["replaced", "lost"])
def test_a_link_to_a_store_stays_a_link(place: Place, here: Here, there: bool) -> None:
    """What takes its place lies where the store lay, on the disk that was chosen for it."""
    disk = place.store.parent / "disk"
    disk.mkdir()
    real = place.store.rename(disk / "readings.db")
    place.store.symlink_to(real)
    here("backup", str(place.backup), "-c", place.config)
    if not there:
        real.unlink()
    assert here("restore", str(place.backup), "--replace", "-c", place.config).status == 0
    assert place.store.is_symlink()
    assert real.is_file()
    assert place.counts() == [1, 2, 3]
    assert len([*disk.glob("readings.db.before-*")]) == (1 if there else 0)


def test_the_audit_log_knows_of_backups_and_restores(place: Place, here: Here) -> None:
    here("backup", str(place.backup), "-c", place.config)
    assert not list(place.store.parent.glob("*.people.*")), "none is made where no people are kept"
    with People.open(place.store, clock=SystemClock()) as people:
        here("backup", str(place.backup), "--replace", "-c", place.config)
        with closing(sqlite3.connect(place.store, isolation_level=None)) as connection:
            connection.execute("DELETE FROM reading WHERE count = 2")
            connection.execute("UPDATE reading SET count = 9 WHERE count = 3")
        here("restore", str(place.backup), "-c", place.config)
        here("restore", str(place.backup), "--replace", "-c", place.config)
        assert here("restore", str(place.backup) + "x", "-c", place.config).status == 1
        told = [(one.author, one.action, one.subject, dict(one.detail)) for one in people.audit.entries()]
        assert people.audit.verify() is None
    with ZipFile(place.backup) as packed:
        packed.extract("koatsu.db", place.store.parent / "unpacked")
    with closing(sqlite3.connect(place.store.parent / "unpacked/koatsu.db")) as copy:
        tables = [name for (name,) in copy.execute("SELECT name FROM sqlite_master")]
    assert "reading" in tables
    assert not [name for name in tables if "people" in name], "names are in no backup"
    assert told == [
        ("console", "store_restored", "store", {"contradictions": "0", "counts": "3", "whole": "yes"}),
        ("console", "store_restored", "store", {"contradictions": "1", "counts": "1", "whole": "no"}),
        ("console", "backup_made", "store", {"counts": "3"}),
    ]


def test_a_backup_is_made_although_the_audit_log_is_out_of_reach(
    place: Place, here: Here, caplog: pytest.LogCaptureFixture
) -> None:
    place.store.with_name("koatsu.people.db").write_text("no database")
    assert here("backup", str(place.backup), "-c", place.config).status == 0
    [told] = caplog.records
    assert told.levelname == "WARNING"
    assert "the audit log has no entry of this (backup_made)" in told.getMessage()


def test_verify_says_what_is_wrong_and_what_to_do(place: Place, here: Here) -> None:
    assert here("verify", "-c", place.config).out == "All is sound.\n"
    assert here("verify", "-c", place.config, lang="ja").out == "異常はありません。\n"
    here("backup", str(place.backup), "-c", place.config)
    told = here("verify", str(place.backup))
    assert told.status == 0
    assert "本社工場" in told.out
    assert "counts: 3" in told.out
    with closing(sqlite3.connect(place.store, isolation_level=None)) as connection:
        connection.execute("UPDATE reading SET count = -1 WHERE count = 2")
        connection.execute("UPDATE reading SET count = 5000000 WHERE count = 3")
    told = here("verify", "-c", place.config)
    assert told.status == 1
    assert "no meter can have said: 1" in told.out
    assert "more digits than their register: 1" in told.out
    assert place.counts() == [1, 5_000_000]


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (("backup", "{backup}"), 2, "is there already"),
        (("backup", "{folder}/none/x/../../koatsu.toml/a"), 1, "cannot be written"),
        (("restore", "{folder}/none"), 1, "There is no file"),
        (("restore", "{config}"), 1, "is not a backup of Koatsu"),
        (("verify", "{config}"), 1, "is not a backup of Koatsu"),
        (("restore", "{backup}", "--replace", "-c", "{server}"), 2, "is not replaced as a whole"),
        (("restore", "{backup}", "-c", "{server}"), 1, "cannot be opened"),
        (("backup", "{folder}/b", "-c", "{empty}"), 1, "cannot be opened"),
        (("verify", "-c", "{empty}"), 1, "cannot be opened"),
        (("verify", "-c", "{folder}/none.toml"), 2, "no configuration file"),
    ],
)
def test_wrong_use_is_one_sentence(
    place: Place, here: Here, tmp_path: Path, words: tuple[str, ...], status: int, told: str
) -> None:
    assert here("backup", str(place.backup), "-c", place.config).status == 0
    empty = Place(tmp_path / "empty")
    server = tmp_path / "server.toml"
    server.write_text(
        Path(place.config).read_text().replace('"koatsu.db"', '"postgresql://nobody@127.0.0.1:1/koatsu"')
    )
    names = {
        "backup": place.backup,
        "folder": place.store.parent,
        "config": place.config,
        "server": server,
        "empty": empty.config,
    }
    line = [word.format(**names) for word in words]
    if "-c" not in line:
        line += ["-c", place.config]
    done = here(*line)
    assert done.status == status, done
    assert told in done.err
    assert len(done.err.splitlines()) == 1
    ja = here(*line, lang="ja")
    assert ja.err != done.err
    assert "。" in ja.err
    assert not empty.store.exists(), "nothing is made on the way"


def test_progress_is_shown_to_a_person_after_two_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[bool] = []
    seconds = iter([0.0, 1.0, 3.0])

    class Bar:
        def __init__(self, *_columns: object, **settings: object) -> None:
            assert settings["disable"] is False

        def __enter__(self) -> Bar:
            return self

        def __exit__(self, *_error: object) -> None:
            pass

        def add_task(self, *_words: object, **settings: object) -> int:
            assert settings["visible"] is False
            return 1

        def update(self, _task: int, *, completed: int, total: int, visible: bool) -> None:
            assert completed <= total
            shown.append(visible)

    monkeypatch.setattr(output, "Progress", Bar)
    monkeypatch.setattr(output, "watched", lambda: True)
    monkeypatch.setattr(output.time, "monotonic", lambda: next(seconds))
    with output.progress_bar("復元中", "Restoring") as show:
        show(1, 10)
        show(2, 10)
    assert shown == [False, True]
