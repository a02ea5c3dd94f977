"""Whose cases a person sees: those of an office, of all offices, or of one customer."""

from __future__ import annotations

from typing import Final

from sqlalchemy import delete, insert, select

from koatsu.desk.database import DeskDatabase
from koatsu.desk.models import Actor
from koatsu.desk.offices import office_of
from koatsu.desk.schema_cases import case, staff
from koatsu.people import Login, Role

__all__ = ["NOWHERE", "Staff"]

NOWHERE: Final = ""  #: the office of staff who have none: they see drafts that no office has yet
_EVERYWHERE: Final = frozenset({Role.OWNER, Role.AUDITOR, Role.SUPERVISOR})


class Staff:
    """Who belongs where; safe to use from any thread."""

    def __init__(self, database: DeskDatabase) -> None:
        self._database = database

    def actor(self, login: Login) -> Actor:
        """Who acts, for a login.

        Whoever decides sees every office unless assigned to one; other staff see none until they are.
        """
        row = None
        if login.person is not None:
            with self._database.reading() as connection:
                row = connection.execute(select(staff).where(staff.c.person == login.person.id)).first()
        if row is not None:
            office, customer = row.office, row.customer
        else:
            office, customer = (None if login.role in _EVERYWHERE else NOWHERE), None
        return Actor(reference=login.reference, role=login.role, office=office, customer=customer)

    def assign(self, person: int, *, office: str | None = None, customer: int | None = None) -> None:
        """Say where a person belongs; without both: to every office.

        Raises:
            UnknownError: there is no such office.
        """
        with self._database.writing() as connection:
            if office:
                office_of(connection, office)
            connection.execute(delete(staff).where(staff.c.person == person))
            connection.execute(insert(staff).values(person=person, office=office, customer=customer))

    def offices(self) -> dict[int, str | None]:
        """The office of each person of the staff that has been assigned; ``None``: every office."""
        with self._database.reading() as connection:
            rows = connection.execute(select(staff).where(staff.c.customer.is_(None)))
            return {row.person: row.office for row in rows}

    def case_numbers(self) -> dict[int, list[str]]:
        """The numbers of the cases of each customer for whom somebody logs in, by person, newest first."""
        query = (
            select(staff.c.person, case.c.number)
            .join(case, case.c.customer == staff.c.customer)
            .order_by(case.c.id.desc())
        )
        found: dict[int, list[str]] = {}
        with self._database.reading() as connection:
            for row in connection.execute(query):
                found.setdefault(row.person, []).append(row.number)
        return found

    def customer_of(self, person: int) -> int | None:
        """The customer for whom a person logs in."""
        query = select(staff.c.customer).where(staff.c.person == person)
        with self._database.reading() as connection:
            return connection.execute(query).scalar()

    def person_of(self, customer: int) -> int | None:
        """The person who logs in for a customer."""
        query = select(staff.c.person).where(staff.c.customer == customer)
        with self._database.reading() as connection:
            return connection.execute(query).scalar()
