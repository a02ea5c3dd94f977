"""What is to reach other programs and mailboxes: kept until it has, tried again after growing pauses.

A webhook is one POST of JSON, signed with the secret of its receiver (``Koatsu-Signature``: HMAC-SHA-256 of
the body) and numbered (``Koatsu-Delivery``), so that a receiver can tell what comes twice. What fails for a
day is given up, shown, and can be tried again by hand.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, select, update

from koatsu.clock import Clock
from koatsu.desk.database import DeskDatabase
from koatsu.desk.schema_cases import delivery
from koatsu.desk.settings import DeskSettings

__all__ = ["Delivery", "Outbox", "Sender", "signature"]

_PAUSES_S: Final = (10, 60, 300, 900, 3600, 10_800, 21_600, 43_200)  #: between one try and the next
_AT_ONCE: Final = 50
_LONGEST_ERROR: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Something that is to go out."""

    id: int
    way: str  #: "webhook" or "mail"
    target: str  #: address of the webhook, number of the notice
    body: str
    tries: int
    made_at: datetime
    next_at: datetime | None  #: None: done, or given up
    done_at: datetime | None
    error: str  #: of the last try

    @property
    def given_up(self) -> bool:
        """Whether nothing more is tried although it has not gone out."""
        return self.next_at is None and self.done_at is None


Sender = Callable[[Delivery], None]
"""Sends one; raises an exception whose text says why it could not."""


def signature(secret: str, body: str) -> str:
    """How a receiver sees that a call comes from this desk."""
    return "sha256=" + hmac.digest(secret.encode(), body.encode(), hashlib.sha256).hex()


class Outbox:
    """The deliveries of an open desk; safe to use from any thread, sent by one at a time."""

    def __init__(self, database: DeskDatabase, settings: DeskSettings, clock: Clock) -> None:
        self._database, self._settings, self._clock = database, settings, clock

    def due(self) -> list[Delivery]:
        """What should go out now, the oldest first."""
        now = int(self._clock.now().timestamp())
        query = select(delivery).where(delivery.c.next_at <= now).order_by(delivery.c.id).limit(_AT_ONCE)
        with self._database.reading() as connection:
            return [_delivery(row) for row in connection.execute(query)]

    def send_due(self, send: Sender) -> int:
        """Send what is due; how many went out. A failure is noted and keeps nothing else from going."""
        sent = 0
        for one in self.due():
            try:
                send(one)
            except Exception as error:  # noqa: BLE001 - whatever keeps it from going out is noted with it
                self._failed(one, str(error) or type(error).__name__)
            else:
                self._done(one)
                sent += 1
        return sent

    def stuck(self) -> Sequence[Delivery]:
        """What has not gone out although it was tried, the newest first."""
        query = select(delivery).where(delivery.c.done_at.is_(None), delivery.c.tries > 0)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(delivery.c.id.desc()).limit(_AT_ONCE))
            return [_delivery(row) for row in rows]

    def again(self, number: int) -> None:
        """Try something that was given up once more; what has gone out stays as it is."""
        now = int(self._clock.now().timestamp())
        with self._database.writing() as connection:
            one = (delivery.c.id == number) & delivery.c.done_at.is_(None)
            connection.execute(update(delivery).where(one).values(next_at=now, tries=0))

    def secret_of(self, url: str) -> str:
        """The secret of a webhook's receiver; empty where the settings no longer name it."""
        return next((hook.secret for hook in self._settings.webhooks if hook.url == url), "")

    def _done(self, one: Delivery) -> None:
        now = int(self._clock.now().timestamp())
        self._set(one, tries=one.tries + 1, next_at=None, done_at=now, error="")

    def _failed(self, one: Delivery, why: str) -> None:
        pause = _PAUSES_S[one.tries] if one.tries < len(_PAUSES_S) else None
        later = self._clock.now() + timedelta(seconds=pause) if pause is not None else None
        next_at = None if later is None else int(later.timestamp())
        self._set(one, tries=one.tries + 1, next_at=next_at, error=why[:_LONGEST_ERROR])

    def _set(self, one: Delivery, **values: Any) -> None:
        with self._database.writing() as connection:
            connection.execute(update(delivery).where(delivery.c.id == one.id).values(**values))


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(
        id=row.id,
        way=row.way,
        target=row.target,
        body=row.body,
        tries=row.tries,
        made_at=datetime.fromtimestamp(row.made_at, UTC),
        next_at=None if row.next_at is None else datetime.fromtimestamp(row.next_at, UTC),
        done_at=None if row.done_at is None else datetime.fromtimestamp(row.done_at, UTC),
        error=row.error,
    )
