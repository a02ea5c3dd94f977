"""Who may do what: the roles of the two programs that people log in to, and the rights of each, in one table.

A right is what a route, a command or a function asks for; a role is what a person or a token has. A site (the
energy manager) and the service desk offer roles of their own; only an owner is known to both. Nobody's role
has a right of the other program, so that whoever is known to both stores opens nothing by accident.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

__all__ = ["DESK_ROLES", "SITE_ROLES", "Right", "Role"]


class Right(StrEnum):
    """Something that can be allowed."""

    ACCOUNT = "account"  #: see one's own account, change one's own password, log out
    MANAGE = "manage"  #: people, tokens, the audit log, backup and restore

    # of a site
    VIEW = "view"  #: see every figure, download it
    CORRECT = "correct"  #: correct a count by hand, withdraw a correction
    IMPORT = "import"  #: bring in figures of somebody else
    CONTROL = "control"  #: switch loads, change what is switched

    # of the service desk
    DESK_READ = "desk_read"  #: see cases, registers and worklists of one's office
    DESK_HANDLE = "desk_handle"  #: take in forms, check them, answer enquiries
    DESK_WORK = "desk_work"  #: plan works, record what was found and done
    DESK_DECIDE = "desk_decide"  #: accept, refuse, correct what was decided
    DESK_REVIEW = "desk_review"  #: read the events of every office and verify that they are as written
    DESK_OWN = "desk_own"  #: see one's own cases, apply and end for oneself


class Role(StrEnum):
    """What a person or a token may do."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    COUNTER = "counter"
    WORKS = "works"
    SUPERVISOR = "supervisor"
    AUDITOR = "auditor"
    CUSTOMER = "customer"
    OWNER = "owner"

    def may(self, right: Right) -> bool:
        """Whether this role has ``right``."""
        return right in _RIGHTS[self]

    def within(self, other: Role) -> Role | None:
        """The lesser of the two roles: a token never outranks who made it.

        Returns:
            ``None`` where neither role holds everything that the other one holds: nothing is left then.
        """
        mine, theirs = _RIGHTS[self], _RIGHTS[other]
        if mine <= theirs:
            return self
        return other if theirs < mine else None


SITE_ROLES: Final = (Role.VIEWER, Role.OPERATOR, Role.OWNER)
"""What a site gives to people and tokens, in rising order."""

DESK_ROLES: Final = (
    Role.COUNTER,
    Role.WORKS,
    Role.SUPERVISOR,
    Role.AUDITOR,
    Role.CUSTOMER,
    Role.OWNER,
)
"""What the service desk gives to people; a token can be anything among them but a customer."""

_R: Final = Right
_RIGHTS: Final[dict[Role, frozenset[Right]]] = {
    Role.VIEWER: frozenset({_R.ACCOUNT, _R.VIEW}),
    Role.OPERATOR: frozenset({_R.ACCOUNT, _R.VIEW, _R.CORRECT, _R.IMPORT, _R.CONTROL}),
    Role.COUNTER: frozenset({_R.ACCOUNT, _R.DESK_READ, _R.DESK_HANDLE}),
    Role.WORKS: frozenset({_R.ACCOUNT, _R.DESK_READ, _R.DESK_WORK}),
    Role.SUPERVISOR: frozenset({_R.ACCOUNT, _R.DESK_READ, _R.DESK_HANDLE, _R.DESK_WORK, _R.DESK_DECIDE}),
    Role.AUDITOR: frozenset({_R.ACCOUNT, _R.DESK_READ, _R.DESK_REVIEW}),
    Role.CUSTOMER: frozenset({_R.ACCOUNT, _R.DESK_OWN}),
    Role.OWNER: frozenset(Right) - {_R.DESK_OWN},
}
