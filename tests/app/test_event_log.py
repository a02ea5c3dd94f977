"""Events in the log: the page's sentence, each once, none of an earlier run."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from koatsu.app.event_log import events_logged
from koatsu.ems.live import Listener, LiveHub, Signal
from koatsu.ems.store import Level
from koatsu.ems.view_models import EventView

NOW = datetime(2026, 7, 15, 4, 0, tzinfo=UTC)


class Source:
    """Events as a test makes them happen."""

    def __init__(self) -> None:
        self.hub, self.found = LiveHub(), list[EventView]()

    def happens(self, code: str, level: Level, meter: str | None = "main", **params: object) -> None:
        at = NOW + timedelta(seconds=len(self.found))
        self.found.append(
            EventView(id=len(self.found) + 1, at=at, meter_id=meter, level=level, code=code, params=params)
        )
        self.hub.publish(Signal("event", meter, at))

    def events(self, limit: int) -> Sequence[EventView]:
        return self.found[: -limit - 1 : -1]

    def listen(self) -> Listener:
        return self.hub.listen()


async def told(caplog: pytest.LogCaptureFixture, count: int) -> list[logging.LogRecord]:
    async with asyncio.timeout(20):
        while len(caplog.records) < count:
            await asyncio.sleep(0.01)
    return caplog.records


async def test_what_happens_is_told_once_with_its_sentence(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "koatsu")
    source = Source()
    source.happens("silent", Level.CAUTION)
    last = source.found[-1].id
    source.happens("back", Level.OK)  # while the program starts
    async with events_logged(source, "en", after=last):
        await told(caplog, 1)
        source.happens("clock_drift", Level.CAUTION, seconds=40)
        await told(caplog, 2)
        source.happens("recovered", Level.OK, None, days=3)
        records = await told(caplog, 3)
    assert [record.levelname for record in records] == ["INFO", "WARNING", "INFO"]
    assert [record.code for record in records] == ["back", "clock_drift", "recovered"]  # type: ignore[attr-defined]
    assert records[0].getMessage().startswith("main: The link is back")
    assert "40 s" in records[1].getMessage().replace("\u00a0", " ")
    assert len(source.hub) == 0


async def test_a_person_reads_them_in_japanese(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "koatsu")
    source = Source()
    async with events_logged(source, "ja", after=0):
        source.happens("silent", Level.CAUTION)
        [record] = await told(caplog, 1)
    assert "応答しません" in record.getMessage()
