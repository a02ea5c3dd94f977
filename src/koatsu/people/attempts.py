"""Wrong passwords: who has to wait, and how long.

Failures are counted for the name and for the origin, known names or not. From the fifth for a name (the
eleventh for an origin) on, each makes the next attempt wait, 30 seconds at first, twice as long each time,
15 minutes at most; what comes sooner is refused unseen and counts nothing. A place from which a person has
logged in before has a count of its own, so that nobody can lock a person out from elsewhere. The failure is
written before the password is looked at, so that a hundred attempts at once are a hundred attempts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, delete, or_, select, update

from koatsu.people.schema import attempt

__all__ = [
    "FORGOTTEN_AFTER",
    "FREE_BY_NAME",
    "FREE_BY_ORIGIN",
    "KNOWN_FOR",
    "LONGEST_WAIT",
    "Place",
    "forget_name",
    "forgive",
    "reserve",
    "wait_after",
    "waiting",
]

FREE_BY_NAME: Final = 4  #: wrong passwords in a row that cost nothing, for a name
FREE_BY_ORIGIN: Final = 10  #: the same for an origin: several people may sit behind one
FIRST_WAIT: Final = timedelta(seconds=30)
LONGEST_WAIT: Final = timedelta(minutes=15)
FORGOTTEN_AFTER: Final = timedelta(hours=24)  #: a count without a new failure for so long is forgotten
KNOWN_FOR: Final = timedelta(days=90)  #: how long a place stays known after the last login from there


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Who knocks, and where: two keyed digests."""

    name: str
    origin: str

    @property
    def pair(self) -> str:
        """Both together."""
        return f"{self.name}:{self.origin}"


def wait_after(failures: int, free: int) -> timedelta:
    """How long the next attempt waits after ``failures`` in a row, of which ``free`` cost nothing."""
    if failures <= free:
        return timedelta(0)
    doublings = min(failures - free - 1, 16)
    return min(LONGEST_WAIT, FIRST_WAIT * (1 << doublings))


def reserve(connection: Connection, place: Place, now: datetime) -> datetime | None:
    """Count a failure before the password is looked at, or say until when nothing is looked at.

    Returns:
        ``None``: go on, and call :func:`forgive` if the password was right. Else the end of the wait.
    """
    at = int(now.timestamp())
    _tidy(connection, at)
    until = waiting(connection, place, now)
    if until is None:
        for kind, key, free in _counted(connection, place):
            _count(connection, kind, key, free, at)
    return until


def waiting(connection: Connection, place: Place, now: datetime) -> datetime | None:
    """Until when no attempt is looked at; ``None``: the next one is."""
    counted = _counted(connection, place)
    until = max(_until(connection, kind, key) for kind, key, _ in counted)
    return datetime.fromtimestamp(until, UTC) if until > now.timestamp() else None


def forgive(connection: Connection, place: Place, now: datetime) -> None:
    """The password was right: the counts go back to nothing, and the place is known from now on.

    The origin is forgiven what it did under this name only: who guesses the passwords of others must not
    wipe the slate with his own.
    """
    kind, key = ("pair", place.pair) if _known(connection, place) else ("name", place.name)
    failures = _failures(connection, kind, key)
    connection.execute(delete(attempt).where(attempt.c.kind == kind, attempt.c.key == key))
    if kind == "name":
        of_origin = _row("origin", place.origin)
        left = max(0, _failures(connection, "origin", place.origin) - failures)
        if left:
            wait = int(wait_after(left, FREE_BY_ORIGIN).total_seconds())
            connection.execute(update(attempt).where(of_origin).values(failures=left, wait_s=wait))
        else:
            connection.execute(delete(attempt).where(of_origin))
    _put(connection, "known", place.pair, 0, int(now.timestamp()), 0)


def forget_name(connection: Connection, name: str) -> None:
    """Drop every count and every known place of a name (its digest): a new password, or nobody any more."""
    connection.execute(
        delete(attempt).where(
            or_(
                and_(attempt.c.kind == "name", attempt.c.key == name),
                and_(attempt.c.kind.in_(("pair", "known")), attempt.c.key.startswith(f"{name}:")),
            )
        )
    )


def _counted(connection: Connection, place: Place) -> list[tuple[str, str, int]]:
    """The counts that an attempt goes to, each with what is free."""
    if _known(connection, place):
        return [("pair", place.pair, FREE_BY_NAME)]
    return [("name", place.name, FREE_BY_NAME), ("origin", place.origin, FREE_BY_ORIGIN)]


def _tidy(connection: Connection, at: int) -> None:
    """Forget what is old; where our clock was set back, a wait begins anew instead of lasting for ever."""
    old = at - int(FORGOTTEN_AFTER.total_seconds())
    unknown = at - int(KNOWN_FOR.total_seconds())
    connection.execute(
        delete(attempt).where(
            or_(
                and_(attempt.c.kind != "known", attempt.c.last_at < old),
                and_(attempt.c.kind == "known", attempt.c.last_at < unknown),
            )
        )
    )
    connection.execute(update(attempt).where(attempt.c.last_at > at).values(last_at=at))


def _count(connection: Connection, kind: str, key: str, free: int, at: int) -> None:
    failures = _failures(connection, kind, key) + 1
    _put(connection, kind, key, failures, at, int(wait_after(failures, free).total_seconds()))


def _put(connection: Connection, kind: str, key: str, failures: int, at: int, wait_s: int) -> None:
    values = {"failures": failures, "last_at": at, "wait_s": wait_s}
    if connection.execute(update(attempt).where(_row(kind, key)).values(values)).rowcount == 0:
        connection.execute(attempt.insert().values(kind=kind, key=key, **values))


def _known(connection: Connection, place: Place) -> bool:
    return connection.execute(select(attempt.c.key).where(_row("known", place.pair))).first() is not None


def _failures(connection: Connection, kind: str, key: str) -> int:
    return connection.execute(select(attempt.c.failures).where(_row(kind, key))).scalar() or 0


def _until(connection: Connection, kind: str, key: str) -> int:
    row = connection.execute(select(attempt.c.last_at, attempt.c.wait_s).where(_row(kind, key))).first()
    return 0 if row is None else row.last_at + row.wait_s


def _row(kind: str, key: str) -> ColumnElement[bool]:
    return and_(attempt.c.kind == kind, attempt.c.key == key)
