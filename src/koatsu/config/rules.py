"""What each kind of configuration value may be, once, for the file and for values made in code.

A rule takes what TOML (or code) gave and returns the typed value, or raises ``RuleError`` with what is
allowed, in both languages. A rule accepts its own result, so a value can be checked again.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Final, NamedTuple

from koatsu.errors import ConfigError

__all__ = ["METER_CLASSES", "ROLES", "Address", "Rule", "RuleError", "one_of"]

METER_CLASSES: Final = ("0288", "028A", "028D", "028F")  #: ECHONET Lite meter classes that Koatsu reads
ROLES: Final = ("buy", "sell", "sub")
ECHONET_PORT: Final = 3610  #: ECHONET Lite, part II: the UDP port of every node

Rule = Callable[[object], object]


class RuleError(ConfigError):
    """A value that its rule does not take; the message is what would be allowed."""

    def __init__(self, allowed: str, allowed_ja: str) -> None:
        super().__init__(allowed, ja=allowed_ja)
        self.allowed = allowed
        self.allowed_ja = allowed_ja


class Address(NamedTuple):
    """An IPv4 or IPv6 address of a node, with the zone (interface) of a link-local one, and its UDP port."""

    host: str
    port: int = ECHONET_PORT
    zone: str = ""

    def __str__(self) -> str:
        host = f"{self.host}%{self.zone}" if self.zone else self.host
        if self.port == ECHONET_PORT:
            return host
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"


def text(value: object) -> str:
    """A text of 1 to 80 characters on one line."""
    if isinstance(value, str) and 0 < len(value.strip()) <= 80 and value.isprintable():
        return value.strip()
    raise RuleError("a text of 1 to 80 characters in quotes", "引用符で囲んだ1〜80文字の文字列")


def identifier(value: object) -> str:
    """A short name that is safe in an address of the page and in a file name."""
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}", value):
        return value
    raise RuleError(
        'up to 32 of the letters A–Z, a–z, digits, "-" and "_", such as "main"',
        '英数字と "-" "_" で32文字以内(例 "main")',
    )


def interface(value: object) -> str:
    """The name of a network interface, as the operating system shows it."""
    if isinstance(value, str) and re.fullmatch(r"[^\s/%\"]{1,32}", value):
        return value
    raise RuleError(
        'the name of a network interface, such as "eth0"', 'ネットワークインターフェイス名(例 "eth0")'
    )


def profile(value: object) -> str:
    """The name of a link profile; whether it exists is asked where the profiles are known."""
    if isinstance(value, str) and re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", value):
        return value
    raise RuleError(
        'the name of a link profile, such as "hv-assumed"', 'リンクプロファイル名(例 "hv-assumed")'
    )


def power_kw(value: object) -> Decimal:
    """A positive power in kW, exact."""
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        number = Decimal(value)
        if number.is_finite() and 0 < number <= 1_000_000:
            return number
    raise RuleError(
        "a number of kW above 0 and up to 1000000, without quotes or unit, such as 450",
        "0より大きく1000000以下のkW値。引用符や単位は付けません(例 450)",
    )


def port(value: object) -> int:
    """A TCP or UDP port."""
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 65535:
        return value
    raise RuleError("a whole number from 1 to 65535", "1〜65535の整数")


def instance(value: object) -> int:
    """The instance number of an ECHONET object, 1 to 127."""
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 0x7F:
        return value
    raise RuleError("a whole number from 1 to 127", "1〜127の整数")


def class_code(value: object) -> str:
    """A meter class as four hexadecimal digits; "0x028a" and the TOML number 0x028A mean the same."""
    digits = f"{value:04X}" if isinstance(value, int) and not isinstance(value, bool) else value
    if isinstance(digits, str):
        digits = digits.removeprefix("0x").removeprefix("0X").upper()
        if digits in METER_CLASSES:
            return digits
    names = ", ".join(f'"{code}"' for code in METER_CLASSES)
    raise RuleError(f"one of {names}", f"{names} のいずれか")


def one_of(*allowed: str) -> Rule:
    """A rule for one of some words."""
    names = ", ".join(f'"{word}"' for word in allowed)

    def rule(value: object) -> str:
        if isinstance(value, str) and value in allowed:
            return value
        raise RuleError(f"one of {names}", f"{names} のいずれか")

    return rule


def loopback(value: object) -> str:
    """The address of the page: this machine only, until the page knows who may open it."""
    if isinstance(value, str):
        try:
            if value == "localhost" or ipaddress.ip_address(value).is_loopback:
                return value
        except ValueError:
            pass
    raise RuleError(
        '"127.0.0.1", "::1" or "localhost": the page opens on this machine only, '
        "because it does not ask yet who is looking",
        '"127.0.0.1"、"::1"、"localhost"のみ。'
        "利用者を確認する仕組みがまだないため、画面はこの機器の中だけで開きます",
    )


def own_address(value: object) -> Address:
    """The address that this program binds; no port, ECHONET Lite has one."""
    found = node_address(value)
    if found.port != ECHONET_PORT:
        raise RuleError(
            'an address without a port, such as "192.168.1.5"', 'ポートを付けないアドレス(例 "192.168.1.5")'
        )
    return found


def node_address(value: object) -> Address:
    """An address of one node: IPv4, IPv6, ``v6%zone``, each with an optional port."""
    if isinstance(value, Address):
        return node_address(str(value))
    if isinstance(value, str):
        found = _parse_address(value.strip())
        if found is not None:
            return found
    raise RuleError(
        'an IPv4 or IPv6 address, such as "192.168.1.10", "fe80::1%eth0" or "192.168.1.10:3610"',
        'IPv4またはIPv6アドレス(例 "192.168.1.10"、"fe80::1%eth0"、"192.168.1.10:3610")',
    )


def _parse_address(written: str) -> Address | None:
    bracketed = re.fullmatch(r"\[([^\]]+)\](?::(\d{1,5}))?", written)
    with_port = re.fullmatch(r"([^:]+):(\d{1,5})", written)
    if bracketed:
        host, number = bracketed[1], bracketed[2]
    elif with_port:
        host, number = with_port[1], with_port[2]
    else:
        host, number = written, None
    host, _, zone = host.partition("%")
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    port_number = int(number) if number else ECHONET_PORT
    if address.is_multicast or address.is_unspecified or not 1 <= port_number <= 65535:
        return None
    if zone and (address.version == 4 or not re.fullmatch(r"[^\s/%\"]{1,32}", zone)):
        return None
    return Address(str(address), port_number, zone)


def store(value: object) -> str:
    """Where readings are kept: a file path or a database URL."""
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, str) and value.strip() and value.isprintable():
        written = value.strip()
        if "://" not in written or written.startswith(("sqlite:", "postgresql:", "postgresql+")):
            return written
    raise RuleError(
        'the path of a file, such as "koatsu.db", or an address that starts with "postgresql://"',
        'ファイルのパス(例 "koatsu.db")または"postgresql://"で始まる接続先',
    )
