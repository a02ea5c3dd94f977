"""Sites, corrections by hand, revisions of days, cached day totals, imports, pulses, what was learnt.

Revision ID: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=f"pk_{table}")


def _meter(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["meter"], ["meter.id"], name=f"fk_{table}_meter")


def _big(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable, autoincrement=False)


def _text(name: str, *, nullable: bool = False, default: str | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=nullable, server_default=default)


def _number(name: str, *, nullable: bool = False, default: str | None = None) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=nullable, server_default=default)


def upgrade() -> None:
    """Add the tables and two columns; no row of before is changed."""
    _sites()
    _corrections()
    _days()
    _beside()


def _sites() -> None:
    op.create_table("store_info", _text("key"), _text("value"), _key("store_info", "key"))
    op.create_table("site", _text("id"), _text("name"), _big("added_at"), _key("site", "id"))
    op.add_column("meter", _text("site", default="site"))
    op.add_column("meter", _number("revision", default="0"))


def _corrections() -> None:
    op.create_table(
        "correction",
        sa.Column("id", sa.Integer, nullable=False),
        _number("epoch"),
        _text("register"),
        _big("instant"),
        _big("count", nullable=True),
        _text("reason"),
        _text("author"),
        _big("at"),
        _big("withdrawn_at", nullable=True),
        _text("withdrawn_by", nullable=True),
        _key("correction", "id"),
        sa.ForeignKeyConstraint(["epoch"], ["epoch.id"], name="fk_correction_epoch"),
    )
    op.create_index("ix_correction_epoch_register_instant", "correction", ["epoch", "register", "instant"])


def _days() -> None:
    op.create_table(
        "day_touched",
        _text("meter"),
        _text("day"),
        _number("revision"),
        _key("day_touched", "meter", "day"),
        _meter("day_touched"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "day_total",
        _text("meter"),
        _text("register"),
        _text("day"),
        _number("meter_revision"),
        _number("revision"),
        _number("known"),
        _text("figures"),
        _big("made_at"),
        _key("day_total", "meter", "register", "day"),
        _meter("day_total"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "learnt",
        _text("meter"),
        _text("what"),
        _text("value"),
        _big("at"),
        _key("learnt", "meter", "what"),
        _meter("learnt"),
        sqlite_with_rowid=False,
    )


def _beside() -> None:
    op.create_table(
        "import_file",
        sa.Column("id", sa.Integer, nullable=False),
        _text("name"),
        _text("sha256"),
        _text("kind"),
        _text("source"),
        _text("meter"),
        _text("channel"),
        _big("at"),
        _text("author"),
        _number("rows"),
        _key("import_file", "id"),
        _meter("import_file"),
        sa.UniqueConstraint("channel", "sha256", name="uq_import_file_channel_sha256"),
    )
    op.create_table(
        "import_energy",
        _number("file"),
        _big("start"),
        _text("energy_kwh"),
        _text("quality", default=""),
        _key("import_energy", "file", "start"),
        sa.ForeignKeyConstraint(["file"], ["import_file.id"], name="fk_import_energy_file"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "pulse_slot",
        _text("meter"),
        _big("start"),
        _number("pulses"),
        _text("per_kwh"),
        _number("slot_pulses"),
        _big("seen_from"),
        _big("seen_until"),
        _key("pulse_slot", "meter", "start"),
        _meter("pulse_slot"),
        sqlite_with_rowid=False,
    )
