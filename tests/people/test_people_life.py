"""A life of the people store under Hypothesis: people come, go, log in, guess; a model says what must hold.

The model keeps names, roles, passwords, sessions, tokens and, for each name, the failures in a row from
strange places; after every step the store has to agree with it.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from household import CHEAP, HERE, START
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from koatsu.clock import ManualClock
from koatsu.people import (
    CONSOLE,
    SESSION_IDLE,
    SESSION_LIFE,
    LastOwnerError,
    LockedOutError,
    Login,
    NameRefusedError,
    People,
    Role,
    TokenRefusedError,
    WrongPasswordError,
)
from koatsu.people.attempts import FORGOTTEN_AFTER, FREE_BY_NAME, wait_after

NAMES = ("tanaka", "鈴木", "Sato Hanako")
PASSWORDS = ("gravel teapot orbit", "window maple thunder", "lantern copper violin")
names = st.sampled_from(NAMES)
passwords = st.sampled_from(PASSWORDS)
roles = st.sampled_from(Role)
SLACK = timedelta(minutes=1)  # the last request is noted to the minute


@dataclass
class Somebody:
    id: int
    name: str
    role: Role
    password: str
    known_here: datetime | None = None  # last login from HERE


@dataclass
class Session:
    person: int
    made: datetime
    noted: datetime


@dataclass
class Guesses:
    failures: int = 0
    last: datetime = START

    def until(self) -> datetime:
        return self.last + wait_after(self.failures, FREE_BY_NAME)


class Life(RuleBasedStateMachine):
    """Everybody logs in from HERE; whoever guesses does so each time from another place."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="koatsu-life-"))
        self.clock = ManualClock(START)
        self.reopen()
        self.somebody: dict[str, Somebody] = {}
        self.sessions: dict[str, Session] = {}
        self.tokens: dict[str, tuple[int, Role, datetime]] = {}
        self.guesses = {name: Guesses() for name in NAMES}
        self.places = count(1)
        self.entries = 0
        owner = self.people.create_owner(NAMES[0], PASSWORDS[0])
        self.somebody[NAMES[0]] = Somebody(owner.id, NAMES[0], Role.OWNER, PASSWORDS[0])

    def reopen(self) -> None:
        self.people = People.open(self.folder / "koatsu.db", clock=self.clock, hashing=CHEAP)

    def teardown(self) -> None:
        if hasattr(self, "people"):
            assert self.people.audit.verify() is None
            self.people.close()
            shutil.rmtree(self.folder)

    def owners(self) -> int:
        return sum(one.role is Role.OWNER for one in self.somebody.values())

    def strange_place(self) -> str:
        number = next(self.places)
        return f"198.51.{number // 250}.{number % 250}"

    @rule()
    def restart(self) -> None:
        self.people.close()
        self.reopen()

    @rule(
        step=st.sampled_from([timedelta(seconds=29), timedelta(minutes=7), SESSION_IDLE, timedelta(days=6)])
    )
    def time_passes(self, step: timedelta) -> None:
        self.clock.advance(step)

    @rule(name=names, role=roles, password=passwords)
    def add(self, name: str, role: Role, password: str) -> None:
        try:
            made = self.people.add(CONSOLE, name, role, password)
        except NameRefusedError:
            assert name in self.somebody
            return
        assert name not in self.somebody
        self.somebody[name] = Somebody(made.id, name, role, password)

    @rule(name=names)
    def remove(self, name: str) -> None:
        if name not in self.somebody:
            return
        gone = self.somebody[name]
        try:
            self.people.remove(CONSOLE, gone.id)
        except LastOwnerError:
            assert gone.role is Role.OWNER
            assert self.owners() == 1
            return
        del self.somebody[name]
        self.sessions = {key: one for key, one in self.sessions.items() if one.person != gone.id}
        self.guesses[name] = Guesses()

    @rule(name=names, role=roles)
    def change_role(self, name: str, role: Role) -> None:
        if name not in self.somebody:
            return
        one = self.somebody[name]
        try:
            self.people.set_role(CONSOLE, one.id, role)
        except LastOwnerError:
            assert one.role is Role.OWNER
            assert role is not Role.OWNER
            assert self.owners() == 1
            return
        one.role = role

    @rule(name=names, password=passwords)
    def change_password(self, name: str, password: str) -> None:
        if name not in self.somebody:
            return
        one = self.somebody[name]
        self.people.set_password(CONSOLE, one.id, password)
        one.password, one.known_here = password, None
        self.sessions = {key: each for key, each in self.sessions.items() if each.person != one.id}
        self.guesses[name] = Guesses()

    @rule(name=names)
    def log_in(self, name: str) -> None:
        """With the right password, from HERE: always, where the place is known, and else unless one waits."""
        if name not in self.somebody:
            return
        one, now = self.somebody[name], self.clock.now()
        known = one.known_here is not None and now - one.known_here <= timedelta(days=90)
        waits = not known and self.waiting(name)
        until = self.guesses[name].until() if waits else None
        secret, login, told = self.knock(name, one.password, HERE)
        assert told == until
        if login is None:
            assert waits
            return
        assert login.role is one.role
        self.sessions[secret] = Session(one.id, now, now)
        one.known_here = now
        if not known:
            self.guesses[name] = Guesses()

    def waiting(self, name: str) -> bool:
        guesses, now = self.guesses[name], self.clock.now()
        if now - guesses.last > FORGOTTEN_AFTER:
            self.guesses[name] = Guesses()
            return False
        return guesses.until() > now

    @rule(name=names, times=st.integers(1, 6))
    def guess(self, name: str, times: int) -> None:
        """Wrong passwords, each from a new place, for a name that somebody has or nobody."""
        for _ in range(times):
            until = self.guesses[name].until() if self.waiting(name) else None
            _, login, told = self.knock(name, "not the password", self.strange_place())
            assert login is None
            assert told == until
            if until is None:
                self.guesses[name] = Guesses(self.guesses[name].failures + 1, self.clock.now())

    def knock(self, name: str, password: str, origin: str) -> tuple[str, Login | None, datetime | None]:
        """The session, or until when nothing is looked at, or neither."""
        try:
            return *self.people.log_in(name, password, origin=origin), None
        except LockedOutError as error:
            return "", None, error.until
        except WrongPasswordError:
            return "", None, None

    @rule(data=st.data())
    def log_out(self, data: st.DataObject) -> None:
        if self.sessions:
            secret = data.draw(st.sampled_from(sorted(self.sessions)))
            self.people.log_out(secret)
            del self.sessions[secret]

    @rule(role=roles, days=st.integers(1, 30))
    def make_token(self, role: Role, days: int) -> None:
        if role is Role.CUSTOMER:
            with pytest.raises(TokenRefusedError):
                self.people.make_token(CONSOLE, "script", role, days)
            return
        secret, made = self.people.make_token(CONSOLE, "script", role, days)
        self.tokens[secret] = (made.id, role, self.clock.now() + timedelta(days=days))

    @rule(data=st.data())
    def revoke(self, data: st.DataObject) -> None:
        if self.tokens:
            secret = data.draw(st.sampled_from(sorted(self.tokens)))
            self.people.revoke(CONSOLE, self.tokens[secret][0])
            self.tokens[secret] = (*self.tokens[secret][:2], START)

    @invariant()
    def people_are_who_they_are(self) -> None:
        if not hasattr(self, "people"):
            return
        expected = {(one.id, one.name, one.role) for one in self.somebody.values()}
        assert {(one.id, one.name, one.role) for one in self.people.people()} == expected
        assert self.owners() >= 1

    @invariant()
    def sessions_live_as_long_as_they_should(self) -> None:
        if not hasattr(self, "people"):
            return
        now = self.clock.now()
        roles_now = {one.id: one.role for one in self.somebody.values()}
        for secret, one in list(self.sessions.items()):
            login = self.people.session(secret)
            if now - one.made >= SESSION_LIFE or now - one.noted >= SESSION_IDLE:
                assert login is None
                del self.sessions[secret]
            else:
                assert login is not None
                assert login.role is roles_now[one.person]
                if now - one.noted >= SLACK:
                    one.noted = now

    @invariant()
    def tokens_live_as_long_as_they_should(self) -> None:
        if not hasattr(self, "people"):
            return
        for secret, (_, role, until) in self.tokens.items():
            login = self.people.token(secret)
            assert (None if login is None else login.role) == (role if self.clock.now() < until else None)

    @invariant()
    def the_log_grows(self) -> None:
        if not hasattr(self, "people"):
            return
        number = self.people.audit.head()[0]
        assert number >= self.entries
        self.entries = number


Life.TestCase.settings = settings(max_examples=15, stateful_step_count=25)
TestLife = Life.TestCase
