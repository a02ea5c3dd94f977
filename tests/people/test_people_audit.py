"""The audit log: append-only, without personal data, and it tells every change that was made behind it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from household import CHEAP, HERE, OTHER, PASSWORD, START, THERE, fail

from koatsu.clock import ManualClock
from koatsu.people import AuditFinding, FindingKind, Login, People, PeopleStoreError, Role, StoreTrouble

TRIGGERS = ("people_audit_no_update", "people_audit_no_delete", "people_audit_next_only")
ENTRIES = 9


def behind(people: People, *statements: str) -> None:
    """Change the file as somebody with an editor would: without triggers and without the key."""
    with closing(sqlite3.connect(people.where)) as connection, connection:
        for trigger in TRIGGERS:
            connection.execute(f"DROP TRIGGER {trigger}")
        for statement in statements:
            connection.execute(statement)


def found(kind: FindingKind, seq: int) -> AuditFinding:
    return AuditFinding(kind=kind, seq=seq)


@pytest.fixture
def log(people: People, clock: ManualClock) -> People:
    """A store with nine entries, a minute apart."""
    with people._database.writing() as connection:  # one transaction: nine would take their time
        for number in range(1, ENTRIES + 1):
            detail = {"count": str(number)}
            people.audit.add(connection, f"person:{number}", "count_corrected", "meter:buy", detail)
            clock.advance(timedelta(minutes=1))
    return people


# --- as it should be ------------------------------------------------------------------------------------


def test_an_empty_log_is_sound(people: People) -> None:
    assert people.audit.verify() is None
    assert people.audit.head() == (0, "0" * 64)


def test_entries_come_newest_first_and_in_pages(log: People) -> None:
    first = log.audit.entries(limit=4)
    assert [entry.seq for entry in first] == [9, 8, 7, 6]
    assert [entry.seq for entry in log.audit.entries(limit=4, before=first[-1].seq)] == [5, 4, 3, 2]
    assert first[0].at == START + timedelta(minutes=8)
    assert first[0].detail == {"count": "9"}
    assert (first[0].author, first[0].action, first[0].subject) == (
        "person:9",
        "count_corrected",
        "meter:buy",
    )
    assert log.audit.entries(limit=4, before=10**30)[0].seq == 9


def test_the_head_can_be_noted_and_asked_for(log: People) -> None:
    number, noted = log.audit.head()
    assert number == ENTRIES
    log.audit.append("system", "started")
    assert log.audit.verify(noted) is None
    assert log.audit.verify("0" * 64) is None  # noted before the first
    assert log.audit.verify("f" * 64) == found(FindingKind.NOT_EXPECTED, 0)


def test_a_chain_goes_on_after_a_restart(log: People, store: Path, clock: ManualClock) -> None:
    log.close()
    with People.open(store, clock=clock, hashing=CHEAP) as people:
        people.audit.append("system", "started")
        assert people.audit.head()[0] == ENTRIES + 1
        assert people.audit.verify() is None


def test_many_entries_are_gone_through(people: People) -> None:
    with people._database.writing() as connection:  # one transaction: two thousand would take a minute
        for number in range(2_000):
            people.audit.add(connection, "system", "tested", f"thing:{number}")
    assert people.audit.verify() is None
    behind(people, "UPDATE people_audit SET subject = 'thing:x' WHERE seq = 1500")
    assert people.audit.verify() == found(FindingKind.CHANGED, 1500)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE people_audit SET author = 'person:1' WHERE seq = 3",
        "DELETE FROM people_audit WHERE seq = 9",
        "DELETE FROM people_audit",
        "INSERT OR REPLACE INTO people_audit SELECT seq, at, 'x', action, subject, detail, previous, hash"
        " FROM people_audit WHERE seq = 9",
        "INSERT INTO people_audit VALUES (12, 0, 'x', 'x', 'x', '{}', '', '')",
        "INSERT INTO people_audit VALUES (NULL, 0, 'x', 'x', 'x', '{}', '', '')",
    ],
)
def test_the_database_itself_refuses(log: People, statement: str) -> None:
    with closing(sqlite3.connect(log.where)) as connection, pytest.raises(sqlite3.Error):
        connection.execute(statement)
    assert log.audit.verify() is None


# --- what somebody did behind it ------------------------------------------------------------------------

COLUMNS = {
    "at": "at + 1",
    "author": "'person:77'",
    "action": "'logged_in'",
    "subject": "'meter:sell'",
    "detail": '\'{"count":"77"}\'',
}


@pytest.mark.parametrize("seq", [1, 5, ENTRIES])
@pytest.mark.parametrize("column", COLUMNS)
def test_a_changed_entry_is_named(log: People, column: str, seq: int) -> None:
    behind(log, f"UPDATE people_audit SET {column} = {COLUMNS[column]} WHERE seq = {seq}")
    assert log.audit.verify() == found(FindingKind.CHANGED, seq)


@pytest.mark.parametrize("seq", [1, 5])
def test_a_changed_hash_is_named(log: People, seq: int) -> None:
    behind(log, f"UPDATE people_audit SET hash = '{'a' * 64}' WHERE seq = {seq}")
    finding = log.audit.verify()
    assert finding is not None
    assert finding.seq == seq


@pytest.mark.parametrize(("first", "last"), [(1, 1), (5, 5), (4, 6), (ENTRIES, ENTRIES), (8, 9), (1, 9)])
def test_missing_entries_are_told(log: People, first: int, last: int) -> None:
    behind(log, f"DELETE FROM people_audit WHERE seq BETWEEN {first} AND {last}")
    assert log.audit.verify() == found(FindingKind.MISSING, first)


@pytest.mark.parametrize("seq", [1, 5])
def test_missing_entries_are_told_though_the_rest_moved_up(log: People, seq: int) -> None:
    behind(
        log,
        f"DELETE FROM people_audit WHERE seq = {seq}",
        f"UPDATE people_audit SET seq = -seq + 1 WHERE seq > {seq}",
        "UPDATE people_audit SET seq = -seq WHERE seq < 0",
        f"UPDATE people_audit SET seq = {seq} WHERE seq = 0",
    )
    assert log.audit.verify() == found(FindingKind.MISSING, seq)


@pytest.mark.parametrize("seq", [1, 5, ENTRIES])
def test_an_inserted_entry_is_named(log: People, seq: int) -> None:
    behind(
        log,
        f"UPDATE people_audit SET seq = -seq - 1 WHERE seq >= {seq}",
        "UPDATE people_audit SET seq = -seq WHERE seq < 0",
        f"INSERT INTO people_audit SELECT {seq}, at, 'person:5', action, subject, detail, previous,"
        f" '{'b' * 64}' FROM people_audit WHERE seq = {seq + 1}",
    )
    assert log.audit.verify() == found(FindingKind.INSERTED, seq)


def test_an_entry_added_at_the_end_is_named(log: People) -> None:
    behind(
        log,
        "INSERT INTO people_audit SELECT 10, at, author, action, subject, detail, hash,"
        f" '{'c' * 64}' FROM people_audit WHERE seq = 9",
    )
    assert log.audit.verify() == found(FindingKind.INSERTED, 10)


@pytest.mark.parametrize(("one", "other"), [(1, 2), (4, 5), (3, 7), (8, 9), (1, 9)])
def test_exchanged_entries_are_named(log: People, one: int, other: int) -> None:
    behind(
        log,
        f"UPDATE people_audit SET seq = -1 WHERE seq = {one}",
        f"UPDATE people_audit SET seq = {one} WHERE seq = {other}",
        f"UPDATE people_audit SET seq = {other} WHERE seq = -1",
    )
    assert log.audit.verify() == found(FindingKind.MOVED, one)


@pytest.mark.parametrize(
    "torn", ["hash = ''", "hash = substr(hash, 1, 20)", "detail = '{\"count\"'", "previous = ''"]
)
def test_a_torn_last_entry_is_told_as_such(log: People, torn: str) -> None:
    behind(log, f"UPDATE people_audit SET {torn} WHERE seq = {ENTRIES}")
    finding = log.audit.verify()
    assert finding == found(FindingKind.TORN, ENTRIES)
    assert "crash" in finding.text("en")
    assert log.audit.entries()[0].seq == ENTRIES


def test_a_torn_entry_stays_told_when_the_log_goes_on(log: People) -> None:
    behind(log, f"UPDATE people_audit SET hash = '' WHERE seq = {ENTRIES}")
    log.audit.append("system", "started")
    finding = log.audit.verify()
    assert finding is not None
    assert finding.seq == ENTRIES


def test_another_key_makes_every_entry_a_stranger(log: People, store: Path, clock: ManualClock) -> None:
    behind(log, f"UPDATE people_info SET value = '{'0' * 64}' WHERE name = 'key'")
    log.close()
    with People.open(store, clock=clock, hashing=CHEAP) as people:
        finding = people.audit.verify()
        assert finding is not None
        assert finding.seq == 1


def test_every_finding_is_a_sentence_in_both_languages() -> None:
    for kind in FindingKind:
        finding = found(kind, 4)
        assert finding.text("en").endswith(".")
        assert finding.text("ja").endswith("。")
        assert "{" not in finding.text("en") + finding.text("ja")


# --- what stands in it ----------------------------------------------------------------------------------


def test_what_people_do_is_written_down_with_references_only(
    people: People, owner: Login, clock: ManualClock
) -> None:
    other = people.add(owner, "鈴木", Role.VIEWER, OTHER)
    people.set_role(owner, other.id, Role.OPERATOR)
    secret, _ = people.log_in("鈴木", OTHER, origin=THERE)
    people.log_out(secret)
    _, token = people.make_token(owner, "鈴木のスクリプト", Role.VIEWER, 30)
    people.revoke(owner, token.id)
    people.set_password(owner, other.id, PASSWORD)
    fail(people, "鈴木")
    fail(people, "だれか", times=5, origin=THERE)
    people.remove(owner, other.id)
    log = [(entry.author, entry.action, entry.subject) for entry in reversed(people.audit.entries())]
    stranger = log[-2][2]
    assert stranger.startswith("name:")
    assert log == [
        ("setup", "owner_made", "person:1"),
        ("person:1", "logged_in", "person:1"),
        ("person:1", "person_added", "person:2"),
        ("person:1", "role_changed", "person:2"),
        ("person:2", "logged_in", "person:2"),
        ("person:2", "logged_out", "person:2"),
        ("person:1", "token_made", "token:1"),
        ("person:1", "token_revoked", "token:1"),
        ("person:1", "password_changed", "person:2"),
        ("nobody", "login_failed", "person:2"),
        *[("nobody", "login_failed", stranger)] * 4,
        ("nobody", "locked_out", stranger),
        ("person:1", "person_erased", "person:2"),
    ]
    whole = repr(people.audit.entries())
    for personal in ("田中", "鈴木", "だれか", "スクリプト", HERE, THERE):
        assert personal not in whole


def test_text_that_may_be_personal_becomes_a_digest(people: People, owner: Login) -> None:
    people.add(owner, "tanaka", Role.VIEWER, OTHER)
    detail = {"file": "田中の表.csv", "reason": "Mr Tanaka said so", "who": "Tanaka", "count": "12"}
    people.audit.append(owner.reference, "imported", "tanaka", detail)
    entry = people.audit.entries(1)[0]
    assert entry.detail["count"] == "12"
    for text in (entry.subject, entry.detail["file"], entry.detail["reason"], entry.detail["who"]):
        assert text.startswith("digest:")
    people.audit.append(owner.reference, "imported", "-", detail)
    assert people.audit.entries(1)[0].detail == entry.detail  # recognisable, not readable


@pytest.mark.parametrize(
    ("author", "action"), [("田中 太郎", "imported"), ("person:1", ""), ("person:1", "a b")]
)
def test_an_author_is_a_reference(people: People, author: str, action: str) -> None:
    with pytest.raises(ValueError):
        people.audit.append(author, action)


@pytest.mark.parametrize("name", ["Yamamoto Ichiro", "山本一郎"])
def test_an_erased_person_is_in_no_byte_of_the_files(
    people: People, owner: Login, store: Path, name: str
) -> None:
    person = people.add(owner, name, Role.OPERATOR, OTHER)
    _, login = people.log_in(name, OTHER, origin=THERE)
    fail(people, name, origin=THERE)
    people.set_role(owner, person.id, Role.OWNER)
    _, token = people.make_token(people.log_in(name, OTHER, origin=THERE)[1], f"for {name}", Role.VIEWER, 9)
    people.audit.append(login.reference, "imported", name, {"by": name, "note": f"{name} was here"})

    def files() -> bytes:
        return b"".join(path.read_bytes() for path in store.parent.iterdir())

    assert name.encode() in files()
    people.remove(owner, person.id)
    for form in (name, name.casefold()):  # while the store is still open
        assert form.encode() not in files()
    assert THERE.encode() not in files()
    assert people.audit.verify() is None
    gone = people.people(erased=True)[1]
    assert (gone.id, gone.name, gone.active) == (person.id, "", False)
    assert people.tokens()[token.id - 1].label == ""
    assert [one.id for one in people.people()] == [1]


def test_a_number_is_never_given_twice(people: People, owner: Login) -> None:
    first = people.add(owner, "鈴木", Role.VIEWER, OTHER)
    people.remove(owner, first.id)
    second = people.add(owner, "鈴木", Role.VIEWER, OTHER)
    assert second.id == first.id + 1


def test_a_change_and_its_entry_happen_together(
    people: People, owner: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the entry cannot be written, nothing was done either."""

    def refuse(*_args: object) -> None:
        raise PeopleStoreError(StoreTrouble.FULL, "here")

    changes: list[Callable[[], object]] = [
        lambda: people.add(owner, "鈴木", Role.VIEWER, OTHER),
        lambda: people.set_password(owner, 1, OTHER),
        lambda: people.make_token(owner, "grafana", Role.VIEWER, 3),
    ]
    for change in changes:
        with monkeypatch.context() as patch:
            patch.setattr(people.audit, "add", refuse)
            with pytest.raises(PeopleStoreError):
                change()
    assert len(people.people()) == 1
    assert people.tokens() == []
    people.log_in("田中", PASSWORD, origin=HERE)
