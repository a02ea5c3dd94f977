"""Logging in: sessions that end, and waits for whoever guesses."""

from __future__ import annotations

import sqlite3
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from household import CHEAP, HERE, OTHER, PASSWORD, START, THERE, fail, locked

from koatsu.clock import ManualClock
from koatsu.people import (
    CONSOLE,
    LONGEST_WAIT,
    SESSION_IDLE,
    SESSION_LIFE,
    LockedOutError,
    Login,
    NotAllowedError,
    PasswordRefusedError,
    People,
    Role,
    WrongPasswordError,
)
from koatsu.people.attempts import FREE_BY_NAME, FREE_BY_ORIGIN, wait_after

SECOND = timedelta(seconds=1)


# --- sessions -------------------------------------------------------------------------------------------


def test_a_session_tells_who_it_is(people: People, owner: Login) -> None:
    secret, login = people.log_in("田中", PASSWORD, origin=HERE)
    assert people.session(secret) == login
    assert login.reference == "person:1"
    assert login.name == "田中"
    assert login.role is Role.OWNER
    assert len(secret) >= 43  # 256 bits in base 64
    assert login.csrf
    assert login.csrf != owner.csrf


def test_a_secret_is_not_in_the_files(people: People, owner: Login, store: Path) -> None:
    secret, _ = people.log_in("田中", PASSWORD, origin=HERE)
    token, _ = people.make_token(owner, "grafana", Role.VIEWER, 30)
    people.close()
    content = b"".join(path.read_bytes() for path in store.parent.iterdir())
    for hidden in (secret, token, PASSWORD):
        assert hidden.encode() not in content
    assert b"$argon2id$" in content


@pytest.mark.parametrize("name", ["田中", " 田中 ", "\t田中\u3000"])
def test_a_name_may_be_written_in_any_way(people: People, owner: Login, name: str) -> None:
    assert people.log_in(name, PASSWORD, origin=HERE)[1].person == owner.person


def test_full_width_letters_are_the_same_password(people: People) -> None:
    people.create_owner("ＴＡＮＡＫＡ", "ｇｒａｖｅｌ　teapot orbit")
    _, login = people.log_in("tanaka", "gravel teapot orbit", origin=HERE)
    assert login.name == "TANAKA"


def test_a_session_ends_without_requests(people: People, owner: Login, clock: ManualClock) -> None:
    secret, _ = people.log_in("田中", PASSWORD, origin=HERE)
    clock.advance(SESSION_IDLE - SECOND)
    assert people.session(secret)
    clock.advance(SESSION_IDLE - SECOND)  # the request before has counted
    assert people.session(secret)
    clock.advance(SESSION_IDLE)
    assert people.session(secret) is None


def test_a_session_ends_after_its_life_however_busy(people: People, owner: Login, clock: ManualClock) -> None:
    secret, login = people.log_in("田中", PASSWORD, origin=HERE)
    assert login.until == START + SESSION_LIFE
    while clock.now() < START + SESSION_LIFE - timedelta(hours=6):
        assert people.session(secret)
        clock.advance(timedelta(hours=6))
    clock.set(START + SESSION_LIFE - SECOND)
    assert people.session(secret)
    clock.set(START + SESSION_LIFE)
    assert people.session(secret) is None


def test_a_clock_set_far_back_ends_a_session_and_a_little_does_not(
    people: People, owner: Login, clock: ManualClock
) -> None:
    secret, _ = people.log_in("田中", PASSWORD, origin=HERE)
    clock.advance(-timedelta(seconds=30))
    assert people.session(secret)
    clock.advance(-timedelta(days=2))
    assert people.session(secret) is None


def test_logging_in_again_ends_the_session_before(people: People, owner: Login) -> None:
    first, _ = people.log_in("田中", PASSWORD, origin=HERE)
    second, _ = people.log_in("田中", PASSWORD, origin=HERE, replacing=first)
    assert people.session(first) is None
    assert people.session(second)


def test_logging_out(people: People, owner: Login) -> None:
    secret, _ = people.log_in("田中", PASSWORD, origin=HERE)
    people.log_out(secret)
    people.log_out(secret)
    people.log_out("never was")
    assert people.session(secret) is None
    assert [entry.action for entry in people.audit.entries()].count("logged_out") == 1


def test_a_new_password_logs_out_everywhere_but_here(people: People, owner: Login) -> None:
    elsewhere, _ = people.log_in("田中", PASSWORD, origin=THERE)
    here, login = people.log_in("田中", PASSWORD, origin=HERE)
    again, _ = people.change_password(login, PASSWORD, OTHER, origin=HERE)
    assert people.session(elsewhere) is None
    assert people.session(here) is None
    assert people.session(again)
    fail(people, "田中")
    assert people.log_in("田中", OTHER, origin=HERE)
    with pytest.raises(WrongPasswordError):
        people.log_in("田中", PASSWORD, origin=HERE)


def test_changing_a_password_asks_for_the_old_one(people: People, owner: Login) -> None:
    with pytest.raises(WrongPasswordError):
        people.change_password(owner, "not the password", OTHER, origin=HERE)
    with pytest.raises(PasswordRefusedError):
        people.change_password(owner, PASSWORD, "short", origin=HERE)
    with pytest.raises(NotAllowedError):
        people.change_password(CONSOLE, PASSWORD, OTHER, origin=HERE)
    for _ in range(FREE_BY_NAME):
        with pytest.raises(WrongPasswordError):
            people.change_password(owner, "not the password", OTHER, origin=HERE)
    with pytest.raises(LockedOutError):
        people.change_password(owner, PASSWORD, OTHER, origin=HERE)


def test_a_session_survives_a_restart(store: Path, clock: ManualClock) -> None:
    with People.open(store, clock=clock, hashing=CHEAP) as people:
        people.create_owner("田中", PASSWORD)
        secret, _ = people.log_in("田中", PASSWORD, origin=HERE)
    with People.open(store, clock=clock, hashing=CHEAP) as people:
        assert people.session(secret)


def test_a_store_that_cannot_be_written_still_lets_people_read(
    people: People, owner: Login, store: Path, clock: ManualClock
) -> None:
    """The last request is then not noted; that keeps nobody out."""
    secret, _ = people.log_in("田中", PASSWORD, origin=HERE)
    token, _ = people.make_token(owner, "grafana", Role.VIEWER, 30)
    clock.advance(timedelta(minutes=10))
    with People.open(store, clock=clock, hashing=CHEAP, busy_s=0.01) as impatient:
        holder = sqlite3.connect(people.where, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        try:
            assert impatient.session(secret)
            assert impatient.token(token)
        finally:
            holder.close()


# --- what costs -----------------------------------------------------------------------------------------


def test_waits_grow_and_end() -> None:
    waits = [wait_after(failures, FREE_BY_NAME).total_seconds() for failures in range(12)]
    assert waits == [0, 0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900]
    assert wait_after(10**9, FREE_BY_NAME) == LONGEST_WAIT


def test_ten_wrong_passwords_give_one_clear_sentence(
    people: People, owner: Login, clock: ManualClock
) -> None:
    for _ in range(10):
        try:
            people.log_in("田中", "not the password", origin=THERE)
        except WrongPasswordError:
            continue
        except LockedOutError as error:
            told = error
    assert told.until == START + timedelta(seconds=30)
    assert told.text("en") == "Too many wrong passwords: try again at 09:00:30 JST."
    assert told.text("ja") == "パスワードの誤りが続いたため、09:00:30(日本時間)までログインできません。"
    clock.set(told.until)
    assert people.log_in("田中", PASSWORD, origin=THERE)


def test_what_comes_too_soon_is_not_looked_at_and_costs_nothing(people: People, clock: ManualClock) -> None:
    people.create_owner("田中", PASSWORD)
    fail(people, "田中", times=5)
    until = locked(people, "田中").until  # the right password
    for _ in range(20):
        assert locked(people, "田中").until == until
    clock.set(until - SECOND)
    assert locked(people, "田中").until == until
    clock.set(until)
    fail(people, "田中")
    assert locked(people, "田中").until == until + timedelta(seconds=60)


def test_success_resets(people: People, clock: ManualClock) -> None:
    people.create_owner("田中", PASSWORD)
    fail(people, "田中", times=FREE_BY_NAME)
    people.log_in("田中", PASSWORD, origin=HERE)
    fail(people, "田中", times=FREE_BY_NAME)
    people.log_in("田中", PASSWORD, origin=HERE)


def test_unknown_names_are_treated_alike(people: People, owner: Login) -> None:
    texts = []
    for name, origin in (("nobody", "192.0.2.1"), ("田中", "192.0.2.2"), ("bad\x00name\ud800", "192.0.2.3")):
        fail(people, name, times=5, origin=origin)
        texts.append(locked(people, name, origin=origin).text("ja"))
    assert len(set(texts)) == 1


def test_a_guesser_of_many_names_is_told_by_the_origin(people: People, owner: Login) -> None:
    for number in range(FREE_BY_ORIGIN + 1):
        fail(people, f"name {number}", origin=THERE)
    locked(people, "one more", origin=THERE)
    fail(people, "one more", origin="192.0.2.8")


def test_an_ipv6_guesser_cannot_move_about_in_its_network(people: People) -> None:
    for number in range(FREE_BY_ORIGIN + 1):
        fail(people, f"name {number}", origin=f"2001:db8:0:1::{number + 1:x}")
    locked(people, "one more", origin="2001:db8:0:1:ffff::1")
    fail(people, "one more", origin="2001:db8:0:2::1")
    fail(people, "two more", origin="::ffff:192.0.2.9")


def test_ones_own_login_does_not_wipe_the_slate_of_guesses(people: People, owner: Login) -> None:
    people.add(owner, "鈴木", Role.VIEWER, OTHER)
    for number in range(FREE_BY_ORIGIN - 1):
        fail(people, f"name {number}", origin=THERE)
    people.log_in("鈴木", OTHER, origin=THERE)
    fail(people, "a", origin=THERE)
    fail(people, "b", origin=THERE)
    locked(people, "c", origin=THERE)


def test_nobody_is_locked_out_from_where_he_has_logged_in_before(
    people: People, owner: Login, clock: ManualClock
) -> None:
    """Somebody elsewhere types the owner's name for ever; the owner comes in from the own desk."""
    fail(people, "田中", times=5, origin=THERE)
    for _ in range(20):
        until = locked(people, "田中", origin=THERE).until
        assert until - clock.now() <= LONGEST_WAIT
        people.log_in("田中", PASSWORD, origin=HERE)
        clock.set(until)
        fail(people, "田中", origin=THERE)


def test_a_known_place_has_a_count_of_its_own(people: People, owner: Login) -> None:
    fail(people, "田中", times=5)
    locked(people, "田中")
    people.log_in("田中", PASSWORD, origin=THERE)


def test_a_lock_out_survives_a_restart(store: Path, clock: ManualClock) -> None:
    with People.open(store, clock=clock, hashing=CHEAP) as people:
        people.create_owner("田中", PASSWORD)
        fail(people, "田中", times=5)
    with People.open(store, clock=clock, hashing=CHEAP) as people:
        locked(people, "田中")


@pytest.mark.parametrize("back", [timedelta(minutes=1), timedelta(days=400)])
def test_a_clock_set_back_locks_nobody_out_for_ever(
    people: People, clock: ManualClock, back: timedelta
) -> None:
    people.create_owner("田中", PASSWORD)
    fail(people, "田中", times=5)
    clock.advance(-back)
    assert locked(people, "田中").until <= clock.now() + timedelta(seconds=30)
    clock.advance(timedelta(seconds=30))
    people.log_in("田中", PASSWORD, origin=HERE)


def test_the_console_ends_a_lock_out(people: People, clock: ManualClock) -> None:
    people.create_owner("田中", PASSWORD)
    fail(people, "田中", times=5)
    people.set_password(CONSOLE, 1, OTHER)
    people.log_in("田中", OTHER, origin=HERE)


def test_failures_are_forgotten_after_a_day(people: People, clock: ManualClock) -> None:
    people.create_owner("田中", PASSWORD)
    for _ in range(3):
        fail(people, "田中", times=FREE_BY_NAME)
        clock.advance(timedelta(hours=24, seconds=1))


def test_attempts_at_once_are_counted_each(people: People, owner: Login) -> None:
    """Twenty threads guess at the same moment: no more than the free ones are looked at."""
    looked_at, barrier = [], threading.Barrier(20)

    def guess() -> None:
        barrier.wait()
        try:
            people.log_in("田中", "not the password", origin=THERE)
        except WrongPasswordError:
            looked_at.append(1)
        except LockedOutError:
            pass

    threads = [threading.Thread(target=guess) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(looked_at) == FREE_BY_NAME + 1


def test_unknown_names_take_as_long(store: Path, clock: ManualClock) -> None:
    """With the real cost: both answers contain one hash, so neither is much shorter."""
    with People.open(store, clock=clock) as people:
        people.create_owner("田中", PASSWORD)
        fail(people, "warm", origin="192.0.2.200")
        spent: dict[str, list[float]] = {"田中": [], "nobody": []}
        for number in range(4):
            for name, times in spent.items():
                before = time.process_time()  # of this process: the neighbours do not count
                fail(people, name, origin=f"192.0.2.{number}")
                times.append(time.process_time() - before)
    known, unknown = (min(times) for times in spent.values())
    assert 0.5 < known / unknown < 2


def test_times_are_utc_whatever_the_zone_of_the_clock(people: People, owner: Login) -> None:
    assert owner.until is not None
    assert owner.until.tzinfo is UTC
    assert people.people()[0].made_at == datetime(2026, 7, 1, tzinfo=UTC)
