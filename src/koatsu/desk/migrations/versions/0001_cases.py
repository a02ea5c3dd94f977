"""Cases, their history, and what belongs to customers; triggers keep the history as it was written.

Revision ID: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

#: Tables whose rows nobody changes or deletes.
APPEND_ONLY = ("desk_event",)


def upgrade() -> None:
    """Make these tables."""
    _delivery()
    _info()
    _subject()
    _case()
    _personal()
    _staff()
    _text()
    _event()
    _notice()
    _search()
    _works()
    (_sqlite_triggers if op.get_bind().dialect.name == "sqlite" else _postgresql_triggers)()


def _delivery() -> None:
    op.create_table(
        "desk_delivery",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_delivery")),
    )
    op.create_index(op.f("ix_desk_delivery_next_at"), "desk_delivery", ["next_at"], unique=False)


def _info() -> None:
    op.create_table(
        "desk_info",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_desk_info")),
    )


def _subject() -> None:
    op.create_table(
        "desk_subject",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=True),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("erased_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_subject")),
    )


def _case() -> None:
    op.create_table(
        "desk_case",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("back", sa.Text(), nullable=True),
        sa.Column("supply_point", sa.Text(), nullable=False),
        sa.Column("office", sa.Text(), nullable=False),
        sa.Column("assignee", sa.Text(), nullable=False),
        sa.Column("customer", sa.Integer(), nullable=False),
        sa.Column("due_on", sa.Text(), nullable=True),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["customer"], ["desk_subject.id"], name=op.f("fk_desk_case_customer")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_case")),
        sa.UniqueConstraint("number", name=op.f("uq_desk_case_number")),
    )
    op.create_index(op.f("ix_desk_case_assignee"), "desk_case", ["assignee"], unique=False)
    op.create_index(op.f("ix_desk_case_customer"), "desk_case", ["customer"], unique=False)
    op.create_index(op.f("ix_desk_case_due_on"), "desk_case", ["due_on"], unique=False)
    op.create_index(
        op.f("ix_desk_case_office_state_due_on"), "desk_case", ["office", "state", "due_on"], unique=False
    )
    op.create_index(op.f("ix_desk_case_state_due_on"), "desk_case", ["state", "due_on"], unique=False)
    op.create_index(op.f("ix_desk_case_supply_point"), "desk_case", ["supply_point"], unique=False)


def _personal() -> None:
    op.create_table(
        "desk_personal",
        sa.Column("subject", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["subject"], ["desk_subject.id"], name=op.f("fk_desk_personal_subject")),
        sa.PrimaryKeyConstraint("subject", "name", name=op.f("pk_desk_personal")),
    )


def _staff() -> None:
    op.create_table(
        "desk_staff",
        sa.Column("person", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("office", sa.Text(), nullable=True),
        sa.Column("customer", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["customer"], ["desk_subject.id"], name=op.f("fk_desk_staff_customer")),
        sa.PrimaryKeyConstraint("person", name=op.f("pk_desk_staff")),
    )


def _text() -> None:
    op.create_table(
        "desk_text",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.Integer(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["subject"], ["desk_subject.id"], name=op.f("fk_desk_text_subject")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_text")),
    )
    op.create_index(op.f("ix_desk_text_subject"), "desk_text", ["subject"], unique=False)


def _event() -> None:
    op.create_table(
        "desk_event",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["desk_case.id"], name=op.f("fk_desk_event_case_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_desk_event")),
        sa.UniqueConstraint("case_id", "number", name=op.f("uq_desk_event_case_id_number")),
    )
    op.create_index(op.f("ix_desk_event_at"), "desk_event", ["at"], unique=False)


def _notice() -> None:
    op.create_table(
        "desk_notice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("event_seq", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("office", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("printed_at", sa.BigInteger(), nullable=True),
        sa.Column("printed_by", sa.Text(), nullable=True),
        sa.Column("mailed_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["desk_case.id"], name=op.f("fk_desk_notice_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_notice")),
    )
    op.create_index(op.f("ix_desk_notice_case_id"), "desk_notice", ["case_id"], unique=False)
    op.create_index(
        op.f("ix_desk_notice_office_printed_at"), "desk_notice", ["office", "printed_at"], unique=False
    )


def _search() -> None:
    op.create_table(
        "desk_search",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["desk_case.id"], name=op.f("fk_desk_search_case_id")),
        sa.PrimaryKeyConstraint("digest", "case_id", name=op.f("pk_desk_search")),
    )
    op.create_index(op.f("ix_desk_search_case_id"), "desk_search", ["case_id"], unique=False)


def _works() -> None:
    op.create_table(
        "desk_works",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("office", sa.Text(), nullable=False),
        sa.Column("planned_on", sa.Text(), nullable=True),
        sa.Column("window", sa.Text(), nullable=False),
        sa.Column("outage", sa.Text(), nullable=False),
        sa.Column("done_on", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["desk_case.id"], name=op.f("fk_desk_works_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_works")),
    )
    op.create_index(op.f("ix_desk_works_case_id"), "desk_works", ["case_id"], unique=False)
    op.create_index(
        op.f("ix_desk_works_office_planned_on"), "desk_works", ["office", "planned_on"], unique=False
    )
    op.create_index(op.f("ix_desk_works_planned_on"), "desk_works", ["planned_on"], unique=False)


def _sqlite_triggers() -> None:
    for table in APPEND_ONLY:
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table}"
                " BEGIN SELECT RAISE(ABORT, 'these rows are never changed'); END"
            )
    # INSERT OR REPLACE deletes without firing a DELETE trigger: only the next number may be inserted.
    op.execute(
        "CREATE TRIGGER desk_event_next_only BEFORE INSERT ON desk_event"
        " WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM desk_event)"
        " BEGIN SELECT RAISE(ABORT, 'these rows are never changed'); END"
    )


def _postgresql_triggers() -> None:
    op.execute(
        "CREATE FUNCTION desk_refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'these rows are never changed'; END $$"
    )
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION desk_refuse()"
        )
