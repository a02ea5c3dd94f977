"""What the program does for itself: look at its store when it starts, tidy up and count once a day.

All of it is done beside collecting, which is worth more. The tidying could be left undone: fine counts would
take room, and whoever opens a page first would wait for its figures.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from datetime import datetime, time, timedelta
from typing import Final

from koatsu.clock import JST, Clock
from koatsu.ems.live import LiveHub, Signal
from koatsu.ems.site_views import DAYS_SHOWN
from koatsu.ems.store import Store
from koatsu.ems.totals import slots_on_file
from koatsu.errors import KoatsuError

__all__ = ["examine", "keep_daily", "next_chores"]

log = logging.getLogger(__name__)

SETTLING: Final = timedelta(minutes=15)  #: after the start, so that histories are recovered first
CHORES_AT: Final = time(3, 40)  #: JST: away from midnight, when every meter's new day is read


async def examine(store: Store, hub: LiveHub, clock: Clock) -> None:
    """Look at the whole store where that is due, mend what is safe, and tell what was found as events.

    Cancelled, it leaves off at once, and nobody waits for it.
    """
    stop = threading.Event()
    try:
        found = await asyncio.to_thread(store.examine, clock.now(), stop=stop.is_set)
    except KoatsuError as error:
        log.warning("the store could not be looked at: %s", error.message)
        return
    finally:
        stop.set()
    if found:
        hub.publish(Signal("event", None, clock.now()))


async def keep_daily(store: Store, clock: Clock) -> None:
    """Do the chores some minutes after the start and then every night, until cancelled.

    They run beside the event loop, so that no meter waits; what the store refuses is tried the next night.
    """
    due = clock.now() + SETTLING
    while True:
        await asyncio.sleep(clock.real_seconds_until(due))
        try:
            kept = await asyncio.to_thread(store.keep_house, clock.now())
            log.info("old enough to be forgotten: %d fine counts, %d events", kept.samples, kept.events)
            for meter in await asyncio.to_thread(store.meters):
                today = clock.now().astimezone(JST).date()
                first, last = today - timedelta(days=DAYS_SHOWN), today - timedelta(days=1)
                await asyncio.to_thread(slots_on_file, store, meter.id, first, last, clock.now())
        except KoatsuError as error:
            log.warning("the daily chores were not done: %s", error.message)
        except Exception:  # collecting is worth more than tidying up, and must not end with it
            log.exception("the daily chores broke off")
        due = next_chores(clock.now())


def next_chores(now: datetime) -> datetime:
    """The next night's time for chores after ``now``."""
    here = now.astimezone(JST)
    due = datetime.combine(here.date(), CHORES_AT, JST)
    return due if due > here else due + timedelta(days=1)
