"""The audit log: what was done, by whom, to what; each entry closed by a keyed digest over the one before.

It holds references (``person:3``) and keyed digests, never a name, so erasing a person touches no entry and
the chain still verifies. What an entry is given is made so: text that is not plainly an identifier becomes
a digest. The end of the chain stands beside it, so that cutting off the newest entries shows; whoever wants
to be safe from an intruder who has the key too keeps the newest hash somewhere else.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, select, update

from koatsu.clock import Clock
from koatsu.people.chain import AuditFinding, Link, examine
from koatsu.people.database import Database
from koatsu.people.keys import Digests
from koatsu.people.schema import LARGEST, audit, info, person

__all__ = ["Audit", "AuditEntry"]

log = logging.getLogger(__name__)

_HEAD: Final = "audit_head"
_START: Final = "0" * 64  # what the first entry follows
_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+/@=,-]{0,119}")
_BATCH: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One entry. ``author`` and ``subject`` are references, ``detail`` holds identifiers and digests."""

    seq: int
    at: datetime
    author: str
    action: str
    subject: str
    detail: Mapping[str, str]
    hash: str  #: closes the chain up to here


class Audit:
    """The audit log of an open people store; safe to use from any thread."""

    def __init__(self, database: Database, digests: Digests, clock: Clock) -> None:
        self._database = database
        self._digests = digests
        self._clock = clock

    def append(
        self, author_ref: str, action: str, subject_ref: str = "-", detail: Mapping[str, str] | None = None
    ) -> None:
        """Add an entry; when this returns it is on the disk.

        Args:
            author_ref: who did it: ``login.reference``, or ``system``.
            action: what: a word such as ``count_corrected``.
            subject_ref: what it was done to: ``meter:buy``, ``person:3``.
            detail: what else must be known: identifiers, numbers, times; other text is kept as a digest.

        Raises:
            ValueError: ``author_ref`` or ``action`` is no identifier: a name, for instance.
            PeopleStoreError: the database refused.
        """
        with self._database.writing() as connection:
            self.add(connection, author_ref, action, subject_ref, detail)

    def add(
        self,
        connection: Connection,
        author_ref: str,
        action: str,
        subject_ref: str = "-",
        detail: Mapping[str, str] | None = None,
    ) -> None:
        """Like :meth:`append`, in a transaction of the caller."""
        if not _IDENTIFIER.fullmatch(author_ref) or not _IDENTIFIER.fullmatch(action):
            raise ValueError(f"the audit log takes references, not {author_ref!r}, {action!r}")
        seq, previous = self._end(connection)
        link = Link(
            seq=seq + 1,
            at=int(self._clock.now().timestamp()),
            author=author_ref,
            action=action,
            subject=self._plain(connection, subject_ref),
            detail=json.dumps(
                {key: self._plain(connection, value) for key, value in sorted((detail or {}).items())},
                ensure_ascii=True,
                separators=(",", ":"),
            ),
            previous=previous,
            hash="",
        )
        closed = self._digests.chain(link.text)
        connection.execute(
            insert(audit).values(
                seq=link.seq, at=link.at, author=link.author, action=link.action, subject=link.subject,
                detail=link.detail, previous=previous, hash=closed,
            )
        )  # fmt: skip
        head = f"{link.seq}:{closed}"
        if connection.execute(update(info).where(info.c.name == _HEAD).values(value=head)).rowcount == 0:
            connection.execute(insert(info).values(name=_HEAD, value=head))
        log.info("audit entry %d: %s by %s, %s", link.seq, link.action, link.author, closed)

    def entries(self, limit: int = 100, before: int | None = None) -> list[AuditEntry]:
        """The newest ``limit`` entries, newest first; with ``before``, those older than that number.

        Raises:
            PeopleStoreError: the database refused.
        """
        query = select(audit).order_by(audit.c.seq.desc()).limit(limit)
        if before is not None:
            query = query.where(audit.c.seq < min(before, LARGEST))
        with self._database.reading() as connection:
            return [_entry(row) for row in connection.execute(query)]

    def head(self) -> tuple[int, str]:
        """Number and hash of the newest entry: what to keep elsewhere; (0, zeros) before the first.

        Raises:
            PeopleStoreError: the database refused.
        """
        with self._database.reading() as connection:
            return _head(connection) or (0, _START)

    def verify(self, expected: str | None = None) -> AuditFinding | None:
        """Go through the whole chain; ``None``: every entry is as it was written.

        Args:
            expected: a hash that was noted before; an entry must have it.

        Raises:
            PeopleStoreError: the database refused.
        """
        with self._database.reading() as connection:
            return examine(
                lambda: _links(connection),
                start=_START,
                head=_head(connection),
                made=self._digests.chain,
                expected=expected,
            )

    def _end(self, connection: Connection) -> tuple[int, str]:
        """Number and hash of the last entry. What is there is continued, fit or unfit: verify tells."""
        row = connection.execute(
            select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)
        ).first()
        return (0, _START) if row is None else (row.seq, row.hash)

    def _plain(self, connection: Connection, text: str) -> str:
        """The text if it can be no personal datum as far as we know, else its digest."""
        if text == "-":
            return text
        if _IDENTIFIER.fullmatch(text):
            known = select(person.c.id).where(person.c.name_key == text.casefold())
            if connection.execute(known).first() is None:
                return text
        return f"digest:{self._digests.of('detail', text)}"


def _head(connection: Connection) -> tuple[int, str] | None:
    value = connection.execute(select(info.c.value).where(info.c.name == _HEAD)).scalar()
    if value is None:
        return None
    seq, _, closed = value.partition(":")
    return (int(seq) if seq.isdigit() else -1), closed


def _links(connection: Connection) -> Iterator[Link]:
    last = None
    while True:
        query = select(audit).order_by(audit.c.seq).limit(_BATCH)
        rows = connection.execute(query if last is None else query.where(audit.c.seq > last)).all()
        for row in rows:
            yield _link(row)
        if len(rows) < _BATCH:
            return
        last = rows[-1].seq


def _link(row: Row[Any]) -> Link:
    """An entry as it stands, whatever somebody has put there."""
    return Link(
        seq=row.seq,
        at=row.at,
        author=str(row.author),
        action=str(row.action),
        subject=str(row.subject),
        detail=str(row.detail),
        previous=str(row.previous),
        hash=str(row.hash),
    )


def _entry(row: Row[Any]) -> AuditEntry:
    try:
        detail = json.loads(row.detail)
    except ValueError:
        detail = {}  # changed behind our back: verify says so
    return AuditEntry(
        seq=row.seq,
        at=datetime.fromtimestamp(row.at, UTC),
        author=row.author,
        action=row.action,
        subject=row.subject,
        detail=detail if isinstance(detail, dict) else {},
        hash=row.hash,
    )
