"""What happened to cases, entry after entry, each closed by a keyed digest over the one before it.

All cases share one chain, so that a case taken out shows too. An entry holds references, codes and digests:
free text and personal values stand elsewhere under their customer's key, and erasing them touches no entry.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, select

from koatsu.desk.chained import ChainTable
from koatsu.desk.lifecycle import Event
from koatsu.desk.models import Actor, Entry
from koatsu.desk.schema_cases import event
from koatsu.desk.states import State
from koatsu.people.chain import AuditFinding, Link
from koatsu.people.keys import Digests

__all__ = ["append", "entries_of", "head", "verify"]


def append(
    connection: Connection,
    digests: Digests,
    now: datetime,
    actor: Actor,
    *,
    case_id: int,
    number: int,
    what: Event,
    before: State | None,
    after: State,
    detail: Mapping[str, str],
) -> Entry:
    """Write an entry as number ``number`` of its case, in a writing transaction of the caller."""
    row = {
        "case_id": case_id,
        "number": number,
        "at": int(now.timestamp()),
        "author": actor.reference,
        "role": "system" if actor.role is None else actor.role.value,
        "event": what.value,
        "before": None if before is None else before.value,
        "after": after.value,
        "detail": json.dumps(dict(sorted(detail.items())), ensure_ascii=True, separators=(",", ":")),
    }
    return _entry(_CHAIN.add(connection, digests, row))


def head(connection: Connection) -> tuple[int, str]:
    """Number and hash of the last entry as noted beside the chain: (0, zeros) before the first."""
    return _CHAIN.head(connection)


def entries_of(connection: Connection, case_id: int) -> list[Entry]:
    """The history of a case, the oldest first."""
    query = select(event).where(event.c.case_id == case_id).order_by(event.c.number)
    return [_entry(row._mapping) for row in connection.execute(query)]


def verify(connection: Connection, digests: Digests, expected: str | None = None) -> AuditFinding | None:
    """Go through the whole chain; ``None``: every entry is as it was written.

    ``expected`` is a hash that was noted before; some entry must have it.
    """
    return _CHAIN.verify(connection, digests, expected)


def _link(row: Mapping[Any, Any]) -> Link:
    """An entry as the chain sees it, whatever somebody has put there."""
    parts = (row["case_id"], row["number"], row["role"], row["before"] or "", row["after"])
    return Link(
        seq=row["seq"],
        at=row["at"],
        author=str(row["author"]),
        action=str(row["event"]),
        subject="/".join(map(str, parts)),
        detail=str(row["detail"]),
        previous=str(row["previous"]),
        hash=str(row["hash"]),
    )


_CHAIN: Final = ChainTable(event, "chain_head", _link)


def _entry(row: Mapping[Any, Any]) -> Entry:
    try:
        detail = json.loads(row["detail"])
    except ValueError:
        detail = {}  # changed behind our back: verify says so
    return Entry(
        seq=row["seq"],
        case=row["case_id"],
        number=row["number"],
        at=datetime.fromtimestamp(row["at"], UTC),
        author=row["author"],
        role=row["role"],
        event=Event(row["event"]),
        before=State(row["before"]) if row["before"] else None,
        after=State(row["after"]),
        detail=detail if isinstance(detail, dict) else {},
        hash=row["hash"],
    )
