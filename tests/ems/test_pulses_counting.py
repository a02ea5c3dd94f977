"""Counting pulses by the slot pulse: nothing split, nothing guessed, nothing lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koatsu.clock import JST
from koatsu.ems.pulses import (
    Constant,
    EnergyPulses,
    PulseCounter,
    PulseLineError,
    PulseSpan,
    SlotPulse,
    nearest_half_hour,
    pulse_constant,
    pulse_line,
)
from koatsu.ems.pulses.lines import LONGEST_LINE
from koatsu.meter.slots import HALF_HOUR

TEN = datetime(2025, 6, 11, 10, tzinfo=JST).astimezone(UTC)
S = timedelta(seconds=1)


def at(minutes: float) -> datetime:
    """So many minutes after 10:00."""
    return TEN + timedelta(minutes=minutes)


def fed(counter: PulseCounter, *said: tuple[float, int | str]) -> list[PulseSpan]:
    """Feed minutes and counts, "slot" or "stop"."""
    spans: list[PulseSpan] = []
    for minutes, what in said:
        if what == "slot":
            spans += counter.hear(SlotPulse(), at(minutes))
        elif what == "stop":
            spans += counter.stop(at(minutes))
        elif what == "begin":
            spans += counter.begin(at(minutes))
        else:
            spans += counter.hear(EnergyPulses(int(what)), at(minutes))
    return spans


def test_whole_slots_lie_between_slot_pulses() -> None:
    spans = fed(
        PulseCounter(), (-9, "begin"), (-5, 3), (0, "slot"), (1, 10), (29, 20), (30, "slot"), (60, "slot")
    )
    assert [(span.pulses, span.whole, span.slot_pulses) for span in spans] == [
        (3, False, 1),
        (30, True, 2),
        (0, True, 2),
    ]
    assert [(span.start, span.end) for span in spans] == [
        (at(-30), at(0)),
        (at(0), at(30)),
        (at(30), at(60)),
    ]


def test_two_slots_run_together_where_a_slot_pulse_is_lost() -> None:
    (span,) = fed(PulseCounter(), (0, "slot"), (10, 7), (40, 8), (60, "slot"))
    assert (span.start, span.end, span.pulses, span.whole) == (at(0), at(60), 15, True)


def test_a_second_slot_pulse_of_one_half_hour_cuts_nothing() -> None:
    (span,) = fed(PulseCounter(), (0, "slot"), (1, 7), (2, "slot"), (3, 8), (30, "slot"))
    assert (span.start, span.end, span.pulses, span.slot_pulses) == (at(0), at(30), 15, 3)
    assert span.whole


@pytest.mark.parametrize("off", [-14.9, -1, 0.5, 14.9])
def test_a_slot_pulse_means_the_nearest_half_hour(off: float) -> None:
    (span,) = fed(PulseCounter(), (off, "slot"), (off + 1, 7), (30 + off, "slot"))
    assert (span.start, span.end) == (at(0), at(30))
    assert span.late == timedelta(minutes=off)


def test_a_break_makes_parts() -> None:
    spans = fed(
        PulseCounter(), (0, "slot"), (5, 7), (10, "stop"), (12, "begin"), (13, 8), (30, "slot"), (31, "stop")
    )
    assert [(span.pulses, span.whole, span.slot_pulses) for span in spans] == [
        (7, False, 1),
        (8, False, 1),
        (0, False, 1),
    ]
    assert [(span.start, span.end) for span in spans] == [(at(0), at(30))] * 2 + [(at(30), at(60))]
    assert all(span.late is None for span in spans)


def test_a_part_over_several_slots_says_so() -> None:
    (span,) = fed(PulseCounter(), (7, "begin"), (8, 5), (60, "slot"))
    assert (span.start, span.end, span.whole) == (at(0), at(60), False)


def test_the_constant_that_is_given_counts() -> None:
    for given_, expected in ((None, Fraction(250, 3)), (Fraction(100), Fraction(100))):
        counter = PulseCounter(given_)
        counter.hear(Constant(Fraction(250, 3)), at(-1))
        (span,) = fed(counter, (0, "slot"), (1, 5), (30, "slot"))
        assert span.per_kwh == expected


def test_another_constant_is_another_meter() -> None:
    counter = PulseCounter()
    counter.hear(Constant(Fraction(100)), at(-1))
    fed(counter, (0, "slot"), (1, 5))
    (part,) = counter.hear(Constant(Fraction(200)), at(10))
    assert (part.pulses, part.per_kwh, part.whole) == (5, Fraction(100), False)
    assert counter.hear(Constant(Fraction(200)), at(11)) == []
    part, whole = fed(counter, (12, 6), (30, "slot"), (40, 9), (60, "slot"))
    assert (part.pulses, part.per_kwh, part.whole) == (6, Fraction(200), False)
    assert (whole.pulses, whole.whole) == (9, True)


def test_without_slot_pulses_our_clock_cuts() -> None:
    counter = PulseCounter(slot_pulse=False)
    counter.begin(at(-5))
    counter.hear(EnergyPulses(1), at(-1))
    spans = counter.tick(at(0))
    for minute, count in ((10, 2), (29, 3)):
        counter.hear(EnergyPulses(count), at(minute))
        counter.hear(SlotPulse(), at(minute))  # not believed
    spans += counter.tick(at(30)) + counter.tick(at(30)) + counter.tick(at(31))
    assert [(span.pulses, span.whole) for span in spans] == [(1, False), (5, True)]
    assert spans[1].by_clock


def test_a_clock_set_back_makes_no_whole_span() -> None:
    counter = PulseCounter()
    counter.hear(SlotPulse(), at(0))
    (span,) = counter.hear(SlotPulse(), at(-60))
    assert not span.whole
    assert counter.stop(at(-61)) == []


@given(
    counts=st.lists(st.integers(0, 1000), min_size=1, max_size=40),
    events=st.lists(st.sampled_from(["slot", "stop", "begin", None]), max_size=40),
    jitter=st.integers(-600, 600),
)
def test_every_pulse_is_in_one_span(counts: list[int], events: list[str | None], jitter: int) -> None:
    counter = PulseCounter()
    spans = counter.begin(at(0))
    for number, count in enumerate(counts):
        moment = at(10 * number + 1)
        spans += counter.hear(EnergyPulses(count), moment)
        event = events[number] if number < len(events) else None
        if event == "slot":
            spans += counter.hear(SlotPulse(), moment + S + abs(jitter) * S / 60)
        elif event == "stop":
            spans += counter.stop(moment + S)
        elif event == "begin":
            spans += counter.begin(moment + S)
    spans += counter.stop(at(10 * len(counts) + 10))
    assert sum(span.pulses for span in spans) == sum(counts)
    for one, other in pairwise(spans):
        assert one.until <= other.since
    assert all(span.start < span.end for span in spans if span.whole)


@given(st.integers(0, 10**9))
def test_the_nearest_half_hour_is_near(second: int) -> None:
    instant = datetime(2000, 1, 1, tzinfo=UTC) + second * S
    assert abs(nearest_half_hour(instant) - instant) <= HALF_HOUR / 2


# --- lines ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b'{"pulse": "constant", "per_kwh": "250/3"}\n', Constant(Fraction(250, 3))),
        (b'{"pulse": "constant", "per_kwh": 833}', Constant(Fraction(833))),
        (b'{"pulse": "energy", "count": 7}', EnergyPulses(7)),
        (b'{"pulse": "slot"}', SlotPulse()),
        (b'{"pulse": "slot", "at": "2025-06-11T10:00:00+09:00"}', SlotPulse(TEN)),
        (b'{"pulse": "energy", "count": 7, "at": "2025-06-11T01:00:00Z", "more": 1}', EnergyPulses(7, TEN)),
    ],
)
def test_lines(line: bytes, said: object) -> None:
    assert pulse_line(line) == said


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b"[]",
        b"7",
        b"\xff\xfe",
        b'{"pulse": "energy"}',
        b'{"pulse": "energy", "count": -1}',
        b'{"pulse": "energy", "count": 1.5}',
        b'{"pulse": "energy", "count": true}',
        b'{"pulse": "energy", "count": 10000000000}',
        b'{"pulse": "constant"}',
        b'{"pulse": "constant", "per_kwh": "0"}',
        b'{"pulse": "constant", "per_kwh": "1/0"}',
        b'{"pulse": "constant", "per_kwh": "-5"}',
        b'{"pulse": "constant", "per_kwh": "1e9"}',
        b'{"pulse": "slot", "at": "2025-06-11T10:00:00"}',
        b'{"pulse": "slot", "at": 12}',
        b'{"pulse": "slot", "at": "0001-01-01T00:00:00+23:00"}',
        b'{"pulse": "slot", "at": "yesterday"}',
        b'{"pulse": "' + b"x" * LONGEST_LINE + b'"}',
        b"[" * 1000,
    ],
)
def test_other_lines_are_refused(line: bytes) -> None:
    with pytest.raises(PulseLineError):
        pulse_line(line)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_line_or_refused(line: bytes) -> None:
    try:
        pulse_line(line)
    except PulseLineError:
        return


@pytest.mark.parametrize(("text", "value"), [("833", "833"), ("83.5", "167/2"), ("250/3", "250/3")])
def test_constants(text: str, value: str) -> None:
    assert pulse_constant(text) == Fraction(value)
