"""The rows of people: who there is, and the rules that hold for all of them together.

Every function works in a transaction of the caller. Rows are never deleted: erasing takes name and password
out and leaves the number, to which the audit log and corrections refer.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from koatsu.people.errors import LastOwnerError, NameRefusedError, UnknownPersonError
from koatsu.people.models import Person
from koatsu.people.names import name_key, written_name
from koatsu.people.roles import Role
from koatsu.people.schema import LARGEST, person

__all__ = [
    "by_id",
    "by_name",
    "change_password",
    "change_role",
    "erase",
    "everybody",
    "owners",
    "put",
    "stored_password",
]


def everybody(connection: Connection, *, erased: bool = False) -> list[Person]:
    """All people by number, those who were erased only if asked for."""
    query = select(person).order_by(person.c.id)
    if not erased:
        query = query.where(person.c.removed_at.is_(None))
    return [_person(row) for row in connection.execute(query)]


def by_id(connection: Connection, person_id: int) -> Person:
    """The person with that number.

    Raises:
        UnknownPersonError: there is none, or not any more.
    """
    query = select(person).where(person.c.id == person_id, person.c.removed_at.is_(None))
    row = connection.execute(query).first() if 0 < person_id <= LARGEST else None
    if row is None:
        raise UnknownPersonError(str(person_id))
    return _person(row)


def by_name(connection: Connection, name: str) -> Person | None:
    """The person who is called so, written in whatever way."""
    key = name_key(name)
    if key is None:
        return None
    row = connection.execute(select(person).where(person.c.name_key == key)).first()
    return None if row is None else _person(row)


def stored_password(connection: Connection, person_id: int) -> str | None:
    """The hash of a person's password; ``None`` once erased."""
    return connection.execute(select(person.c.password).where(person.c.id == person_id)).scalar()


def owners(connection: Connection) -> int:
    """How many owners there are."""
    query = select(func.count()).where(person.c.role == Role.OWNER.value, person.c.removed_at.is_(None))
    return connection.execute(query).scalar_one()


def put(connection: Connection, name: str, role: Role, password: str, now: datetime) -> Person:
    """Add a person with a hashed password.

    Raises:
        NameRefusedError: the name cannot be one, or somebody has it.
    """
    written = written_name(name)
    if by_name(connection, written) is not None:
        raise NameRefusedError(
            f"Somebody is called {written} already.", ja=f"「{written}」は既に登録されています。"
        )
    number = (connection.execute(select(func.max(person.c.id))).scalar() or 0) + 1
    at = int(now.timestamp())
    connection.execute(
        insert(person).values(
            id=number, name=written, name_key=name_key(written), password=password, role=role.value,
            made_at=at, password_at=at, removed_at=None,
        )
    )  # fmt: skip
    return by_id(connection, number)


def change_role(connection: Connection, one: Person, role: Role) -> Person:
    """Give a person another role.

    Raises:
        LastOwnerError: no owner would be left.
    """
    if role is not Role.OWNER:
        _leave_an_owner(connection, one)
    _set(connection, one, role=role.value)
    return by_id(connection, one.id)


def change_password(connection: Connection, one: Person, password: str, now: datetime | None = None) -> None:
    """Keep a new hash; ``now`` only where the password itself is new."""
    if now is None:
        _set(connection, one, password=password)
    else:
        _set(connection, one, password=password, password_at=int(now.timestamp()))


def erase(connection: Connection, one: Person, now: datetime) -> None:
    """Take name and password out, for good.

    Raises:
        LastOwnerError: no owner would be left.
    """
    _leave_an_owner(connection, one)
    _set(connection, one, name=None, name_key=None, password=None, removed_at=int(now.timestamp()))


def _leave_an_owner(connection: Connection, one: Person) -> None:
    if one.role is Role.OWNER and owners(connection) == 1:
        raise LastOwnerError


def _set(connection: Connection, one: Person, **values: Any) -> None:
    connection.execute(update(person).where(person.c.id == one.id).values(**values))


def _person(row: Row[Sequence[Any]]) -> Person:
    return Person(
        id=row.id,
        name=row.name or "",
        role=Role(row.role),
        active=row.removed_at is None,
        made_at=datetime.fromtimestamp(row.made_at, UTC),
        password_at=datetime.fromtimestamp(row.password_at, UTC),
    )
