"""From ``desk.toml`` to the desk's settings: what is left out is as the desk assumes, secrets are masked."""

from __future__ import annotations

from pathlib import Path

import pytest

from koatsu.app.desk_settings import desk_config, settings_of
from koatsu.app.logs import mask
from koatsu.config import parse_desk_config
from koatsu.desk.settings import DAYS_TO_ACT, DeskSettings, MailSettings, WebhookSettings
from koatsu.desk.states import State
from koatsu.desk.words import Words
from koatsu.errors import ConfigError

SECRET = "0123456789abcdef-only-for-tests"
BASE = '[utility]\nname = "架空電力送配電"\n'


def settings(text: str) -> DeskSettings:
    return settings_of(parse_desk_config(text))


def test_what_is_left_out_is_as_the_desk_assumes() -> None:
    assert settings(BASE) == DeskSettings(utility=Words("架空電力送配電", "架空電力送配電"))


def test_everything_that_is_written_is_taken_over() -> None:
    found = settings(
        BASE
        + """
name_en = "Imaginary Power Grid"
area_prefixes = ["07"]
case_prefix = "KB"
online = true
self_supply_office = "jika"
site_url = "https://broute.example.jp"
templates = "own"

[days]
checking = 9
remind = 1
enquiry = 3
retention = 3650
closed = ["12-29"]

[documents]
max_mb = 2
"""
    )
    assert found == DeskSettings(
        utility=Words("架空電力送配電", "Imaginary Power Grid"),
        area_prefixes=("07",),
        case_prefix="KB",
        online=True,
        self_supply_office="jika",
        days_to_act={**DAYS_TO_ACT, State.CHECKING: 9},
        remind_before_days=1,
        enquiry_days=3,
        closed_days=("12-29",),
        retention_days=3650,
        document_bytes=2 * 1024 * 1024,
        site_url="https://broute.example.jp",
        templates=Path("own"),
    )


def test_secrets_come_from_the_configuration_or_from_files_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "desk.toml"
    (tmp_path / "mail.password").write_text("only for tests\n", encoding="utf-8")
    (tmp_path / "hook.secret").write_text(f"{SECRET}-2\n", encoding="utf-8")
    path.write_text(
        BASE
        + f"""
[mail]
host = "mail.example.jp"
sender = "broute@example.jp"
user = "broute"
password_file = "mail.password"

[[webhook]]
url = "https://one.example.jp/"
secret = "{SECRET}"
events = ["submit"]

[[webhook]]
url = "https://two.example.jp/"
secret_file = "hook.secret"
""",
        encoding="utf-8",
    )
    found = settings_of(desk_config(path))
    assert found.mail == MailSettings(
        host="mail.example.jp", sender="broute@example.jp", user="broute", password="only for tests"
    )
    assert found.webhooks == (
        WebhookSettings(url="https://one.example.jp/", secret=SECRET, events=frozenset({"submit"})),
        WebhookSettings(url="https://two.example.jp/", secret=f"{SECRET}-2"),
    )
    shown = mask.text(f"{SECRET} only for tests {SECRET}-2")
    assert SECRET not in shown
    assert "only for tests" not in shown


@pytest.mark.parametrize(
    ("content", "part", "ja"),
    [
        (None, "cannot be read", "読めません"),
        (b"short", "16 to 200", "16〜200"),
        (b"\xff\xfe" * 20, "not UTF-8", "読めません"),
        (b"two\nlines of a file that is something else", "16 to 200", "16〜200"),
    ],
)
def test_a_file_that_holds_no_secret_is_told_and_not_repeated(
    content: bytes | None, part: str, ja: str, tmp_path: Path
) -> None:
    path, file = tmp_path / "desk.toml", tmp_path / "secret"
    path.write_text(BASE + '[[webhook]]\nurl = "https://h.example/"\nsecret_file = "secret"\n', "utf-8")
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=part) as caught:
        settings_of(desk_config(path))
    assert str(file) in caught.value.message
    assert ja in caught.value.text("ja")
    assert "short" not in caught.value.message
    assert caught.value.exit_status == 2


@pytest.mark.parametrize("event", ["draft", "sumbit"])
def test_an_event_that_nobody_is_told_of_is_refused(event: str, tmp_path: Path) -> None:
    path = tmp_path / "desk.toml"
    hook = f'[[webhook]]\nurl = "https://h.example/"\nsecret = "{SECRET}"\nevents = ["{event}"]\n'
    path.write_text(BASE + hook, "utf-8")
    with pytest.raises(ConfigError, match=f'"{event}" is not known; allowed: .*submit'):
        desk_config(path)


def test_a_link_profile_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "desk.toml"
    link = f'[[link]]\nsupply_point = "{"0" * 22}"\naddress = "192.0.2.1"\nprofile = "fats"\n'
    path.write_text(BASE + link, "utf-8")
    with pytest.raises(ConfigError, match='profile = "fats" is not known'):
        desk_config(path)
