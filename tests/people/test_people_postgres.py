"""The same people in PostgreSQL, beside the readings."""

from __future__ import annotations

import threading

import psycopg
import pytest
from household import CHEAP, HERE, OTHER, PASSWORD

from koatsu.clock import ManualClock
from koatsu.ems.store import Store
from koatsu.people import CONSOLE, FindingKind, LockedOutError, People, Role, WrongPasswordError
from koatsu.people.chain import AuditFinding


def opened(database: str, clock: ManualClock) -> People:
    return People.open(database, clock=clock, hashing=CHEAP)


@pytest.mark.parametrize("people_first", [True, False])
def test_people_and_readings_share_a_database(database: str, clock: ManualClock, people_first: bool) -> None:
    if people_first:
        opened(database, clock).close()
    Store.open(database).close()
    with opened(database, clock) as people:
        assert not people.has_owner()
    Store.open(database).close()


def test_a_whole_life(database: str, clock: ManualClock) -> None:
    with opened(database, clock) as people:
        owner = people.create_owner("田中", PASSWORD)
        secret, login = people.log_in("田中", PASSWORD, origin=HERE)
        assert people.session(secret) == login
        other = people.add(login, "鈴木", Role.OPERATOR, OTHER)
        token, _ = people.make_token(login, "grafana", Role.VIEWER, 30)
        people.remove(login, other.id)
    with opened(database, clock) as people:
        assert [one.name for one in people.people()] == ["田中"]
        assert people.token(token) is not None
        for _ in range(5):
            with pytest.raises(WrongPasswordError):
                people.log_in("鈴木", OTHER, origin="192.0.2.1")
        with pytest.raises(LockedOutError):
            people.log_in("鈴木", OTHER, origin="192.0.2.1")
        assert people.audit.verify() is None
        assert owner.reference in {entry.subject for entry in people.audit.entries()}


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE people_audit SET author = 'person:9' WHERE seq = 2",
        "DELETE FROM people_audit WHERE seq = 2",
        "TRUNCATE people_audit",
    ],
)
def test_the_server_refuses_to_change_the_audit_log(
    database: str, clock: ManualClock, tampering: str
) -> None:
    with opened(database, clock) as people:
        for number in range(3):
            people.audit.append("system", "tested", f"thing:{number}")
        with psycopg.connect(database) as connection, pytest.raises(psycopg.Error, match="append-only"):
            connection.execute(tampering)
        assert people.audit.verify() is None
        with psycopg.connect(database) as connection:
            connection.execute("ALTER TABLE people_audit DISABLE TRIGGER ALL")
            connection.execute("UPDATE people_audit SET subject = 'thing:8' WHERE seq = 2")
        assert people.audit.verify() == AuditFinding(kind=FindingKind.CHANGED, seq=2)


def test_several_write_and_verify_at_once(database: str, clock: ManualClock) -> None:
    """Writers stand in line, and who verifies sees one moment."""
    with opened(database, clock) as one, opened(database, clock) as other:
        faults: list[object] = []

        def write(people: People) -> None:
            for number in range(20):
                people.audit.append("system", "tested", f"thing:{number}")

        def check() -> None:
            faults.extend(one.audit.verify() for _ in range(10))

        threads = [
            threading.Thread(target=write, args=(one,)),
            threading.Thread(target=write, args=(other,)),
            threading.Thread(target=check),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert faults == [None] * 10
        assert one.audit.head()[0] == 40
        assert one.audit.verify() is None


def test_of_two_first_owners_one_succeeds(database: str, clock: ManualClock) -> None:
    with opened(database, clock) as one, opened(database, clock) as other:
        assert not one.has_owner()
        other.create_owner("田中", PASSWORD)
        assert one.has_owner()
        one.add(CONSOLE, "鈴木", Role.VIEWER, OTHER)
        assert [each.name for each in other.people()] == ["田中", "鈴木"]
