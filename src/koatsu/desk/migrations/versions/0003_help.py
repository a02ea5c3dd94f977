"""Help and papers: enquiries, faults, documents, terms of use, lists of the data that is sent.

Revision ID: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

#: Tables whose rows nobody changes or deletes.
APPEND_ONLY = (
    "desk_enquiry_step",
    "desk_fault_step",
    "desk_terms_acceptance",
    "desk_data_list",
    "desk_data_item",
)


def upgrade() -> None:
    """Make these tables."""
    _data_list()
    _terms()
    _data_item()
    _document()
    _enquiry()
    _terms_acceptance()
    _document_content()
    _enquiry_step()
    _fault()
    _fault_step()
    (_sqlite_triggers if op.get_bind().dialect.name == "sqlite" else _postgresql_triggers)()


def _data_list() -> None:
    op.create_table(
        "desk_data_list",
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("title_en", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_desk_data_list")),
    )


def _terms() -> None:
    op.create_table(
        "desk_terms",
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("title_en", sa.Text(), nullable=True),
        sa.Column("text_en", sa.Text(), nullable=True),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_desk_terms")),
    )


def _data_item() -> None:
    op.create_table(
        "desk_data_item",
        sa.Column("list", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("ja", sa.Text(), nullable=False),
        sa.Column("en", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("required", sa.Boolean(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("note_en", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["list"], ["desk_data_list.version"], name=op.f("fk_desk_data_item_list")),
        sa.PrimaryKeyConstraint("list", "position", name=op.f("pk_desk_data_item")),
    )


def _document() -> None:
    op.create_table(
        "desk_document",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=True),
        sa.Column("subject", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("trimmed", sa.Boolean(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        sa.Column("withdrawn_by", sa.Text(), nullable=True),
        sa.Column("withdrawn_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["desk_case.id"], name=op.f("fk_desk_document_case_id")),
        sa.ForeignKeyConstraint(["subject"], ["desk_subject.id"], name=op.f("fk_desk_document_subject")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_document")),
    )
    op.create_index(op.f("ix_desk_document_case_id"), "desk_document", ["case_id"], unique=False)
    op.create_index(
        op.f("ix_desk_document_subject_digest"), "desk_document", ["subject", "digest"], unique=False
    )


def _enquiry() -> None:
    op.create_table(
        "desk_enquiry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("office", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=True),
        sa.Column("subject", sa.Integer(), nullable=False),
        sa.Column("contact", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["desk_case.id"], name=op.f("fk_desk_enquiry_case_id")),
        sa.ForeignKeyConstraint(["subject"], ["desk_subject.id"], name=op.f("fk_desk_enquiry_subject")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_enquiry")),
        sa.UniqueConstraint("year", "seq", name=op.f("uq_desk_enquiry_year_seq")),
    )
    op.create_index(op.f("ix_desk_enquiry_case_id"), "desk_enquiry", ["case_id"], unique=False)
    op.create_index(
        op.f("ix_desk_enquiry_office_state_due_on"),
        "desk_enquiry",
        ["office", "state", "due_on"],
        unique=False,
    )
    op.create_index(op.f("ix_desk_enquiry_owner"), "desk_enquiry", ["owner"], unique=False)
    op.create_index(op.f("ix_desk_enquiry_state_due_on"), "desk_enquiry", ["state", "due_on"], unique=False)
    op.create_index(op.f("ix_desk_enquiry_subject"), "desk_enquiry", ["subject"], unique=False)


def _terms_acceptance() -> None:
    op.create_table(
        "desk_terms_acceptance",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["desk_case.id"], name=op.f("fk_desk_terms_acceptance_case_id")),
        sa.ForeignKeyConstraint(
            ["version"], ["desk_terms.version"], name=op.f("fk_desk_terms_acceptance_version")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_terms_acceptance")),
        sa.UniqueConstraint("version", "case_id", name=op.f("uq_desk_terms_acceptance_version_case_id")),
    )
    op.create_index(
        op.f("ix_desk_terms_acceptance_case_id"), "desk_terms_acceptance", ["case_id"], unique=False
    )


def _document_content() -> None:
    op.create_table(
        "desk_document_content",
        sa.Column("document", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["document"], ["desk_document.id"], name=op.f("fk_desk_document_content_document")
        ),
        sa.PrimaryKeyConstraint("document", name=op.f("pk_desk_document_content")),
    )


def _enquiry_step() -> None:
    op.create_table(
        "desk_enquiry_step",
        sa.Column("enquiry", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("said", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["enquiry"], ["desk_enquiry.id"], name=op.f("fk_desk_enquiry_step_enquiry")),
        sa.PrimaryKeyConstraint("enquiry", "number", name=op.f("pk_desk_enquiry_step")),
    )


def _fault() -> None:
    op.create_table(
        "desk_fault",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("office", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=True),
        sa.Column("supply_point", sa.Text(), nullable=True),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("works", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=True),
        sa.Column("enquiry", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("opened_by", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["desk_case.id"], name=op.f("fk_desk_fault_case_id")),
        sa.ForeignKeyConstraint(["enquiry"], ["desk_enquiry.id"], name=op.f("fk_desk_fault_enquiry")),
        sa.ForeignKeyConstraint(["order_id"], ["desk_works.id"], name=op.f("fk_desk_fault_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_fault")),
        sa.UniqueConstraint("year", "seq", name=op.f("uq_desk_fault_year_seq")),
    )
    op.create_index(op.f("ix_desk_fault_case_id"), "desk_fault", ["case_id"], unique=False)
    op.create_index(
        op.f("ix_desk_fault_office_closed_at"), "desk_fault", ["office", "closed_at"], unique=False
    )


def _fault_step() -> None:
    op.create_table(
        "desk_fault_step",
        sa.Column("fault", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["fault"], ["desk_fault.id"], name=op.f("fk_desk_fault_step_fault")),
        sa.PrimaryKeyConstraint("fault", "number", name=op.f("pk_desk_fault_step")),
    )


def _sqlite_triggers() -> None:
    for table in APPEND_ONLY:
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table}"
                " BEGIN SELECT RAISE(ABORT, 'these rows are never changed'); END"
            )


def _postgresql_triggers() -> None:
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION desk_refuse()"
        )
