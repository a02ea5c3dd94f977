"""Two hosts on one machine, so that a thousand meters and a controller both have port 3610 to themselves.

Network namespaces joined by a veth pair; every address of 10.40.0.0/16 is local to the second host, without
being listed anywhere. It needs root and iproute2.
"""

from __future__ import annotations

import ipaddress
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

__all__ = ["TwoHosts", "many_addresses", "two_hosts"]

_METERS = "10.40.0.0/16"


class TwoHosts(NamedTuple):
    """How to run a command on either, and where the controller is."""

    controller: tuple[str, ...]
    meters: tuple[str, ...]
    controller_address: str


def many_addresses(count: int, network: str = _METERS) -> list[str]:
    """``count`` addresses of the second host."""
    base = ipaddress.ip_network(network).network_address
    return [str(base + 256 + number) for number in range(count)]


@contextmanager
def two_hosts() -> Iterator[TwoHosts | None]:
    """Both hosts, or ``None`` where this machine does not let us make them."""
    names = [f"koatsu-bench-{side}{os.getpid()}" for side in "cm"]
    cables = [f"kb{side}{os.getpid() % 1_000_000}" for side in "cm"]
    try:
        made = all(_ip("netns", "add", name) for name in names) and _ip(
            "link", "add", cables[0], "netns", names[0], "type", "veth",
            "peer", "name", cables[1], "netns", names[1],
        )  # fmt: skip
        for number, (name, cable) in enumerate(zip(names, cables, strict=True), start=1):
            made = made and all(
                _ip("-n", name, *words.split())
                for words in (
                    "link set lo up",
                    f"link set {cable} up",
                    f"addr add 10.39.0.{number}/24 dev {cable}",
                )
            )
        made = made and _ip("-n", names[0], "route", "add", _METERS, "via", "10.39.0.2")
        made = made and _ip("-n", names[1], "route", "add", "local", _METERS, "dev", "lo")
        inside = [("ip", "netns", "exec", name) for name in names]
        yield TwoHosts(inside[0], inside[1], "10.39.0.1") if made else None
    finally:
        for name in names:
            _ip("netns", "delete", name)


def _ip(*words: str) -> bool:
    try:
        return subprocess.run(["ip", *words], capture_output=True, timeout=30, check=False).returncode == 0
    except FileNotFoundError:
        return False
