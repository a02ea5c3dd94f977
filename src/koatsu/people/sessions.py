"""The rows of sessions: a browser stays logged in for 14 days at most, 12 hours of them without a request.

Only the hash of a session's secret is kept. The last request is noted to the minute, so that a page that
asks every second does not write every second.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Connection, delete, insert, or_, select, update

from koatsu.people.keys import csrf_of, new_secret, stored
from koatsu.people.models import Login, LoginKind, Person
from koatsu.people.schema import session

__all__ = ["SESSION_IDLE", "SESSION_LIFE", "begin", "end", "end_all", "find", "login_of", "tidy", "touch"]

SESSION_IDLE: Final = timedelta(hours=12)
SESSION_LIFE: Final = timedelta(days=14)
_NOTED_EVERY: Final = timedelta(minutes=1)
_STEP: Final = timedelta(minutes=5)  # by so much our clock may be set back without ending a session


def begin(connection: Connection, one: Person, now: datetime) -> tuple[str, Login]:
    """Start a session; the secret goes into the cookie and is not kept."""
    secret = new_secret()
    until = now + SESSION_LIFE
    at = int(now.timestamp())
    connection.execute(
        insert(session).values(
            hash=stored(secret), person=one.id, made_at=at, seen_at=at, expires_at=int(until.timestamp())
        )
    )
    return secret, login_of(one, secret, until)


def find(connection: Connection, secret: str, now: datetime) -> tuple[int, datetime, bool] | None:
    """Person, end and whether :func:`touch` is due of a live session, or ``None``."""
    row = connection.execute(select(session).where(session.c.hash == stored(secret))).first()
    if row is None:
        return None
    at = now.timestamp()
    idle = at - row.seen_at >= SESSION_IDLE.total_seconds()
    if idle or at >= row.expires_at or row.made_at - at > _STEP.total_seconds():
        return None
    due = abs(at - row.seen_at) >= _NOTED_EVERY.total_seconds()
    return row.person, datetime.fromtimestamp(row.expires_at, UTC), due


def login_of(one: Person, secret: str, until: datetime) -> Login:
    """The login of a session that :func:`find` has found."""
    return Login(kind=LoginKind.SESSION, role=one.role, person=one, csrf=csrf_of(secret), until=until)


def touch(connection: Connection, secret: str, now: datetime) -> None:
    """Note a request."""
    connection.execute(
        update(session).where(session.c.hash == stored(secret)).values(seen_at=int(now.timestamp()))
    )


def end(connection: Connection, secret: str) -> int | None:
    """End one session; whose it was, or ``None`` where there was none."""
    found = session.c.hash == stored(secret)
    whose = connection.execute(select(session.c.person).where(found)).scalar()
    connection.execute(delete(session).where(found))
    return whose


def end_all(connection: Connection, person_id: int) -> None:
    """Log a person out everywhere."""
    connection.execute(delete(session).where(session.c.person == person_id))


def tidy(connection: Connection, now: datetime) -> None:
    """Drop the rows of sessions that have ended by themselves."""
    at = int(now.timestamp())
    idle = at - int(SESSION_IDLE.total_seconds())
    connection.execute(delete(session).where(or_(session.c.expires_at <= at, session.c.seen_at <= idle)))
