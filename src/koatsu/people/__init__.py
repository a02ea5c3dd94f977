"""People: roles and rights, passwords, sessions, API tokens, lock-out, and the audit log."""

from __future__ import annotations

from koatsu.people.attempts import LONGEST_WAIT
from koatsu.people.audit import Audit, AuditEntry
from koatsu.people.chain import AuditFinding, FindingKind
from koatsu.people.errors import (
    LastOwnerError,
    LockedOutError,
    NameRefusedError,
    NotAllowedError,
    OwnerExistsError,
    PasswordRefusedError,
    PeopleStoreError,
    StoreTrouble,
    TokenRefusedError,
    UnknownPersonError,
    UnknownTokenError,
    WrongPasswordError,
)
from koatsu.people.models import CONSOLE, Login, LoginKind, Person, Token
from koatsu.people.passwords import HASHING, Hashing
from koatsu.people.people import People
from koatsu.people.roles import DESK_ROLES, SITE_ROLES, Right, Role
from koatsu.people.sessions import SESSION_IDLE, SESSION_LIFE
from koatsu.people.tokens import LONGEST_DAYS
from koatsu.people.weak import SHORTEST

__all__ = [
    "CONSOLE",
    "DESK_ROLES",
    "HASHING",
    "LONGEST_DAYS",
    "LONGEST_WAIT",
    "SESSION_IDLE",
    "SESSION_LIFE",
    "SHORTEST",
    "SITE_ROLES",
    "Audit",
    "AuditEntry",
    "AuditFinding",
    "FindingKind",
    "Hashing",
    "LastOwnerError",
    "LockedOutError",
    "Login",
    "LoginKind",
    "NameRefusedError",
    "NotAllowedError",
    "OwnerExistsError",
    "PasswordRefusedError",
    "People",
    "PeopleStoreError",
    "Person",
    "Right",
    "Role",
    "StoreTrouble",
    "Token",
    "TokenRefusedError",
    "UnknownPersonError",
    "UnknownTokenError",
    "WrongPasswordError",
]
