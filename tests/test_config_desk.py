"""``desk.toml``: every key read, every wrong value told with its line, in both languages."""

from __future__ import annotations

from pathlib import Path

import pytest

from koatsu.config import (
    DESK_PORT,
    Address,
    ConfigFileError,
    DeskConfig,
    DeskStoreConfig,
    LinkConfig,
    MailConfig,
    Problem,
    RuleError,
    UtilityConfig,
    WebConfig,
    WebhookConfig,
    load_desk_config,
    parse_desk_config,
)
from koatsu.config.desk_model import DAYS_OF_STATES, DESK_TABLES
from koatsu.config.desk_rules import POINT_DIGITS
from koatsu.desk.point_numbers import DIGITS
from koatsu.desk.settings import DAYS_TO_ACT
from koatsu.errors import ConfigError

SECRET = "0123456789abcdef-only-for-tests"

WHOLE = f"""\
[utility]
name = "架空電力送配電"
name_en = "Imaginary Power Grid"
area_prefixes = ["07", "0891"]
case_prefix = "HB"
online = true
self_supply_office = "self-1"
site_url = "https://broute.example.jp/desk/"
templates = "templates"

[days]
submitted = 1
checking = 2
returned = 3
accepted = 4
survey = 5
works_planned = 6
works_done = 7
connection_check = 8
suspended = 9
ending = 10
remind = 1
enquiry = 4
retention = 3650
closed = ["12-29", "2026-08-14"]

[documents]
max_mb = 20

[store]
path = "data/desk.db"
key = "keys/desk.key"

[web]
host = "192.168.1.5"
port = 8443
names = ["desk.example.jp"]
tls_cert = "tls/cert.pem"
tls_key = "tls/key.pem"
behind_proxy = true
proxies = ["192.168.1.2"]

[log]
format = "json"
level = "debug"

[mail]
host = "mail.example.jp"
sender = "受付窓口 <broute@example.jp>"
port = 465
tls = "tls"
user = "broute"
password = "only for tests"

[[webhook]]
url = "https://hooks.example.jp/koatsu?channel=desk"
secret = "{SECRET}"
events = ["submit", "start"]

[[webhook]]
url = "http://127.0.0.1:9000/"
secret_file = "keys/hook.secret"

[[link]]
supply_point = "07-0012-3456-7890-1234-5678"
address = "fe80::12%eth1"
class = 0x028F
instance = 2
profile = "strict"
from = "fe80::1%eth1"
meter = "main"
"""
EVENTS = ["draft", "start", "submit"]
PROFILES = ["hv-assumed", "strict"]


def parse(text: str) -> DeskConfig:
    return parse_desk_config(text, profiles=PROFILES, events=EVENTS)


def problems_of(text: str) -> tuple[Problem, ...]:
    with pytest.raises(ConfigFileError) as caught:
        parse(text)
    return caught.value.problems


def changed(old: str, new: str, text: str = WHOLE) -> str:
    assert text.count(old) >= 1, old
    return text.replace(old, new, 1)


def line_of(text: str, wanted: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if line.startswith(wanted))


# --- what is read ---------------------------------------------------------------------------------------


def test_a_whole_file_is_read_into_typed_values() -> None:
    config = parse(WHOLE)
    assert config.utility == UtilityConfig(
        name="架空電力送配電", name_en="Imaginary Power Grid", area_prefixes=("07", "0891"),
        case_prefix="HB", online=True, self_supply_office="self-1",
        site_url="https://broute.example.jp/desk", templates="templates",
    )  # fmt: skip
    assert config.days.to_act == {name: number for number, name in enumerate(DAYS_OF_STATES, 1)}
    assert (config.days.remind, config.days.enquiry, config.days.retention) == (1, 4, 3650)
    assert config.days.closed == ("12-29", "2026-08-14")
    assert config.documents.max_mb == 20
    assert config.store == DeskStoreConfig(path="data/desk.db", key="keys/desk.key")
    assert (config.web.host, config.web.port, config.web.tls) == ("192.168.1.5", 8443, True)
    assert (config.log.format, config.log.level) == ("json", "debug")
    assert config.mail == MailConfig(
        host="mail.example.jp", sender="受付窓口 <broute@example.jp>", port=465, tls="tls", user="broute",
        password="only for tests",
    )  # fmt: skip
    first, second = config.webhooks
    assert (first.url, first.secret, first.events) == (
        "https://hooks.example.jp/koatsu?channel=desk", SECRET, ("submit", "start"),
    )  # fmt: skip
    assert (second.secret, second.secret_file, second.events) == (None, "keys/hook.secret", ())
    [link] = config.links
    assert link.supply_point == "0700123456789012345678"
    assert (link.address, link.class_number, link.instance, link.profile, link.source) == (
        Address("fe80::12", 3610, "eth1"), 0x028F, 2, "strict", Address("fe80::1", 3610, "eth1"),
    )  # fmt: skip
    assert link.meter == "main"


def test_the_whole_file_holds_every_key_but_the_second_way_to_keep_a_password() -> None:
    """So that a new key cannot be forgotten here."""
    table, written = "", set()
    for line in WHOLE.splitlines():
        if line.startswith("["):
            table = line.strip("[]")
        elif " = " in line:
            written.add((table, line.partition(" = ")[0]))
    every = {(table, key.name) for table, keys in DESK_TABLES.items() for key in keys}
    assert every - written == {("mail", "password_file")}


def test_the_smallest_file_leaves_everything_to_the_desk() -> None:
    config = parse('[utility]\nname = "x"\n')
    assert config.web == WebConfig(port=DESK_PORT)
    assert DESK_PORT == 8029
    assert config.days.to_act == {}
    assert config.days.closed is None
    assert config.documents.max_mb is None
    assert (config.store.path, config.store.key) == ("desk.db", None)
    assert (config.utility.online, config.utility.self_supply_office) == (False, None)
    assert (config.mail, config.webhooks, config.links) == (None, (), ())


def test_what_the_desk_knows_too_is_the_same_there() -> None:
    assert {state.value for state in DAYS_TO_ACT} == set(DAYS_OF_STATES)
    assert POINT_DIGITS == DIGITS


def test_paths_are_meant_from_the_folder_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "desk.toml"
    path.write_text(
        changed('password = "only for tests"', 'password_file = "keys/mail"'), encoding="utf-8-sig"
    )
    config = load_desk_config(path)
    assert config.mail is not None
    assert [
        config.store.path, config.store.key, config.utility.templates, config.web.tls_cert,
        config.web.tls_key, config.mail.password_file, config.webhooks[1].secret_file,
        config.webhooks[0].secret_file,
    ] == [
        *(str(tmp_path / one) for one in ("data/desk.db", "keys/desk.key", "templates", "tls/cert.pem")),
        *(str(tmp_path / one) for one in ("tls/key.pem", "keys/mail", "keys/hook.secret")), None,
    ]  # fmt: skip
    path.write_text(changed('"data/desk.db"', '"postgresql://db/desk"'), encoding="utf-8")
    assert load_desk_config(path).store.path == "postgresql://db/desk"


def test_files_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no configuration file") as caught:
        load_desk_config(tmp_path / "none.toml")
    assert "--demo" in caught.value.text("ja")
    assert "koatsu init" not in caught.value.text("en")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_desk_config(tmp_path)
    path = tmp_path / "desk.toml"
    path.write_bytes('[utility]\nname = "電力"'.encode("cp932"))
    with pytest.raises(ConfigError, match="not UTF-8"):
        load_desk_config(path)


def test_secrets_and_numbers_of_places_are_not_shown_by_the_values_that_hold_them() -> None:
    shown = repr(parse(WHOLE))
    for hidden in (SECRET, "only for tests", "0700123456789012345678"):
        assert hidden not in shown


# --- what is refused ------------------------------------------------------------------------------------

BROKEN = [
    # (what stands there, what is written instead, parts of the English sentence, part of the Japanese one)
    ('name = "架空電力送配電"', 'name = ""', ["[utility] name", "1 to 80"], "1〜80文字"),
    ('name_en = "Imaginary Power Grid"', "name_en = 3", ["[utility] name_en = 3"], "name_en"),
    ('area_prefixes = ["07", "0891"]', 'area_prefixes = "07"', ["area_prefixes", 'such as ["07"]'], '["07"]'),
    ('area_prefixes = ["07", "0891"]', "area_prefixes = [7]", ["a list of digits"], "リスト"),
    ('area_prefixes = ["07", "0891"]', 'area_prefixes = ["０7"]', ["a list of digits"], "リスト"),
    ('case_prefix = "HB"', 'case_prefix = "hb-"', ['"hb-"', 'such as "HB"'], "英大文字"),
    ("online = true", 'online = "yes"', ['"yes"', "true or false"], "true または false"),
    ('self_supply_office = "self-1"', 'self_supply_office = "窓口"', ["the code of an office"], "コード"),
    (
        'site_url = "https://broute.example.jp/desk/"',
        'site_url = "broute.example.jp"',
        ['"https://broute.example.jp"'],
        "アドレス",
    ),
    ('templates = "templates"', 'templates = ""', ["the path of a file"], "ファイルのパス"),
    *((f"{name} = {number}", f"{name} = 0", [name, "from 1 to 365"], "1〜365")
      for number, name in enumerate(DAYS_OF_STATES, 1)),
    ("checking = 2", "checking = 2.5", ["checking = 2.5", "whole number of days"], "整数"),
    ("checking = 2", "checking = true", ["checking = true"], "整数"),
    ("remind = 1", "remind = 61", ["from 0 to 60"], "0〜60"),
    ("enquiry = 4", 'enquiry = "4"', ['enquiry = "4"'], "整数"),
    ("retention = 3650", "retention = 0", ["from 1 to 36500"], "36500"),
    ('closed = ["12-29", "2026-08-14"]', 'closed = ["12-32"]', ["a list of days"], "日付のリスト"),
    ('closed = ["12-29", "2026-08-14"]', "closed = 2026-08-14", ["a list of days"], "日付のリスト"),
    ('closed = ["12-29", "2026-08-14"]', 'closed = ["2026-02-29"]', ["a list of days"], "日付のリスト"),
    ("max_mb = 20", "max_mb = 51", ["1 to 50"], "MiB"),
    ('path = "data/desk.db"', 'path = "mysql://db/desk"', ["postgresql://"], "postgresql://"),
    ('key = "keys/desk.key"', "key = 12", ["[store] key = 12"], "ファイルのパス"),
    ('host = "192.168.1.5"', 'host = "desk.example.jp"', ["an address of this machine"], "アドレス"),
    ("port = 8443", "port = 0", ["1 to 65535"], "65535"),
    ('names = ["desk.example.jp"]', 'names = ["https://desk"]', ['without "https://"'], "リスト"),
    ('tls_cert = "tls/cert.pem"', "tls_cert = 1", ["the path of a file"], "ファイルのパス"),
    ('tls_key = "tls/key.pem"', "tls_key = 1", ["the path of a file"], "ファイルのパス"),
    ("behind_proxy = true", "behind_proxy = 1", ["true or false"], "true"),
    ('proxies = ["192.168.1.2"]', 'proxies = ["proxy"]', ["a list of addresses"], "アドレスのリスト"),
    ('format = "json"', 'format = "xml"', ['"auto", "human", "json"'], '"json"'),
    ('level = "debug"', 'level = "all"', ['"info"'], '"info"'),
    ('host = "mail.example.jp"', 'host = "smtp://mail"', ["the name of a mail server"], "メールサーバー"),
    ('sender = "受付窓口 <broute@example.jp>"', 'sender = "窓口"', ["a mail address"], "メールアドレス"),
    (
        'sender = "受付窓口 <broute@example.jp>"',
        'sender = "a@b.jp\\nBcc: c@d.jp"',
        ["a mail address"],
        "メールアドレス",
    ),
    ("port = 465", "port = 70000", ["1 to 65535"], "65535"),
    ('tls = "tls"', 'tls = "ssl"', ['"starttls", "tls", "none"'], '"starttls"'),
    ('user = "broute"', 'user = ""', ["a name in quotes"], "名前"),
    ('password = "only for tests"', "password = 12345", ["password = …", "in quotes"], "パスワード"),
    ('password = "only for tests"', 'password_file = ""', ["the path of a file"], "ファイルのパス"),
    (
        'url = "https://hooks.example.jp/koatsu?channel=desk"',
        'url = "ftp://hooks.example.jp/"',
        ['begins with "https://"'],
        "https://",
    ),
    (
        'url = "https://hooks.example.jp/koatsu?channel=desk"',
        'url = "https://me:secret@hooks.example.jp/"',
        ["without a password"],
        "パスワードは含めない",
    ),
    (f'secret = "{SECRET}"', 'secret = "too short"', ["secret = …", "16 to 200"], "16〜200"),
    ('secret_file = "keys/hook.secret"', "secret_file = []", ["the path of a file"], "ファイルのパス"),
    ('events = ["submit", "start"]', 'events = "submit"', ["a list of events"], "リスト"),
    (
        'events = ["submit", "start"]',
        'events = ["submitt"]',
        ['"submitt" is not known', "draft, start, submit"],
        "書けるもの: draft",
    ),
    (
        'supply_point = "07-0012-3456-7890-1234-5678"',
        'supply_point = "07-0012-3456-7890-1234-567"',
        ["supply_point = …", "22 digits"],
        "22 けた",
    ),
    ('address = "fe80::12%eth1"', 'address = "terminal"', ["IPv4 or IPv6"], "IPv4"),
    ("class = 0x028F", 'class = "0290"', ['"028A"'], '"028A"'),
    ("instance = 2", "instance = 128", ["1 to 127"], "1〜127"),
    ('profile = "strict"', 'profile = "stricht"', ['"stricht" is not known'], "ありません"),
    ('from = "fe80::1%eth1"', 'from = "[fe80::1%eth1]:9"', ["an address without a port"], "ポート"),
    ('meter = "main"', 'meter = "主"', ["up to 32 of the letters"], "英数字"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "parts", "ja"), BROKEN)
def test_a_wrong_value_is_told_with_its_line_and_what_is_allowed(
    old: str, new: str, parts: list[str], ja: str
) -> None:
    text = changed(f"\n{old}\n", f"\n{new}\n")
    [found] = problems_of(text)
    assert found.line == line_of(WHOLE, old)
    for part in parts:
        assert part in found.en
    assert ja in found.ja


def test_every_key_has_a_wrong_value_above() -> None:
    tried = {new.partition(" = ")[0] for _, new, _, _ in BROKEN}
    assert {key.name for keys in DESK_TABLES.values() for key in keys} == tried


def test_a_refused_secret_is_not_repeated() -> None:
    for hidden in ("too short", "07-0012-3456-7890-1234-567"):
        [(old, new)] = [(old, new) for old, new, _, _ in BROKEN if new.endswith(f'"{hidden}"')]
        [found] = problems_of(changed(old, new))
        assert hidden not in found.en + found.ja


@pytest.mark.parametrize(
    ("text", "line", "part", "ja"),
    [
        (changed("[days]", "[dais]"), 11, "did you mean days?", "days のことですか"),
        (
            changed("online = true", "onlime = true"),
            6,
            'no key "onlime"; did you mean online?',
            "online のこと",
        ),
        ("", None, "[utility] lacks name", "name がありません"),
        ("utility = 3\n", 1, "utility must be a table", "表です"),
        ("[utility]\nname = \n", 2, "not TOML", "TOML"),
        ('[utility]\nname = "x"\n[mail]\nport = 25\nhost = "m"\n', 3, "[mail] lacks sender", "差出人"),
    ],
)
def test_unknown_and_missing_keys_are_told(text: str, line: int | None, part: str, ja: str) -> None:
    found = problems_of(text)
    assert [one.line for one in found] == [line]
    assert part in found[0].en
    assert ja in found[0].ja


SMALL = '[utility]\nname = "x"\n'


@pytest.mark.parametrize(
    ("more", "line", "part", "ja"),
    [
        ('[store]\npath = "postgresql://db/desk"\n', 4, 'write key = "desk.key"', "鍵のファイルが必要"),
        ('[web]\ntls_cert = "a"\n', 4, "tls_cert needs tls_key", "tls_key も必要"),
        ('[mail]\nhost = "m"\nsender = "a@b.jp"\nuser = "u"\n', 3, "either password or", "どちらか一方"),
        ('[mail]\nhost = "m"\nsender = "a@b.jp"\npassword = "u"\n', 3, "password needs user", "user も必要"),
        (
            '[mail]\nhost = "m"\nsender = "a@b.jp"\nuser = "u"\npassword = "p"\npassword_file = "f"\n',
            3,
            "either password or password_file",
            "どちらか一方",
        ),
        (
            '[mail]\nhost = "m"\nsender = "a@b.jp"\nuser = "u"\npassword = "p"\ntls = "none"\n',
            8,
            "would send the password in clear",
            "暗号化されずに",
        ),
        ('[[webhook]]\nurl = "http://h/"\n', 3, "either secret or secret_file", "どちらか一方"),
        (
            f'[[webhook]]\nurl = "http://h/"\nsecret = "{SECRET}"\n' * 2,
            7,
            "named twice",
            "一度だけ",
        ),
        (
            f'[[link]]\nsupply_point = "{"0" * 22}"\naddress = "192.0.2.1"\n' * 2,
            7,
            "for the second time",
            "すでに書かれています",
        ),
        (
            f'[[link]]\nsupply_point = "{"0" * 22}"\naddress = "fe80::1"\n',
            5,
            "link-local and needs its interface",
            "リンクローカル",
        ),
    ],
)
def test_parts_that_do_not_fit_are_told_with_the_line_that_has_to_change(
    more: str, line: int, part: str, ja: str
) -> None:
    [found] = problems_of(SMALL + more)
    assert found.line == line
    assert part in found.en
    assert ja in found.ja


def test_a_mail_server_without_a_login_needs_no_password() -> None:
    config = parse(SMALL + '[mail]\nhost = "127.0.0.1"\nsender = "a@b.jp"\nport = 25\ntls = "none"\n')
    assert config.mail == MailConfig(host="127.0.0.1", sender="a@b.jp", port=25, tls="none")


def test_every_problem_is_told_at_once_in_the_order_of_lines() -> None:
    text = (
        changed("port = 8443", "port = 0").replace("checking = 2", "checking = 0").replace("[log]", "[lok]")
    )
    assert [one.line for one in problems_of(text)] == [
        line_of(WHOLE, "checking"), line_of(WHOLE, "port"), line_of(WHOLE, "[log]"),
    ]  # fmt: skip


def test_values_made_in_code_are_checked_by_the_same_rules() -> None:
    with pytest.raises(RuleError, match="capital letter"):
        UtilityConfig(name="x", case_prefix="-")
    hook = WebhookConfig(url="http://h/", secret=SECRET)
    with pytest.raises(RuleError, match="named twice"):
        DeskConfig(utility=UtilityConfig(name="x"), webhooks=(hook, hook))
    with pytest.raises(RuleError, match="22 digits"):
        LinkConfig(supply_point="07", address=Address("127.0.0.2"))
