"""The rows of API tokens: a label, a role, an end; the secret is shown once and only its hash is kept.

A token never outranks the person who made it, and does not outlive that person.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, func, insert, select, update

from koatsu.people.errors import TokenRefusedError, UnknownTokenError
from koatsu.people.keys import new_token, stored
from koatsu.people.models import Person, Token
from koatsu.people.names import LONGEST_NAME
from koatsu.people.roles import Role
from koatsu.people.schema import LARGEST, token

__all__ = ["LONGEST_DAYS", "everything", "find", "make", "revoke", "revoke_all", "use_due", "used"]

LONGEST_DAYS: Final = 730
_NOTED_EVERY: Final = timedelta(hours=1)


def make(
    connection: Connection, maker: Person | None, label: str, role: Role, days: int, now: datetime
) -> tuple[str, Token]:
    """Make a token; the secret is not kept.

    Raises:
        TokenRefusedError: no label, or days outside 1 to ``LONGEST_DAYS``.
    """
    written = " ".join(label.split())
    if not written or len(written) > LONGEST_NAME or not written.isprintable():
        raise TokenRefusedError(
            f"A token needs a label of at most {LONGEST_NAME} characters.",
            ja=f"トークンの用途を{LONGEST_NAME}文字以内で入力してください。",
        )
    if not 1 <= days <= LONGEST_DAYS:
        raise TokenRefusedError(
            f"A token is valid for 1 to {LONGEST_DAYS} days.",
            ja=f"トークンの有効期間は1日から{LONGEST_DAYS}日までです。",
        )
    secret = new_token()
    number = (connection.execute(select(func.max(token.c.id))).scalar() or 0) + 1
    made = Token(
        id=number,
        label=written,
        role=role,
        maker=None if maker is None else maker.id,
        made_at=now,
        expires_at=now + timedelta(days=days),
        used_at=None,
        revoked_at=None,
    )
    connection.execute(
        insert(token).values(
            id=number, hash=stored(secret), label=written, role=role.value, maker=made.maker,
            made_at=int(now.timestamp()), expires_at=int(made.expires_at.timestamp()),
        )
    )  # fmt: skip
    return secret, made


def find(connection: Connection, secret: str) -> Token | None:
    """The token with that secret, whether or not it is still valid."""
    row = connection.execute(select(token).where(token.c.hash == stored(secret))).first()
    return None if row is None else _token(row)


def everything(connection: Connection) -> list[Token]:
    """All tokens by number, ended ones too."""
    return [_token(row) for row in connection.execute(select(token).order_by(token.c.id))]


def used(connection: Connection, one: Token, now: datetime) -> None:
    """Note a use, to the hour."""
    connection.execute(update(token).where(token.c.id == one.id).values(used_at=int(now.timestamp())))


def use_due(one: Token, now: datetime) -> bool:
    """Whether :func:`used` is due."""
    return one.used_at is None or abs(now - one.used_at) >= _NOTED_EVERY


def revoke(connection: Connection, token_id: int, now: datetime) -> bool:
    """End a token; ``False``: it had been revoked already.

    Raises:
        UnknownTokenError: there is none with that number.
    """
    query = select(token).where(token.c.id == token_id)
    row = connection.execute(query).first() if 0 < token_id <= LARGEST else None
    if row is None:
        raise UnknownTokenError(token_id)
    if row.revoked_at is not None:
        return False
    connection.execute(update(token).where(token.c.id == token_id).values(revoked_at=int(now.timestamp())))
    return True


def revoke_all(connection: Connection, maker: Person, now: datetime) -> list[int]:
    """End the tokens of a person who is erased and take their labels out; which ones were not revoked."""
    mine = token.c.maker == maker.id
    query = select(token.c.id).where(mine, token.c.revoked_at.is_(None)).order_by(token.c.id)
    ended = list(connection.execute(query).scalars())
    at = int(now.timestamp())
    connection.execute(update(token).where(mine, token.c.revoked_at.is_(None)).values(revoked_at=at))
    connection.execute(update(token).where(mine).values(label=""))
    return ended


def _token(row: Row[Sequence[Any]]) -> Token:
    return Token(
        id=row.id,
        label=row.label,
        role=Role(row.role),
        maker=row.maker,
        made_at=_instant(row.made_at),
        expires_at=_instant(row.expires_at),
        used_at=None if row.used_at is None else _instant(row.used_at),
        revoked_at=None if row.revoked_at is None else _instant(row.revoked_at),
    )


def _instant(at: int) -> datetime:
    return datetime.fromtimestamp(at, UTC)
