"""Tables whose rows are entries of a history, each closed by a keyed digest over the one before it.

The number and the hash of the last entry stand beside the chain in ``desk_info``, so that entries taken off
its end show too. Every function works in a transaction of the caller; triggers let nobody change a row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from sqlalchemy import Connection, Row, Table, bindparam, insert, select, update

from koatsu.desk.schema_cases import info
from koatsu.people.chain import AuditFinding, Link, examine
from koatsu.people.keys import Digests

__all__ = ["ChainTable"]

_START: Final = "0" * 64  # what the first entry follows
_BATCH: Final = 1000

# what every step needs, made once
_HEAD_NOW: Final = select(info.c.value).where(info.c.name == bindparam("head"))
_HEAD_NEXT: Final = update(info).where(info.c.name == bindparam("head")).values(value=bindparam("closed"))


class ChainTable:
    """A table with the columns ``seq``, ``previous`` and ``hash`` beside what its entries say.

    Args:
        table: where the entries stand.
        head: under which name the last one is noted.
        link: an entry as the chain sees it, whatever somebody has put there.
    """

    def __init__(self, table: Table, head: str, link: Callable[[Mapping[Any, Any]], Link]) -> None:
        self._table, self._name, self._link = table, head, link
        self._add = insert(table)

    def add(self, connection: Connection, digests: Digests, said: Mapping[str, Any]) -> dict[str, Any]:
        """Write what ``said`` says as the next entry, in a writing transaction; the whole row."""
        seq, previous = self.head(connection)
        row = {**said, "seq": seq + 1, "previous": previous, "hash": ""}
        row["hash"] = digests.chain(self._link(row).text)
        connection.execute(self._add, row)
        value = f"{row['seq']}:{row['hash']}"
        if connection.execute(_HEAD_NEXT, {"head": self._name, "closed": value}).rowcount == 0:
            connection.execute(insert(info).values(name=self._name, value=value))
        return row

    def head(self, connection: Connection) -> tuple[int, str]:
        """Number and hash of the last entry as noted beside the chain: (0, zeros) before the first."""
        value = connection.execute(_HEAD_NOW, {"head": self._name}).scalar()
        if value is None:
            return 0, _START
        seq, _, closed = value.partition(":")
        return (int(seq) if seq.isdigit() else -1), closed

    def verify(
        self, connection: Connection, digests: Digests, expected: str | None = None
    ) -> AuditFinding | None:
        """Go through the whole chain; ``None``: every entry is as it was written.

        ``expected`` is a hash that was noted before; some entry must have it.
        """
        noted = self.head(connection)
        return examine(
            lambda: self._links(connection),
            start=_START,
            head=None if noted == (0, _START) else noted,
            made=digests.chain,
            expected=expected,
        )

    def _links(self, connection: Connection) -> Iterator[Link]:
        last, column = 0, self._table.c.seq
        while True:
            query = select(self._table).where(column > last).order_by(column).limit(_BATCH)
            rows: list[Row[Any]] = list(connection.execute(query))
            yield from (self._link(row._mapping) for row in rows)
            if len(rows) < _BATCH:
                return
            last = rows[-1].seq
