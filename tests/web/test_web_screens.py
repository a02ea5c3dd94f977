"""Which models a screen reads again, and what its figures are made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from web_site import BUY, GAP_DAY, NOW, SELL, FixtureSite, day_view, event, now_view, recovery, scenario

from koatsu.ems.live import RecoveryState
from koatsu.ems.view_models import DayFill, DayView, NowView, RecoveryView, SiteView, SlotState
from koatsu.web.charts import day_chart
from koatsu.web.months import meter_calendar
from koatsu.web.screens import Changes, DayScreen, DaysScreen, NowScreen
from koatsu.web.screens.part import with_open_slot
from koatsu.web.screens.wording import event_words, recovery_words, tally, tally_text
from koatsu.web.texts import texts

JA, EN = texts("ja"), texts("en")
NB = "\N{NO-BREAK SPACE}"


class CountedSite(FixtureSite):
    """A fixture that notes what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: Counter[str] = Counter()

    def site(self) -> SiteView:
        self.asked["site"] += 1
        return super().site()

    def now(self, meter_id: str) -> NowView:
        self.asked[f"now {meter_id}"] += 1
        return super().now(meter_id)

    def day(self, meter_id: str, day: date) -> DayView:
        self.asked[f"day {meter_id}"] += 1
        return super().day(meter_id, day)

    def recovery(self) -> Sequence[RecoveryView]:
        self.asked["recovery"] += 1
        return super().recovery()


def changes(*pairs: tuple[str, str | None]) -> Changes:
    return frozenset(pairs)


def test_a_sample_reads_one_meter_again() -> None:
    site = CountedSite()
    screen = NowScreen(site, JA, {})
    site.asked.clear()
    screen.load(changes(("sample", "sell"), ("tick", None)))
    assert site.asked == {"now sell": 1}
    site.asked.clear()
    screen.load(changes(("recovery", "buy"), ("event", "buy")))
    assert site.asked == {"recovery": 1}
    site.asked.clear()
    screen.load(changes(("epoch", None)))
    assert site.asked == {"site": 1, "now buy": 1, "now sell": 1, "recovery": 1}


def test_a_day_reads_only_its_own_meter() -> None:
    site = CountedSite()
    screen = DayScreen(site, JA, {}, BUY, GAP_DAY)
    site.asked.clear()
    screen.load(changes(("sample", "sell"), ("recovery", "buy")))
    assert not site.asked
    assert [part.key for part in screen.parts(changes(("sample", "sell"), ("tick", None)))] == ["clock"]
    screen.load(changes(("slot", "buy")))
    assert site.asked == {"day buy": 1}
    assert len(list(screen.parts(changes(("slot", "buy"))))) == 4 + 2 * 48


def test_the_calendar_is_not_read_for_every_sample() -> None:
    site = CountedSite()
    screen = DaysScreen(site, JA)
    site.asked.clear()
    screen.load(changes(("sample", "buy")))
    assert not site.asked


def test_the_open_slot_shows_what_it_has_come_to() -> None:
    now = now_view(BUY)
    bare = replace(
        now.today,
        slots=tuple(
            replace(slot, demand_kw=None, energy_kwh=None) if slot.state is SlotState.OPEN else slot
            for slot in now.today.slots
        ),
    )
    filled = with_open_slot(bare, now).slots[26]
    assert (filled.energy_kwh, filled.demand_kw) == (now.energy_kwh, now.demand_kw)
    assert with_open_slot(bare, replace(now, energy_kwh=None)) == bare
    other_day = day_view(BUY, GAP_DAY)
    assert with_open_slot(other_day, now) == other_day


def test_a_tally_leaves_out_what_has_not_closed() -> None:
    site, _ = scenario("normal")
    assert tally(site.views["buy"].today) == {"closed": 26, "have": 26, "recovered": 3}
    assert tally_text(site.views["buy"].today, JA) == "計測 23 · 回収 3"
    assert tally(site.day("buy", GAP_DAY)) == {"closed": 48, "have": 41, "recovered": 4}


# --- words ----------------------------------------------------------------------------------------------


def site_of(*meters: str) -> SiteView:
    return SiteView(name="x", meters=tuple(head for head in (BUY, SELL) if head.id in meters), days={})


def test_events_name_their_meter_where_there_are_several() -> None:
    happened = event(1, timedelta(minutes=5), "silent")
    assert event_words(happened, site_of("buy"), NOW, JA)["sentence"] == "計量器が応答しません。"
    assert event_words(happened, site_of("buy", "sell"), NOW, JA)["sentence"].startswith("東工場 受電: ")


def test_event_values_are_written_for_people() -> None:
    clash = event(
        1, timedelta(), "conflict", name="energy", at="2026-07-03T00:30:00+00:00", kept=8301112, other=8301118
    )
    sentence = event_words(clash, site_of("buy"), NOW, JA)["sentence"]
    assert sentence == (
        "7月3日(金) 09:30 の値が 2 つあります(8,301,112 と 8,301,118)。"
        "両方を残し、確認されるまでどちらも使いません。"
    )
    error = event(1, timedelta(), "unsound_answer", ja="短すぎます。", en="It is too short.")
    assert event_words(error, site_of("buy"), NOW, JA)["sentence"].endswith("短すぎます。")
    assert event_words(error, site_of("buy"), NOW, EN)["sentence"].endswith("It is too short.")


def test_an_event_of_another_day_says_its_day() -> None:
    old = event(1, timedelta(days=2), "back")
    assert event_words(old, site_of("buy"), NOW, JA)["when"] == "7月13日(月) 13:17"


def test_recovery_in_words() -> None:
    def sentence(view: RecoveryView) -> str:
        found = recovery_words(view, site_of("buy"), NOW, JA)["sentence"]
        assert isinstance(found, str)
        return found.replace(NB, " ")

    running = recovery("buy", RecoveryState.RUNNING, 37, day=date(2026, 6, 8), eta_s=190)
    assert sentence(running) == "2026年6月8日(月) を読んでいます · あと約 3 分 10 秒(13:20 ごろ)"
    assert sentence(recovery("buy")) == "計量器に残る 99 日前まで、すべて確かめました。"
    assert sentence(recovery("buy", horizon=None)) == "計量器に残る日は、すべて確かめました。"
    assert "休んでいます" in sentence(recovery("buy", RecoveryState.PAUSED, 3))
    assert "待っている日はありません" in sentence(recovery("buy", RecoveryState.IDLE, 0))


# --- the calendar ---------------------------------------------------------------------------------------


@given(st.sets(st.integers(0, 400), min_size=1, max_size=60), st.integers(0, 48), st.integers(0, 48))
def test_every_day_on_file_has_one_cell(backs: set[int], known: int, closed: int) -> None:
    known = min(known, closed)
    fills = [
        DayFill(day=NOW.date() - timedelta(days=back), known=known, closed=closed) for back in sorted(backs)
    ]
    found = meter_calendar(replace(site_of("buy"), days={"buy": tuple(fills)}), BUY, JA)
    cells = [cell for month in found.months for week in month.weeks for cell in week if cell]
    assert sorted(cell.day for cell in cells) == sorted(fill.day for fill in fills)
    assert found.total == len(fills)
    assert found.complete == (len(fills) if closed and known == closed else 0)
    assert {cell.state for cell in cells} == {
        "complete" if closed and known == closed else "part" if known else "none"
    }
    assert all(len(week) == 7 for month in found.months for week in month.weeks)


def test_weeks_begin_on_monday() -> None:
    fills = (DayFill(day=date(2026, 7, 13), known=48, closed=48),)
    found = meter_calendar(replace(site_of("buy"), days={"buy": fills}), BUY, EN)
    assert found.months[0].title == "July 2026"
    first = found.months[0].weeks[0][0]
    assert first is not None
    assert first.text == "Mon 13 July: 48 / 48 slots, complete"


def test_a_quiet_sold_day_has_a_scale_and_no_greatest() -> None:
    view = day_view(SELL, NOW.date())
    still = replace(
        view,
        slots=tuple(
            replace(slot, demand_kw=Decimal(0), energy_kwh=Decimal(0)) if slot.counts is not None else slot
            for slot in view.slots
        ),
    )
    still = replace(still, max_slot=still.slots[0])
    assert "greatest" not in day_chart(still, JA)
    assert ">80</text>" in day_chart(still, JA, at_least=Decimal(80))
