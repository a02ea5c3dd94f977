"""Which days to read, in which order: today, yesterday, then the day nearest to expiry (rule 2)."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koatsu.clock import JST
from koatsu.ems.collector.gaps import days_wanted, settled_days
from koatsu.ems.store import HistoryRead

TODAY = date(2026, 7, 15)
NAME = "energy_history"


def read(
    days_back: int, *, at_hour: int = 12, at_day: date = TODAY, no_data: int = 0, reads: int = 1
) -> HistoryRead:
    return HistoryRead(
        epoch=1,
        day=TODAY - timedelta(days=days_back),
        property=NAME,
        read_at=datetime(at_day.year, at_day.month, at_day.day, at_hour, tzinfo=JST),
        elements=48,
        no_data=no_data,
        reads=reads,
    )


def test_nothing_read_yet_is_read_in_the_order_of_the_rule() -> None:
    assert days_wanted(TODAY, set(), 5) == [0, 1, 5, 4, 3, 2]


@pytest.mark.parametrize(("horizon", "wanted"), [(0, [0]), (1, [0, 1]), (2, [0, 1, 2])])
def test_a_short_horizon(horizon: int, wanted: list[int]) -> None:
    assert days_wanted(TODAY, set(), horizon) == wanted


@pytest.mark.parametrize(
    ("entry", "settled"),
    [
        (read(3), True),
        (read(3, at_day=TODAY - timedelta(days=3)), False),  # read while it ran: its evening was missing
        (read(3, no_data=2), False),  # a hole may still be filled
        (read(3, no_data=2, reads=3), True),  # asked often enough
        (read(0), False),  # today goes on
    ],
)
def test_when_a_day_is_settled(entry: HistoryRead, settled: bool) -> None:
    assert (entry.day in settled_days([entry], TODAY, [NAME])) is settled


def test_a_day_is_settled_only_when_every_history_is() -> None:
    assert settled_days([read(3)], TODAY, [NAME, "demand_history"]) == set()


@given(st.sets(st.integers(0, 99)), st.integers(0, 99))
def test_every_open_day_is_wanted_once_and_no_settled_one(settled: set[int], horizon: int) -> None:
    days = {TODAY - timedelta(days=back) for back in settled}
    wanted = days_wanted(TODAY, days, horizon)
    assert len(wanted) == len(set(wanted))
    assert set(wanted) == {0} | {back for back in range(1, horizon + 1) if back not in settled}
    assert wanted[0] == 0
    tail = [back for back in wanted if back > 1]
    assert tail == sorted(tail, reverse=True)
