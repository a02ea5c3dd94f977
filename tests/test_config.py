from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest

from koatsu.config import (
    ONLY_SITE,
    SITES_MAX,
    Address,
    Config,
    ConfigFileError,
    MeterConfig,
    NodeConfig,
    Problem,
    RuleError,
    SiteConfig,
    StoreConfig,
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
    assert config.sites == (
        SiteConfig(id="site", name="第一工場", contract_kw=Decimal(450), target_kw=Decimal("420.5")),
    )
    assert config.store == StoreConfig(path="data/koatsu.db")
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
    assert config.store.path == "koatsu.db"


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
        [],
        "",
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
    assert load_config(path).store.path == str(tmp_path / "data" / "koatsu.db")
    path.write_text(WHOLE.replace('"data/koatsu.db"', '"postgresql://db/koatsu"'), encoding="utf-8")
    assert load_config(path).store.path == "postgresql://db/koatsu"


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
    with pytest.raises(RuleError, match="an address of this machine"):
        WebConfig(host="ems.example.jp")
    meter = MeterConfig(id="m", address=Address("127.0.0.2"))
    with pytest.raises(RuleError, match="repeats"):
        Config(sites=(SiteConfig(name="x"),), meters=(meter, meter))
    with pytest.raises(RuleError, match="at least one"):
        Config(sites=(SiteConfig(name="x"),), meters=())


def test_what_is_written_reads_back_and_is_commented(tmp_path: Path) -> None:
    path = tmp_path / "koatsu.toml"
    config = parse_config(WHOLE)
    write_config(path, config)
    again = load_config(path)
    assert again.meters == config.meters
    assert again.node == config.node
    assert again.store.path == str(tmp_path / "data" / "koatsu.db")
    text = path.read_text(encoding="utf-8")
    assert 'path = "data/koatsu.db" #' in text
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


# --- several sites --------------------------------------------------------------------------------------

SITES = """\
[[site]]
id = "tokyo"
name = "東京工場"
contract_kw = 450

[[site]]
id = "osaka"
name = "大阪倉庫"

[store]
path = "all.db"

[[meter]]
id = "t-buy"
site = "tokyo"
address = "192.168.1.10"

[[meter]]
id = "o-buy"
site = "osaka"
address = "192.168.2.10"
"""


def test_several_sites_have_ids_and_their_meters_name_them() -> None:
    config = parse_config(SITES)
    assert [(site.id, site.name, site.contract_kw) for site in config.sites] == [
        ("tokyo", "東京工場", Decimal(450)), ("osaka", "大阪倉庫", None),
    ]  # fmt: skip
    assert [(meter.id, meter.site) for meter in config.meters] == [("t-buy", "tokyo"), ("o-buy", "osaka")]
    assert config.site("osaka").name == "大阪倉庫"
    assert config.store.path == "all.db"


def test_a_site_that_is_alone_needs_no_id_in_either_form() -> None:
    meter = '[[meter]]\nid = "m"\naddress = "127.0.0.2"\n'
    for head in ('[site]\nname = "x"\n', '[[site]]\nname = "x"\n'):
        config = parse_config(head + meter)
        assert (config.sites[0].id, config.meters[0].site) == (ONLY_SITE, ONLY_SITE)
    named = parse_config('[site]\nid = "here"\nname = "x"\n' + meter)
    assert (named.sites[0].id, named.meters[0].site) == ("here", "here")


def changed(old: str, new: str, text: str = SITES) -> str:
    assert old in text
    return text.replace(old, new, 1)


SITES_BROKEN = [
    (changed('id = "osaka"\n', ""), 6, ["[[site]] lacks id", "short name"], "id がありません"),
    (SITES.replace('"osaka"', '"Tokyo"'), 7, ['"Tokyo" repeats "tokyo"', "each id once"], "重複"),
    (changed('id = "osaka"', 'id = "大阪"'), 7, ['"大阪"', "letters"], "英数字"),
    (changed('site = "osaka"\n', ""), 18, ["[[meter]] lacks site", "id of its site"], "site がありません"),
    (
        changed('site = "osaka"', 'site = "osaca"'),
        20,
        ['"o-buy" is of site = "osaca"', "did you mean osaka?", "tokyo, osaka"],
        "osaka のことですか",
    ),
    (
        changed('name = "大阪倉庫"', 'name = "大阪倉庫"\nstore = "x.db"'),
        9,
        ["one store", "[store] path"],
        "1か所",
    ),
    (
        changed('path = "all.db"', "path = 3"),
        11,
        ["[store] path = 3", "the path of a file"],
        "ファイルのパス",
    ),
    (changed("[store]", "[stoer]"), 10, ['"stoer"', "did you mean store?"], "store のこと"),
    (changed('id = "o-buy"', 'id = "T-BUY"'), 18, ['"T-BUY" repeats "t-buy"'], "重複"),
]


@pytest.mark.parametrize(("text", "line", "parts", "ja"), SITES_BROKEN)
def test_a_wrong_site_is_told_with_its_line(text: str, line: int, parts: list[str], ja: str) -> None:
    [found] = problems_of(text)
    assert found.line == line
    for part in parts:
        assert part in found.en
    assert ja in found.ja


def problems_of(text: str) -> tuple[Problem, ...]:
    with pytest.raises(ConfigFileError) as caught:
        parse_config(text)
    return caught.value.problems


def test_a_site_without_a_meter_and_a_store_named_twice_are_told() -> None:
    [lonely] = problems_of(changed('site = "osaka"', 'site = "tokyo"'))
    assert (lonely.line, 'site = "osaka" into a [[meter]]' in lonely.en) == (6, True)
    assert "メーターがありません" in lonely.ja
    [twice] = problems_of(WHOLE + '[store]\npath = "x.db"\n')
    assert (twice.line, "named twice" in twice.en, "2回" in twice.ja) == (4, True, True)


def test_a_hundred_sites_are_taken_and_one_more_is_not() -> None:
    def file(count: int) -> str:
        sites = "".join(f'[[site]]\nid = "s{n}"\nname = "site {n}"\n' for n in range(count))
        meters = (f'[[meter]]\nid = "m{n}"\nsite = "s{n}"\naddress = "10.0.{n}.2"\n' for n in range(count))
        return sites + "".join(meters)

    assert len(parse_config(file(100)).sites) == SITES_MAX == 100
    [many] = problems_of(file(101))
    assert (many.line, "there are 101 sites" in many.en) == (301, True)
    assert "koatsu run" in many.ja


def test_several_sites_are_written_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "koatsu.toml"
    config = parse_config(SITES)
    write_config(path, config)
    again = load_config(path)
    assert (again.sites, again.meters) == (config.sites, config.meters)
    text = path.read_text(encoding="utf-8")
    assert text.count("[[site]]") == 2
    assert 'path = "all.db" #' in text


# --- the page -------------------------------------------------------------------------------------------

PAGE = """\
host = "192.168.1.5"
names = ["EMS.example.jp", "192.168.1.5"]
tls_cert = "tls/cert.pem"
tls_key = "/etc/koatsu/key.pem"
behind_proxy = true
proxies = ["192.168.1.2"]
"""


def with_web(web: str) -> str:
    return changed('host = "127.0.0.1"\n', web, WHOLE)


def test_the_page_can_be_elsewhere_with_names_certificate_and_proxy(tmp_path: Path) -> None:
    path = tmp_path / "koatsu.toml"
    path.write_text(with_web(PAGE), encoding="utf-8")
    web = load_config(path).web
    assert (web.host, web.names, web.loopback, web.tls) == (
        "192.168.1.5", ("ems.example.jp", "192.168.1.5"), False, True,
    )  # fmt: skip
    assert (web.tls_cert, web.tls_key) == (str(tmp_path / "tls/cert.pem"), "/etc/koatsu/key.pem")
    assert (web.behind_proxy, web.proxies) == (True, ("192.168.1.2",))
    again = tmp_path / "again.toml"
    write_config(again, load_config(path))
    assert load_config(again).web == web
    assert 'tls_cert = "tls/cert.pem" #' in again.read_text(encoding="utf-8")


WEB_BROKEN = [
    (changed('host = "192.168.1.5"', 'host = "ems.example.jp"', PAGE), 9, ["an address of this machine"]),
    (changed('host = "192.168.1.5"', 'host = "224.0.0.1"', PAGE), 9, ["an address of this machine"]),
    (changed('"EMS.example.jp"', '"https://ems.example.jp"', PAGE), 10, ['without "https://" and port']),
    (changed('"EMS.example.jp"', '"ems.example.jp:8028"', PAGE), 10, ["names = […]", "and port"]),
    (changed('"EMS.example.jp"', "3", PAGE), 10, ["a list of names"]),
    (changed("behind_proxy = true", 'behind_proxy = "yes"', PAGE), 13, ["true or false, without quotes"]),
    (changed('"192.168.1.2"', '"proxy"', PAGE), 14, ["a list of addresses"]),
    (changed("behind_proxy = true\n", "", PAGE), 13, ["proxies are believed only with behind_proxy"]),
    (changed('tls_key = "/etc/koatsu/key.pem"\n', "", PAGE), 11, ["tls_cert needs tls_key beside it"]),
    (changed('tls_cert = "tls/cert.pem"\n', "", PAGE), 11, ["tls_key needs tls_cert beside it"]),
    (changed('names = ["EMS.example.jp", "192.168.1.5"]\n', "", PAGE), 12, ["behind_proxy needs names"]),
]


@pytest.mark.parametrize(("web", "line", "parts"), WEB_BROKEN)
def test_a_wrong_page_is_told_with_its_line(web: str, line: int, parts: list[str]) -> None:
    [found] = problems_of(with_web(web))
    assert found.line == line
    assert found.ja
    for part in parts:
        assert part in found.en


# --- the documents --------------------------------------------------------------------------------------

ROOT = Path(__file__).resolve().parent.parent


def test_every_configuration_in_the_documents_is_one() -> None:
    shown = [
        block
        for document in (*ROOT.glob("docs/*.md"), *ROOT.glob("README*.md"))
        for block in re.findall(r"^```toml\n(.*?)^```", document.read_text(encoding="utf-8"), re.M | re.S)
        if "[[meter]]" in block
    ]
    assert len(shown) >= 3
    for block in shown:
        parse_config(block)
