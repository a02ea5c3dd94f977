"""What happened to the registers: an entry for each file and for each record that somebody changed by hand.

The entries stand in a chain of their own beside that of the cases. An entry says who, when, which register,
which record (by its reference, see :mod:`koatsu.desk.references`) and which of its columns; of a file its
digest and how many rows it changed. What the columns say stands in the registers alone. Meters and terminals
that works have put in place are in the history of their case.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, select

from koatsu.desk.chained import ChainTable
from koatsu.desk.models import Actor
from koatsu.desk.schema_registers import register_event
from koatsu.desk.vault import Vault
from koatsu.desk.words import Words
from koatsu.people import Role
from koatsu.people.chain import AuditFinding, Link
from koatsu.people.keys import Digests

__all__ = [
    "CHANGE_WORDS",
    "DATA_LIST",
    "TERMS",
    "Change",
    "Recorder",
    "RegisterEntry",
    "entries_about",
    "entry_of",
    "head",
    "verify",
]

TERMS: Final = "terms"
DATA_LIST: Final = "data_list"
"""What the history calls registers that no CSV file fills; the others by their own names."""


class Change(StrEnum):
    """What happened to a register."""

    IMPORT_BEGUN = "import_begun"  #: a file of several portions; ``IMPORTED`` follows unless it broke off
    IMPORTED = "imported"
    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


CHANGE_WORDS: Final[dict[Change, Words]] = {
    Change.IMPORT_BEGUN: Words("取り込みの開始", "Import begun"),
    Change.IMPORTED: Words("ファイルの取り込み", "File imported"),
    Change.ADDED: Words("追加", "Added"),
    Change.CHANGED: Words("変更", "Changed"),
    Change.REMOVED: Words("取り外し", "Removed"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterEntry:
    """One entry, as it was written; codes that nobody knows any more are left as they are."""

    seq: int
    at: datetime
    author: str
    role: str  #: of the author, or "system"
    register: str
    change: str
    key: str  #: reference of the record, or empty
    detail: Mapping[str, str]
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorder:
    """Who changes a register, and when: writes so into its history."""

    vault: Vault
    author: str
    role: Role | None  #: ``None``: this program, or its command line
    now: datetime

    @classmethod
    def of(cls, actor: Actor, vault: Vault, now: datetime) -> Recorder:
        """The recorder of what ``actor`` does."""
        return cls(vault=vault, author=actor.reference, role=actor.role, now=now)

    def note(
        self, connection: Connection, register: str, change: Change, key: str = "", **detail: str | int
    ) -> None:
        """Write an entry, in the transaction that changes the register."""
        said = {name: str(value) for name, value in sorted(detail.items())}
        _CHAIN.add(
            connection,
            self.vault.digests,
            {
                "at": int(self.now.timestamp()),
                "author": self.author,
                "role": "system" if self.role is None else self.role.value,
                "register": register,
                "change": change.value,
                "key": key,
                "detail": json.dumps(said, ensure_ascii=True, separators=(",", ":")),
            },
        )


def head(connection: Connection) -> tuple[int, str]:
    """Number and hash of the last entry as noted beside the chain: (0, zeros) before the first."""
    return _CHAIN.head(connection)


def verify(connection: Connection, digests: Digests, expected: str | None = None) -> AuditFinding | None:
    """Go through the whole chain; ``None``: every entry is as it was written.

    ``expected`` is a hash that was noted before; some entry must have it.
    """
    return _CHAIN.verify(connection, digests, expected)


def entries_about(connection: Connection, register: str, key: str, limit: int = 20) -> list[RegisterEntry]:
    """What happened to one record by hand, the newest first."""
    query = select(register_event).where(register_event.c.register == register, register_event.c.key == key)
    rows = connection.execute(query.order_by(register_event.c.seq.desc()).limit(limit))
    return [entry_of(row._mapping) for row in rows]


def entry_of(row: Mapping[Any, Any]) -> RegisterEntry:
    """A row as an entry."""
    try:
        detail = json.loads(row["detail"])
    except ValueError:
        detail = None  # changed behind our back: verify says so
    return RegisterEntry(
        seq=row["seq"],
        at=datetime.fromtimestamp(row["at"], UTC),
        author=row["author"],
        role=row["role"],
        register=row["register"],
        change=row["change"],
        key=row["key"],
        detail=detail if isinstance(detail, dict) else {},
        hash=row["hash"],
    )


def _link(row: Mapping[Any, Any]) -> Link:
    parts = (row["register"], row["key"], row["role"])
    return Link(
        seq=row["seq"],
        at=row["at"],
        author=str(row["author"]),
        action=str(row["change"]),
        subject="/".join(map(str, parts)),
        detail=str(row["detail"]),
        previous=str(row["previous"]),
        hash=str(row["hash"]),
    )


_CHAIN: Final = ChainTable(register_event, "register_chain_head", _link)
