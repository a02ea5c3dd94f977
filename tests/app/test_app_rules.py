"""Small rules of the application layer: which error is told, instants and clocks as a person writes them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from koatsu.app.access import METER_CLASSES
from koatsu.app.addresses import check_family, local_address
from koatsu.app.causes import cause_of
from koatsu.app.emulating import exact
from koatsu.app.engineering import factor_of, shown
from koatsu.app.exploring import DiscoverRow
from koatsu.app.instants import clock_speed, parse_clock, start_instant
from koatsu.app.interfaces import own_addresses
from koatsu.app.setting_up import NothingFoundError, draft
from koatsu.clock import JST, ScaledClock, SystemClock
from koatsu.devices import Special, Value, device_class
from koatsu.errors import KoatsuError, UnreachableError, UsageError
from koatsu.node import Peer


def test_a_fault_of_the_program_is_told_before_an_error_with_a_sentence() -> None:
    told, fault = KoatsuError("told"), ZeroDivisionError()
    nested = BaseExceptionGroup("a", [BaseExceptionGroup("b", [told, KoatsuError("later")])])
    assert cause_of(nested) is told
    assert cause_of(BaseExceptionGroup("a", [told, BaseExceptionGroup("b", [fault])])) is fault


async def test_an_error_in_nested_task_groups_comes_out_alone() -> None:
    async def fail() -> None:
        async with asyncio.TaskGroup() as inner:
            inner.create_task(asyncio.Event().wait())
            raise KoatsuError("deep")

    with pytest.raises(BaseExceptionGroup) as caught:
        async with asyncio.TaskGroup() as outer:
            outer.create_task(fail())
    assert str(cause_of(caught.value)) == "deep"


def test_a_time_without_zone_is_japanese() -> None:
    assert start_instant(None) is None
    assert start_instant("2026-07-15T13:00") == datetime(2026, 7, 15, 13, tzinfo=JST)
    assert start_instant("2026-07-15T13:00Z") == datetime(2026, 7, 15, 13, tzinfo=UTC)
    assert start_instant("2026-07-15") == datetime(2026, 7, 15, tzinfo=JST)


@pytest.mark.parametrize("text", ["", "noon", "2026-13-01", "1999-12-31T23:59", "2100-01-01", "0001-01-01"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="date and time"):
        start_instant(text)


def test_a_clock_has_a_start_a_speed_or_both() -> None:
    assert isinstance(parse_clock(None), SystemClock)
    for text, speed in (("2026-07-15T08:00@60", 60), ("2026-07-15T08:00", 1)):
        clock = parse_clock(text)
        assert isinstance(clock, ScaledClock)
        assert clock.speed == speed
        since = clock.now() - datetime(2026, 7, 14, 23, tzinfo=UTC)
        assert timedelta(0) <= since < timedelta(hours=1)
    now = parse_clock("@10")
    assert isinstance(now, ScaledClock)
    assert now.speed == 10


@pytest.mark.parametrize("speed", [0.0, -1.0, 0.09, 3601.0, float("inf"), float("nan")])
def test_a_clock_that_cannot_run_is_refused(speed: float) -> None:
    with pytest.raises(UsageError) as caught:
        clock_speed(speed)
    assert "Allowed: 0.1 to 3600." in caught.value.text()


@pytest.mark.parametrize("text", ["big", "", "nan", "snan", "inf", "-Infinity"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a number"):
        exact(text)


def test_an_exact_number_stays_exact() -> None:
    assert exact(None) is None
    assert exact("0.0001") == Decimal("0.0001")


def test_the_route_chooses_our_address() -> None:
    assert local_address(Peer("127.0.0.9")) == "127.0.0.1"
    with pytest.raises(UnreachableError, match="no way to fe80::1%none0"):
        local_address(Peer("fe80::1", zone="none0"))


def test_both_ends_speak_the_same_version() -> None:
    check_family("127.0.0.1", [Peer("127.0.0.2"), Peer("192.0.2.1")])
    check_family("fe80::1%eth0", [Peer("fe80::2", zone="eth0")])
    for own, peer in (("127.0.0.1", Peer("::1")), ("::1", Peer("127.0.0.1"))):
        with pytest.raises(UsageError, match="one is IPv4, the other IPv6"):
            check_family(own, [peer])


def test_nothing_found_is_nothing_to_configure() -> None:
    with pytest.raises(NothingFoundError) as caught:
        draft([], lang="en")
    assert caught.value.exit_status == 3


@pytest.mark.parametrize("code", METER_CLASSES)
def test_every_scaled_value_of_every_class_is_exact_or_said_to_be_unscaled(code: int) -> None:
    device = device_class(code)
    statics: dict[str, Value] = {
        "coefficient": 999_999, "multiplier": Decimal("0.001"), "energy_unit": Decimal("0.0001"),
        "demand_unit": Decimal("0.0001"), "reactive_unit": Decimal("0.0001"),
        "cumulative_max_demand_unit": Decimal("0.0001"),
    }  # fmt: skip
    scaled = [row for row in device.properties if row.scale]
    assert scaled
    for row in scaled:
        factor = factor_of(row, device, statics)
        assert factor is not None
        for count in (1, 99_999_999):
            [told] = shown(row, device, count, statics)
            assert (told.value, told.unit, told.count) == (f"{count * factor:f}", row.unit, count)
        [nothing] = shown(row, device, Special.NO_DATA, statics)
        assert (nothing.value, nothing.count, nothing.note) == (None, None, "no_data")
        if "coefficient" in row.scale:
            [bare] = shown(row, device, 7, statics | {"coefficient": 0})
            assert (bare.value, bare.unit, bare.count, bare.note) == ("7", "", 7, "unscaled")


def test_a_meter_that_is_reached_in_two_ways_is_configured_once() -> None:
    def row(address: str, serial: str | None) -> DiscoverRow:
        return DiscoverRow(
            address=address, eoj="0x028A01", class_code=0x028A, instance=1, name_ja="", name_en="",
            maker="FFFFFF", serial=serial,
        )  # fmt: skip

    both = [row("192.0.2.10", "KB-1"), row("192.0.2.11", "KS-2"), row("fe80::1%eth0", "KB-1")]
    assert [str(one.address) for one in draft(both, lang="en").meters] == ["192.0.2.10", "192.0.2.11"]
    unnamed = [row("192.0.2.10", None), row("192.0.2.11", None)]
    assert len(draft(unnamed, lang="en").meters) == 2, "without a serial number two addresses are two meters"
    twins = [row("192.0.2.10", "A1"), row("192.0.2.11", "A1")]
    assert len(draft(twins, lang="en").meters) == 2, "two addresses of one family are two terminals"


def test_the_loopback_interface_is_searched_too() -> None:
    assert own_addresses("lo") == ["127.0.0.1"]
    assert "127.0.0.1" in own_addresses()
    with pytest.raises(UnreachableError, match="none0"):
        own_addresses("none0")
