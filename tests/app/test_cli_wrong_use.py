"""Everything that a person can get wrong at the command line: one clear sentence each, the right exit status.

Each line of the table is one mistake. `{...}` stands for what the test sets up: an emulated meter, a node
without a meter, a free address, files.
"""

from __future__ import annotations

import re
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pytest
from program import EmulatedMeter, Here, Running, fresh_address, koatsu, running

from koatsu.app import exploring
from koatsu.app.exploring import DiscoverRow

JAPANESE = re.compile(r"[ぁ-んァ-ン一-龥]")

CONFIG = """\
[site]
name = "works"
contract_kw = 400
[web]
port = {page}
[node]
address = "{own}"
[[meter]]
id = "main"
address = "{free}"
profile = "{quick}"
"""


class Wrong(NamedTuple):
    """A mistake: command line, exit status, what the sentence must say, what the Japanese one must."""

    words: str
    status: int
    says: tuple[str, ...]
    ja: str


ADDRESSES = {
    "malformed address": Wrong(
        "read 192.168.1.999", 2, ("'192.168.1.999'", "192.0.2.10"), "アドレスではあり"
    ),
    "name instead of address": Wrong("history meter.local", 2, ("'meter.local'",), "アドレスではあり"),
    "malformed address to ask": Wrong("discover --also 1.2.3", 2, ("'1.2.3'",), "アドレスではあり"),
    "malformed own address": Wrong("read {meter} --from eth0", 2, ("'eth0'",), "アドレスではあり"),
    "malformed address to listen on": Wrong("meter --listen here", 2, ("'here'",), "アドレスではあり"),
    "link-local without zone": Wrong("read fe80::1", 2, ("link-local", "fe80::1%eth0"), "リンクローカル"),
    "no such interface": Wrong("read fe80::1%none0", 3, ("no way to fe80::1%none0",), "経路がありません"),
    "own address of another kind": Wrong(
        "read fe80::1%lo --from {own}", 2, ("From {own}", "fe80::1%lo", "IPv4"), "IPv4"
    ),
    "addresses of two kinds": Wrong("discover --from {free} --also ::1", 2, ("::1", "IPv6"), "IPv6"),
    "no such interface to search": Wrong(
        "discover --interface none0", 3, ("no network interface 'none0'", "lo"), "インターフェース"
    ),
    "nobody there": Wrong("read {free} --link-profile {quick}", 3, ("{free} does not answer",), "応答"),
    "nobody there, history": Wrong(
        "history {free} --days 0 --link-profile {quick}", 3, ("{free} does not answer",), "応答"
    ),
    "not our address to speak from": Wrong(
        "read {meter} --from 192.0.2.77", 3, ("192.0.2.77 is not an address of this machine",), "この機械の"
    ),
    "not our address to listen on": Wrong(
        "meter --listen 192.0.2.77", 3, ("192.0.2.77 is not an address of this machine",), "この機械の"
    ),
    "port taken, speaking": Wrong(
        "read {free} --from {meter}", 3, ("taken by koatsu (process {process})", "--from"), "使われています"
    ),
    "port taken, listening": Wrong(
        "meter --listen {meter}", 3, ("taken by koatsu (process {process})", "--listen"), "使われています"
    ),
}

METERS = {
    "another class": Wrong("read {meter} --class 028F", 1, ("no meter 0x028F", "0x028A01"), "0x028F"),
    "another instance": Wrong("read {meter} --instance 3", 1, ("instance 3", "0x028A01"), "インスタンス 3"),
    "unknown class": Wrong("read {meter} --class 9999", 2, ("0x9999", "028A"), "0x9999"),
    "no meter there": Wrong("read {plain}", 1, ("{plain} answers", "0x05FF01"), "電力量メータがありません"),
    "no meter there, history": Wrong("history {plain}", 1, ("{plain} answers", "0x05FF01"), "がありません"),
    "unknown property": Wrong("read {meter} energy_nau", 2, ("'energy_nau'", "energy_now"), "energy_now"),
    "unknown code": Wrong("read {meter} C0", 2, ("0xC0", "koatsu spec 028A"), "koatsu spec 028A"),
    "unknown link profile": Wrong("read {meter} --link-profile fats", 2, ("'fats'", "fast"), "fast"),
    "link profile that is no file": Wrong("read {meter} --link-profile none.toml", 2, ("none.toml",), "none"),
    "days in words": Wrong("history {meter} --days week", 2, ("'week'", "0..7"), "日の範囲"),
    "days too far back": Wrong("history {meter} --days 0..100", 2, ("'0..100'", "99"), "99"),
    "days before today": Wrong("history {meter} --days=-1", 2, ("'-1'",), "日の範囲"),
    "unknown format": Wrong("history {meter} --format xls", 2, ("'xls'", "csv, json, parquet"), "形式"),
    "parquet without a place": Wrong("history {meter} --format parquet", 2, ("--output",), "出力先"),
    "no such folder for the output": Wrong(
        "history {meter} --days 2 --link-profile fast -o {folder}/none/x.csv", 2,
        ("{folder}/none/x.csv cannot be written",), "書き込めません",
    ),
    "unknown class of a table": Wrong("spec 9999", 2, ("0x9999", "028A"), "028A"),
    "unknown language of a table": Wrong("spec 028A --lang fr", 2, ("'fr'", "ja, en"), "言語"),
    "file to write exists": Wrong("init -o {config}", 2, ("{config} exists",), "すでにあります"),
}  # fmt: skip

EMULATOR = {
    "unknown fault": Wrong("meter --fault dorp", 2, ("'dorp'", "drop"), "drop"),
    "fault value in words": Wrong("meter --fault drop=many", 2, ("'many'", "drop"), "drop"),
    "fault value out of range": Wrong("meter --fault drop=500", 2, ("between 0 and 100",), "100"),
    "unknown scenario": Wrong(
        "meter --scenario winter", 2, ("'winter'", "factory-weekday"), "factory-weekday"
    ),
    "unknown habits": Wrong("meter --listen {free} --link-profile fats", 2, ("'fats'", "fast"), "fast"),
    "unknown role": Wrong("meter --role both", 2, ("'both'", "buy, sell"), "buy"),
    "class that is no meter": Wrong("meter --class 05FF", 2, ("'05FF'", "028A"), "028A"),
    "start in words": Wrong("meter --start yesterday", 2, ("'yesterday'", "2026-07-15T13:00"), "日時"),
    "start in another century": Wrong("meter --start 0001-01-01", 2, ("2000 to 2099",), "2099"),
    "unit in words": Wrong("meter --unit-kwh big", 2, ("'big' is not a number",), "数ではありません"),
    "unit that no meter has": Wrong("meter --unit-kwh 5", 2, ("cannot be 5", "0.1"), "5"),
    "malformed control address": Wrong(
        "meter --listen {free} --control here", 2, ("'here'", "127.0.0.1:"), "here"
    ),
    "control port taken": Wrong(
        "meter --listen {free} --control 127.0.0.1:{taken}", 3, ("127.0.0.1:{taken}",), "127.0.0.1:{taken}"
    ),
    "truth that cannot be written": Wrong(
        "meter --listen {free} --truth {folder}/none/t", 2, ("cannot be written",), "書き込めません"
    ),
    "start of the demo in words": Wrong("demo --start noon", 2, ("'noon'",), "日時"),
}

RUNNING = {
    "no configuration": Wrong("run -c {folder}/no.toml", 2, ("no configuration file", "koatsu init"), "init"),
    "folder as configuration": Wrong("run -c {folder}", 2, ("cannot be read",), "読めません"),
    "clock in words": Wrong("run --clock noon@60", 2, ("'noon'", "2026-07-15T13:00"), "日時"),
    "speed in words": Wrong("run --clock @fast", 2, ("START@SPEED", "@60"), "開始@倍率"),
    "speed without end": Wrong("run --clock @inf", 2, ("0.1 to 3600",), "3600"),
    "page port taken": Wrong(
        "run -c {taken_page}", 3, ("127.0.0.1 port {taken}", "another port"), "ポート {taken}"
    ),
}  # fmt: skip

MISTAKES = ADDRESSES | METERS | EMULATOR | RUNNING


@pytest.fixture(scope="module")
def plain_node() -> Iterator[tuple[str, Running]]:
    """A node that answers and has no meter."""
    address = fresh_address()
    script = str(Path(__file__).with_name("plain_node.py"))
    with running(script, address, program=(sys.executable,)) as program:
        program.until("ready")
        yield address, program


@pytest.fixture(scope="module")
def set_up(
    tmp_path_factory: pytest.TempPathFactory, meter: EmulatedMeter, plain_node: tuple[str, Running]
) -> Iterator[dict[str, str]]:
    """What the braces in the table stand for."""
    folder = tmp_path_factory.mktemp("wrong")
    quick = folder / "quick.toml"
    short = '{ value = 0.2, assumed = true, note = "a test" }'
    none = '{ value = 0, assumed = true, note = "a test" }'
    quick.write_text(
        f'extends = "fast"\n[fields]\ntimer_one_s = {short}\ntimer_many_s = {short}\nretries = {none}\n'
    )
    with socket.create_server(("127.0.0.1", 0)) as holder:
        taken = holder.getsockname()[1]
        config, taken_page = folder / "koatsu.toml", folder / "taken.toml"
        values = {"own": fresh_address(), "free": fresh_address(), "quick": "fast"}
        config.write_text(CONFIG.format(page=8028, **values))
        taken_page.write_text(CONFIG.format(page=taken, **values))
        yield {
            "meter": meter.address, "process": str(meter.program.process.pid), "plain": plain_node[0],
            "free": values["free"], "own": values["own"], "quick": str(quick),
            "folder": str(folder), "config": str(config),
            "taken": str(taken), "taken_page": str(taken_page),
        }  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_sentence(name: str, here: Here, set_up: dict[str, str]) -> None:
    wrong = MISTAKES[name]
    words = [word.format(**set_up) for word in wrong.words.split()]
    if words[0] in ("read", "history") and "--from" not in words and "fe80:" not in wrong.words:
        words += ["--from", fresh_address()]
    said = {lang: here(*words, lang=lang) for lang in ("en", "ja")}
    for done in said.values():
        assert (done.status, done.out) == (wrong.status, ""), done.err
        assert len(done.err.splitlines()) == 1
        assert done.err.startswith("koatsu: ")
        assert "Error" not in done.err, "a class name is no sentence"
    for part in wrong.says:
        assert part.format(**set_up) in said["en"].err
    assert not JAPANESE.search(said["en"].err)
    assert wrong.ja.format(**set_up) in said["ja"].err
    assert JAPANESE.search(said["ja"].err)


# --- the configuration: file, line, what is allowed -----------------------------------------------------


@dataclass(frozen=True)
class WrongConfig:
    """A change of the configuration, and for each problem its line and what is said."""

    old: str
    new: str
    problems: tuple[tuple[int, str], ...]


CONFIGS = {
    "wrong key": WrongConfig(
        "contract_kw", "contract", ((3, 'no key "contract"; did you mean contract_kw?'),)
    ),
    "wrong type": WrongConfig("400", '"four hundred"', ((3, "a number of kW"),)),
    "wrong unit": WrongConfig("400", '"400 kW"', ((3, "without quotes or unit"),)),
    "page nowhere": WrongConfig("[web]", '[web]\nhost = "nowhere"', ((5, "an address of this machine"),)),
    "unknown link profile": WrongConfig('"fast"', '"fats"', ((11, "allowed: fast, hv-assumed"),)),
    "not TOML": WrongConfig("name =", "name", ((2, "not TOML"),)),
    "several at once": WrongConfig(
        "contract_kw = 400\n[web]\nport = 8028",
        'contract_kw = -1\n[web]\nport = "8028"',
        ((3, "above 0"), (5, "whole number from 1 to 65535")),
    ),
}


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("lang", ["en", "ja"])
def test_a_wrong_configuration_names_file_line_and_what_is_allowed(
    name: str, lang: str, here: Here, tmp_path: Path
) -> None:
    wrong = CONFIGS[name]
    right = CONFIG.format(page=8028, own="127.0.0.1", free="127.0.0.2", quick="fast")
    assert wrong.old in right
    path = tmp_path / "koatsu.toml"
    path.write_text(right.replace(wrong.old, wrong.new, 1))
    done = here("run", "-c", str(path), lang=lang)
    assert (done.status, done.out) == (2, "")
    lines = done.err.removeprefix("koatsu: ").splitlines()
    assert len(lines) == len(wrong.problems)
    for line, (number, said) in zip(lines, wrong.problems, strict=True):
        if lang == "en":
            assert line.startswith(f"{path}:{number}: ")
            assert said in line
        else:
            assert line.startswith(f"{path} {number}行目: ")


# --- what the table cannot hold -------------------------------------------------------------------------


async def nobody(**_: object) -> list[DiscoverRow]:
    """What discovery finds on an empty wire."""
    return []


@pytest.mark.parametrize(
    ("command", "en", "ja"),
    [("discover", "Nobody answered.", "応答がありません"), ("init", "No meter answered", "応答しない")],
)
def test_an_empty_wire_is_status_3(
    command: str, en: str, ja: str, here: Here, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(exploring, "discover_rows", nobody)
    monkeypatch.chdir(tmp_path)
    said = {lang: here(command, lang=lang) for lang in ("en", "ja")}
    assert {done.status for done in said.values()} == {3}
    assert en in said["en"].err
    assert "--also" in said["en"].err
    assert ja in said["ja"].err
    assert list(tmp_path.iterdir()) == []


def test_an_empty_wire_is_an_empty_list_for_a_program(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exploring, "discover_rows", nobody)
    done = here("discover", "--json")
    assert (done.status, done.out) == (3, "[]\n")


def test_the_console_script_ends_like_the_call(set_up: dict[str, str]) -> None:
    """The table runs in one process; here is one mistake of each status from outside."""
    for words, status in (
        (("read", set_up["meter"], "--class", "028F", "--from", fresh_address()), 1),
        (("spec", "9999"), 2),
        (("meter", "--listen", "192.0.2.77"), 3),
    ):
        done = koatsu(*words, KOATSU_LANG="ja")
        assert (done.status, done.out) == (status, "")
        assert done.err.startswith("koatsu: ")
        assert JAPANESE.search(done.err)


def test_an_unknown_option_or_command_is_wrong_use(here: Here) -> None:
    for words in (("read", "127.0.0.2", "--jsno"), ("raed",), ("read",), ("meter", "--digits", "9")):
        assert here(*words).status == 2


def test_a_fault_of_the_program_is_one_sentence_too(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(**_: object) -> list[DiscoverRow]:
        raise RuntimeError("a bug\nwith a second line")

    monkeypatch.setattr(exploring, "discover_rows", broken)
    done = here("discover")
    assert done.status == 1
    assert "RuntimeError: a bug" in done.err
    assert len(done.err.splitlines()) == 1
    assert "不具合" in here("discover", lang="ja").err
    monkeypatch.setenv("KOATSU_DEBUG", "1")
    with pytest.raises(RuntimeError, match="a bug"):
        here("discover")
