"""The people of an installation: who they are, how they log in, what they may do, what they did.

Every change is one transaction together with its entry in the audit log. Safe to use from any thread, and
from several processes at once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, insert, select

from koatsu.clock import Clock
from koatsu.people import attempts, persons, sessions, tokens
from koatsu.people.audit import Audit
from koatsu.people.database import Database
from koatsu.people.door import Door
from koatsu.people.errors import (
    NotAllowedError,
    OwnerExistsError,
    PeopleStoreError,
    TokenRefusedError,
    UnknownPersonError,
    WrongPasswordError,
)
from koatsu.people.keys import TOKEN_PREFIX, Digests, new_key
from koatsu.people.models import Login, LoginKind, Person, Token
from koatsu.people.names import written_name
from koatsu.people.passwords import HASHING, Hashing, Passwords
from koatsu.people.roles import Right, Role
from koatsu.people.schema import info
from koatsu.people.weak import refuse_weak

__all__ = ["People"]

log = logging.getLogger(__name__)


class People:
    """An open people store; make one with :meth:`open`, and close it."""

    def __init__(self, database: Database, *, clock: Clock, hashing: Hashing) -> None:
        self._database = database
        self._clock = clock
        self._passwords = Passwords(hashing)
        with database.writing() as connection:
            self._digests = Digests(_key(connection))
        self._owned = False
        self.audit = Audit(database, self._digests, clock)
        self._door = Door(database, self._passwords, self._digests, self.audit, clock)

    @classmethod
    def open(
        cls, store: str | Path, *, clock: Clock, hashing: Hashing = HASHING, busy_s: float = 5.0
    ) -> Self:
        """Open or make the people that belong to a store of readings.

        Args:
            store: path or URL of the readings; the people are beside them (see ``database.address``).
            clock: the time of logins: the machine's, also where the meters' is emulated.
            hashing: the cost of a password hash.
            busy_s: how long a call waits for a lock that another program holds, in seconds.

        Raises:
            PeopleStoreError: locked, read-only, not ours, of a newer version or out of reach.
        """
        database = Database(store, busy_s)
        try:
            return cls(database, clock=clock, hashing=hashing)
        except BaseException:
            database.close()
            raise

    @property
    def where(self) -> str:
        """The path or the address of the database, without a password."""
        return self._database.where

    def close(self) -> None:
        """Let go of the database; closing twice does no harm."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- people -----------------------------------------------------------------------------------------

    def has_owner(self) -> bool:
        """Whether an owner exists; once one does, there is always one."""
        if not self._owned:
            with self._database.reading() as connection:
                self._owned = persons.owners(connection) > 0
        return self._owned

    def people(self, *, erased: bool = False) -> list[Person]:
        """Everybody by number; with ``erased``, also those whose name is gone."""
        with self._database.reading() as connection:
            return persons.everybody(connection, erased=erased)

    def find(self, name: str) -> Person:
        """The person who is called so, in whatever way it is written.

        Raises:
            UnknownPersonError: nobody is.
        """
        with self._database.reading() as connection:
            found = persons.by_name(connection, name)
        if found is None:
            raise UnknownPersonError(name)
        return found

    def create_owner(self, name: str, password: str, *, author: str = "setup") -> Person:
        """Make the first owner.

        Raises:
            OwnerExistsError: there is one; of several who try at once, one succeeds.
            NameRefusedError, PasswordRefusedError: not acceptable.
        """
        if self.has_owner():
            raise OwnerExistsError
        hashed = self._passwords.hash(refuse_weak(password, written_name(name)))
        with self._database.writing() as connection:
            if persons.owners(connection):
                raise OwnerExistsError
            made = persons.put(connection, name, Role.OWNER, hashed, self._clock.now())
            self.audit.add(connection, author, "owner_made", made.reference)
        return made

    def add(self, by: Login, name: str, role: Role, password: str) -> Person:
        """Add a person.

        Raises:
            NotAllowedError: ``by`` may not manage people.
            NameRefusedError, PasswordRefusedError: not acceptable.
        """
        _must(by, Right.MANAGE)
        hashed = self._passwords.hash(refuse_weak(password, written_name(name)))
        with self._database.writing() as connection:
            made = persons.put(connection, name, role, hashed, self._clock.now())
            self.audit.add(connection, by.reference, "person_added", made.reference, {"role": role.value})
        return made

    def register_customer(self, name: str, password: str) -> Person:
        """Add a customer who asks for a login on a page; nobody else can be made this way.

        Raises:
            NameRefusedError, PasswordRefusedError: not acceptable.
        """
        hashed = self._passwords.hash(refuse_weak(password, written_name(name)))
        with self._database.writing() as connection:
            made = persons.put(connection, name, Role.CUSTOMER, hashed, self._clock.now())
            self.audit.add(
                connection, made.reference, "person_added", made.reference, {"role": made.role.value}
            )
        return made

    def set_role(self, by: Login, person_id: int, role: Role) -> Person:
        """Give a person another role; it holds for the next request already.

        Raises:
            NotAllowedError: ``by`` may not manage people.
            UnknownPersonError: there is no such person.
            LastOwnerError: no owner would be left.
        """
        _must(by, Right.MANAGE)
        with self._database.writing() as connection:
            before = persons.by_id(connection, person_id)
            after = persons.change_role(connection, before, role)
            detail = {"from": before.role.value, "to": role.value}
            self.audit.add(connection, by.reference, "role_changed", after.reference, detail)
        return after

    def set_password(self, by: Login, person_id: int, password: str) -> None:
        """Give somebody a new password; that person is logged out everywhere and no longer locked out.

        Raises:
            NotAllowedError: ``by`` may not manage people (one's own: :meth:`change_password`).
            UnknownPersonError: there is no such person.
            PasswordRefusedError: not acceptable.
        """
        _must(by, Right.MANAGE)
        with self._database.reading() as connection:
            whose = persons.by_id(connection, person_id)
        hashed = self._passwords.hash(refuse_weak(password, whose.name))
        with self._database.writing() as connection:
            self._new_password(connection, by, persons.by_id(connection, person_id), hashed)

    def change_password(self, by: Login, old: str, new: str, *, origin: str) -> tuple[str, Login]:
        """Change one's own password: every session ends, and a new one begins here.

        Returns:
            The secret of the new session for the cookie, and its login.

        Raises:
            NotAllowedError: ``by`` is a token or the console, not a person in a session.
            WrongPasswordError, LockedOutError: ``old`` is not right, or was wrong too often.
            PasswordRefusedError: ``new`` is not acceptable.
        """
        if by.kind is not LoginKind.SESSION or by.person is None:
            raise NotAllowedError
        kept = refuse_weak(new, by.person.name)
        one = self._door.checked(by.person.name, old, origin)
        hashed = self._passwords.hash(kept)
        with self._database.writing() as connection:
            self._new_password(connection, by, one, hashed)
            return sessions.begin(connection, persons.by_id(connection, one.id), self._clock.now())

    def remove(self, by: Login, person_id: int) -> None:
        """Erase a person: name and password are gone, sessions and tokens end; the number stays.

        Raises:
            NotAllowedError: ``by`` may not manage people.
            UnknownPersonError: there is no such person.
            LastOwnerError: no owner would be left.
        """
        _must(by, Right.MANAGE)
        now = self._clock.now()
        with self._database.writing() as connection:
            gone = persons.by_id(connection, person_id)
            persons.erase(connection, gone, now)
            sessions.end_all(connection, gone.id)
            attempts.forget_name(connection, self._digests.name(gone.name))
            for number in tokens.revoke_all(connection, gone, now):
                self.audit.add(connection, by.reference, "token_revoked", f"token:{number}")
            self.audit.add(connection, by.reference, "person_erased", gone.reference)

    # --- logging in -------------------------------------------------------------------------------------

    def log_in(
        self, name: str, password: str, *, origin: str, replacing: str | None = None
    ) -> tuple[str, Login]:
        """Begin a session.

        Args:
            name: as typed.
            password: as typed.
            origin: where the request comes from: the address of the peer.
            replacing: the session secret that the browser had: it ends.

        Returns:
            The session's secret for the cookie, and the login.

        Raises:
            WrongPasswordError: name and password do not belong together; in words and time the same for a
                name that nobody has.
            LockedOutError: too many wrong ones; the password was not looked at.
        """
        one = self._door.checked(name, password, origin)
        now = self._clock.now()
        with self._database.writing() as connection:
            sessions.tidy(connection, now)
            if replacing is not None:
                sessions.end(connection, replacing)
            try:
                present = persons.by_id(connection, one.id)
            except UnknownPersonError:  # erased while the password was checked
                raise WrongPasswordError from None
            detail = {"origin": f"origin:{self._digests.origin(origin)}"}
            self.audit.add(connection, present.reference, "logged_in", present.reference, detail)
            return sessions.begin(connection, present, now)

    def session(self, secret: str) -> Login | None:
        """The login of a session, with the role of this moment; ``None``: unknown or over."""
        now = self._clock.now()
        with self._database.reading() as connection:
            found = sessions.find(connection, secret, now)
            if found is None:
                return None
            person_id, until, due = found
            one = persons.by_id(connection, person_id)
        if due:
            self._note(lambda connection: sessions.touch(connection, secret, now))
        return sessions.login_of(one, secret, until)

    def log_out(self, secret: str) -> None:
        """End a session; an unknown one does no harm."""
        with self._database.writing() as connection:
            whose = sessions.end(connection, secret)
            if whose is not None:
                self.audit.add(connection, f"person:{whose}", "logged_out", f"person:{whose}")

    def log_out_everywhere(self, by: Login) -> None:
        """End every session of the person who asks, this one too.

        Raises:
            NotAllowedError: ``by`` is a token or the console, not a person in a session.
        """
        if by.kind is not LoginKind.SESSION or by.person is None:
            raise NotAllowedError
        with self._database.writing() as connection:
            sessions.end_all(connection, by.person.id)
            self.audit.add(connection, by.reference, "logged_out_everywhere", by.reference)

    # --- tokens -----------------------------------------------------------------------------------------

    def make_token(self, by: Login, label: str, role: Role, days: int = 365) -> tuple[str, Token]:
        """Make an API token.

        Returns:
            The secret, which is not kept and cannot be shown again, and what is known of the token.

        Raises:
            NotAllowedError: ``by`` may not manage tokens, or is a token.
            TokenRefusedError: no label, a time that is too long, or a role with a right that ``by`` has not.
        """
        _must(by, Right.MANAGE)
        if by.kind is LoginKind.TOKEN:
            raise NotAllowedError  # a token that leaked must not make others that outlive it
        if role.within(by.role) is not role:
            raise TokenRefusedError(
                "A token cannot have this role: it stands for a person's own cases.",
                ja="この権限はトークンには付けられません。ご本人だけが使う権限です。",
                hint="Choose another role.",
                hint_ja="別の権限を選んでください。",
            )
        with self._database.writing() as connection:
            secret, made = tokens.make(connection, by.person, label, role, days, self._clock.now())
            detail = {"role": role.value, "expires": made.expires_at.date().isoformat()}
            self.audit.add(connection, by.reference, "token_made", made.reference, detail)
        return secret, made

    def token(self, secret: str) -> Login | None:
        """The login of an API token; ``None``: unknown, over, revoked, or nothing that its maker may too."""
        if not secret.startswith(TOKEN_PREFIX):
            return None
        now = self._clock.now()
        with self._database.reading() as connection:
            found = tokens.find(connection, secret)
            if found is None or not found.valid(now):
                return None
            maker = None if found.maker is None else persons.by_id(connection, found.maker)
        if tokens.use_due(found, now):
            self._note(lambda connection: tokens.used(connection, found, now))
        role = found.role if maker is None else found.role.within(maker.role)
        if role is None:
            return None
        return Login(kind=LoginKind.TOKEN, role=role, person=maker, token=found, until=found.expires_at)

    def tokens(self) -> list[Token]:
        """All tokens by number, ended ones too."""
        with self._database.reading() as connection:
            return tokens.everything(connection)

    def revoke(self, by: Login, token_id: int) -> None:
        """End a token now; a second time changes nothing.

        Raises:
            NotAllowedError: ``by`` may not manage tokens.
            UnknownTokenError: there is none with that number.
        """
        _must(by, Right.MANAGE)
        with self._database.writing() as connection:
            if tokens.revoke(connection, token_id, self._clock.now()):
                self.audit.add(connection, by.reference, "token_revoked", f"token:{token_id}")

    # --- inside -----------------------------------------------------------------------------------------

    def _note(self, note: Callable[[Connection], None]) -> None:
        """Write down a last use, if possible: a full disk must not keep people from reading."""
        try:
            with self._database.writing() as connection:
                note(connection)
        except PeopleStoreError as error:
            log.warning("a last use was not noted: %s", error)

    def _new_password(self, connection: Connection, by: Login, one: Person, hashed: str) -> None:
        persons.change_password(connection, one, hashed, self._clock.now())
        sessions.end_all(connection, one.id)
        attempts.forget_name(connection, self._digests.name(one.name))
        self.audit.add(connection, by.reference, "password_changed", one.reference)


def _must(by: Login, right: Right) -> None:
    if not by.may(right):
        raise NotAllowedError


def _key(connection: Connection) -> str:
    """The key of the digests, made at the first opening."""
    key = connection.execute(select(info.c.value).where(info.c.name == "key")).scalar()
    if key is None:
        key = new_key()
        connection.execute(insert(info).values(name="key", value=key))
    return key
