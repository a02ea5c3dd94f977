"""What a running desk does beside its pages: chores, deliveries, and an orderly end of both."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from desk_site import COUNTER, ENDED_POINT, POINTS, SETTINGS, START, brought_to, drafted, open_desk
from receivers import hook

import databases
from koatsu.app import desk_work
from koatsu.app.desk_sending import Sending
from koatsu.app.desk_work import do_chores, next_chores, working
from koatsu.clock import JST, ManualClock
from koatsu.desk import SYSTEM, Desk, DeskSettings, Event, State, WebhookSettings
from koatsu.desk.imports import Register

SECRET = "0123456789abcdef-only-for-tests"
PATIENCE_S = 30.0


class HandClock(ManualClock):
    """Moved by the test; real seconds are not waited for."""

    def real_seconds_until(self, instant: datetime) -> float:
        return 0.01 if instant > self.now() else 0.0


@pytest.fixture
def clock() -> HandClock:
    return HandClock(START)


@pytest.fixture
def desk(tmp_path: Path, clock: HandClock) -> Iterator[Desk]:
    with open_desk(tmp_path / "desk.db", clock) as one:
        yield one


async def until(true: Callable[[], Any]) -> None:
    """Wait for something that another task brings about."""
    deadline = time.monotonic() + PATIENCE_S
    while not await asyncio.to_thread(true):
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.01)


def reminders(desk: Desk, case: int) -> int:
    return [entry.event for entry in desk.cases.history(SYSTEM, case)].count(Event.REMIND)


# --- chores ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-07-15T13:00:00+09:00", "2026-07-16T00:05:00+09:00"),
        ("2026-07-16T00:04:59+09:00", "2026-07-16T00:05:00+09:00"),
        ("2026-07-16T00:05:00+09:00", "2026-07-17T00:05:00+09:00"),
        ("2026-12-31T23:59:00+09:00", "2027-01-01T00:05:00+09:00"),
        ("2026-07-15T15:10:00+00:00", "2026-07-17T00:05:00+09:00"),
    ],
)
def test_chores_are_done_after_midnight_in_japan(now: str, due: str) -> None:
    assert next_chores(datetime.fromisoformat(now)) == datetime.fromisoformat(due)


def ended_by_contract(desk: Desk, point: str) -> None:
    file = f"number,contract_ended_on\n{point},2026-06-30\n".encode()
    report = desk.registers.import_file(Register.CONTRACT_ENDS, file, "ends.csv", author="system")
    assert report.changed == 1


def test_a_service_whose_contract_ended_is_ended_and_not_reminded_of(desk: Desk) -> None:
    serving = brought_to(desk, State.IN_SERVICE, POINTS[0])
    checking = brought_to(desk, State.CHECKING, POINTS[1])
    ended_by_contract(desk, POINTS[0])
    do_chores(desk)
    assert desk.cases.get(SYSTEM, serving.id).state is State.ENDED
    do_chores(desk)
    assert reminders(desk, serving.id) == 0
    assert ENDED_POINT not in POINTS
    assert desk.cases.get(SYSTEM, checking.id).state is State.CHECKING


async def test_chores_are_done_at_the_start_and_every_night_once(desk: Desk, clock: HandClock) -> None:
    case = brought_to(desk, State.SUBMITTED, POINTS[0])  # due in two business days: reminded of at once
    with closing(Sending(desk)) as sending:
        async with working(desk, sending, several=False):
            await until(lambda: reminders(desk, case.id) == 1)
            brought = brought_to(desk, State.SUBMITTED, POINTS[1])
            await asyncio.sleep(0.05)
            assert reminders(desk, brought.id) == 0, "not before the next night"
            clock.set(datetime(2026, 7, 2, 0, 5, 1, tzinfo=JST))
            await until(lambda: reminders(desk, brought.id) == 1)
    assert reminders(desk, case.id) == 1


async def test_chores_that_fail_are_told_and_tried_again(
    desk: Desk, clock: HandClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tries: list[datetime] = []

    def failing(_desk: Desk) -> None:
        tries.append(clock.now())
        if len(tries) < 3:
            raise RuntimeError("a fault") if len(tries) == 1 else TimeoutError("another")

    monkeypatch.setattr(desk_work, "do_chores", failing)
    with closing(Sending(desk)) as sending, caplog.at_level(logging.WARNING):
        async with working(desk, sending, several=False):
            for wanted in (1, 2, 3):
                await until(lambda wanted=wanted: len(tries) == wanted)
                clock.advance(timedelta(minutes=10))
    assert [one - START for one in tries] == [timedelta(minutes=minutes) for minutes in (0, 10, 20)]
    assert caplog.text.count("the desk's work broke off") == 2


# --- deliveries -----------------------------------------------------------------------------------------


def with_hook(tmp_path: Path, clock: ManualClock, url: str) -> Desk:
    settings: DeskSettings = replace(SETTINGS, webhooks=(WebhookSettings(url=url, secret=SECRET),))
    return open_desk(tmp_path / "called.db", clock, settings)


async def test_what_happens_is_told_while_the_desk_runs(
    tmp_path: Path, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_work, "_SEND_EVERY_S", 0.02)
    with hook() as called, with_hook(tmp_path, clock, called.url) as desk, closing(Sending(desk)) as sending:
        async with working(desk, sending, several=False):
            case = await asyncio.to_thread(drafted, desk, POINTS[0])
            await until(lambda: len(called.calls) == 1)
            await asyncio.to_thread(desk.cases.act, COUNTER, case.id, Event.SUBMIT)
            await until(lambda: len(called.calls) == 2)
        assert desk.outbox.due() == []


async def test_the_end_waits_for_what_is_under_way_and_begins_nothing_more(
    tmp_path: Path, clock: HandClock
) -> None:
    with hook() as called, with_hook(tmp_path, clock, called.url) as desk, closing(Sending(desk)) as sending:
        desk.cases.act(COUNTER, drafted(desk, POINTS[0]).id, Event.SUBMIT)
        begun, go_on = threading.Event(), threading.Event()
        call = sending._call

        def slow(one: Any) -> None:
            begun.set()
            go_on.wait(PATIENCE_S)
            call(one)

        sending._call = slow  # type: ignore[method-assign]
        async with working(desk, sending, several=False):
            await asyncio.to_thread(begun.wait, PATIENCE_S)
            asyncio.get_running_loop().call_later(0.05, go_on.set)
        assert len(called.calls) == 1
        left = desk.outbox.due()
        assert left, "what came after it"
        assert {one.tries for one in left} == {0}


async def test_a_store_that_fails_ends_nothing(
    desk: Desk, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(Sending(desk)) as sending, caplog.at_level(logging.WARNING):
        async with working(desk, sending, several=False):
            await until(lambda: not desk.outbox.due())
            desk.close()
            clock.set(datetime(2026, 7, 2, 0, 5, 1, tzinfo=JST))
            await until(lambda: "could not do its work and tries again" in caplog.text)


def test_of_two_programs_on_one_database_server_one_sends(clock: HandClock) -> None:
    with databases.server() as server, hook() as called:
        store = server.new_database()
        settings = replace(SETTINGS, webhooks=(WebhookSettings(url=called.url, secret=SECRET),))
        with open_desk(store, clock, settings) as desk:
            drafted(desk, POINTS[0])
            with desk_work._alone(desk, True) as ours, desk_work._alone(desk, True) as theirs:
                assert (ours, theirs) == (True, False)
            with desk_work._alone(desk, True) as again:
                assert again
            with closing(Sending(desk)) as sending:
                assert sending.send_due() == 1
    assert len(called.calls) == 1
