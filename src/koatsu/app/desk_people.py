"""What ``koatsu desk people`` does beside ``koatsu people``: where people of a desk belong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from koatsu.app.desk_settings import desk_config
from koatsu.clock import SystemClock
from koatsu.config import DeskConfig
from koatsu.desk.case_rows import by_number
from koatsu.desk.database import DeskDatabase
from koatsu.desk.models import SYSTEM
from koatsu.desk.offices import all_offices
from koatsu.desk.staff import Staff
from koatsu.errors import UsageError
from koatsu.people import CONSOLE, People, Person, Right

__all__ = ["ALL_OFFICES", "check_place", "open_desk_people", "people_of_desk", "place", "places"]

ALL_OFFICES: Final = "all"  #: as an office on the command line: every office
_BUSY_S: Final = 5.0


def people_of_desk(config: DeskConfig) -> People:
    """The people of a desk, open: ``desk.people.db`` beside ``desk.db``.

    Raises:
        PeopleStoreError: their store cannot be used.
    """
    return People.open(config.store.path, clock=SystemClock())


@contextmanager
def open_desk_people(path: Path) -> Iterator[People]:
    """The people of the desk that the file describes.

    Raises:
        ConfigError: the file is wrong or not there.
        PeopleStoreError: their store cannot be used.
    """
    with people_of_desk(desk_config(path)) as people:
        yield people


@contextmanager
def _database(path: Path) -> Iterator[DeskDatabase]:
    database = DeskDatabase(desk_config(path).store.path, _BUSY_S)
    try:
        yield database
    finally:
        database.close()


def places(path: Path) -> dict[int, str]:
    """The office of each person of the staff that has one, by number of the person.

    Raises:
        ConfigError: the file is wrong or not there.
        DeskStoreError: the desk's store cannot be used.
    """
    with _database(path) as database:
        return {
            person: ALL_OFFICES if office is None else office
            for person, office in Staff(database).offices().items()
        }


def check_place(role: str, office: str | None, case: str | None) -> None:
    """Pass when a person of that role can have that place.

    Raises:
        UsageError: a customer has a case, staff have an office, and nobody both.
    """
    customer = role.lower() == "customer"
    if customer and office is not None:
        raise UsageError(
            "A customer belongs to a case, not to an office.",
            ja="お客さまは事業所ではなく案件に属します。",
            hint="Use --case HB-2026-00001.",
            hint_ja="--case HB-2026-00001 のように書いてください。",
        )
    if not customer and case is not None:
        raise UsageError(
            "Only a customer belongs to a case.",
            ja="案件に属するのはお客さま(customer)だけです。",
            hint="Use --office CODE for staff.",
            hint_ja="職員は --office で事業所を指定してください。",
        )


def place(path: Path, people: People, person: Person, *, office: str | None, case: str | None) -> None:
    """Say where a person belongs, and leave word of it in the audit log.

    Args:
        path: the configuration.
        people: the people of the desk.
        person: who.
        office: the code of an office, or :data:`ALL_OFFICES`; of staff.
        case: the number of a case of the customer; of a customer.

    Raises:
        UsageError: that cannot be the place of somebody of this role.
        UnknownError: there is no such office or case.
    """
    check_place(person.role.value, office, case)
    if person.role.may(Right.MANAGE):
        raise UsageError(
            "The owner sees every office already.", ja="管理者は、はじめからすべての事業所を見られます。"
        )
    with _database(path) as database:
        staff = Staff(database)
        if case is not None:
            with database.reading() as connection:
                customer = by_number(connection, SYSTEM, case).customer
            staff.assign(person.id, customer=customer)
            detail = {"customer": str(customer)}
        else:
            wanted = None if office == ALL_OFFICES else _known(database, office or "")
            staff.assign(person.id, office=wanted)
            detail = {"office": "every" if wanted is None else wanted}
    people.audit.append(CONSOLE.reference, "person_placed", person.reference, detail)


def _known(database: DeskDatabase, code: str) -> str:
    """The code of an office, as its register writes it.

    Raises:
        UsageError: there is none.
    """
    with database.reading() as connection:
        codes = [one.code for one in all_offices(connection)]
    found = next((one for one in codes if one.lower() == code.lower()), None)
    if found is None:
        listed = ", ".join((*codes, ALL_OFFICES))
        raise UsageError(
            f"There is no office {code}.",
            ja=f"事業所 {code} は台帳にありません。",
            hint=f"Offices are: {listed}.",
            hint_ja=f"事業所は {listed} です。",
        )
    return found
