"""The first shape of the people store, and the triggers that keep the audit log as it was written.

Revision ID: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=f"pk_{table}")


def _big(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=nullable)


def upgrade() -> None:
    """Make every table."""
    op.create_table("people_info", _text("name"), _text("value"), _key("people_info", "name"))
    _persons()
    _logins()
    _audit()
    (_sqlite_triggers if op.get_bind().dialect.name == "sqlite" else _postgresql_triggers)()


def _persons() -> None:
    op.create_table(
        "people_person",
        sa.Column("id", sa.Integer, nullable=False),
        _text("name", nullable=True),
        _text("name_key", nullable=True),
        _text("password", nullable=True),
        _text("role"),
        _big("made_at"),
        _big("password_at"),
        _big("removed_at", nullable=True),
        _key("people_person", "id"),
        sa.UniqueConstraint("name_key", name="uq_people_person_name_key"),
    )
    op.create_table(
        "people_attempt",
        _text("kind"),
        _text("key"),
        sa.Column("failures", sa.Integer, nullable=False),
        _big("last_at"),
        sa.Column("wait_s", sa.Integer, nullable=False),
        _key("people_attempt", "kind", "key"),
    )


def _logins() -> None:
    op.create_table(
        "people_session",
        _text("hash"),
        sa.Column("person", sa.Integer, nullable=False),
        _big("made_at"),
        _big("seen_at"),
        _big("expires_at"),
        _key("people_session", "hash"),
        sa.ForeignKeyConstraint(["person"], ["people_person.id"], name="fk_people_session_person"),
    )
    op.create_index("ix_people_session_person", "people_session", ["person"])
    op.create_table(
        "people_token",
        sa.Column("id", sa.Integer, nullable=False),
        _text("hash"),
        _text("label"),
        _text("role"),
        sa.Column("maker", sa.Integer, nullable=True),
        _big("made_at"),
        _big("expires_at"),
        _big("used_at", nullable=True),
        _big("revoked_at", nullable=True),
        _key("people_token", "id"),
        sa.ForeignKeyConstraint(["maker"], ["people_person.id"], name="fk_people_token_maker"),
        sa.UniqueConstraint("hash", name="uq_people_token_hash"),
    )


def _audit() -> None:
    op.create_table(
        "people_audit",
        sa.Column("seq", sa.Integer, nullable=False, autoincrement=False),
        _big("at"),
        _text("author"),
        _text("action"),
        _text("subject"),
        _text("detail"),
        _text("previous"),
        _text("hash"),
        _key("people_audit", "seq"),
    )


def _sqlite_triggers() -> None:
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER people_audit_no_{verb.lower()} BEFORE {verb} ON people_audit"
            " BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
        )
    # INSERT OR REPLACE deletes without firing a DELETE trigger: only the next number may be inserted.
    op.execute(
        "CREATE TRIGGER people_audit_next_only BEFORE INSERT ON people_audit"
        " WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM people_audit)"
        " BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
    )


def _postgresql_triggers() -> None:
    op.execute(
        "CREATE FUNCTION people_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$"
    )
    op.execute(
        "CREATE TRIGGER people_audit_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON people_audit"
        " FOR EACH STATEMENT EXECUTE FUNCTION people_audit_refuse()"
    )
