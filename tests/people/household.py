"""Who lives in these tests: a moment, two good passwords, hashes that cost nothing, and a way to fail."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import pytest

from koatsu.people import Hashing, LockedOutError, People, WrongPasswordError

CHEAP: Final = Hashing(passes=1, memory_kib=8, lanes=1)
START: Final = datetime(2026, 7, 1, 0, 0, tzinfo=UTC)
PASSWORD: Final = "gravel teapot orbit"
OTHER: Final = "window maple thunder"
HERE: Final = "127.0.0.1"
THERE: Final = "192.0.2.7"


def fail(people: People, name: str, *, times: int = 1, origin: str = HERE) -> None:
    """Type a wrong password so often; each has to be looked at."""
    for _ in range(times):
        with pytest.raises(WrongPasswordError):
            people.log_in(name, "not the password", origin=origin)


def locked(people: People, name: str, password: str = PASSWORD, *, origin: str = HERE) -> LockedOutError:
    """Log in where nothing is looked at; the error."""
    with pytest.raises(LockedOutError) as error:
        people.log_in(name, password, origin=origin)
    return error.value
