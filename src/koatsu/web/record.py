"""The entries of the audit log in words: who, what, to whom or what.

The log holds references alone; names are put in from those who are registered now, for an owner to read. A
person who was erased stays a number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from koatsu.clock import JST
from koatsu.people import AuditEntry, People
from koatsu.web.texts import Texts, catalogue

__all__ = ["ACTIONS", "RecordRow", "callers", "record_rows"]

#: The actions that have a sentence of their own; every other is shown by its word.
ACTIONS: Final = (
    "owner_made",
    "person_added",
    "role_changed",
    "password_changed",
    "person_erased",
    "person_placed",
    "logged_in",
    "logged_out",
    "logged_out_everywhere",
    "login_failed",
    "locked_out",
    "token_made",
    "token_revoked",
    "count_corrected",
    "correction_withdrawn",
    "file_imported",
    "import_forgotten",
    "archive_imported",
    "backup_made",
    "store_restored",
    "personal_shown",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRow:
    """One line of the record: number, JST, and its words."""

    seq: int
    at: datetime
    author: str
    action: str
    subject: str  #: empty where it is the author


def callers(people: People | None, t: Texts) -> Callable[[str], str]:
    """How references are called: by the names of those registered now; without ``people`` by number."""
    names = {} if people is None else {one.reference: one.name for one in people.people()}
    labels = {} if people is None else {one.reference: one.label for one in people.tokens()}

    def called(reference: str) -> str:
        kind, _, number = reference.partition(":")
        if reference in names:
            return names[reference]
        if labels.get(reference):
            return t("ref.token_named", label=labels[reference])
        if people is None and kind == "person":
            return t("ref.somebody", number=number)
        return t.for_code("ref", kind, number=number) if f"ref.{kind}" in catalogue() else reference

    return called


def record_rows(entries: Sequence[AuditEntry], people: People, t: Texts) -> list[RecordRow]:
    """The entries as rows, in the order given."""
    called = callers(people, t)

    def told(entry: AuditEntry) -> str:
        values = {key: t.for_code("person", value) for key, value in entry.detail.items()}
        return t.for_code("action", entry.action, **values)

    return [
        RecordRow(
            seq=entry.seq,
            at=entry.at.astimezone(JST),
            author=called(entry.author),
            action=told(entry),
            subject="" if entry.subject in ("-", "", entry.author) else called(entry.subject),
        )
        for entry in entries
    ]
