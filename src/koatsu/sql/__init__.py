"""What every database of this program has in common: address, write lock, migrations, errors, one writer.

Below all packages, so that readings, people and the service desk, which know nothing of each other, open and
fail alike. What is told to a person, and in which words, is for the caller.
"""

from __future__ import annotations

from koatsu.sql.basics import WRITE, Cause, NewerError, address_of, begin_sqlite, cause_of, upgrade
from koatsu.sql.tables import Tables, Trouble

__all__ = [
    "WRITE",
    "Cause",
    "NewerError",
    "Tables",
    "Trouble",
    "address_of",
    "begin_sqlite",
    "cause_of",
    "upgrade",
]
