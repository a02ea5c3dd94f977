"""Password hashes: argon2id, one cost for everybody, the same work for a name that nobody has.

The cost is that of RFC 9106, second recommended option: 64 MiB, three passes, four lanes. Raising it here is
enough: a hash of another cost is made anew when its owner logs in.
"""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass
from typing import Final

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from koatsu.people.weak import normalised

__all__ = ["HASHING", "Hashing", "Passwords"]

_AT_ONCE: Final = 2  # more hashes at once would only ask for more memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Hashing:
    """The cost of one hash."""

    passes: int = 3
    memory_kib: int = 64 * 1024
    lanes: int = 4


HASHING: Final = Hashing()


class Passwords:
    """Makes and checks hashes; safe to use from any thread."""

    def __init__(self, hashing: Hashing = HASHING) -> None:
        self._hasher = PasswordHasher(
            time_cost=hashing.passes,
            memory_cost=hashing.memory_kib,
            parallelism=hashing.lanes,
            hash_len=32,
            salt_len=16,
            type=Type.ID,
        )
        self._room = threading.BoundedSemaphore(_AT_ONCE)
        self._lock = threading.Lock()
        self._nobody: str | None = None

    def hash(self, password: str) -> str:
        """The hash of a password as :func:`refuse_weak` gives it, or of one that has just matched."""
        with self._room:
            return self._hasher.hash(normalised(password) or "")

    def matches(self, stored: str | None, password: str) -> bool:
        """Whether ``password`` belongs to ``stored``; ``None`` costs the same time and never matches."""
        nobody = self._hash_of_nobody()  # in every case, so that the first check is no exception
        kept = normalised(password)
        with self._room:
            try:
                self._hasher.verify(stored or nobody, kept or "")
            except (VerificationError, InvalidHashError):
                return False
        return stored is not None and kept is not None

    def outdated(self, stored: str) -> bool:
        """Whether ``stored`` was made at another cost than today's."""
        return self._hasher.check_needs_rehash(stored)

    def _hash_of_nobody(self) -> str:
        with self._lock:
            if self._nobody is None:
                self._nobody = self.hash(secrets.token_urlsafe(32))
            return self._nobody
