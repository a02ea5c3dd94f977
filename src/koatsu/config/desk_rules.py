"""What each kind of value of ``desk.toml`` may be, beside the kinds that ``koatsu.toml`` has too.

As in :mod:`koatsu.config.rules`: a rule gives the typed value or raises with what is allowed, and takes its
own result again.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Final
from urllib.parse import urlsplit

from koatsu.config.rules import Rule, RuleError

__all__ = [
    "POINT_DIGITS",
    "case_prefix",
    "closed_days",
    "code",
    "days",
    "event_names",
    "mail_host",
    "megabytes",
    "password",
    "prefixes",
    "secret",
    "sender",
    "site_url",
    "supply_point",
    "user",
    "web_hook",
]

POINT_DIGITS: Final = 22  #: of a supply point number
_LEAP: Final = 2000  # a year with a 29 February, to check yearly days
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*|\[?[0-9a-fA-F:.]{{2,45}}\]?")
_MAILBOX: Final = re.compile(rf"[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@{_LABEL}(?:\.{_LABEL})*")
_SHORTEST_SECRET: Final = 16


def prefixes(value: object) -> tuple[str, ...]:
    """What supply point numbers begin with."""
    if isinstance(value, list | tuple) and all(
        isinstance(one, str) and re.fullmatch(rf"(?a)\d{{1,{POINT_DIGITS}}}", one) for one in value
    ):
        return tuple(value)
    raise RuleError(
        'a list of digits in quotes, such as ["07"]; [] checks none',
        '引用符で囲んだ数字のリスト(例 ["07"]。[] は確かめない)',
    )


def case_prefix(value: object) -> str:
    """What the numbers of cases begin with."""
    if isinstance(value, str) and re.fullmatch(r"[A-Z][A-Z0-9]{0,7}", value):
        return value
    raise RuleError(
        'a capital letter and up to 7 more or digits, such as "HB"', '英大文字で始まる8文字以内(例 "HB")'
    )


def code(value: object) -> str:
    """The code of an office, as its register has it."""
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,30}[A-Za-z0-9])?", value):
        return value
    raise RuleError(
        'the code of an office in the register, such as "nsc"', '台帳にある事業所のコード(例 "nsc")'
    )


def site_url(value: object) -> str:
    """How customers open the page, without a slash at its end."""
    if isinstance(value, str) and _is_url(value) and not urlsplit(value).query:
        return value.rstrip("/")
    raise RuleError(
        'an address such as "https://broute.example.jp"', 'アドレス(例 "https://broute.example.jp")'
    )


def web_hook(value: object) -> str:
    """Where a program wants to be called."""
    if isinstance(value, str) and _is_url(value) and not urlsplit(value).fragment:
        return value
    raise RuleError(
        'an address that begins with "https://" or "http://", without a password in it',
        '"https://" または "http://" で始まるアドレス(パスワードは含めない)',
    )


def _is_url(value: str) -> bool:
    if not value.isascii() or not value.isprintable() or " " in value or len(value) > 500:
        return False
    try:
        parts = urlsplit(value)
        _ = parts.port  # raises where it is none
    except ValueError:
        return False
    named = bool(parts.hostname) and "@" not in parts.netloc
    return parts.scheme in ("https", "http") and named


def days(least: int, most: int) -> Rule:
    """A rule for a number of days."""

    def rule(value: object) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        raise RuleError(f"a whole number of days from {least} to {most}", f"{least}〜{most} の整数(日数)")

    return rule


def closed_days(value: object) -> tuple[str, ...]:
    """Days on which nobody works: ``12-29`` every year, ``2026-08-14`` once."""
    if isinstance(value, list | tuple) and all(isinstance(one, str) and _is_day(one) for one in value):
        return tuple(value)
    raise RuleError(
        'a list of days such as ["12-29", "2026-08-14"]: every year, or once',
        '日付のリスト(例 ["12-29", "2026-08-14"]。毎年、またはその年だけ)',
    )


def _is_day(text: str) -> bool:
    found = re.fullmatch(r"(?a)(?:(\d{4})-)?(\d{2})-(\d{2})", text)
    if found is None:
        return False
    try:
        date(int(found[1] or _LEAP), int(found[2]), int(found[3]))
    except ValueError:
        return False
    return True


def megabytes(value: object) -> int:
    """The size of a document."""
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 50:
        return value
    raise RuleError("a whole number of MiB from 1 to 50", "1〜50 の整数(MiB)")


def mail_host(value: object) -> str:
    """The name or address of the server that takes mail."""
    if isinstance(value, str) and len(value) <= 253 and _HOST.fullmatch(value):
        return value.strip("[]").lower()
    raise RuleError(
        'the name of a mail server, such as "mail.example.jp"', 'メールサーバーの名前(例 "mail.example.jp")'
    )


def sender(value: object) -> str:
    """Whom mail comes from: an address, or a name with the address in angle brackets."""
    if isinstance(value, str) and value.isprintable() and len(value) <= 200:
        named = re.fullmatch(r"([^<>\"@]*)<([^<>]+)>", value.strip())
        address = named[2] if named else value.strip()
        if _MAILBOX.fullmatch(address):
            return f"{named[1].strip()} <{address}>".strip() if named else address
    raise RuleError(
        'a mail address, such as "broute@example.jp" or "受付窓口 <broute@example.jp>"',
        'メールアドレス(例 "broute@example.jp"、"受付窓口 <broute@example.jp>")',
    )


def user(value: object) -> str:
    """The name under which the mail server knows us."""
    if isinstance(value, str) and value.isprintable() and 0 < len(value) <= 200:
        return value
    raise RuleError("a name in quotes", "引用符で囲んだ名前")


def secret(value: object) -> str:
    """A secret that two programs share."""
    if isinstance(value, str) and value.isprintable() and _SHORTEST_SECRET <= len(value) <= 200:
        return value
    raise RuleError(
        f"{_SHORTEST_SECRET} to 200 printable characters, by chance: openssl rand -hex 32",
        f"{_SHORTEST_SECRET}〜200文字の無作為な文字列(作り方: openssl rand -hex 32)",
        hidden=True,
    )


def password(value: object) -> str:
    """The password under which the mail server knows us."""
    if isinstance(value, str) and value.isprintable() and 0 < len(value) <= 200:
        return value
    raise RuleError("a password in quotes", "引用符で囲んだパスワード", hidden=True)


def event_names(value: object) -> tuple[str, ...]:
    """Which events a program wants; whether they exist is asked where they are known."""
    if isinstance(value, list | tuple) and all(
        isinstance(one, str) and re.fullmatch(r"[a-z][a-z_]{0,31}", one) for one in value
    ):
        return tuple(value)
    raise RuleError(
        'a list of events, such as ["submit", "start"]; left out: all of them',
        '出来事のリスト(例 ["submit", "start"]。省略時はすべて)',
    )


def supply_point(value: object) -> str:
    """A supply point number as its 22 digits; hyphens and spaces may stand between them."""
    if isinstance(value, str):
        digits = re.sub(r"[\s-]", "", value)
        if re.fullmatch(rf"(?a)\d{{{POINT_DIGITS}}}", digits):
            return digits
    raise RuleError(
        f"the {POINT_DIGITS} digits of a supply point number in quotes",
        f"供給地点特定番号({POINT_DIGITS} けた)を引用符で囲んだもの",
        hidden=True,
    )
