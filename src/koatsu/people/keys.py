"""Secrets and digests: what is made at random, what is stored of it, what recognises without telling.

A session or token secret has 256 random bits, so a plain hash of it is enough to store. A name or an origin
has few, so its digest takes a key that never leaves the people store.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import secrets
from typing import Final

from koatsu.people.names import name_key

__all__ = ["TOKEN_PREFIX", "Digests", "csrf_of", "new_key", "new_secret", "new_token", "same", "stored"]

TOKEN_PREFIX: Final = "koatsu_"  # noqa: S105 - by it a leaked token is recognised in a file
_BITS: Final = 256


def new_secret() -> str:
    """A session secret, safe in a cookie."""
    return secrets.token_urlsafe(_BITS // 8)


def new_token() -> str:
    """An API token."""
    return TOKEN_PREFIX + new_secret()


def new_key() -> str:
    """A key for :class:`Digests`, as it is stored."""
    return secrets.token_hex(_BITS // 8)


def stored(secret: str) -> str:
    """What is kept of a session secret or a token."""
    return hashlib.sha256(b"koatsu secret\0" + secret.encode("utf-8", "replace")).hexdigest()


def csrf_of(secret: str) -> str:
    """What the forms of a session carry: made of its secret, useless without the cookie."""
    made = hmac.digest(secret.encode("utf-8", "replace"), b"koatsu csrf", "sha256")
    return base64.urlsafe_b64encode(made).decode().rstrip("=")


def same(one: str, other: str) -> bool:
    """Whether two secrets are equal, in a time that does not tell how far they are."""
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))


class Digests:
    """Keyed digests: the same text gives the same digest, and nobody without the key learns the text."""

    def __init__(self, key: str) -> None:
        self._key = bytes.fromhex(key)

    def of(self, kind: str, text: str) -> str:
        """The digest of ``text`` as ``kind`` (name, origin …): 32 hexadecimal digits."""
        return self._made(kind, text)[:32]

    def name(self, name: str) -> str:
        """The digest of a name as it is compared, whether or not somebody can have it."""
        return self.of("name", name_key(name) or name)

    def origin(self, origin: str) -> str:
        """The digest of where a request came from: an IPv6 address by its /64, which one machine may own."""
        try:
            address = ipaddress.ip_address(origin.partition("%")[0])
        except ValueError:
            return self.of("origin", origin)
        if address.version == 6:
            if address.ipv4_mapped is not None:
                return self.of("origin", str(address.ipv4_mapped))
            return self.of("origin", str(ipaddress.ip_network((address, 64), strict=False)))
        return self.of("origin", str(address))

    def chain(self, text: str) -> str:
        """The digest that closes an audit entry: 64 hexadecimal digits."""
        return self._made("audit", text)

    def _made(self, kind: str, text: str) -> str:
        message = f"{kind}\0{text}".encode("utf-8", "replace")
        return hmac.digest(self._key, message, "sha256").hex()
