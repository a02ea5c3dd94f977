"""What a record is called in addresses and in histories, where its own name must not stand there.

The name of a supply point is its number, and no address or history shows one. A reference is such a name
under a key of the desk's own: the same name gives the same reference, the desk alone reads it back, and what
somebody has made up is told from it. AES-SIV.
"""

from __future__ import annotations

import base64
import binascii

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

__all__ = ["References"]


class References:
    """Makes references and reads them; safe to use from any thread.

    Args:
        key: 64 bytes.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of(self, kind: str, name: str) -> str:
        """The reference of what is called ``name`` among its ``kind``: letters, digits, ``-`` and ``_``."""
        sealed = AESSIV(self._key).encrypt(name.encode(), [kind.encode()])
        return base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def name(self, kind: str, reference: str) -> str | None:
        """The name that :meth:`of` was given; ``None`` where this is no reference of that kind."""
        try:
            sealed = base64.b64decode(reference + "=" * (-len(reference) % 4), altchars=b"-_", validate=True)
            return AESSIV(self._key).decrypt(sealed, [kind.encode()]).decode()
        except (InvalidTag, binascii.Error, ValueError):
            return None
