"""The tables of help and papers: enquiries, faults, documents, terms of use, lists of the data that is sent.

What people write and what their papers hold is sealed under the key of a subject (``desk_subject``); the rows
remain when that key is gone. The tables of :data:`APPEND_ONLY` only ever grow.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
)

from koatsu.desk.metadata import metadata, seconds_column
from koatsu.desk.schema_cases import case  # noqa: F401 - its tables are referred to

__all__ = [
    "APPEND_ONLY",
    "data_item",
    "data_list",
    "document",
    "document_content",
    "enquiry",
    "enquiry_step",
    "fault",
    "fault_step",
    "terms",
    "terms_acceptance",
]


def _text(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, Text, nullable=nullable)


def _case() -> Column[int]:
    return Column("case_id", Integer, ForeignKey("desk_case.id"))


def _subject() -> Column[int]:
    return Column("subject", Integer, ForeignKey("desk_subject.id"), nullable=False)


enquiry: Final = Table(
    "desk_enquiry",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("year", Integer, nullable=False),  # with seq the number that people know: EQ-2026-00001
    Column("seq", Integer, nullable=False),
    _text("office"),
    _text("topic"),  # id of a question of the FAQ
    _case(),
    _subject(),
    Column("contact", LargeBinary, nullable=False),  # sealed
    _text("state"),  # open, answered, closed
    _text("owner"),  # reference of a person, or empty
    _text("due_on"),
    Column("version", Integer, nullable=False),
    seconds_column("opened_at"),
    seconds_column("changed_at"),
    _text("changed_by"),
    UniqueConstraint("year", "seq"),
    Index(None, "office", "state", "due_on"),
    Index(None, "state", "due_on"),
    Index(None, "owner"),
    Index(None, "case_id"),
    Index(None, "subject"),
)
"""Each enquiry as its steps have made it."""

enquiry_step: Final = Table(
    "desk_enquiry_step",
    metadata,
    Column("enquiry", Integer, ForeignKey("desk_enquiry.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    seconds_column("at"),
    _text("author"),
    _text("step"),
    _text("value"),  # an office, a reference, a day: nothing personal
    Column("said", LargeBinary),  # sealed
)
"""What was asked, answered and done, in its order."""

fault: Final = Table(
    "desk_fault",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("year", Integer, nullable=False),  # FT-2026-00012
    Column("seq", Integer, nullable=False),
    _text("office"),
    _case(),
    _text("supply_point", nullable=True),
    _text("service"),  # what the desk knew at the beginning
    _text("works"),
    _text("outcome"),  # empty until there is one
    _text("side"),
    Column("order_id", Integer, ForeignKey("desk_works.id")),
    Column("enquiry", Integer, ForeignKey("desk_enquiry.id")),
    Column("version", Integer, nullable=False),
    seconds_column("opened_at"),
    _text("opened_by"),
    seconds_column("changed_at"),
    _text("changed_by"),
    seconds_column("closed_at", nullable=True),
    _text("closed_by", nullable=True),
    UniqueConstraint("year", "seq"),
    Index(None, "office", "closed_at"),
    Index(None, "case_id"),
)
"""Each time that somebody looked for why no data arrives."""

fault_step: Final = Table(
    "desk_fault_step",
    metadata,
    Column("fault", Integer, ForeignKey("desk_fault.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    seconds_column("at"),
    _text("author"),
    _text("kind"),  # answer, back, probe, order, enquiry, close
    _text("step"),  # of the tree, or empty
    _text("value"),  # the answer; of a probe what it found, as JSON
)
"""Answers, answers taken back, what probes found, and what came of it."""

document: Final = Table(
    "desk_document",
    metadata,
    Column("id", Integer, primary_key=True),
    _case(),
    _subject(),
    _text("kind"),
    Column("name", LargeBinary, nullable=False),  # sealed: it often holds a name
    _text("media_type"),
    Column("size", Integer, nullable=False),  # bytes
    _text("digest"),  # of the content, under the key of the subject
    Column("trimmed", Boolean, nullable=False),  # something behind the picture was not kept
    seconds_column("added_at"),
    _text("added_by"),
    seconds_column("withdrawn_at", nullable=True),
    _text("withdrawn_by", nullable=True),
    _text("withdrawn_reason", nullable=True),
    Index(None, "case_id"),
    Index(None, "subject", "digest"),
)
"""Scans and photographs; one that does not belong there is withdrawn, never deleted."""

document_content: Final = Table(
    "desk_document_content",
    metadata,
    Column("document", Integer, ForeignKey("desk_document.id"), primary_key=True),
    Column("content", LargeBinary, nullable=False),  # sealed
)
"""The content apart from its row, so that lists do not read it."""

terms: Final = Table(
    "desk_terms",
    metadata,
    Column("version", Text, primary_key=True),  # the day from which it is in force
    _text("title"),
    _text("text"),
    _text("title_en", nullable=True),
    _text("text_en", nullable=True),
    seconds_column("changed_at"),
    _text("changed_by"),
)
"""Versions of the terms of use."""

terms_acceptance: Final = Table(
    "desk_terms_acceptance",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("version", Text, ForeignKey("desk_terms.version"), nullable=False),
    Column("case_id", Integer, ForeignKey("desk_case.id"), nullable=False),
    _text("way"),  # paper, online
    _text("day"),  # on which it was signed or clicked
    seconds_column("recorded_at"),
    _text("recorded_by"),
    _text("digest"),  # of the text that was accepted
    UniqueConstraint("version", "case_id"),
    Index(None, "case_id"),
)
"""Who accepted which version."""

data_list: Final = Table(
    "desk_data_list",
    metadata,
    Column("version", Text, primary_key=True),  # the day from which it holds
    _text("title"),
    _text("title_en"),
    seconds_column("made_at"),
    _text("made_by"),
)
"""The utility's own lists of the data that is sent; where there is none, the list of the table holds."""

data_item: Final = Table(
    "desk_data_item",
    metadata,
    Column("list", Text, ForeignKey("desk_data_list.version"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    _text("ja"),
    _text("en"),
    _text("unit"),
    Column("required", Boolean, nullable=False),
    _text("note"),
    _text("note_en"),
)
"""What one of those lists names."""

APPEND_ONLY: Final = (enquiry_step, fault_step, terms_acceptance, data_list, data_item)
"""Tables whose rows nobody changes or deletes: for the triggers of the migration."""
