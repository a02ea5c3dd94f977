"""The registers: points, offices, retailers, meters, terminals, certified equipment.

Revision ID: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make these tables."""
    _certified()
    _import()
    _office()
    _retailer()
    _supported_type()
    _office_area()
    _supply_point()
    _meter()
    _terminal()


def _certified() -> None:
    op.create_table(
        "desk_certified",
        sa.Column("number_key", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("maker", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("certified_on", sa.Text(), nullable=False),
        sa.Column("valid_until", sa.Text(), nullable=True),
        sa.Column("search_key", sa.Text(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number_key", name=op.f("pk_desk_certified")),
    )


def _import() -> None:
    op.create_table(
        "desk_import",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("new", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("same", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_import")),
    )
    op.create_index(op.f("ix_desk_import_sha256"), "desk_import", ["sha256"], unique=False)


def _office() -> None:
    op.create_table(
        "desk_office",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("postal_code", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("hours", sa.Text(), nullable=False),
        sa.Column("closed_on", sa.Text(), nullable=True),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_desk_office")),
    )


def _retailer() -> None:
    op.create_table(
        "desk_retailer",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("own", sa.Boolean(), nullable=False),
        sa.Column("ended_on", sa.Text(), nullable=True),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_desk_retailer")),
    )


def _supported_type() -> None:
    op.create_table(
        "desk_supported_type",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("type_key", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("maker", sa.Text(), nullable=False),
        sa.Column("two_way", sa.Boolean(), nullable=False),
        sa.Column("since", sa.Text(), nullable=False),
        sa.Column("until", sa.Text(), nullable=True),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "type_key", name=op.f("pk_desk_supported_type")),
    )


def _office_area() -> None:
    op.create_table(
        "desk_office_area",
        sa.Column("office_kind", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("value_key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("office", sa.Text(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["office"], ["desk_office.code"], name=op.f("fk_desk_office_area_office")),
        sa.PrimaryKeyConstraint("office_kind", "by", "value_key", name=op.f("pk_desk_office_area")),
    )
    op.create_index(op.f("ix_desk_office_area_office"), "desk_office_area", ["office"], unique=False)


def _supply_point() -> None:
    op.create_table(
        "desk_supply_point",
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("postal_code", sa.Text(), nullable=False),
        sa.Column("municipality", sa.Text(), nullable=False),
        sa.Column("street", sa.Text(), nullable=False),
        sa.Column("place_key", sa.Text(), nullable=False),
        sa.Column("voltage", sa.Text(), nullable=False),
        sa.Column("contract_kw", sa.Integer(), nullable=True),
        sa.Column("supply", sa.Text(), nullable=False),
        sa.Column("retailer", sa.Text(), nullable=True),
        sa.Column("contract_from", sa.Text(), nullable=True),
        sa.Column("contract_ended_on", sa.Text(), nullable=True),
        sa.Column("meter_type", sa.Text(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("length(number) = 22", name="ck_desk_supply_point_number"),
        sa.ForeignKeyConstraint(
            ["retailer"], ["desk_retailer.code"], name=op.f("fk_desk_supply_point_retailer")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_desk_supply_point")),
    )
    op.create_index(
        op.f("ix_desk_supply_point_contract_ended_on"),
        "desk_supply_point",
        ["contract_ended_on"],
        unique=False,
    )


def _meter() -> None:
    op.create_table(
        "desk_meter",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("serial_key", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("type_key", sa.Text(), nullable=False),
        sa.Column("supply_point", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("since", sa.Text(), nullable=False),
        sa.Column("until", sa.Text(), nullable=True),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["supply_point"], ["desk_supply_point.number"], name=op.f("fk_desk_meter_supply_point")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_meter")),
        sa.UniqueConstraint(
            "type_key", "serial_key", "since", name=op.f("uq_desk_meter_type_key_serial_key_since")
        ),
    )
    op.create_index(op.f("ix_desk_meter_supply_point"), "desk_meter", ["supply_point"], unique=False)


def _terminal() -> None:
    op.create_table(
        "desk_terminal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("serial_key", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("type_key", sa.Text(), nullable=False),
        sa.Column("supply_point", sa.Text(), nullable=False),
        sa.Column("since", sa.Text(), nullable=False),
        sa.Column("until", sa.Text(), nullable=True),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["supply_point"], ["desk_supply_point.number"], name=op.f("fk_desk_terminal_supply_point")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_terminal")),
        sa.UniqueConstraint(
            "type_key", "serial_key", "since", name=op.f("uq_desk_terminal_type_key_serial_key_since")
        ),
    )
    op.create_index(op.f("ix_desk_terminal_supply_point"), "desk_terminal", ["supply_point"], unique=False)
