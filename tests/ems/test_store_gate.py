"""A store that takes nothing is the machine's fault, or the disk's, and never told as one of this program."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import pytest

from koatsu.clock import ManualClock
from koatsu.ems.collector.store_gate import PASSING, StoreGate
from koatsu.ems.live import LiveHub, LiveState
from koatsu.ems.store import StoreError, StoreErrorKind

NOW = datetime(2026, 7, 15, 4, 0, tzinfo=UTC)


@pytest.mark.parametrize("kind", sorted(PASSING))
async def test_it_is_told_once_as_what_somebody_should_look_at(
    caplog: pytest.LogCaptureFixture, kind: StoreErrorKind
) -> None:
    gate = StoreGate(LiveState(), LiveHub(), ManualClock(NOW))
    error = StoreError(kind, "koatsu.db", "it says no")
    gate.failed(error)
    gate.failed(error)
    gate.opened()
    gate.opened()
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [
        (logging.WARNING, f"the store takes nothing: {error.message}"),
        (logging.WARNING, "the store works again"),
    ]
