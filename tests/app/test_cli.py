"""The looking commands as docs/commands.md describes them: tables for people, exact JSON for programs."""

from __future__ import annotations

import re
import subprocess
import tomllib
from datetime import datetime, timedelta
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path

import pytest
from program import KOATSU, EmulatedMeter, Here, emulated_meter, environment, fresh_address, koatsu

from koatsu.app import exploring
from koatsu.app.exploring import DiscoverRow

COMMANDS = ("demo", "meter", "discover", "read", "history", "spec", "init", "run")
FAST = ("--link-profile", "fast")


def own() -> tuple[str, str]:
    """Speak from an address that nobody else uses."""
    return "--from", fresh_address()


# --- help -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(command: str, here: Here) -> None:
    done = here(command, "--help")
    assert (done.status, done.err) == (0, "")
    assert re.search(rf"Example: koatsu {command}\b", done.out)


def test_the_program_tells_what_it_can_do_and_its_version() -> None:
    bare = koatsu()
    for command in COMMANDS:
        assert re.search(rf"^[│ ]*{command} ", bare.out + bare.err, re.MULTILINE)
    assert koatsu("--version").out == version("koatsu") + "\n"


def test_a_closed_pager_is_no_error(tmp_path: Path) -> None:
    """`koatsu spec 028A | head -1` leaves nothing on standard error."""
    with (tmp_path / "err").open("w+") as err:
        spec = subprocess.Popen(
            [KOATSU, "spec", "028A"], stdout=subprocess.PIPE, stderr=err, env=environment()
        )
        assert spec.stdout is not None
        assert spec.stdout.read(5)
        spec.stdout.close()
        spec.wait(60)
        err.seek(0)
        assert err.read() == ""


# --- read -----------------------------------------------------------------------------------------------


def test_read_gives_exact_strings_with_units(meter: EmulatedMeter) -> None:
    done = koatsu("read", meter.address, "energy_slot", "E0", "demand_slot", "--json", *own())
    told = done.json
    assert (done.status, done.err) == (0, "")
    assert (told["address"], told["class"], told["refused"]) == (meter.address, "0x028A", [])
    values = {(value["name"], value["part"]): value for value in told["values"]}
    plate, at = meter.plate(), values["energy_slot", "at"]["value"]
    assert at >= "2026-07-15T13:00:00+09:00", "the newest half hour: the clock has gone on since the start"
    count = meter.registers()[at]
    energy = values["energy_slot", "normal"]
    assert energy["value"] == f"{count * plate['coefficient'] * Decimal(plate['energy_unit']):f}"
    assert (energy["unit"], energy["count"], energy["note"]) == ("kWh", count, "")
    said = meter.demands()[(datetime.fromisoformat(at) - timedelta(minutes=30)).isoformat()]
    assert values["demand_slot", "normal"]["count"] == said
    assert values["demand_slot", "normal"]["unit"] == "kW"
    assert values["fixed_day", ""]["value"] == "1"
    assert all(isinstance(value["value"], str) for value in told["values"])


def test_read_without_names_shows_everything_in_a_table(meter: EmulatedMeter) -> None:
    done = koatsu("read", meter.address, *FAST)
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith(f"{meter.address}  0x028A High-voltage smart meter\n")
    rows = {line.split()[0]: line for line in done.out.splitlines()[2:]}
    for name in ("energy_now.normal", "demand_slot.at", "coefficient", "serial_number", "get_map"):
        assert name in rows
    assert " kWh " in rows["energy_now.normal"]
    assert "energy_history" not in done.out, "a history is read by koatsu history"
    assert max(map(len, done.out.splitlines())) < 160, "a long value is shortened"


def test_read_speaks_japanese(meter: EmulatedMeter, here: Here) -> None:
    done = here("read", meter.address, "energy_now", *FAST, *own(), lang="ja")
    assert done.status == 0
    for word in ("高圧スマート電力量メータ", "名前", "内容", "単位", "指示値", "kWh"):
        assert word in done.out


def test_what_a_meter_refuses_is_status_1(tmp_path: Path, here: Here) -> None:
    with emulated_meter(tmp_path, "--fault", "refuses") as meter:
        for lang, said in (("en", "Refused by the meter: "), ("ja", "拒否: ")):
            done = here("read", meter.address, "energy_now", "serial_number", *FAST, *own(), lang=lang)
            assert done.status == 1
            assert done.err == f"{said}energy_now\n"
            assert "serial_number" in done.out


def test_a_value_against_the_class_table_is_one_sentence(tmp_path: Path, here: Here) -> None:
    with emulated_meter(tmp_path, "--fault", "impossible-date") as meter:
        for lang in ("en", "ja"):
            done = here("read", meter.address, "energy_now", *FAST, *own(), lang=lang)
            assert done.status == 1
            assert done.err.startswith("koatsu: ")
            assert len(done.err.splitlines()) == 1


def test_an_unscaled_count_is_no_energy(tmp_path: Path, here: Here) -> None:
    with emulated_meter(tmp_path, "--fault", "coefficient-zero") as meter:
        told = here("read", meter.address, "energy_now", "--json", *FAST, *own()).json
    value = told["values"][1]
    assert (value["unit"], value["note"], value["value"]) == ("", "unscaled", str(value["count"]))


def test_read_takes_class_and_instance(meter: EmulatedMeter, here: Here) -> None:
    words = ("read", meter.address, "digits", "--class", "0x028a", "--instance", "1", *FAST, *own())
    assert "energy_digits" in here(*words).err, "near names are told"
    done = here(*(word.replace("digits", "energy_digits") for word in words))
    assert done.status == 0


# --- discover, init -------------------------------------------------------------------------------------


def test_discover_names_address_class_maker_and_serial_number(meter: EmulatedMeter) -> None:
    done = koatsu("discover", "--also", meter.address, "--wait", "0.5", *own())
    assert (done.status, done.err) == (0, "")
    heading, *rows = done.out.splitlines()
    assert heading.split() == ["address", "object", "class", "maker", "serial"]
    [row] = [row for row in rows if row.startswith(f"{meter.address} ")]
    assert row.split() == [
        meter.address, "0x028A01", "High-voltage", "smart", "meter", "FFFFFF", meter.plate()["serial"],
    ]  # fmt: skip


def test_discover_in_json_and_in_japanese(meter: EmulatedMeter, here: Here) -> None:
    words = ("discover", "--also", meter.address, "--wait", "0.5", *own())
    [row] = [row for row in here(*words, "--json").json if row["address"] == meter.address]
    assert row == {
        "address": meter.address, "eoj": "0x028A01", "class_code": "0x028A", "instance": 1,
        "name_ja": "高圧スマート電力量メータ", "name_en": "High-voltage smart meter", "maker": "FFFFFF",
        "serial": meter.plate()["serial"],
    }  # fmt: skip
    shown = here(*words, lang="ja").out
    assert "製造番号" in shown
    assert "高圧スマート電力量メータ" in shown


def test_init_writes_what_discovery_found(meter: EmulatedMeter, tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    done = koatsu("init", "--also", meter.address, "--yes", "-o", str(path), *own())
    assert (done.status, done.out) == (0, "")
    assert done.err == f"Wrote {path}. Next: koatsu run -c {path}\n"
    text = path.read_text(encoding="utf-8")
    written = tomllib.loads(text)
    assert meter.address in [entry["address"] for entry in written["meter"]]
    assert "契約電力" in text, "every key is explained"
    again = koatsu("init", "-o", str(path))
    assert again.status == 2
    assert path.read_text(encoding="utf-8") == text


def test_init_asks(meter: EmulatedMeter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, here: Here) -> None:
    async def found(**_: object) -> list[DiscoverRow]:
        return [
            DiscoverRow(
                address=address, eoj="0x028A01", class_code=0x028A, instance=1, name_ja="", name_en="",
                maker=None, serial=None,
            )
            for address in ("127.9.9.10", meter.address, "127.9.9.9")
        ]  # fmt: skip

    answers = iter(["第二工場", "data.db", "buy", "受電", "both", "sub", "空調", "sell", "太陽光"])
    asked: list[str] = []

    def prompt(text: str, **_: object) -> str:
        asked.append(text)
        return next(answers)

    monkeypatch.setattr(exploring, "discover_rows", found)
    monkeypatch.setattr("typer.prompt", prompt)
    path = tmp_path / "koatsu.toml"
    done = here("init", "-o", str(path), lang="ja")
    assert done.status == 0
    assert f"{path} を書きました" in done.err
    assert "buy/sell/sub のどれか" in asked
    written = tomllib.loads(path.read_text(encoding="utf-8"))
    assert (written["site"]["name"], written["store"]["path"]) == ("第二工場", "data.db")
    assert [(one["address"], one["role"], one["label"]) for one in written["meter"]] == [
        ("127.9.9.9", "buy", "受電"), ("127.9.9.10", "sub", "空調"), (meter.address, "sell", "太陽光"),
    ]  # fmt: skip


# --- spec -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["028A", "028F", "0288", "028D", "05FF", "0EF0", "0x028a"])
def test_spec_shows_a_class_table(code: str, here: Here) -> None:
    done = here("spec", code)
    assert (done.status, done.err) == (0, "")
    rows = here("spec", code, "--json").json
    for row in rows:
        assert re.fullmatch("0x[89A-F][0-9A-F]", row["epc"])
        assert all(isinstance(cell, str) for cell in row.values())
        assert re.search(rf"^{row['epc']} +{row['name']}\b", done.out, re.MULTILINE)


def test_spec_speaks_japanese(here: Here) -> None:
    assert "高圧スマート電力量メータ" in here("spec", "028A", lang="ja").out
    assert "高圧スマート電力量メータ" in here("spec", "028A", "--lang", "ja").out
    assert "必須" in here("spec", "028A", "--lang", "ja", "--json").out


# --- what a meter says is no markup ---------------------------------------------------------------------


def test_brackets_from_the_wire_are_shown_as_they_are(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    async def odd(**_: object) -> list[DiscoverRow]:
        return [
            DiscoverRow(
                address="192.0.2.1", eoj="0x028A01", class_code=0x028A, instance=1, name_ja="", name_en="",
                maker=None, serial="[/bold][red]1",
            )
        ]  # fmt: skip

    monkeypatch.setattr(exploring, "discover_rows", odd)
    done = here("discover")
    assert done.status == 0
    assert "[/bold][red]1" in done.out
