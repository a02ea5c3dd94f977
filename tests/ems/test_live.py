from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from store_site import jst

from koatsu.ems.live import (
    LinkState,
    LiveHub,
    LiveState,
    MeterLive,
    Recovery,
    Signal,
    SignalKind,
    link_state,
)

NOW = jst(10, 12)
MINUTE = timedelta(minutes=1)


def of(kind: SignalKind, meter: str | None = "main", minute: int = 0) -> Signal:
    return Signal(kind, meter, NOW + MINUTE * minute)


async def test_every_listener_hears_every_kind_in_order() -> None:
    hub = LiveHub()
    async with hub.listen() as first, hub.listen() as second:
        hub.publish(of("sample"))
        hub.publish(of("slot"))
        hub.publish(of("sample", "solar"))
        for listener in (first, second):
            found = [await listener.next() for _ in range(3)]
            assert found == [of("sample"), of("slot"), of("sample", "solar")]
        assert len(hub) == 2
    assert len(hub) == 0


async def test_a_slow_listener_keeps_the_newest_and_blocks_nobody() -> None:
    hub = LiveHub()
    listener = hub.listen(limit=2)
    for minute in range(1000):
        hub.publish(of("sample", minute=minute))
    hub.publish(of("slot"))
    hub.publish(of("event"))
    assert await listener.next() == of("slot")
    assert await listener.next() == of("event")
    assert listener.lost == 1000
    assert await listener.next(timedelta(milliseconds=1)) is None
    hub.publish(of("link"))
    assert await listener.next() == of("link")


async def test_a_waiting_listener_wakes_and_ends() -> None:
    hub = LiveHub()
    listener = hub.listen()
    heard: list[Signal] = []

    async def read() -> None:
        heard.extend([signal async for signal in listener])

    task = asyncio.create_task(read())
    await asyncio.sleep(0)
    hub.publish(of("sample"))
    await asyncio.sleep(0)
    hub.publish(of("sample", minute=1))
    hub.close()
    await asyncio.wait_for(task, 5)
    assert heard == [of("sample"), of("sample", minute=1)]
    hub.publish(of("sample"))
    hub.forget(listener)
    assert await listener.next() is None


async def test_a_cancelled_reader_loses_no_signal() -> None:
    hub = LiveHub()
    async with hub.listen() as listener:
        task = asyncio.create_task(listener.next())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        hub.publish(of("sample"))
        assert await listener.next() == of("sample")
    with pytest.raises(ValueError, match="at least one"):
        hub.listen(limit=0)


@pytest.mark.parametrize(
    ("live", "expected"),
    [
        (MeterLive(), LinkState.WAITING),
        (MeterLive(since=NOW - 20 * MINUTE), LinkState.WAITING),
        (MeterLive(since=NOW - 21 * MINUTE), LinkState.SILENT),
        (MeterLive(last_received=NOW - 3 * MINUTE), LinkState.LIVE),
        (MeterLive(last_received=NOW - 4 * MINUTE), LinkState.STALE),
        (MeterLive(last_received=NOW - 21 * MINUTE), LinkState.SILENT),
        (MeterLive(last_received=NOW - 4 * MINUTE, poll=10 * MINUTE), LinkState.LIVE),
        (MeterLive(last_received=NOW + MINUTE), LinkState.LIVE),
    ],
)
def test_how_a_link_is_judged(live: MeterLive, expected: LinkState) -> None:
    assert link_state(live, NOW) is expected


def test_the_live_state_keeps_what_it_was_told() -> None:
    state = LiveState()
    state.started("main", NOW, poll=10 * MINUTE)
    state.answered("main", NOW, answer=timedelta(seconds=1))
    state.answered("main", NOW + MINUTE)
    state.failed("main", NOW + 2 * MINUTE)
    found = state.of("main")
    assert (found.last_received, found.answer) == (NOW + MINUTE, timedelta(seconds=1))
    assert (found.last_failed, found.poll) == (NOW + 2 * MINUTE, 10 * MINUTE)
    assert state.of("other") == MeterLive()
    with pytest.raises(ValueError, match="4 of 3 days"):
        Recovery(days_done=4, days_total=3)
