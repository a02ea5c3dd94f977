"""`koatsu history` against the emulator's truth file: every slot, every digit, every format."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from program import Done, EmulatedMeter, Here, emulated_meter, fresh_address, koatsu

HEAD = "slot_start,slot_end,energy_kwh,demand_kw,start_count,end_count,quality,source"
HALF_HOUR = timedelta(minutes=30)


def slots_of(text: str) -> list[dict[str, str]]:
    """The rows of a CSV, its head checked."""
    assert text.splitlines()[0] == HEAD
    return list(csv.DictReader(text.splitlines()))


def expected(meter: EmulatedMeter, first: str, last: str) -> list[dict[str, str]]:
    """The rows that the truth file demands, for the slots from ``first`` on that end until ``last``."""
    plate, counts, demands = meter.plate(), meter.registers(), meter.demands()
    scale = plate["coefficient"] * Decimal(plate["multiplier"])
    own_demand = plate["class"] in ("0x028A", "0x028F")
    rows = []
    start = datetime.fromisoformat(first)
    while (end := start + HALF_HOUR) <= datetime.fromisoformat(last):
        a, b = counts[start.isoformat()], counts[end.isoformat()]
        energy = (b - a) % 10 ** plate["energy_digits"] * scale * Decimal(plate["energy_unit"])
        said = demands[start.isoformat()]
        assert said is not None
        demand = said * scale * Decimal(plate["demand_unit"]) if own_demand else energy * 2
        cells = (start.isoformat(), end.isoformat(), f"{energy:f}", f"{demand:f}", str(a), str(b))
        rows.append(dict(zip(HEAD.split(","), (*cells, "recovered", "history"), strict=True)))
        start = end
    return rows


@pytest.mark.parametrize(
    "options",
    [
        ("--class", "028A", "--coefficient", "1200"),
        ("--class", "028F", "--digits", "4"),  # wraps about twice a day
        ("--class", "0288", "--unit-kwh", "0.1", "--coefficient", "1"),
        ("--class", "028D", "--role", "sub"),
    ],
    ids=["028A", "028F wrapping", "0288", "028D"],
)
def test_every_slot_is_the_truth(tmp_path: Path, here: Here, options: tuple[str, ...]) -> None:
    with emulated_meter(tmp_path, *options) as meter:
        done = here(
            "history", meter.address, "--days", "0..2", "--link-profile", "fast", "--from", fresh_address()
        )
        rows = slots_of(done.out)
        truth = expected(meter, "2026-07-13T00:00+09:00", "2026-07-15T13:00+09:00")
    assert (done.status, done.err) == (0, "")
    assert len(truth) == 48 + 48 + 26
    for row, true in zip(rows, truth, strict=True):
        assert row == true
    if "028F" in options:
        assert any(int(row["end_count"]) < int(row["start_count"]) for row in rows)


def test_a_past_day_alone_ends_with_the_first_counter_of_the_next(meter: EmulatedMeter) -> None:
    done = koatsu("history", meter.address, "--days", "2", "--link-profile", "fast")
    assert (done.status, done.err) == (0, "")
    assert slots_of(done.out) == expected(meter, "2026-07-13T00:00+09:00", "2026-07-14T00:00+09:00")


def test_a_day_that_the_meter_does_not_have_is_empty_and_never_zero(meter: EmulatedMeter, here: Here) -> None:
    done = here("history", meter.address, "--days", "40", "--link-profile", "fast", "--from", fresh_address())
    rows = slots_of(done.out)
    assert len(rows) == 48
    for row in rows:
        numbers = (row["energy_kwh"], row["demand_kw"], row["start_count"], row["end_count"])
        assert numbers == ("", "", "", "")
        assert row["quality"] == "unavailable"


@pytest.fixture
def yesterday(meter: EmulatedMeter, here: Here) -> list[dict[str, str]]:
    """Yesterday's rows as CSV told them."""
    options = ("--days", "1", "--link-profile", "fast", "--from", fresh_address())
    return slots_of(here("history", meter.address, *options).out)


def ask(here: Here, meter: EmulatedMeter, *words: str) -> Done:
    """Yesterday once more, in another form."""
    options = ("--days", "1..1", "--link-profile", "fast", "--from", fresh_address())
    done = here("history", meter.address, *options, *words)
    assert (done.status, done.err) == (0, "")
    return done


def test_a_csv_file_is_the_same_with_a_byte_order_mark(
    meter: EmulatedMeter, here: Here, yesterday: list[dict[str, str]], tmp_path: Path
) -> None:
    path = tmp_path / "day.csv"
    assert ask(here, meter, "-o", str(path)).out == ""
    content = path.read_bytes()
    assert content.startswith(b"\xef\xbb\xbf" + HEAD.encode() + b"\r\n")
    assert slots_of(content.decode("utf-8-sig")) == yesterday


def test_json_says_the_same_in_strings_with_units(
    meter: EmulatedMeter, here: Here, yesterday: list[dict[str, str]], tmp_path: Path
) -> None:
    path = tmp_path / "day.json"
    told = ask(here, meter, "--format", "json").json
    assert told["units"] == {"energy_kwh": "kWh", "demand_kw": "kW"}
    assert told["slots"] == yesterday
    ask(here, meter, "--format", "json", "-o", str(path))
    assert json.loads(path.read_text(encoding="utf-8")) == told


def test_parquet_comes_back_exact(
    meter: EmulatedMeter, here: Here, yesterday: list[dict[str, str]], tmp_path: Path
) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "day.parquet"
    ask(here, meter, "--format", "parquet", "-o", str(path))
    rows = parquet.read_table(path).to_pylist()
    assert list(rows[0]) == HEAD.split(",")
    for row, told in zip(rows, yesterday, strict=True):
        assert row["slot_start"] == datetime.fromisoformat(told["slot_start"]).astimezone(UTC)
        assert row["slot_end"] == datetime.fromisoformat(told["slot_end"]).astimezone(UTC)
        assert isinstance(row["energy_kwh"], Decimal)
        assert row["energy_kwh"] == Decimal(told["energy_kwh"])
        assert row["demand_kw"] == Decimal(told["demand_kw"])
        assert (row["start_count"], row["end_count"]) == (int(told["start_count"]), int(told["end_count"]))
        assert (row["quality"], row["source"]) == (told["quality"], told["source"])


def test_no_data_and_a_coefficient_of_0_are_never_numbers(tmp_path: Path, here: Here) -> None:
    options = ("--fault", "no-data-holes=20", "--fault", "coefficient-zero")
    with emulated_meter(tmp_path, *options) as meter:
        words = ("--days", "1", "--link-profile", "fast", "--from", fresh_address())
        rows = slots_of(here("history", meter.address, *words).out)
        counts = meter.registers()
    assert len(rows) == 48
    assert any(row["start_count"] == "" for row in rows)
    assert any(row["start_count"] for row in rows)
    for row in rows:
        assert row["start_count"] in ("", str(counts[row["slot_start"]]))
        assert row["end_count"] in ("", str(counts[row["slot_end"]]))
        assert (row["energy_kwh"], row["demand_kw"]) == ("", "")


def test_a_day_that_cannot_be_believed_is_told_and_left_out(tmp_path: Path, here: Here) -> None:
    with emulated_meter(tmp_path, "--fault", "wrong-history-day") as meter:
        words = ("--days", "1..2", "--link-profile", "fast", "--from", fresh_address())
        for lang in ("en", "ja"):
            done = here("history", meter.address, *words, lang=lang)
            assert done.status == 1
            assert slots_of(done.out) == []
            assert done.err
            for line in done.err.splitlines():
                assert ("日" in line) == (lang == "ja")
