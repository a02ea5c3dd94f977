"""``koatsu compare pulse`` as docs/pulses.md describes it: from the store, from a file, in three forms."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from program import Done, Here

from koatsu.app.comparing import pulse_desk, recorders
from koatsu.clock import JST, SystemClock
from koatsu.config import load_config
from koatsu.ems.pulses import PulseSpan, as_stored
from koatsu.ems.store import Store, StoredMeter
from koatsu.ems.store.pulse_rows import put_pulses
from koatsu.meter import HALF_HOUR, Nameplate, Reading, Register, Scale, Source

SINCE = datetime(2026, 7, 14, tzinfo=JST).astimezone(UTC)
CONFIG = """
[site]
name = "工場"

[[meter]]
id = "sub"
role = "sub"
address = "127.0.0.3"

[[meter]]
id = "buy"
label = "買電"
address = "127.0.0.2"
"""
DETECTOR = """
[[pulse]]
meter = "buy"
source = "127.0.0.1:8050"
per_kwh = "250/3"
"""
Run = Callable[..., Done]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A store with a day of 10 kWh a slot, six slots of pulses, the third with losses."""
    (tmp_path / "koatsu.toml").write_text(CONFIG + DETECTOR)
    plate = Nameplate(
        class_code=0x028A, serial="A1", energy_scale=Scale(10, Decimal(1), Decimal("0.01")), energy_digits=8
    )
    with Store.open(tmp_path / "koatsu.db") as store:
        for meter_id in ("sub", "buy"):
            store.put_meter(
                StoredMeter(id=meter_id, label=meter_id, role="buy", class_code=0x028A, address="127.0.0.2"),
                at=SINCE,
            )
        store.open_epoch("buy", plate, SINCE - timedelta(days=1))
        store.record("buy", 1, list(readings()))
        for number, pulses in enumerate((900, 833, 733, 833, 834, 833)):
            put_pulses(store, as_stored("buy", span(number, pulses)))
    return tmp_path


def readings() -> Iterator[Reading]:
    for number in range(9):
        instant = SINCE + number * HALF_HOUR
        yield Reading(
            register=Register.ENERGY,
            instant=instant,
            count=500 + 100 * number,
            source=Source.FIXED,
            received=instant + timedelta(seconds=20),
        )


def span(number: int, pulses: int) -> PulseSpan:
    start = SINCE + number * HALF_HOUR
    return PulseSpan(
        since=start, until=start + HALF_HOUR, pulses=pulses, slot_pulses=2, per_kwh=Fraction(250, 3)
    )


@pytest.fixture
def run(here: Here, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(folder)

    def call(*words: str, lang: str = "en") -> Done:
        return here("compare", "pulse", *words, lang=lang)

    return call


def test_a_table_for_people(run: Run) -> None:
    done = run()
    assert done.status == 1
    lines = done.out.splitlines()
    assert lines[0].split()[:2] == ["Slot", "Pulses"]
    assert len(lines) == 9
    assert "Pulses doubled" in lines[1]
    assert "Pulses lost" in lines[3]
    assert "+0.008" in lines[5]
    assert "Not heard" in lines[8]
    assert "on balance" in done.err
    assert "パルスの欠け" in run(lang="ja").out


def test_json_with_exact_values_as_strings(run: Run) -> None:
    done = run("--format", "json", "--meter", "buy", "--day", "2026-07-14")
    told = done.json
    assert done.status == 1
    assert (told["meter"], told["day"], told["pulses_per_kwh"]) == ("buy", "2026-07-14", "250/3")
    third = told["slots"][2]
    assert third["start"] == "2026-07-14T01:00:00+09:00"
    assert (third["pulses"], third["register_counts"], third["register_kwh"]) == (733, 100, "10.00")
    assert third["reasons"] == ["lost"]
    assert third["pulses_amiss"] == [92, 109]
    assert told["total"]["slots"] == 6
    assert told["units"]["pulse_kwh"] == "kWh"


def test_csv(run: Run) -> None:
    done = run("--format", "csv")
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert [row["reasons"] for row in rows[:4]] == ["doubled", "resolution", "lost", "resolution"]
    assert rows[7]["reasons"] == "not_heard"


@pytest.mark.parametrize(
    ("words", "status", "text"),
    [
        (("--meter", "nobody"), 2, "There is no meter nobody"),
        (("--day", "2026-07-01"), 1, "no pulses of 買電 on 2026-07-01"),
        (("--meter", "sub"), 1, "no pulses of sub"),
        (("--day", "yesterday"), 2, "yesterday"),
        (("--file", "nowhere.jsonl"), 2, "nowhere.jsonl cannot be read: No such file"),
        (("-c", "nowhere.toml"), 2, "There is no configuration file"),
    ],
)
def test_what_cannot_be_done_is_told(run: Run, words: tuple[str, ...], status: int, text: str) -> None:
    done = run(*words)
    assert done.status == status
    assert text in done.err
    assert done.out == ""


def test_without_a_store_there_is_nothing(here: Here, tmp_path: Path) -> None:
    (tmp_path / "koatsu.toml").write_text(CONFIG)
    done = here("compare", "pulse", "-c", str(tmp_path / "koatsu.toml"))
    assert done.status == 1
    assert "[[pulse]]" in done.err


# --- a file ---------------------------------------------------------------------------------------------


def lines(*said: tuple[float, object]) -> str:
    """Minutes after midnight and a count, "slot" or a constant."""
    written = []
    for minutes, what in said:
        line: dict[str, object] = {"pulse": "slot"}
        if isinstance(what, int):
            line = {"pulse": "energy", "count": what}
        elif what != "slot":
            line = {"pulse": "constant", "per_kwh": what}
        written.append(json.dumps(line | {"at": (SINCE + timedelta(minutes=minutes)).isoformat()}))
    return "\n".join(written) + "\n"


def test_a_file_of_pulses_with_their_times(run: Run, folder: Path) -> None:
    pulses = lines((0, "slot"), (10, 833), (30, "slot"), (40, 833), (70, 834), (90, "slot"), (100, 400))
    (folder / "pulses.jsonl").write_text(pulses)
    told = run("--file", "pulses.jsonl", "--format", "json")
    assert told.status == 1  # a slot pulse is lost
    slots = told.json["slots"]
    assert [(one["slots"], one["reasons"]) for one in slots[:3]] == [
        (1, ["resolution"]),
        (2, ["resolution", "slot_lost"]),
        (1, ["part"]),
    ]
    assert slots[1]["pulses"] == 1667


def test_a_sound_file_ends_well(run: Run, folder: Path) -> None:
    pulses = lines((0, "slot"), (10, 833), (30, "slot"), (40, 833), (60, "slot"))
    (folder / "pulses.jsonl").write_text(pulses)
    done = run("--file", "pulses.jsonl")
    assert done.status == 0
    assert "no more than the last count" in done.err


def test_a_file_without_slot_pulses_is_cut_by_its_times(run: Run, folder: Path) -> None:
    (folder / "koatsu.toml").write_text(CONFIG + DETECTOR + "slot_pulse = false\n")
    pulses = lines((-5, 100), (10, 400), (20, 433), (35, 833), (61, 5))
    (folder / "pulses.jsonl").write_text(pulses)
    slots = run("--file", "pulses.jsonl", "--format", "json").json["slots"]
    assert [one["pulses"] for one in slots[:2]] == [833, 833]
    assert [one["reasons"] for one in slots[:2]] == [["resolution"], ["resolution"]]


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("hello", "pulses.jsonl, line 2: a line is one JSON object."),
        ('{"pulse": "slot"}', 'pulses.jsonl, line 2: it has no "at".'),
        (lines((-9, "slot")).strip(), "pulses.jsonl, line 2: its time is before the last one."),
        ("x" * 5000, "pulses.jsonl, line 2: a line has at most 1024 bytes."),
    ],
)
def test_a_broken_line_is_named(run: Run, folder: Path, line: str, text: str) -> None:
    (folder / "pulses.jsonl").write_text(lines((0, "slot")) + line + "\n")
    done = run("--file", "pulses.jsonl")
    assert done.status == 2
    assert text in done.err
    assert "2行目" in run("--file", "pulses.jsonl", lang="ja").err


def test_an_empty_file_has_nothing(run: Run, folder: Path) -> None:
    (folder / "pulses.jsonl").write_text("\n\n")
    done = run("--file", "pulses.jsonl")
    assert done.status == 1


# --- in the running program -----------------------------------------------------------------------------


def test_each_detector_of_the_configuration_is_listened_to(folder: Path) -> None:
    config = load_config(folder / "koatsu.toml")
    with Store.open(folder / "koatsu.db") as store:
        assert set(recorders(config, store, SystemClock())) == {"pulses buy"}
        desk = pulse_desk(config, store, SystemClock())
        assert desk is not None
        assert desk.meters() == {"buy"}


def test_without_detectors_and_pulses_there_is_no_page(tmp_path: Path) -> None:
    (tmp_path / "koatsu.toml").write_text(CONFIG)
    config = load_config(tmp_path / "koatsu.toml")
    with Store.open(tmp_path / "koatsu.db") as store:
        assert recorders(config, store, SystemClock()) == {}
        assert pulse_desk(config, store, SystemClock()) is None


def test_help_has_an_example(here: Here) -> None:
    for words in ((), ("pulse",)):
        done = here("compare", *words, "--help")
        assert done.status == 0
        assert "Example: koatsu compare pulse" in done.out
