"""The drawings: what must hold for any day and any growth, and how gaps, limits and sold energy look."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from web_site import BUY, GAP_DAY, NOW, SELL, day_view, now_view, scenario

from koatsu.ems.view_models import DayView, GrowthPoint, NowView, SlotState, SlotView
from koatsu.meter.slots import Slot, slots_of_day
from koatsu.web import Limits
from koatsu.web.charts import bar_value, day_chart, day_legend, hatches, open_slot_chart
from koatsu.web.charts.axis import Axis
from koatsu.web.charts.open_slot import staircases
from koatsu.web.charts.svg import pct, tag
from koatsu.web.texts import texts

T = texts("ja")
DAY = date(2026, 7, 1)
LIMITS = Limits(target_kw=Decimal(330), contract_kw=Decimal(345))

kilowatts = st.one_of(
    st.just(Decimal(0)), st.decimals(min_value=0, max_value=10**7, places=3, allow_nan=False)
)


@st.composite
def slot_views(draw: st.DrawFn, slot: Slot) -> SlotView:
    state = draw(st.sampled_from(SlotState))
    demand = draw(st.none() | kilowatts)
    energy = draw(st.none() | kilowatts)
    counts = draw(st.none() | st.integers(0, 10**8))
    return SlotView(slot=slot, state=state, demand_kw=demand, energy_kwh=energy, counts=counts)


@st.composite
def days(draw: st.DrawFn) -> DayView:
    slots = tuple(draw(slot_views(slot)) for slot in slots_of_day(DAY))
    known = [slot for slot in slots if slot.demand_kw is not None]
    meter = replace(draw(st.sampled_from([BUY, SELL])), label=draw(st.text(max_size=12)))
    return replace(
        day_view(meter, DAY, NOW),
        slots=slots,
        max_slot=draw(st.none() | st.sampled_from(known)) if known else None,
        unscaled=draw(st.booleans()),
    )


def elements(markup: str) -> ET.Element:
    """The drawing as a tree: it must be well-formed, and hold neither NaN nor infinity."""
    drawn = re.sub(r'<title>.*?</title>|aria-label="[^"]*"', "", markup)
    assert not re.search(r"\bnan\b|\binf", drawn, re.IGNORECASE)
    allowed = "".join(letter for letter in markup if letter in "\t\n\r" or letter >= " ")
    return ET.fromstring(allowed.replace("￾", "").replace("￿", ""))  # XML knows no such letters


def with_class(tree: ET.Element, *classes: str) -> Iterator[ET.Element]:
    for element in tree.iter():
        if set(classes) <= set(element.get("class", "").split()):
            yield element


def share(element: ET.Element, name: str) -> float:
    return float(element.get(name, "0").removesuffix("%"))


@given(days())
def test_any_day_is_48_columns_and_a_bar_for_each_value(view: DayView) -> None:
    tree = elements(day_chart(view, T))
    columns = list(with_class(tree, "column"))
    assert len(columns) == len(list(with_class(tree, "cell"))) == 48
    for slot, column in zip(view.slots, columns, strict=True):
        bars = list(with_class(column, "bar"))
        assert len(bars) == (bar_value(slot, unscaled=view.unscaled) is not None)
        grounds = list(with_class(column, "ground"))
        assert len(grounds) == (slot.state in (SlotState.MISSING, SlotState.UNAVAILABLE))
        title = column.find("title")
        assert title is not None
        assert title.text
        assert title.text.startswith(slot.slot.label)
        for bar in bars:
            assert slot.state in bar.get("class", "")
            assert 0 <= share(bar, "y") <= 100
            assert 0 <= share(bar, "height") <= 100.01 - share(bar, "y")


@given(days())
def test_bars_are_as_high_as_their_values(view: DayView) -> None:
    columns = list(with_class(elements(day_chart(view, T)), "column"))
    drawn = [
        (float(value), share(next(with_class(column, "bar")), "height"))
        for slot, column in zip(view.slots, columns, strict=True)
        if (value := bar_value(slot, unscaled=view.unscaled)) is not None
    ]
    heights = [height for _, height in sorted(drawn)]
    assert heights == sorted(heights)


def test_a_slot_without_value_has_no_bar_and_no_zero() -> None:
    site, _ = scenario("normal")
    tree = elements(day_chart(site.day("buy", GAP_DAY), T))
    column = list(with_class(tree, "column"))[43]
    assert not list(with_class(column, "bar"))
    title = column.find("title")
    assert title is not None
    assert title.text == "21:30–22:00 欠測"


def test_every_state_has_its_own_fill() -> None:
    site, _ = scenario("normal")
    view = site.day("buy", GAP_DAY)
    assert set(day_legend(view)) == set(SlotState) - {SlotState.OPEN, SlotState.FUTURE}
    patterns = {element.get("id") for element in elements(hatches()).iter("pattern")}
    hatched = ("recovered", "corrected", "missing", "unavailable", "conflict")
    assert patterns == {f"hatch-{name}" for name in hatched}


def test_sold_energy_hangs_below_the_axis_and_knows_no_limits() -> None:
    tree = elements(day_chart(day_view(SELL, NOW.date()), T, limits=LIMITS))
    assert "sold" in tree.get("class", "")
    assert {share(bar, "y") for bar in with_class(tree, "bar")} == {0.0}
    assert not list(with_class(tree, "limit"))
    assert [share(line, "y1") for line in with_class(tree, "zero")] == [0.0]


def test_bought_energy_stands_on_the_axis() -> None:
    tree = elements(day_chart(day_view(BUY, NOW.date()), T, limits=LIMITS))
    for bar in with_class(tree, "bar"):
        assert share(bar, "y") + share(bar, "height") == pytest.approx(100, abs=0.02)
    assert len(list(with_class(tree, "limit"))) == 2


def test_links_of_bars_are_no_stops_of_the_keyboard() -> None:
    markup = day_chart(day_view(BUY, DAY), T, link=lambda slot: f"#slot-{slot.number}")
    links = list(elements(markup).iter("a"))
    assert [link.get("href") for link in links] == [f"#slot-{number}" for number in range(1, 49)]
    assert {link.get("tabindex") for link in links} == {"-1"}


def test_text_is_escaped() -> None:
    markup = day_chart(day_view(replace(BUY, label='"><script>x</script>'), DAY), T)
    assert "<script" not in markup
    assert "<b>" not in tag("text", "<b>", x='"><b>')


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Decimal("NaN")])
def test_a_place_that_is_no_number_is_an_error(value: float | Decimal) -> None:
    with pytest.raises(ValueError, match="finite"):
        tag("rect", x=value)
    with pytest.raises(ValueError, match="finite"):
        pct(value)


# --- the axis -------------------------------------------------------------------------------------------


@given(st.lists(st.floats(min_value=0, max_value=1e9), max_size=8), st.booleans())
def test_axis_begins_at_zero_and_holds_every_value(values: list[float], down: bool) -> None:
    axis = Axis.over(*values, down=down)
    ticks = axis.ticks()
    assert ticks[0] == 0
    assert all(value <= axis.top for value in values)
    assert 1 <= len(ticks) <= 8
    labels = [axis.label(tick) for tick in ticks]
    assert len(set(labels)) == len(labels)
    assert axis.y(0) == (0 if down else 1)


# --- the open half hour ---------------------------------------------------------------------------------


@given(
    st.lists(st.tuples(st.integers(0, 1800), kilowatts), max_size=30, unique_by=lambda point: point[0]),
    st.none() | kilowatts,
    st.none() | st.just(Decimal("1.2")),
)
def test_any_growth_can_be_drawn(
    found: list[tuple[int, Decimal]], line: Decimal | None, step: Decimal | None
) -> None:
    view = now_view(BUY)
    growth = tuple(
        GrowthPoint(instant=view.slot.start + timedelta(seconds=second), energy_kwh=energy)
        for second, energy in sorted(found)
    )
    grown = replace(view, growth=growth, straight_line_kw=line, resolution_kwh=step)
    tree = elements(open_slot_chart(grown, T, limits=LIMITS))
    assert bool(list(with_class(tree, "curve"))) == bool(growth)
    for circle in tree.iter("circle"):
        assert 0 <= share(circle, "cx") <= 100
        assert 0 <= share(circle, "cy") <= 100


def at(seconds: int) -> timedelta:
    return timedelta(seconds=seconds)


def test_demand_is_drawn_in_steps() -> None:
    start = NOW
    points = [(start, Decimal(0)), (start + at(10), Decimal(2)), (start + at(20), Decimal(5))]
    assert staircases(points) == [
        [
            (start, Decimal(0)),
            (start + at(10), Decimal(0)),
            (start + at(10), Decimal(2)),
            (start + at(20), Decimal(2)),
            (start + at(20), Decimal(5)),
        ]
    ]


def test_a_silence_is_a_gap_with_a_hatch() -> None:
    view = now_view(BUY)
    heard = tuple(point for point in view.growth if not at(300) < point.instant - view.slot.start < at(700))
    tree = elements(open_slot_chart(replace(view, growth=heard), T))
    assert len(list(with_class(tree, "curve"))) == 2
    assert len(list(with_class(tree, "ground", "missing"))) == 1
    assert len(list(with_class(elements(open_slot_chart(view, T)), "ground"))) == 0


def test_the_present_is_not_drawn_on_through_a_silence() -> None:
    points = [(NOW, Decimal(0)), (NOW + at(10), Decimal(2))]
    assert staircases(points, until=NOW + at(30))[0][-1] == (NOW + at(30), Decimal(2))
    assert staircases(points, until=NOW + at(600))[0][-1] == (NOW + at(10), Decimal(2))


def labels(view: NowView) -> list[str]:
    tree = elements(open_slot_chart(view, T))
    return [element.text or "" for element in with_class(tree, "label")]


def test_curve_carries_its_values() -> None:
    view = now_view(BUY)
    assert f"ここまで {view.demand_kw}\N{NO-BREAK SPACE}kW" in labels(view)
    assert "このままなら 383\N{NO-BREAK SPACE}kW" in labels(view)


def test_no_straight_line_is_drawn_in_the_first_moments() -> None:
    early = now_view(BUY, NOW.replace(minute=1, second=30))
    assert early.straight_line_kw is not None
    assert not any("このままなら" in label for label in labels(early))


def test_an_empty_slot_has_axes_and_no_curve() -> None:
    view = replace(now_view(BUY), growth=(), straight_line_kw=None, month_max_kw=None)
    tree = elements(open_slot_chart(view, T))
    assert not list(with_class(tree, "curve"))
    assert next(element.text for element in tree.iter("text")) == "0"
