"""Day histories: date, instants, holes, and the two alignment checks on simulated meters."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from koatsu.clock import JST
from koatsu.meter import (
    HALF_HOUR,
    Bracket,
    Conflict,
    ConflictKind,
    DatedHistory,
    DayHistory,
    DemandReading,
    DemandStamp,
    EnergyFirst,
    Reading,
    Refusal,
    RefusalKind,
    Register,
    Scale,
    Slot,
    Source,
    demand_alignment,
    demand_readings,
    energy_alignment,
    energy_readings,
    history_instant,
    history_slot,
)

TODAY = date(2026, 4, 2)
YESTERDAY = date(2026, 4, 1)
NOON = datetime(2026, 4, 2, 12, 10, 5, tzinfo=JST)
BRACKET = Bracket(NOON, NOON + timedelta(seconds=3))
RECEIVED = datetime(2026, 4, 2, 3, 10, 9, tzinfo=UTC)
ENERGY = Scale(40, Decimal(1), Decimal("0.1"))  # 4 kWh a count
DEMAND = Scale(40, Decimal(1), Decimal("0.1"))  # 4 kW a count


def dated(counts: list[int | None], day: date = YESTERDAY) -> DatedHistory:
    return DatedHistory(subject="energy_history", day=day, counts=tuple(counts), bracket=BRACKET)


def fixed(instant: datetime, count: int | None) -> Reading:
    return Reading(
        register=Register.ENERGY, instant=instant, count=count, source=Source.FIXED, received=RECEIVED
    )


# -- the day


def test_the_date_is_the_meters_today_minus_the_days_back() -> None:
    history = DayHistory(subject="energy_history", days_back=99, counts=(None,) * 48)
    found = history.dated(asked=99, bracket=BRACKET)
    assert isinstance(found, DatedHistory)
    assert found.day == date(2025, 12, 24)


@pytest.mark.parametrize("answered", [0, 2, 99, None])
def test_another_day_than_the_one_asked_for_is_refused(answered: int | None) -> None:
    history = DayHistory(subject="energy_history", days_back=answered, counts=(1,) * 48)
    found = history.dated(asked=1, bracket=BRACKET)
    assert isinstance(found, Refusal)
    assert found.kind is RefusalKind.WRONG_DAY
    assert "day 1" in found.text()
    assert "1 日前" in found.text("ja")


@pytest.mark.parametrize(
    ("days_back", "counts"), [(100, (1,) * 48), (-1, (1,) * 48), (0, (1,) * 47), (0, (-1,) * 48)]
)
def test_impossible_histories_are_errors(days_back: int, counts: tuple[int, ...]) -> None:
    with pytest.raises(ValueError):
        DayHistory(subject="energy_history", days_back=days_back, counts=counts)


# -- readings


@pytest.mark.parametrize(("first", "hour"), [("00:00", 0), ("00:30", 30)])
def test_a_full_day_gives_48_readings_in_order(first: EnergyFirst, hour: int) -> None:
    found = energy_readings(
        dated(list(range(48))), register=Register.ENERGY, first=first, digits=6, received=RECEIVED
    )
    start = datetime(2026, 4, 1, 0, hour, tzinfo=JST)
    assert [(reading.instant, reading.count) for reading in found if isinstance(reading, Reading)] == [
        (start + number * HALF_HOUR, number) for number in range(48)
    ]
    assert {reading.source for reading in found if isinstance(reading, Reading)} == {Source.HISTORY}


def test_no_data_is_a_reading_without_count() -> None:
    counts: list[int | None] = list(range(48))
    counts[5] = counts[47] = None
    found = energy_readings(
        dated(counts), register=Register.ENERGY, first="00:00", digits=6, received=RECEIVED
    )
    assert len(found) == 48
    unknown = [at for at, entry in enumerate(found) if isinstance(entry, Reading) and entry.count is None]
    assert unknown == [5, 47]


def test_what_today_has_not_reached_is_neither_read_nor_missing() -> None:
    counts: list[int | None] = [*range(25), *[None] * 23]  # 00:00 to 12:00
    found = energy_readings(
        dated(counts, TODAY), register=Register.ENERGY, first="00:00", digits=6, received=RECEIVED
    )
    assert len(found) == 25
    counts[24] = None  # 12:00 was reached and is missing
    again = energy_readings(
        dated(counts, TODAY), register=Register.ENERGY, first="00:00", digits=6, received=RECEIVED
    )
    assert len(again) == 25
    assert isinstance(again[24], Reading)
    assert again[24].count is None


def test_a_border_inside_the_bracket_counts_either_way() -> None:
    edge = Slot(TODAY, 25).start  # 12:00
    bracket = Bracket(edge - timedelta(seconds=1), edge + timedelta(seconds=1))
    for last, expected in ((None, 24), (24, 25)):
        counts = (*range(24), last, *[None] * 23)
        history = DatedHistory(subject="energy_history", day=TODAY, counts=counts, bracket=bracket)
        found = energy_readings(history, register=Register.ENERGY, first="00:00", digits=6, received=RECEIVED)
        assert len(found) == expected
        assert all(isinstance(reading, Reading) and reading.count is not None for reading in found)


def test_a_count_from_the_future_and_one_beyond_the_digits_are_refused() -> None:
    counts: list[int | None] = [*range(24), 10**6, 25, *[None] * 22]
    found = energy_readings(
        dated(counts, TODAY), register=Register.ENERGY, first="00:00", digits=6, received=RECEIVED
    )
    assert len(found) == 26
    digits, future = found[24:]
    assert isinstance(digits, Refusal)
    assert digits.kind is RefusalKind.BEYOND_DIGITS
    assert isinstance(future, Refusal)
    assert future.kind is RefusalKind.FUTURE
    assert future.instant == datetime(2026, 4, 2, 12, 30, tzinfo=JST)


def test_an_overflow_code_is_refused_and_not_missing() -> None:
    history = DatedHistory(
        subject="demand_history",
        day=TODAY,
        counts=(None,) * 48,
        bracket=BRACKET,
        out_of_range=frozenset({3, 40}),
    )
    found = demand_readings(history, direction="normal", stamp="start", digits=5, received=RECEIVED)
    kinds = [entry.kind for entry in found if isinstance(entry, Refusal)]
    assert kinds == [RefusalKind.OUT_OF_RANGE] * 2
    assert len(found) == 24 + 1  # slots 1 to 24 have ended by 12:10, and the code of slot 40


@pytest.mark.parametrize(
    ("stamp", "first", "ended"), [("end", Slot(YESTERDAY, 48), 25), ("start", Slot(TODAY, 1), 24)]
)
def test_demands_of_today_stop_at_the_last_slot_that_ended(
    stamp: DemandStamp, first: Slot, ended: int
) -> None:
    counts: list[int | None] = [*range(ended), *[None] * (48 - ended)]
    found = demand_readings(
        dated(counts, TODAY), direction="reverse", stamp=stamp, digits=5, received=RECEIVED
    )
    assert len(found) == ended
    demands = [entry for entry in found if isinstance(entry, DemandReading)]
    assert demands[0].slot == first
    assert demands[-1].slot == Slot(TODAY, 24)
    assert {entry.direction for entry in demands} == {"reverse"}


# -- alignment, on a simulated meter: `flows` are counts of energy in the slots from 23:30 to 24:30

flows = st.lists(st.integers(0, 400), min_size=50, max_size=50)
alignments = st.tuples(st.sampled_from(["00:00", "00:30"]), st.sampled_from(["end", "start"]))


def simulate(
    flow: list[int], first: EnergyFirst, stamp: DemandStamp, start: int = 0
) -> tuple[dict[datetime, int], DatedHistory, DatedHistory]:
    """The counter at each half hour of yesterday and beyond, with its energy and demand histories."""
    origin = Slot(YESTERDAY, 1).previous
    at: dict[datetime, int] = {origin.start: start}
    demand: dict[Slot, int] = {}
    slot = origin
    for counts in flow:
        at[slot.end] = (at[slot.start] + counts) % 10**6
        demand[slot] = 2 * counts  # ENERGY and DEMAND have equal units here
        slot = slot.next
    energy_counts = [at[history_instant(YESTERDAY, element, first)] for element in range(1, 49)]
    demand_counts = [demand[history_slot(YESTERDAY, element, stamp)] for element in range(1, 49)]
    return at, dated([*energy_counts]), dated([*demand_counts])


@given(flows, alignments, st.integers(0, 47))
def test_the_energy_alignment_is_told_by_a_dated_value_and_never_wrongly(
    flow: list[int], alignment: tuple[EnergyFirst, DemandStamp], element: int
) -> None:
    first, stamp = alignment
    at, energy, _ = simulate(flow, first, stamp)
    instant = Slot(YESTERDAY, 1).start + element * HALF_HOUR
    told = energy_alignment(energy, fixed(instant, at[instant]))
    assert told in (first, None)
    neighbours = {energy.instants("00:00").get(instant), energy.instants("00:30").get(instant)}
    if None not in neighbours and len(neighbours) == 2:
        assert told == first


def test_a_flat_zero_load_does_not_tell_the_alignment() -> None:
    at, energy, demand = simulate([0] * 50, "00:30", "start", start=77)
    instant = Slot(YESTERDAY, 20).start
    assert energy_alignment(energy, fixed(instant, at[instant])) is None
    assert align_demand(demand, energy, "00:30") is None


def test_a_missing_neighbour_does_not_tell_the_alignment() -> None:
    """A slot without flow and a history not yet filled must not look like the other alignment."""
    counts: list[int | None] = [5] * 20 + [None] * 28
    assert energy_alignment(dated(counts), fixed(Slot(YESTERDAY, 21).start, 5)) is None
    assert energy_alignment(dated([5] * 48), fixed(Slot(YESTERDAY, 1).start, 5)) is None
    assert energy_alignment(dated([5] * 48), fixed(Slot(YESTERDAY, 21).start, None)) is None
    assert energy_alignment(dated([5] * 48), fixed(Slot(TODAY, 21).start, 5)) is None


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ([1, 4, 9, 16, 25] + [None] * 43, "00:30"),  # the newest value, with flow before it
        ([1, 4, 9, 25, 25] + [None] * 43, None),  # an idle site: a late entry would look the same
        ([1, None, 9, 16, 25] + [None] * 43, None),  # holes are this meter's habit
        ([25] + [None] * 47, None),
    ],
)
def test_an_empty_place_behind_the_newest_value_tells_the_alignment(
    counts: list[int | None], told: str | None
) -> None:
    instant = Slot(YESTERDAY, 1).start + len([one for one in counts if one is not None]) * HALF_HOUR
    if counts[1] is None and counts[2] is not None:
        instant += HALF_HOUR
    assert energy_alignment(dated(counts), fixed(instant, 25)) == told


def test_a_place_that_may_still_be_filled_tells_nothing() -> None:
    counts: list[int | None] = [1, 4, 9, 16, 25] + [None] * 43
    instant = Slot(YESTERDAY, 1).start + 5 * HALF_HOUR
    soon = instant + timedelta(minutes=1)
    history = DatedHistory(
        subject="energy_history", day=YESTERDAY, counts=tuple(counts), bracket=Bracket(soon, soon)
    )
    assert energy_alignment(history, fixed(instant, 25)) is None


@pytest.mark.parametrize("counts", [list(range(48)), [7] * 48])
def test_a_value_in_neither_place_is_a_conflict(counts: list[int | None]) -> None:
    told = energy_alignment(dated(counts), fixed(Slot(YESTERDAY, 21).start, 40_000))
    assert isinstance(told, Conflict)
    assert told.kind is ConflictKind.ALIGNMENT


def test_the_alignment_is_asked_with_a_half_hour() -> None:
    with pytest.raises(ValueError):
        energy_alignment(dated([1] * 48), fixed(Slot(YESTERDAY, 21).start + timedelta(seconds=1), 1))


def align_demand(
    demand: DatedHistory, energy: DatedHistory, first: EnergyFirst, scale: Scale = DEMAND
) -> DemandStamp | Conflict | None:
    return demand_alignment(
        demand, energy, energy_first=first, energy_digits=6, energy_scale=ENERGY, demand_scale=scale
    )


@given(flows, alignments, st.sets(st.integers(0, 47)))
def test_the_demand_alignment_is_told_by_the_energies_and_never_wrongly(
    flow: list[int], alignment: tuple[EnergyFirst, DemandStamp], missing: set[int]
) -> None:
    first, stamp = alignment
    _, energy, demand = simulate(flow, first, stamp, start=999_000)
    counts = tuple(None if n in missing else count for n, count in enumerate(demand.counts))
    holed = DatedHistory(subject="demand_history", day=YESTERDAY, counts=counts, bracket=BRACKET)
    assert align_demand(holed, energy, first) in (stamp, None)


@given(flows, alignments)
def test_a_lively_load_tells_the_demand_alignment(
    flow: list[int], alignment: tuple[EnergyFirst, DemandStamp]
) -> None:
    first, stamp = alignment
    assume(abs(flow[20] - flow[21]) > 10)
    _, energy, demand = simulate(flow, first, stamp)
    assert align_demand(demand, energy, first) == stamp


def test_a_demand_that_fits_neither_way_is_a_conflict() -> None:
    _, energy, demand = simulate(list(range(0, 500, 10)), "00:00", "end")
    tripled = dated([None if count is None else 3 * count for count in demand.counts])
    told = align_demand(tripled, energy, "00:00")
    assert isinstance(told, Conflict)
    assert told.kind is ConflictKind.ALIGNMENT


def test_an_unscaled_or_empty_history_tells_nothing() -> None:
    _, energy, demand = simulate(list(range(0, 500, 10)), "00:00", "end")
    assert align_demand(demand, energy, "00:00", Scale(0, Decimal(1), Decimal(1))) is None
    assert align_demand(dated([None] * 48), energy, "00:00") is None
    with pytest.raises(ValueError):
        align_demand(dated([1] * 48, TODAY), energy, "00:00")
