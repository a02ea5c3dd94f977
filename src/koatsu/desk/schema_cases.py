"""The tables of cases, their history, and what belongs to customers. Instants are whole seconds UTC.

What is personal stands in ``desk_personal`` and ``desk_text`` alone, encrypted under the key of its customer
in ``desk_subject``: when that key is gone they are noise, and the history still verifies.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, UniqueConstraint

from koatsu.desk.metadata import metadata, seconds_column

__all__ = [
    "case",
    "delivery",
    "event",
    "info",
    "notice",
    "personal",
    "search",
    "staff",
    "subject",
    "text",
    "works",
]

info: Final = Table(
    "desk_info",
    metadata,
    Column("name", Text, primary_key=True),  # digest_key, chain_head, counters of numbers
    Column("value", Text, nullable=False),
)
"""What the desk knows of itself."""

subject: Final = Table(
    "desk_subject",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", LargeBinary),  # wrapped by the desk's own key; NULL once erased
    seconds_column("made_at"),
    seconds_column("erased_at", nullable=True),
)
"""Somebody whose data can be erased. Rows are never deleted."""

personal: Final = Table(
    "desk_personal",
    metadata,
    Column("subject", Integer, ForeignKey("desk_subject.id"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)
"""The present personal values of a customer."""

text: Final = Table(
    "desk_text",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("subject", Integer, ForeignKey("desk_subject.id"), nullable=False),
    Column("value", LargeBinary, nullable=False),
    Index(None, "subject"),
)
"""Free text and former personal values, to which events refer."""

case: Final = Table(
    "desk_case",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("number", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("back", Text),
    Column("supply_point", Text, nullable=False),
    Column("office", Text, nullable=False),
    Column("assignee", Text, nullable=False),
    Column("customer", Integer, ForeignKey("desk_subject.id"), nullable=False),
    Column("due_on", Text),
    seconds_column("opened_at"),
    seconds_column("changed_at"),
    Column("changed_by", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("facts", Text, nullable=False),  # JSON
    UniqueConstraint("number"),
    Index(None, "supply_point"),
    Index(None, "customer"),
    Index(None, "office", "state", "due_on"),
    Index(None, "state", "due_on"),
    Index(None, "due_on"),
    Index(None, "assignee"),
)
"""Each case as its events have made it; a test folds the history and compares."""

event: Final = Table(
    "desk_event",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("case_id", Integer, ForeignKey("desk_case.id"), nullable=False),
    Column("number", Integer, nullable=False),
    seconds_column("at"),
    Column("author", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("before", Text),
    Column("after", Text, nullable=False),
    Column("detail", Text, nullable=False),  # JSON
    Column("previous", Text, nullable=False),
    Column("hash", Text, nullable=False),
    UniqueConstraint("case_id", "number"),
    Index(None, "at"),
)
"""What happened. Triggers of the migration let nobody change or delete a row."""

search: Final = Table(
    "desk_search",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("case_id", Integer, ForeignKey("desk_case.id"), primary_key=True),
    Index(None, "case_id"),
)
"""Keyed digests of pairs of letters of names and addresses: found without being readable."""

works: Final = Table(
    "desk_works",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("case_id", Integer, ForeignKey("desk_case.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("office", Text, nullable=False),
    Column("planned_on", Text),
    Column("window", Text, nullable=False),
    Column("outage", Text, nullable=False),
    Column("done_on", Text),
    Index(None, "case_id"),
    Index(None, "office", "planned_on"),
    Index(None, "planned_on"),
)
"""Works orders."""

notice: Final = Table(
    "desk_notice",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("case_id", Integer, ForeignKey("desk_case.id"), nullable=False),
    Column("event_seq", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("office", Text, nullable=False),
    seconds_column("made_at"),
    seconds_column("printed_at", nullable=True),
    Column("printed_by", Text),
    seconds_column("mailed_at", nullable=True),
    Index(None, "case_id"),
    Index(None, "office", "printed_at"),
)
"""Letters that steps have called for; each is written from the case when it is printed or mailed."""

delivery: Final = Table(
    "desk_delivery",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("way", Text, nullable=False),  # webhook, mail
    Column("target", Text, nullable=False),  # address of a webhook; number of a notice
    Column("body", Text, nullable=False),
    seconds_column("made_at"),
    Column("tries", Integer, nullable=False),
    seconds_column("next_at", nullable=True),  # NULL: nothing more is tried
    seconds_column("done_at", nullable=True),
    Column("error", Text, nullable=False),
    Index(None, "next_at"),
)
"""What is to reach other programs and mailboxes; kept until it has, or has failed for good."""

staff: Final = Table(
    "desk_staff",
    metadata,
    Column("person", Integer, primary_key=True, autoincrement=False),
    Column("office", Text),  # NULL: every office
    Column("customer", Integer, ForeignKey("desk_subject.id")),
)
"""Whose cases a person sees: an office's, or one customer's."""
