"""The tables of the people store. Instants are whole seconds since 1970 UTC.

A name stands in ``people_person`` and nowhere else; no password and no secret stands anywhere, only what
they can be checked against. ``migrations`` holds the way to this shape, and a test compares the two.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

__all__ = [
    "HEAD",
    "LARGEST",
    "PREFIX",
    "VERSION_TABLE",
    "attempt",
    "audit",
    "info",
    "metadata",
    "person",
    "session",
    "token",
]

PREFIX: Final = "people_"  #: in PostgreSQL the tables stand beside those of the readings
VERSION_TABLE: Final = "people_version"
HEAD: Final = "0001"  #: the newest migration; a test compares it with the folder

LARGEST: Final = 2**31 - 1  #: the largest number that a column of numbers takes

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _seconds(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=nullable)


info = Table(
    "people_info",
    metadata,
    Column("name", Text, primary_key=True),  # key (of the digests), audit_head
    Column("value", Text, nullable=False),
)
"""What the store knows of itself."""

person = Table(
    "people_person",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text),  # NULL once erased
    Column("name_key", Text),  # the name as it is compared
    Column("password", Text),  # argon2id, with its parameters and salt
    Column("role", Text, nullable=False),
    _seconds("made_at"),
    _seconds("password_at"),
    _seconds("removed_at", nullable=True),
    UniqueConstraint("name_key"),
)
"""Who may log in. Rows are never deleted, so a number never means somebody else."""

session = Table(
    "people_session",
    metadata,
    Column("hash", Text, primary_key=True),  # of the secret
    Column("person", Integer, ForeignKey("people_person.id"), nullable=False),
    _seconds("made_at"),
    _seconds("seen_at"),
    _seconds("expires_at"),
    Index(None, "person"),
)
"""A browser that is logged in."""

token = Table(
    "people_token",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("hash", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("maker", Integer, ForeignKey("people_person.id")),
    _seconds("made_at"),
    _seconds("expires_at"),
    _seconds("used_at", nullable=True),
    _seconds("revoked_at", nullable=True),
    UniqueConstraint("hash"),
)
"""What a program shows instead of a password."""

attempt = Table(
    "people_attempt",
    metadata,
    Column("kind", Text, primary_key=True),  # name, origin, pair, known
    Column("key", Text, primary_key=True),  # keyed digests
    Column("failures", Integer, nullable=False),
    _seconds("last_at"),
    Column("wait_s", Integer, nullable=False),
)
"""Wrong passwords in a row, and how long the next attempt has to wait after the last."""

audit = Table(
    "people_audit",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    _seconds("at"),
    Column("author", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False),  # JSON
    Column("previous", Text, nullable=False),
    Column("hash", Text, nullable=False),
)
"""What was done, by whom. Triggers of the migration let nobody change or delete a row."""
