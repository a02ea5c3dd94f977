"""The people store's database: where it is, how it is opened, and transactions that tell their errors.

SQLite: a file of its own beside the readings, with a rollback journal and secure_delete, so that what is
erased is gone from the files when the call returns (a write-ahead log would keep it). PostgreSQL: tables with
the prefix ``people_`` in the database of the readings.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError

from koatsu.people.errors import PeopleStoreError, StoreTrouble, trouble_of
from koatsu.people.schema import HEAD, PREFIX, VERSION_TABLE
from koatsu.sql import Cause, Tables, Trouble, address_of

__all__ = ["Database", "address"]


def address(store: str | Path) -> URL:
    """The database of the people that belong to a store of readings, given by path or URL.

    ``koatsu.db`` has its people in ``koatsu.people.db``; a PostgreSQL database holds both.

    Raises:
        PeopleStoreError: ``store`` is neither.
    """
    if isinstance(store, str) and "://" in store:
        try:
            url = address_of(store)
        except ArgumentError as error:
            raise PeopleStoreError(StoreTrouble.CANNOT_OPEN, "", "not a database address") from error
        if url.get_backend_name() != "sqlite":
            return url
        store = url.database or ""
    path = Path(store).absolute()
    beside = path.with_name(f"{path.stem}.people{path.suffix or '.db'}")
    return URL.create("sqlite+pysqlite", database=str(beside))


class Database(Tables):
    """An open people store."""

    prefix, version_table, head = PREFIX, VERSION_TABLE, HEAD
    migrations = Path(__file__).parent / "migrations"
    line = 0x50454F504C45  # "PEOPLE"
    pragmas = ("journal_mode=DELETE", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON")

    def __init__(self, store: str | Path, busy_s: float) -> None:
        """Open or make it, brought to the newest shape; ``busy_s``: longest wait for a lock, in seconds.

        Raises:
            PeopleStoreError: locked, read-only, not ours, of a newer version or out of reach.
        """
        super().__init__(address(store), busy_s)

    def refused(self, why: Cause | Trouble, reason: str) -> PeopleStoreError:
        """The error that says why."""
        return PeopleStoreError(trouble_of(why), self.where, reason)
