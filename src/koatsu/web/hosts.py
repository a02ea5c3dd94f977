"""Which names a request may be addressed to, and which origin it may come from.

A browser that is led to this server by a name that somebody else controls (DNS rebinding), or by a foreign
page, betrays itself in Host, Origin and Sec-Fetch-Site. Loopback names are always ours, and so is the very
address on which a request arrived; every other name has to be in the settings.
"""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers

__all__ = ["from_here", "is_loopback", "is_loopback_address", "is_ours", "split_host"]

_PORTS = {"http": 80, "https": 443}


def split_host(host: str) -> tuple[str, int | None] | None:
    """Name and port of a Host header, in small letters and without brackets; ``None``: it is malformed."""
    name = host.strip().lower()
    if name.startswith("["):
        name, bracket, port = name[1:].partition("]")
        if not bracket or ":" not in name or (port and not port.startswith(":")):
            return None
        port = port[1:]
    else:
        name, _, port = name.partition(":")
    if not name or (port and not (port.isascii() and port.isdigit() and len(port) <= 5)):
        return None
    return name.removesuffix("."), int(port) if port else None


def is_loopback(host: str) -> bool:
    """Whether a Host header names this machine's loopback: localhost, 127.0.0.0/8 or [::1], any port."""
    parts = split_host(host)
    return parts is not None and (parts[0] == "localhost" or is_loopback_address(parts[0]))


def is_loopback_address(text: str) -> bool:
    """Whether ``text`` is an address of the loopback, as numbers."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def is_ours(host: str, names: Collection[str], arrived_at: str | None) -> bool:
    """Whether a Host header names this server.

    Args:
        host: the header.
        names: further names of this server, in small letters and without ports.
        arrived_at: the address of this machine on which the request came in, where it is known.
    """
    if is_loopback(host):
        return True
    parts = split_host(host)
    if parts is None:
        return False
    if parts[0] in names:
        return True
    try:
        return arrived_at is not None and ip_address(parts[0]) == ip_address(arrived_at)
    except ValueError:
        return False


def from_here(headers: Headers, scheme: str) -> bool:
    """Whether a request that changes something comes from a page of this server, by what the browser says.

    Origin decides where it is sent, then Sec-Fetch-Site, then Referer. A request that carries a token of its
    own (``Authorization: Bearer``) comes from a program, which sends none of them.
    """
    origins = headers.getlist("origin")
    if origins:
        return len(origins) == 1 and _same(origins[0], headers, scheme)
    if (site := headers.get("sec-fetch-site")) is not None:
        return site == "same-origin"
    if (referer := headers.get("referer")) is not None:
        return _same(referer, headers, scheme)
    return headers.get("authorization", "").lower().startswith("bearer ")


def _same(address: str, headers: Headers, scheme: str) -> bool:
    try:
        there = urlsplit(address)
        port = there.port or _PORTS.get(there.scheme)
    except ValueError:
        return False
    ours = split_host(headers.get("host", ""))
    if ours is None or there.scheme not in _PORTS or there.hostname is None:
        return False
    return (there.hostname.removesuffix("."), port) == (ours[0], ours[1] or _PORTS.get(scheme))
