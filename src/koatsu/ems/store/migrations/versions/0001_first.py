"""The first shape of the store.

Revision ID: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _epoch(table: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("epoch", sa.Integer, nullable=False, autoincrement=False),
        sa.ForeignKeyConstraint(["epoch"], ["epoch.id"], name=f"fk_{table}_epoch"),
    ]


def _key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=f"pk_{table}")


def _big(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable, autoincrement=False)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=nullable)


def _number(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=nullable)


def upgrade() -> None:
    """Make every table."""
    _meters()
    _counts()
    _notes()


def _meters() -> None:
    op.create_table(
        "meter",
        _text("id"),
        _text("label"),
        _text("role"),
        _number("class_code"),
        _text("address"),
        _text("ceiling_kw", nullable=True),
        _big("added_at"),
        _key("meter", "id"),
    )
    op.create_table(
        "epoch",
        sa.Column("id", sa.Integer, nullable=False),
        _text("meter"),
        _number("number"),
        _big("started_at"),
        _number("class_code"),
        _text("serial", nullable=True),
        _number("fixed_day", nullable=True),
        _number("current_coefficient"),
        _number("voltage_coefficient"),
        _key("epoch", "id"),
        sa.ForeignKeyConstraint(["meter"], ["meter.id"], name="fk_epoch_meter"),
        sa.UniqueConstraint("meter", "number", name="uq_epoch_meter_number"),
    )
    op.create_table(
        "scale",
        *_epoch("scale"),
        _text("what"),
        _number("coefficient"),
        _text("multiplier"),
        _text("unit"),
        _number("digits", nullable=True),
        _key("scale", "epoch", "what"),
        sqlite_with_rowid=False,
    )


def _counts() -> None:
    op.create_table(
        "reading",
        *_epoch("reading"),
        _text("register"),
        _big("instant"),
        _big("count", nullable=True),
        _text("source"),
        _big("received"),
        sa.Column("stamped", sa.Boolean, nullable=False),
        _key("reading", "epoch", "register", "instant"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "demand",
        *_epoch("demand"),
        _text("direction"),
        _big("start"),
        _big("count", nullable=True),
        _text("source"),
        _big("received"),
        _key("demand", "epoch", "direction", "start"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "conflict",
        *_epoch("conflict"),
        _text("kind"),
        _text("name"),
        _big("instant"),
        _big("count"),
        _text("source"),
        _big("received"),
        _key("conflict", "epoch", "kind", "name", "instant", "count"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "sample",
        *_epoch("sample"),
        _text("register"),
        _big("instant"),
        _big("count"),
        _big("received"),
        _key("sample", "epoch", "register", "instant"),
        sqlite_with_rowid=False,
    )


def _notes() -> None:
    op.create_table(
        "history_read",
        *_epoch("history_read"),
        _text("day"),
        _text("property"),
        _big("read_at"),
        _number("elements"),
        _number("no_data"),
        _number("reads"),
        _key("history_read", "epoch", "day", "property"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "event",
        sa.Column("id", sa.Integer, nullable=False),
        _big("at"),
        _text("meter", nullable=True),
        _text("level"),
        _text("code"),
        sa.Column("params", sa.JSON, nullable=False),
        _key("event", "id"),
        sa.ForeignKeyConstraint(["meter"], ["meter.id"], name="fk_event_meter"),
    )
    op.create_index("ix_event_at", "event", ["at"])
    op.create_index("ix_event_meter_at", "event", ["meter", "at"])
