"""The history of the registers: what was imported and edited, in a chain of its own.

What was changed before this shape has no entries: the log of imported files stands as it was.

Revision ID: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, and let nobody change a row of it."""
    op.create_table(
        "desk_register_event",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("register", sa.Text(), nullable=False),
        sa.Column("change", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_desk_register_event")),
    )
    op.create_index(op.f("ix_desk_register_event_at"), "desk_register_event", ["at"], unique=False)
    op.create_index(
        op.f("ix_desk_register_event_register_key"), "desk_register_event", ["register", "key"], unique=False
    )
    (_sqlite_triggers if op.get_bind().dialect.name == "sqlite" else _postgresql_triggers)()


def _sqlite_triggers() -> None:
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER desk_register_event_no_{verb.lower()} BEFORE {verb} ON desk_register_event"
            " BEGIN SELECT RAISE(ABORT, 'these rows are never changed'); END"
        )
    # INSERT OR REPLACE deletes without firing a DELETE trigger: only the next number may be inserted.
    op.execute(
        "CREATE TRIGGER desk_register_event_next_only BEFORE INSERT ON desk_register_event"
        " WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM desk_register_event)"
        " BEGIN SELECT RAISE(ABORT, 'these rows are never changed'); END"
    )


def _postgresql_triggers() -> None:
    op.execute(
        "CREATE TRIGGER desk_register_event_no_change"
        " BEFORE UPDATE OR DELETE OR TRUNCATE ON desk_register_event"
        " FOR EACH STATEMENT EXECUTE FUNCTION desk_refuse()"
    )
