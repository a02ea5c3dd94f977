"""A meter or a terminal is in one place: what works record of it, and a serial number that was misread."""

from __future__ import annotations

from datetime import timedelta

import pytest
from desk_site import METER, POINTS, TERMINAL, WORKS, brought_to

from koatsu.clock import ManualClock
from koatsu.desk import Case, Desk, Event, InputError, State

DONE = {"worked_on": "2026-07-01", "terminal_type": TERMINAL, "outage_done": "no"}


def works_done(desk: Desk, case: Case, serial: str, **more: str) -> Case:
    return desk.cases.act(WORKS, case.id, Event.RECORD_WORKS, {**DONE, "terminal_serial": serial, **more})


@pytest.mark.parametrize("days", [0, 3], ids=["the same day", "later"])
def test_a_serial_number_in_use_elsewhere_was_misread(either: Desk, clock: ManualClock, days: int) -> None:
    works_done(either, brought_to(either, State.WORKS_PLANNED), "T1", meter_type=METER, meter_serial="M1")
    other = brought_to(either, State.WORKS_PLANNED, POINTS[1])
    clock.advance(timedelta(days=days))
    day = {"worked_on": clock.now().date().isoformat()}
    for serial, more, field in (
        ("T1", {}, "terminal_serial"),
        ("T2", {"meter_type": METER, "meter_serial": "M1"}, "meter_serial"),
    ):
        with pytest.raises(InputError) as refused:
            works_done(either, other, serial, **more, **day)
        (sentence,) = refused.value.by_field.values()
        assert list(refused.value.by_field) == [field]
        assert "07-····-····-····-····-0001" in sentence.ja
        assert POINTS[0] not in sentence.ja + sentence.en
    assert either.registers.terminals(POINTS[1]) == (), "nothing was half-kept"
    assert (
        works_done(either, other, "T2", meter_type=METER, meter_serial="M2", **day).state is State.WORKS_DONE
    )


def test_a_terminal_taken_away_and_put_back_on_one_day_is_there(desk: Desk) -> None:
    case = brought_to(desk, State.WORKS_PLANNED)
    for serial in ("T1", "T2", "T1"):
        works_done(desk, case, serial)
        desk.cases.act(WORKS, case.id, Event.BEGIN_CONNECTION)
        again = {"works_on": "2026-07-10", "reason": "端末を替えて試す"}
        desk.cases.act(WORKS, case.id, Event.BACK_TO_WORKS, again)
    there = {one.serial: one.until for one in desk.registers.terminals(POINTS[0])}
    assert there["T1"] is None
    assert there["T2"] is not None
