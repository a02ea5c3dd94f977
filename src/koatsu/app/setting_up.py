"""What ``koatsu init`` does: from what discovery found, by asking, to a configuration file."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from koatsu.app.access import METER_CLASSES
from koatsu.app.exploring import DiscoverRow
from koatsu.config import ROLES, Address, Config, MeterConfig, SiteConfig, StoreConfig, write_config
from koatsu.errors import KoatsuError, UsageError
from koatsu.node import Peer

__all__ = ["Draft", "ask", "draft", "write"]

Prompt = Callable[[str, str], str]
"""Shows a question and a suggestion, gives the answer."""


class NothingFoundError(KoatsuError):
    """No meter answered, so there is nothing to write down."""

    exit_status = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A configuration in the making."""

    name: str
    store: str
    meters: tuple[MeterConfig, ...]


def draft(rows: Sequence[DiscoverRow], *, lang: str) -> Draft:
    """Suggest a configuration for the meters among ``rows``; the first buys, a second sells.

    Raises:
        NothingFoundError: there is no meter among them.
    """
    found = _once([row for row in rows if row.class_code in METER_CLASSES])
    if not found:
        raise NothingFoundError(
            "No meter answered, so there is nothing to configure.",
            ja="メータが応答しないため、設定を作れません。",
            hint="Check the cable, or name the address: koatsu init --also 192.0.2.10",
            hint_ja="ケーブルを確かめるか、アドレスを指定してください: koatsu init --also 192.0.2.10",
        )
    ja = lang == "ja"
    labels = {
        "buy": "買電" if ja else "bought",
        "sell": "売電" if ja else "sold",
        "sub": "副" if ja else "sub",
    }
    meters = []
    for number, row in enumerate(_by_address(found)):
        role = ("buy", "sell")[number] if number < 2 else "sub"
        meters.append(
            MeterConfig(
                id=role if number < 2 else f"sub{number - 1}",
                label=labels[role],
                address=Address(*Peer.parse(row.address)),
                role=role,
                class_code=f"{row.class_code:04X}",
                instance=row.instance,
            )
        )
    return Draft(name="自社工場" if ja else "My site", store="koatsu.db", meters=tuple(meters))


def ask(suggested: Draft, *, lang: str, prompt: Prompt) -> Draft:
    """Let a person change what was suggested."""
    ja = lang == "ja"
    name = prompt("拠点名" if ja else "Name of the site", suggested.name)
    store = prompt("計測値の保存先" if ja else "Where readings are kept", suggested.store)
    meters = []
    for meter in suggested.meters:
        where = f"{meter.address} (0x{meter.class_code})"
        roles = "/".join(ROLES)
        role = prompt(f"{where} の用途 {roles}" if ja else f"Role of {where}, {roles}", meter.role)
        while role not in ROLES:
            role = prompt(f"{roles} のどれか" if ja else f"One of {roles}", meter.role)
        label = prompt(f"{where} の名前" if ja else f"Name of {where}", meter.label)
        meters.append(replace(meter, role=role, label=label))
    return Draft(name=name, store=store, meters=tuple(meters))


def write(path: Path, final: Draft) -> None:
    """Write the file, commented, and check it by reading it back.

    Raises:
        UsageError: a value is not allowed, or the file cannot be written.
    """
    try:
        config = Config(
            sites=(SiteConfig(name=final.name),), meters=final.meters, store=StoreConfig(path=final.store)
        )
        write_config(path, config)
    except ValueError as error:
        raise error if isinstance(error, KoatsuError) else UsageError(str(error)) from error
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror}.", ja=f"{path} に書き込めません({error.strerror})。"
        ) from error


def _once(rows: Sequence[DiscoverRow]) -> list[DiscoverRow]:
    """A meter that is reached by IPv4 and by IPv6 is one meter; its first address stands.

    Two addresses of one family are two terminals, even where their meters claim one serial number.
    """
    kept: list[DiscoverRow] = []
    for row in rows:
        if not any(_same_meter(row, one) for one in kept):
            kept.append(row)
    return kept


def _same_meter(row: DiscoverRow, other: DiscoverRow) -> bool:
    if row.eoj != other.eoj:
        return False
    if row.address == other.address:
        return True
    families = {Peer.parse(one.address).is_ipv6 for one in (row, other)}
    return len(families) == 2 and bool(row.serial) and (row.maker, row.serial) == (other.maker, other.serial)


def _by_address(rows: Sequence[DiscoverRow]) -> list[DiscoverRow]:
    """In the order of addresses as numbers: .9 before .10."""
    return sorted(rows, key=lambda row: (int(ipaddress.ip_address(Peer.parse(row.address).host)), row.eoj))
