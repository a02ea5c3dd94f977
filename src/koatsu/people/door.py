"""The door: a name and a password, from somewhere; counted first, looked at second, told in one way only.

No transaction is open while a password is hashed, so that nobody waits for somebody else's login.
"""

from __future__ import annotations

from koatsu.clock import Clock
from koatsu.people import attempts, persons
from koatsu.people.attempts import Place
from koatsu.people.audit import Audit
from koatsu.people.database import Database
from koatsu.people.errors import LockedOutError, WrongPasswordError
from koatsu.people.keys import Digests
from koatsu.people.models import Person
from koatsu.people.passwords import Passwords

__all__ = ["Door"]


class Door:
    """Checks passwords; safe to use from any thread."""

    def __init__(
        self, database: Database, passwords: Passwords, digests: Digests, audit: Audit, clock: Clock
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._digests = digests
        self._audit = audit
        self._clock = clock

    def checked(self, name: str, password: str, origin: str) -> Person:
        """The person whose name and password these are.

        Raises:
            WrongPasswordError: they do not belong together, or nobody has the name.
            LockedOutError: too many wrong ones before; this one was not looked at.
        """
        place = Place(name=self._digests.name(name), origin=self._digests.origin(origin))
        with self._database.writing() as connection:
            until = attempts.reserve(connection, place, self._clock.now())
            one = None if until is not None else persons.by_name(connection, name)
            stored = None if one is None else persons.stored_password(connection, one.id)
        if until is not None:
            raise LockedOutError(until)
        right = self._passwords.matches(stored, password)
        anew = self._anew(stored, password) if right else None
        if one is not None and right and self._let_in(one, place, stored, anew):
            return one
        self._refuse(one, place)
        raise WrongPasswordError

    def _let_in(self, one: Person, place: Place, stored: str | None, anew: str | None) -> bool:
        """Forgive earlier failures; ``False``: the password was changed while it was looked at."""
        with self._database.writing() as connection:
            if persons.stored_password(connection, one.id) != stored:
                return False
            attempts.forgive(connection, place, self._clock.now())
            if anew is not None:
                persons.change_password(connection, one, anew)
            return True

    def _refuse(self, one: Person | None, place: Place) -> None:
        whom = f"name:{place.name}" if one is None else one.reference
        with self._database.writing() as connection:
            locked = attempts.waiting(connection, place, self._clock.now()) is not None
            action = "locked_out" if locked else "login_failed"
            self._audit.add(connection, "nobody", action, whom, {"origin": f"origin:{place.origin}"})

    def _anew(self, stored: str | None, password: str) -> str | None:
        """A hash of today's cost, where the stored one is of another."""
        if stored is None or not self._passwords.outdated(stored):
            return None
        return self._passwords.hash(password)
