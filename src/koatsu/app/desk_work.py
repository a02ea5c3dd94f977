"""What a running desk does beside its pages: chores once a day, deliveries whenever one is due.

Both happen in threads beside the event loop, so that no page waits for a mail server. What fails is told in
the log and tried again; nothing here may end the program.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, time, timedelta
from typing import Final

from sqlalchemy import func, select

from koatsu.app.desk_sending import Sending
from koatsu.clock import JST, Clock
from koatsu.desk import Desk
from koatsu.errors import KoatsuError

__all__ = ["do_chores", "next_chores", "working"]

log = logging.getLogger(__name__)

CHORES_AT: Final = time(
    0, 5
)  #: JST: after midnight, when a deadline has come nearer and a contract has ended
_AGAIN: Final = timedelta(minutes=10)  #: until chores that failed are tried again
_LOOK_S: Final = 600.0  #: longest sleep at a stretch: this machine's clock may be set meanwhile
_SEND_EVERY_S: Final = 2.0
_SEND_AGAIN_S: Final = 30.0  #: after the store itself has failed
_LINE: Final = 0x4445_534B_4F55_54  #: PostgreSQL's number of the lock of the one who sends: "DESKOUT"


@asynccontextmanager
async def working(desk: Desk, sending: Sending, *, several: bool) -> AsyncIterator[None]:
    """Everything at work while the block is open; what is under way is waited for at its end.

    Args:
        desk: the open desk.
        sending: sends what is due.
        several: other programs may serve the same store (a database server): then one at a time sends.
    """
    ending = asyncio.Event()
    tasks = [
        asyncio.create_task(_chores(desk, ending, several), name="desk chores"),
        asyncio.create_task(_deliveries(desk, sending, ending, several), name="desk deliveries"),
    ]
    try:
        yield
    finally:
        ending.set()
        sending.stop()
        await asyncio.gather(*tasks)


async def _chores(desk: Desk, ending: asyncio.Event, several: bool) -> None:
    while not ending.is_set():
        now = desk.clock.now()
        done = await asyncio.to_thread(_beside, desk, several, lambda: do_chores(desk))
        await _wait_until(next_chores(now) if done else now + _AGAIN, desk.clock, ending)


async def _deliveries(desk: Desk, sending: Sending, ending: asyncio.Event, several: bool) -> None:
    while not ending.is_set():
        done = await asyncio.to_thread(_beside, desk, several, sending.send_due)
        await _wait(_SEND_EVERY_S if done else _SEND_AGAIN_S, ending)


def do_chores(desk: Desk) -> None:
    """End what has ended with its contract, and remind of what is due soon; a second time changes nothing.

    Raises:
        DeskStoreError: the store refused.
    """
    ended = desk.chores.end_with_contracts()
    reminded = desk.chores.remind()
    log.info("chores: services ended with their contract: %d, reminders: %d", len(ended), len(reminded))


def next_chores(now: datetime) -> datetime:
    """The next night's time for chores after ``now``."""
    here = now.astimezone(JST)
    due = datetime.combine(here.date(), CHORES_AT, JST)
    return due if due > here else due + timedelta(days=1)


def _beside(desk: Desk, several: bool, work: Callable[[], object]) -> bool:
    """Do some work unless another program does it; whether all is well."""
    try:
        with _alone(desk, several) as ours:
            if ours:
                work()
    except KoatsuError as error:
        log.warning("the desk could not do its work and tries again: %s", error.message)
        return False
    except Exception:  # pages are worth more than letters, and must not end with them
        log.exception("the desk's work broke off")
        return False
    return True


@contextmanager
def _alone(desk: Desk, several: bool) -> Iterator[bool]:
    """Whether nobody else sends; held until the block ends. A store of one program needs no asking."""
    if not several:
        yield True
        return
    with desk.database.reading() as connection:
        yield bool(connection.execute(select(func.pg_try_advisory_xact_lock(_LINE))).scalar())


async def _wait_until(due: datetime, clock: Clock, ending: asyncio.Event) -> None:
    while not ending.is_set() and (left := clock.real_seconds_until(due)) > 0:
        await _wait(min(left, _LOOK_S), ending)


async def _wait(seconds: float, ending: asyncio.Event) -> None:
    """Sleep, or less where the program ends."""
    try:
        await asyncio.wait_for(ending.wait(), seconds)
    except TimeoutError:
        pass  # the usual case
