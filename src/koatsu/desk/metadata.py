"""The one collection of the desk's tables, with names that every database gives alike."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, MetaData

__all__ = ["PREFIX", "metadata", "seconds_column"]

PREFIX: Final = "desk_"  #: in PostgreSQL the tables stand beside those of the people

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def seconds_column(name: str, *, nullable: bool = False) -> Column[int]:
    """An instant: whole seconds since 1970 UTC."""
    return Column(name, BigInteger, nullable=nullable)
