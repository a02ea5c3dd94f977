"""Load shapes: pure, plausible, and different by day kind."""

from __future__ import annotations

from datetime import date, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koatsu.clock import JST
from koatsu.emulator.calendar import DayKind, Pause, date_of, day_kind, jst_minute
from koatsu.emulator.loads import NetLoad, PartLoad, SiteLoad, SolarGeneration, StandingLoad, SwitchedLoad
from koatsu.emulator.noise import smooth, stream_key, unit
from koatsu.emulator.profile import load_profile, site_kinds
from koatsu.errors import UsageError

KINDS = ("factory", "office", "school", "supermarket")
MINUTES = st.integers(
    jst_minute(datetime(2020, 1, 1, tzinfo=JST)), jst_minute(datetime(2040, 1, 1, tzinfo=JST))
)


def slots(load: SiteLoad, day: str) -> list[float]:
    first = jst_minute(datetime.fromisoformat(f"{day}T00:00+09:00"))
    kw = [load.power(first + minute)[0] for minute in range(1440)]
    return [sum(kw[at : at + 30]) / 30 for at in range(0, 1440, 30)]


@given(seed=st.integers(), index=st.integers())
def test_noise_is_a_share(seed: int, index: int) -> None:
    assert 0 <= unit(stream_key(seed, "x"), index) < 1
    assert -1 <= smooth(stream_key(seed, "x"), index, 7) < 1


def test_smooth_noise_is_continuous() -> None:
    key = stream_key(1, "wave")
    values = [smooth(key, position, 20) for position in range(-100, 1000)]
    assert max(abs(a - b) for a, b in pairwise(values)) <= 2 / 20


def test_the_profiles_that_come_along() -> None:
    assert site_kinds() == KINDS
    with pytest.raises(UsageError, match="no site profile 'castle'") as caught:
        load_profile("castle")
    assert caught.value.hint == "Known: factory, office, school, supermarket."


@pytest.mark.parametrize("kind", KINDS)
def test_a_load_does_not_depend_on_the_order_of_questions(kind: str) -> None:
    first = jst_minute(datetime(2026, 7, 15, 8, 0, tzinfo=JST))
    forward = [SiteLoad(kind, 3).power(first + step) for step in range(120)]
    load = SiteLoad(kind, 3)
    backward = [load.power(first + step) for step in reversed(range(120))]
    assert forward == backward[::-1]
    assert forward != [SiteLoad(kind, 4).power(first + step) for step in range(120)]


@pytest.mark.parametrize("kind", KINDS)
@given(minute=MINUTES)
def test_power_is_positive_and_lags_as_loads_do(kind: str, minute: int) -> None:
    kw, kvar = SiteLoad(kind, 1).power(minute)
    assert kw > 0
    assert 0.88 < kw / (kw * kw + kvar * kvar) ** 0.5 < 1


def test_a_factory_looks_like_one() -> None:
    load = SiteLoad("factory", 28)
    hot, saturday, sunday = (slots(load, day) for day in ("2026-07-22", "2026-07-25", "2026-07-26"))
    assert 300 < max(hot) < 450
    assert min(hot) < 80
    assert hot[24] < 0.75 * hot[22], "the dip at lunch"
    assert 0.35 < max(saturday) / max(hot) < 0.65
    assert max(sunday) < 0.2 * max(hot)
    assert max(slots(load, "2026-08-13")) < 0.2 * max(hot), "closed for the Bon festival"


def test_cooling_makes_the_summer_peak() -> None:
    load = SiteLoad("office", 7)
    assert max(slots(load, "2026-08-05")) > 1.15 * max(slots(load, "2026-10-14"))


def test_a_supermarket_never_sleeps_and_a_school_pauses() -> None:
    shop, school = SiteLoad("supermarket", 1), SiteLoad("school", 1)
    assert min(slots(shop, "2026-02-04")) > 0.3 * max(slots(shop, "2026-02-04"))
    assert max(slots(school, "2026-08-12")) < 0.5 * max(slots(school, "2026-07-15"))


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        (date(2026, 7, 22), DayKind.WORKDAY),
        (date(2026, 7, 25), DayKind.SATURDAY),
        (date(2026, 7, 26), DayKind.HOLIDAY),
        (date(2026, 7, 20), DayKind.HOLIDAY),  # Marine Day, a Monday
        (date(2027, 3, 22), DayKind.HOLIDAY),  # the day after an equinox on a Sunday
        (date(2026, 12, 31), DayKind.PAUSE),
        (date(2027, 1, 2), DayKind.PAUSE),
    ],
)
def test_day_kinds(day: date, kind: DayKind) -> None:
    assert day_kind(day, (Pause(first=(12, 29), last=(1, 3)),)) is kind


def test_jst_minutes_follow_the_wall_clock() -> None:
    minute = jst_minute(datetime.fromisoformat("2026-07-14T15:00:59+00:00"))
    assert minute % 1440 == 0
    assert date_of(minute) == date(2026, 7, 15)
    with pytest.raises(ValueError, match="without zone"):
        jst_minute(datetime.fromisoformat("2026-07-15T00:00"))


def test_the_sun_shines_by_day() -> None:
    load = SiteLoad("factory", 28)
    solar = SolarGeneration(100, load.weather)
    first = jst_minute(datetime(2026, 5, 20, tzinfo=JST))
    day = [solar.generation_kw(first + minute) for minute in range(1440)]
    assert max(day[: 4 * 60] + day[20 * 60 :]) == 0
    assert 20 < max(day) <= 100
    net = NetLoad(load, SolarGeneration(2000, load.weather))
    assert min(net.power(first + minute)[0] for minute in range(600, 840)) < 0


def test_derived_loads() -> None:
    site = StandingLoad(5, 100)
    assert PartLoad(site, 0.25).power(1000) == tuple(part / 4 for part in site.power(1000))
    switched = SwitchedLoad(site)
    assert switched.power(7) == site.power(7)
    switched.override_kw = 120.0
    assert switched.power(7) == pytest.approx((120.0, 39.6))
