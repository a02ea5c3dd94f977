"""What happens at the sites, in the log too: the page's own sentences, with code and meter as fields.

An event is in the store before it is told here. Levels follow the log's own rule: what somebody should look
at is a WARNING, the rest INFO.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from types import MappingProxyType
from typing import Final, Protocol

from koatsu.ems.live import Listener
from koatsu.ems.store import Level, Store
from koatsu.ems.view_models import EventView, SiteView
from koatsu.errors import KoatsuError
from koatsu.web.screens.wording import event_words
from koatsu.web.texts import texts

__all__ = ["EventSource", "events_logged", "newest_event"]

log = logging.getLogger(__name__)

_NEWEST: Final = 200  #: so many events at most are told at once
_NO_SITE: Final = SiteView(name="", meters=(), days=MappingProxyType({}))
_LEVELS: Final = {Level.CAUTION: logging.WARNING, Level.ALARM: logging.WARNING}


class EventSource(Protocol):
    """Whoever knows what happens."""

    def events(self, limit: int) -> Sequence[EventView]:
        """What happened, newest first."""
        ...

    def listen(self) -> Listener:
        """A new listener to the signals."""
        ...


def newest_event(store: Store) -> int:
    """The id of the last event that is stored, 0 where there is none: up to it they stand in an earlier log.

    Raises:
        StoreError: the events cannot be read.
    """
    return max((event.id or 0 for event in store.events(limit=_NEWEST)), default=0)


@asynccontextmanager
async def events_logged(source: EventSource, lang: str, *, after: int) -> AsyncIterator[None]:
    """Log each event that happens while the block is open, in ``lang``, and those since the one ``after``."""
    last = after
    listener = source.listen()
    task = asyncio.create_task(_tell(source, listener, last, lang), name="events to the log")
    try:
        yield
    finally:
        listener.close()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _tell(source: EventSource, listener: Listener, last: int, lang: str) -> None:
    last = await _logged(source, last, lang)
    async for signal in listener:
        if signal.kind == "event":
            last = await _logged(source, last, lang)


async def _logged(source: EventSource, last: int, lang: str) -> int:
    """Log the events after the one with the id ``last``; the id of the last one of them."""
    try:
        found = await asyncio.to_thread(source.events, _NEWEST)
    except KoatsuError as error:
        log.warning("events cannot be read: %s", error.message)
        return last
    for event in sorted(found, key=lambda one: one.id):
        if event.id > last:
            last = event.id
            _log(event, lang)
    return last


def _log(event: EventView, lang: str) -> None:
    sentence = event_words(event, _NO_SITE, event.at, texts(lang))["sentence"]
    where = f"{event.meter_id}: " if event.meter_id else ""
    fields = {"meter": event.meter_id, "code": event.code}
    log.log(_LEVELS.get(event.level, logging.INFO), "%s%s", where, sentence, extra=fields)
