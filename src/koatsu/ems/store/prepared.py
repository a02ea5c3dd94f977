"""Statements of the busiest paths: compiled once a dialect, then handed to the driver as they are.

To build, compare and compile a statement takes longer than SQLite takes to carry it out. Only for columns of
integers, text and truth values, which drivers take as they come.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import ClauseElement, Connection
from sqlalchemy.sql.compiler import SQLCompiler

__all__ = ["Prepared"]


class Prepared:
    """One statement with named parameters; ``make`` builds it for the name of a dialect."""

    def __init__(self, make: Callable[[str], ClauseElement]) -> None:
        self._make: Final = make
        self._compiled: dict[str, SQLCompiler] = {}

    def run(self, connection: Connection, **values: Any) -> Sequence[Any]:
        """Carry it out with these values; the rows that it gives."""
        compiled = self._for(connection)
        wanted = compiled.construct_params(values)
        names = compiled.positiontup
        given: Any = wanted if names is None else tuple(wanted[name] for name in names)
        return connection.exec_driver_sql(compiled.string, given).fetchall()

    def run_many(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
        """Carry it out for each row, two parameters or more; how many rows of the table that changed."""
        compiled = self._for(connection)
        names = compiled.positiontup
        values: Any = list(rows) if names is None else list(map(itemgetter(*names), rows))
        told = {"preserve_rowcount": True}
        return connection.exec_driver_sql(compiled.string, values, execution_options=told).rowcount

    def _for(self, connection: Connection) -> SQLCompiler:
        name = connection.dialect.name
        if name not in self._compiled:
            compiled = self._make(name).compile(dialect=connection.dialect)
            assert isinstance(compiled, SQLCompiler)
            self._compiled[name] = compiled
        return self._compiled[name]
