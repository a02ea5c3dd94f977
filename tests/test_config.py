from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from koatsu.config import (
    Address,
    Config,
    ConfigFileError,
    MeterConfig,
    NodeConfig,
    RuleError,
    SiteConfig,
    WebConfig,
    load_config,
    parse_config,
    write_config,
)
from koatsu.errors import ConfigError, UsageError

WHOLE = """\
# a comment
[site]
name = "第一工場"
store = "data/koatsu.db"
contract_kw = 450
target_kw = 420.5

[web]
host = "127.0.0.1"
port = 8028

[node]
address = "192.168.1.5"
interface = "eth0"

[[meter]]
id = "main"
label = "受電"
address = "192.168.1.10"

[[meter]]
id = "solar"
address = "fe80::12%eth1"
role = "sell"
class = 0x028F
instance = 2
profile = "strict"
ceiling_kw = 600
"""


def test_a_whole_file_is_read_into_typed_values() -> None:
    config = parse_config(WHOLE)
    assert config.site == SiteConfig(
        name="第一工場", store="data/koatsu.db", contract_kw=Decimal(450), target_kw=Decimal("420.5")
    )
    assert config.web == WebConfig(host="127.0.0.1", port=8028)
    assert config.node == NodeConfig(address=Address("192.168.1.5"), interface="eth0")
    main, solar = config.meters
    assert (main.label, main.role, main.class_number, main.profile) == ("受電", "buy", 0x028A, "hv-assumed")
    assert solar.address == Address("fe80::12", 3610, "eth1")
    assert (solar.label, solar.class_code, solar.ceiling_kw) == ("solar", "028F", Decimal(600))
    assert config.meter("solar") is solar


def test_the_smallest_file_has_defaults() -> None:
    config = parse_config('[site]\nname = "x"\n[[meter]]\nid = "m"\naddress = "127.0.0.2"\n')
    assert config.web == WebConfig()
    assert config.node == NodeConfig()
    assert config.site.store == "koatsu.db"


@pytest.mark.parametrize(
    ("written", "expected", "shown"),
    [
        ("192.168.1.10", Address("192.168.1.10"), "192.168.1.10"),
        ("192.168.1.10:3611", Address("192.168.1.10", 3611), "192.168.1.10:3611"),
        ("fe80::1%eth0", Address("fe80::1", 3610, "eth0"), "fe80::1%eth0"),
        ("[fe80::1%eth0]:99", Address("fe80::1", 99, "eth0"), "[fe80::1%eth0]:99"),
        ("2001:DB8::0:1", Address("2001:db8::1"), "2001:db8::1"),
    ],
)
def test_addresses(written: str, expected: Address, shown: str) -> None:
    meter = parse_config(f'[site]\nname = "x"\n[[meter]]\nid = "m"\naddress = "{written}"\n').meters[0]
    assert meter.address == expected
    assert str(meter.address) == shown


def test_a_link_local_address_takes_the_interface_of_the_node() -> None:
    config = parse_config(
        '[site]\nname = "x"\n[node]\ninterface = "eth7"\n[[meter]]\nid = "m"\naddress = "fe80::9"\n'
    )
    assert config.meters[0].address.zone == "eth7"


def broken(old: str, new: str) -> str:
    assert old in WHOLE
    return WHOLE.replace(old, new, 1)


BROKEN = [
    # (file, line, parts of the English sentence, part of the Japanese one)
    (
        broken("contract_kw = 450", "contract = 450"),
        5,
        ["[site]", '"contract"', "contract_kw"],
        "contract_kw の",
    ),
    (
        broken("contract_kw = 450", 'contract_kw = "450 kW"'),
        5,
        ['"450 kW"', "without quotes or unit"],
        "kW値",
    ),
    (broken("contract_kw = 450", "contract_kw = -1"), 5, ["-1", "above 0"], "0より大きく"),
    (broken("contract_kw = 450", "contract_kw = true"), 5, ["true", "number of kW"], "kW値"),
    (broken("target_kw = 420.5", "target_kw = inf"), 6, ["target_kw", "number of kW"], "kW値"),
    (
        broken('host = "127.0.0.1"', 'host = "0.0.0.0"'),
        9,
        ['"0.0.0.0"', "this machine only"],
        "この機器の中だけ",
    ),
    (broken("port = 8028", "port = 80280"), 10, ["80280", "1 to 65535"], "65535"),
    (broken("port = 8028", 'port = "8028"'), 10, ['"8028"', "whole number"], "整数"),
    (broken("[web]", "[wep]"), 8, ['"wep"', "did you mean web?"], "web のこと"),
    (broken('"192.168.1.5"', '"192.168.1.5:99"'), 13, ["without a port"], "ポートを付けない"),
    (broken('"eth0"', '""'), 14, ["network interface"], "インターフェイス名"),
    (broken('id = "main"', 'id = "a b"'), 17, ['"a b"', "letters"], "英数字"),
    (broken('id = "main"\n', ""), 16, ["[[meter]] lacks id"], "id がありません"),
    (broken('"192.168.1.10"', '"meter.local"'), 19, ['"meter.local"', "IPv4 or IPv6"], "IPv4"),
    (broken('"192.168.1.10"', '"224.0.23.0"'), 19, ['"224.0.23.0"', "IPv4 or IPv6"], "IPv4"),
    (broken('"192.168.1.10"', '"fe80::1"'), 19, [], ""),  # the node's interface is its zone: accepted
    (broken('role = "sell"', 'role = "both"'), 24, ['"both"', '"buy", "sell", "sub"'], '"sell"'),
    (broken("0x028F", '"0290"'), 25, ["class", '"0290"', '"028A"'], '"028A"'),
    (broken("instance = 2", "instance = 0"), 26, ["instance", "1 to 127"], "1〜127"),
    (
        broken('"strict"', '"stricht"'),
        27,
        ['"stricht"', "fast, hv-assumed, lv-default, strict"],
        "ありません",
    ),
    (broken("ceiling_kw = 600", 'ceiling_kw = ["a"]'), 28, ["ceiling_kw", "number of kW"], "kW値"),
    (broken('id = "solar"', 'id = "MAIN"'), 21, ['"MAIN" repeats "main"'], "重複"),
    (broken('name = "第一工場"\n', ""), 2, ["[site] lacks name"], "name がありません"),
    (broken("[[meter]]", "[meter]"), None, ["TOML"], "TOML"),
    (broken("port = 8028", "port 8028"), 10, ["not TOML"], "TOML"),
    ('[site]\nname = "x"\n', None, ["there is no meter"], "メーターがありません"),
    ('site = 3\n[[meter]]\nid = "m"\naddress = "127.0.0.2"', 1, ["site must be a table", "[site]"], "[site]"),
]


@pytest.mark.parametrize(("text", "line", "parts", "ja"), BROKEN)
def test_a_broken_file_is_told_with_line_and_what_is_allowed(
    text: str, line: int | None, parts: list[str], ja: str
) -> None:
    profiles = ["lv-default", "hv-assumed", "fast", "strict"]
    if not parts:
        parse_config(text, profiles=profiles)
        return
    with pytest.raises(ConfigFileError) as caught:
        parse_config(text, name="koatsu.toml", profiles=profiles)
    problems = caught.value.problems
    assert len(problems) == 1
    if line is not None:
        assert problems[0].line == line
        assert caught.value.message.startswith(f"koatsu.toml:{line}: ")
        assert f"koatsu.toml {line}行目" in caught.value.text("ja")
    for part in parts:
        assert part in problems[0].en
    assert ja in problems[0].ja
    assert caught.value.exit_status == 2


def test_every_problem_is_told_at_once_in_the_order_of_lines() -> None:
    text = broken("port = 8028", "port = 0").replace("contract_kw", "contrakt_kw").replace('"sell"', '"sel"')
    with pytest.raises(ConfigFileError) as caught:
        parse_config(text)
    assert [problem.line for problem in caught.value.problems] == [5, 10, 24]
    assert len(caught.value.message.splitlines()) == 3


def test_lines_are_found_behind_lists_long_texts_and_inline_tables() -> None:
    text = '[site]\nname = """\na = 1\n[web]\n"""\nweb = [\n 1,\n]\n[[meter]]\nid="m"\n[web]\nport = 0\n'
    with pytest.raises(ConfigFileError) as caught:
        parse_config(text)
    assert [problem.line for problem in caught.value.problems] == [2, 6, 9, 12]
    inline = 'site = {name = "x"}\nweb.port = "a"\n[[meter]]\nid = "m"\naddress = "127.0.0.2"\n'
    with pytest.raises(ConfigFileError) as caught:
        parse_config(inline)
    assert [problem.line for problem in caught.value.problems] == [2]


def test_a_store_is_placed_beside_the_file(tmp_path: Path) -> None:
    path = tmp_path / "koatsu.toml"
    path.write_text(WHOLE, encoding="utf-8-sig")
    assert load_config(path).site.store == str(tmp_path / "data" / "koatsu.db")
    path.write_text(WHOLE.replace('"data/koatsu.db"', '"postgresql://db/koatsu"'), encoding="utf-8")
    assert load_config(path).site.store == "postgresql://db/koatsu"


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no configuration file") as caught:
        load_config(tmp_path / "none.toml")
    assert "koatsu init" in caught.value.text("ja")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path)
    path = tmp_path / "sjis.toml"
    path.write_bytes('[site]\nname = "工場"'.encode("cp932"))
    with pytest.raises(ConfigError, match="not UTF-8"):
        load_config(path)


def test_values_are_checked_on_construction_too() -> None:
    with pytest.raises(UsageError, match="1 to 65535"):
        WebConfig(port=0)
    with pytest.raises(RuleError, match="this machine only"):
        WebConfig(host="192.168.0.1")
    meter = MeterConfig(id="m", address=Address("127.0.0.2"))
    with pytest.raises(RuleError, match="repeats"):
        Config(site=SiteConfig(name="x"), meters=(meter, meter))
    with pytest.raises(RuleError, match="at least one"):
        Config(site=SiteConfig(name="x"), meters=())


def test_what_is_written_reads_back_and_is_commented(tmp_path: Path) -> None:
    path = tmp_path / "koatsu.toml"
    config = parse_config(WHOLE)
    write_config(path, config)
    again = load_config(path)
    assert again.meters == config.meters
    assert again.node == config.node
    assert again.site.store == str(tmp_path / "data" / "koatsu.db")
    text = path.read_text(encoding="utf-8")
    assert 'store = "data/koatsu.db" #' in text
    assert "契約電力" in text
    assert "# ceiling_kw =" in text
    assert [entry.name for entry in tmp_path.iterdir()] == ["koatsu.toml"]
    with pytest.raises(ConfigError, match="exists already"):
        write_config(path, config)
    write_config(path, again, replace=True)
    assert path.read_text(encoding="utf-8") == text


def test_a_folder_that_refuses_gives_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be written"):
        write_config(tmp_path / "none" / "koatsu.toml", parse_config(WHOLE))
