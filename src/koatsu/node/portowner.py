"""Who holds a UDP port of this machine: for the one sentence that says what to stop. Linux only."""

from __future__ import annotations

import ipaddress
import os
import sys
from pathlib import Path

__all__ = ["port_owner"]


def port_owner(host: str, port: int) -> str | None:
    """Name and number of the process that keeps UDP ``port`` of ``host``, as ``"python3 (process 4711)"``.

    A socket on every address keeps it as well as one on ``host`` itself.

    Returns ``None`` where it cannot be found out: another system, or another user's process.
    """
    inodes = _inodes(host, port)
    if not inodes:
        return None
    wanted = {f"socket:[{inode}]" for inode in inodes}
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            if any(os.readlink(fd) in wanted for fd in (process / "fd").iterdir()):  # noqa: PTH115 - not a path
                return f"{(process / 'comm').read_text().strip()} (process {process.name})"
        except OSError:
            continue  # gone, or not ours to look into
    return None


def _inodes(host: str, port: int) -> set[str]:
    address = ipaddress.ip_address(host)
    keepers = {_hex(address), _hex(ipaddress.IPv4Address(0)), _hex(ipaddress.IPv6Address(0))}
    found: set[str] = set()
    for table in ("/proc/net/udp", "/proc/net/udp6"):
        try:
            lines = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for fields in map(str.split, lines):
            local, _, number = fields[1].partition(":")
            if int(number, 16) == port and (address.is_unspecified or local in keepers):
                found.add(fields[9])
    return found


def _hex(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """An address as those tables write it: words of four bytes in the machine's own order."""
    words = (address.packed[at : at + 4] for at in range(0, len(address.packed), 4))
    return "".join(f"{int.from_bytes(word, sys.byteorder):08X}" for word in words)
