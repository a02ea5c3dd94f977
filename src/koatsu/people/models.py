"""People, their logins and their tokens, as frozen values.

A ``Login`` is what a request carries once it is known who asks; its ``reference`` is all that the audit log
and the corrections ever learn of a person.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from koatsu.people.roles import Right, Role

__all__ = ["CONSOLE", "Login", "LoginKind", "Person", "Token"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who may log in. ``id`` is never given to another; an erased person has no name any more."""

    id: int
    name: str  #: as written, NFKC; empty once erased
    role: Role
    active: bool  #: False once erased
    made_at: datetime
    password_at: datetime  #: when the password was last set

    @property
    def reference(self) -> str:
        """How logs call this person: ``person:3``."""
        return f"person:{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """An API token as lists show it: never its secret."""

    id: int
    label: str
    role: Role
    maker: int | None  #: id of the person who made it; None: made at the console
    made_at: datetime
    expires_at: datetime
    used_at: datetime | None  #: last use, to the hour
    revoked_at: datetime | None

    @property
    def reference(self) -> str:
        """How logs call this token: ``token:5``."""
        return f"token:{self.id}"

    def valid(self, now: datetime) -> bool:
        """Whether it opens anything at ``now``."""
        return self.revoked_at is None and now < self.expires_at


class LoginKind(StrEnum):
    """By what somebody has shown who they are."""

    SESSION = "session"  #: a browser that logged in
    TOKEN = "token"  #: a program with an API token  # noqa: S105 - the word, not a secret
    CONSOLE = "console"  #: the command line on this machine, which can read the store anyway


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Somebody who has shown who they are."""

    kind: LoginKind
    role: Role
    person: Person | None = None  #: None at the console and for a token that was made there
    token: Token | None = None
    csrf: str = ""  #: what a form of this session must carry; empty for a token
    until: datetime | None = None  #: when the login ends at the latest; None at the console

    @property
    def reference(self) -> str:
        """Who this is in the audit log and as the author of a correction: ``person:3``, ``token:5``."""
        if self.token is not None:
            return self.token.reference
        return "console" if self.person is None else self.person.reference

    @property
    def name(self) -> str:
        """Who this is on the page of that very person."""
        if self.token is not None:
            return self.token.label
        return "console" if self.person is None else self.person.name

    def may(self, right: Right) -> bool:
        """Whether this login has ``right``."""
        return self.role.may(right)


CONSOLE: Final = Login(kind=LoginKind.CONSOLE, role=Role.OWNER)
"""The login of the command line."""
