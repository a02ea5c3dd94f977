"""One open database: its transactions, its name in messages, and letting go of it.

Nothing here knows what is kept; :class:`koatsu.ems.store.Store` and the modules beside it do.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import local
from types import TracebackType
from typing import Final, Self

from sqlalchemy import Connection, Engine

from koatsu.ems.store.errors import StoreError, StoreErrorKind, told
from koatsu.ems.store.held import Held
from koatsu.sql import WRITE

__all__ = ["Database"]


class Database:
    """An engine and the transactions on it; any thread may use it."""

    def __init__(self, engine: Engine, where: str) -> None:
        self._engine: Engine | None = engine
        self._where: Final = where
        self._seen: Final = local()  # the moment at which this thread is looking
        self._held: Held | None = None

    @property
    def where(self) -> str:
        """The path or the address of the database, without a password."""
        return self._where

    @property
    def engine(self) -> Engine:
        """The engine, for modules of this package.

        Raises:
            StoreError: the database has been closed.
        """
        if self._engine is None:
            raise StoreError(StoreErrorKind.CLOSED, self._where)
        return self._engine

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One transaction that sees the database at one moment and changes nothing.

        A block inside another of the same thread is part of it: several questions, one moment.

        Raises:
            StoreError: what the database says inside the block comes out as this.
        """
        around: Connection | None = getattr(self._seen, "connection", None)
        if around is not None:
            with told(self._where):
                yield around
            return
        engine = self.engine
        if engine.dialect.name == "postgresql":  # there a statement sees what was committed before it
            engine = engine.execution_options(isolation_level="REPEATABLE READ")
        with told(self._where), engine.begin() as connection:
            self._seen.connection = connection
            try:
                yield connection
            finally:
                self._seen.connection = None

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction that writes, alone: on the disk when the block ends, undone when it fails.

        Raises:
            StoreError: what the database says inside the block comes out as this.
        """
        engine = self.engine.execution_options(**{WRITE: True})
        with told(self._where), engine.begin() as connection:
            yield connection

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Be the only program that collects into this database, until the block ends.

        A database server sees to it, as long as :meth:`keep_hold` is called from time to time; beside an
        SQLite file the caller keeps a lock file.

        Raises:
            StoreHeldError: another program is.
        """
        engine = self.engine
        if engine.dialect.name != "postgresql":
            yield
            return
        self._held = held = Held(engine, self._where)
        try:
            yield
        finally:
            self._held = None
            held.give()

    def keep_hold(self) -> None:
        """Look whether this is still the only program that collects; a server forgets when it starts again.

        Raises:
            StoreHeldError: another program has begun to.
            StoreError: the server cannot be asked now.
        """
        if self._held is not None:
            self._held.keep()

    def close(self) -> None:
        """Let go of the database; closing twice does no harm."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
