"""Server-sent events: the parts of a page again, as soon as they change.

Signals are gathered for a moment, so that a burst renders once; a tick every second moves the clock and
what counts down. Only parts whose markup differs from what this client has been sent go out, each as
one event ``part`` whose data is the element itself; an event ``shape`` says what the page is made of.
The stream ends when the site's signals end.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import suppress
from datetime import datetime
from itertools import chain
from typing import Any, get_args

from starlette.concurrency import run_in_threadpool

from koatsu.ems.channels import channel_ids
from koatsu.ems.live import Listener, Signal, SignalKind
from koatsu.errors import KoatsuError
from koatsu.web.render import part
from koatsu.web.screens import Change, Changes, Part, Screen
from koatsu.web.screens.part import kinds_of
from koatsu.web.texts import Texts

__all__ = ["event_text", "live_parts"]

_log = logging.getLogger(__name__)

GATHER_S = 0.4  #: how long signals are gathered before parts are rendered
TICK_S = 1.0  #: how often the clock moves
RETRY_MS = 2000  #: how long a browser waits before it connects again

REFRESH_S = 30.0  #: how often everything is read again: a link grows stale by time alone, without a signal

_TICK: Change = ("tick", None)
_EVERYTHING: Changes = frozenset({*((kind, None) for kind in get_args(SignalKind)), _TICK})


def event_text(name: str, data: str) -> str:
    """One event in the format of server-sent events; every line of ``data`` gets its own field."""
    lines = "".join(f"data: {line}\n" for line in data.splitlines() or [""])
    return f"event: {name}\n{lines}\n"


async def live_parts(
    screen: Screen,
    t: Texts,
    listener: Listener,
    clock_now: Callable[[], datetime],
    *,
    extra: dict[str, Any],
    gather_s: float = GATHER_S,
    tick_s: float = TICK_S,
) -> AsyncGenerator[str, None]:
    """The stream of one client. ``extra`` are values of the page that the screen does not know.

    The first batch holds every part, because the page may be older than the connection.
    """
    inbox = _Inbox(listener)
    sent: dict[str, str] = {}
    changes, read_at = _EVERYTHING, asyncio.get_running_loop().time()
    try:
        yield f"retry: {RETRY_MS}\n\n"
        while True:
            if changes != {_TICK}:
                try:
                    await run_in_threadpool(screen.load, changes)
                except KoatsuError as error:
                    _log.warning("the live parts of a page end: %s", error.message)
                    return  # the browser says that nothing comes any more, and connects again
            for text in await run_in_threadpool(_changed, screen, t, clock_now(), changes, extra, sent):
                yield text
            if inbox.ended:
                return
            changes = await inbox.wait(tick_s, gather_s) | {_TICK}
            if (now := asyncio.get_running_loop().time()) - read_at > REFRESH_S:
                changes, read_at = _EVERYTHING, now
    finally:
        await inbox.close()


def _changed(
    screen: Screen,
    t: Texts,
    at: datetime,
    changes: Changes,
    extra: dict[str, Any],
    sent: dict[str, str],
) -> list[str]:
    values = screen.values(at) | extra
    texts: list[str] = []
    if sent.get("shape") != screen.shape:
        sent["shape"] = screen.shape
        texts.append(event_text("shape", screen.shape))
    for item in chain(_around(changes), screen.parts(changes)):
        markup = part(item, t, values)
        if sent.get(item.key) != markup:
            sent[item.key] = markup
            texts.append(event_text("part", markup))
    return texts


def _around(changes: Changes) -> Iterator[Part]:
    """What stands on every page, whatever its screen."""
    if "trouble" in kinds_of(changes):
        yield Part("store-trouble", "parts/store-trouble.html", {})


def _changes_of(signal: Signal) -> Changes:
    """What a signal may have changed: both channels of its meter; with a new meter or scale, everything."""
    if signal.kind == "epoch":
        return _EVERYTHING
    if signal.meter_id is None:
        return frozenset({(signal.kind, None)})
    return frozenset((signal.kind, channel) for channel in channel_ids(signal.meter_id))


class _Inbox:
    """Signals of one subscription, gathered."""

    def __init__(self, listener: Listener) -> None:
        self.ended = False
        self._changes: set[Change] = set()
        self._rang = asyncio.Event()
        self._listener = listener
        self._pump = asyncio.create_task(self._run())

    async def _run(self) -> None:
        try:
            async for signal in self._listener:
                self._changes |= _changes_of(signal)
                self._rang.set()
        finally:
            self.ended = True
            self._rang.set()

    async def wait(self, tick_s: float, gather_s: float) -> Changes:
        """What the next signals told of; empty when none came within ``tick_s``."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._rang.wait(), tick_s)
            if not self.ended:
                await asyncio.sleep(gather_s)
        changes = frozenset(self._changes)
        self._changes.clear()
        self._rang.clear()
        return changes

    async def close(self) -> None:
        """Stop listening."""
        self._listener.close()
        self._pump.cancel()
        with suppress(asyncio.CancelledError):
            await self._pump
