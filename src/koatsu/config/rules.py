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

__all__ = ["METER_CLASSES", "ROLES", "Address", "Rule", "RuleError", "is_loopback", "one_of"]

METER_CLASSES: Final = ("0288", "028A", "028D", "028F")  #: ECHONET Lite meter classes that Koatsu reads
ROLES: Final = ("buy", "sell", "sub")
ECHONET_PORT: Final = 3610  #: ECHONET Lite, part II: the UDP port of every node

Rule = Callable[[object], object]


class RuleError(ConfigError):
    """A value that its rule does not take; the message is what would be allowed.

    ``hidden``: the value is a secret or a personal number, which no sentence repeats.
    """

    def __init__(self, allowed: str, allowed_ja: str, *, hidden: bool = False) -> None:
        super().__init__(allowed, ja=allowed_ja)
        self.allowed = allowed
        self.allowed_ja = allowed_ja
        self.hidden = hidden


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


def is_loopback(host: str) -> bool:
    """Whether an address of the page leads to this machine alone."""
    return host == "localhost" or ipaddress.ip_address(host).is_loopback


def page_host(value: object) -> str:
    """The address of the page; who may open it from elsewhere is asked when the program starts."""
    if isinstance(value, str) and "%" not in value:
        try:
            if value == "localhost" or not ipaddress.ip_address(value).is_multicast:
                return value
        except ValueError:
            pass
    raise RuleError(
        'an address of this machine, such as "127.0.0.1", "192.168.1.5" or "0.0.0.0"',
        'この機器のアドレス(例 "127.0.0.1"、"192.168.1.5"、"0.0.0.0")',
    )


def host_names(value: object) -> tuple[str, ...]:
    """Names or addresses as they stand in a browser, without scheme and port; lower case."""
    if isinstance(value, list | tuple) and all(isinstance(one, str) and _host_name(one) for one in value):
        return tuple(one.lower() for one in value)
    raise RuleError(
        'a list of names without "https://" and port, such as ["ems.example.jp", "192.168.1.5"]',
        '"https://" やポートを付けない名前のリスト(例 ["ems.example.jp", "192.168.1.5"])',
    )


def _host_name(written: str) -> bool:
    try:
        ipaddress.ip_address(written)
    except ValueError:
        label = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
        return len(written) <= 253 and re.fullmatch(rf"{label}(\.{label})*", written) is not None
    return "%" not in written


def addresses(value: object) -> tuple[str, ...]:
    """Addresses of other machines, each alone."""
    if isinstance(value, list | tuple) and all(isinstance(one, str) for one in value):
        try:
            return tuple(str(ipaddress.ip_address(one)) for one in value)
        except ValueError:
            pass
    raise RuleError('a list of addresses, such as ["192.168.1.2"]', 'アドレスのリスト(例 ["192.168.1.2"])')


def truth(value: object) -> bool:
    """True or false."""
    if isinstance(value, bool):
        return value
    raise RuleError("true or false, without quotes", "true または false(引用符なし)")


def file(value: object) -> str:
    """The path of a file; whether it is there is asked when it is read."""
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, str) and value.strip() and value.isprintable():
        return value.strip()
    raise RuleError('the path of a file, such as "tls/cert.pem"', 'ファイルのパス(例 "tls/cert.pem")')


def pulse_source(value: object) -> str:
    """Where a pulse detector is heard: ``HOST:PORT``, or the path of a socket file."""
    if isinstance(value, str) and value.isprintable() and " " not in value:
        host, _, number = value.rpartition(":")
        with_port = bool(host) and number.isascii() and number.isdigit() and 1 <= int(number) <= 65535
        if value.startswith("/") or ("/" not in value and with_port):
            return value
    raise RuleError(
        'an address with its port, such as "127.0.0.1:8050", or the path of a socket, such as "/run/pulse"',
        'アドレスとポート(例 "127.0.0.1:8050")、またはソケットのパス(例 "/run/pulse")',
    )


def pulses_per_kwh(value: object) -> str:
    """Pulses for one kWh of the site, exact: a whole number, a decimal or a fraction."""
    written = str(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else value
    if isinstance(written, str) and re.fullmatch(r"\d{1,12}([./]\d{1,12})?", written):
        number, _, divisor = written.partition("/")
        if Decimal(number) > 0 and (not divisor or int(divisor) > 0):
            return written
    raise RuleError('a number above 0 such as 833, 83.5 or "250/3"', '0より大きい数(例 833、83.5、"250/3")')


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
