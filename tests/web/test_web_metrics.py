"""`/metrics` as Prometheus' own parser reads it, named by its conventions; `/healthz`, true in trouble."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families
from web_site import Browser, FixtureSite

from koatsu.app.metrics import operation_router
from koatsu.clock import JST
from koatsu.ems.channels import Channel
from koatsu.ems.live import Counters, LinkState, LiveState, MeterLive
from koatsu.ems.store import Store, StoredMeter, StoreError, StoreErrorKind
from koatsu.ems.vitals import CounterVitals, Health, MeterVitals, Reason, StoreVitals, Vitals, health, vitals
from koatsu.meter.epochs import Nameplate
from koatsu.meter.readings import Reading, Source
from koatsu.meter.registers import Register
from koatsu.meter.scale import Scale
from koatsu.meter.slots import HALF_HOUR
from koatsu.web import create_app
from koatsu.web.metrics import JOULES_PER_KWH, site_registry

NOW = datetime(2026, 7, 15, 13, 17, 40, tzinfo=JST)

#: What promtool takes for units that are no base units.
NO_BASE = re.compile(
    r"(milli|micro|kilo|mega|giga)|minutes|hours|days_seconds|kwh|percent|bits", re.IGNORECASE
)


def direction(register: Register, count: int, scale: Decimal | None, missing: int) -> CounterVitals:
    return CounterVitals(
        channel=Channel("main", register), count=count, count_at=NOW, scale_kwh=scale, missing=missing
    )


def sample(**changes: object) -> Vitals:
    live = MeterLive(
        since=NOW - timedelta(hours=2),
        last_received=NOW - timedelta(seconds=12.5),
        answer=timedelta(milliseconds=840),
        clock_offset=timedelta(seconds=-3),
    )
    meter = MeterVitals(
        meter_id="main", site_id="works", role="buy", live=live, link=LinkState.LIVE,
        counted=Counters(exchanges=1234, failures=5, refused=1, recovered_days=99),
        directions=(
            direction(Register.ENERGY, 12_345_678, Decimal("1.2"), 3),
            direction(Register.ENERGY_REVERSE, 7, None, 0),
        ),
        conflicts=2,
    )  # fmt: skip
    silent = MeterVitals(
        meter_id="pv", site_id="works", role="sell", live=MeterLive(), link=LinkState.SILENT,
        counted=Counters(), directions=(), conflicts=0,
    )  # fmt: skip
    found = {
        "health": Health(at=NOW, reasons=(), links={"main": LinkState.LIVE}),
        "meters": (meter, silent),
        "store": StoreVitals(size=4096, free=10_000_000_000),
    }
    return Vitals(**(found | changes))  # type: ignore[arg-type] # built by name


class Reader:
    """Vitals as a test wants them."""

    def __init__(self, found: Vitals | StoreErrorKind) -> None:
        self.found = found

    def health(self) -> Health:
        if isinstance(self.found, Vitals):
            return self.found.health
        return Health(at=NOW, reasons=(Reason(code=f"store_{self.found}", ours=True),), links={})

    def vitals(self) -> Vitals:
        if isinstance(self.found, Vitals):
            return self.found
        raise StoreError(self.found, "koatsu.db")


def scraped(found: Vitals | StoreErrorKind) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    text = generate_latest(site_registry(Reader(found))).decode()
    return {
        (one.name, tuple(sorted(one.labels.items()))): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


MAIN = (("meter", "main"), ("site", "works"))


def test_prometheus_reads_what_is_said() -> None:
    seen = scraped(sample())
    assert seen["koatsu_meter_up", MAIN] == 1
    assert seen["koatsu_meter_up", (("meter", "pv"), ("site", "works"))] == 0
    assert seen["koatsu_meter_link_state", (("meter", "pv"), ("site", "works"), ("state", "silent"))] == 1
    assert seen["koatsu_meter_answer_age_seconds", MAIN] == 12.5
    assert seen["koatsu_meter_answer_duration_seconds", MAIN] == 0.84
    assert seen["koatsu_meter_clock_offset_seconds", MAIN] == -3
    assert seen["koatsu_meter_exchanges_total", MAIN] == 1234
    assert seen["koatsu_meter_failures_total", MAIN] == 5
    assert seen["koatsu_meter_recovered_days_total", MAIN] == 99
    assert seen["koatsu_meter_open_conflicts", MAIN] == 2
    normal = (("direction", "normal"), *MAIN)
    assert seen["koatsu_meter_missing_slots", normal] == 3
    assert seen["koatsu_meter_register_counts", (normal[0], ("kwh_per_count", "1.2"), *MAIN)] == 12_345_678
    assert seen["koatsu_meter_energy_joules_total", normal] == 12_345_678 * 4_320_000
    assert ("koatsu_meter_energy_joules_total", (("direction", "reverse"), *MAIN)) not in seen
    assert seen["koatsu_store_size_bytes", ()] == 4096
    assert seen["koatsu_healthy", ()] == 1
    assert any(name == "koatsu_build_info" for name, _ in seen)


@given(
    st.integers(0, 99_999_999), st.sampled_from(["1", "0.1", "0.01", "0.001", "0.0001"]), st.integers(1, 60)
)
def test_joules_are_the_register_to_the_last_count(count: int, unit: str, coefficient: int) -> None:
    """A float holds whole numbers up to 2^53, and one count is a whole number of joules."""
    scale = Decimal(unit) * coefficient
    exact = count * scale * JOULES_PER_KWH
    assert exact == exact.to_integral_value()
    assert exact >= 2**53 or Decimal(float(exact)) == exact


def test_names_follow_the_conventions() -> None:
    """What promtool check metrics looks for."""
    text = generate_latest(site_registry(Reader(sample()))).decode()
    families = list(text_string_to_metric_families(text))
    assert len(families) > 15
    assert len({family.name for family in families}) == len(families)
    for family in families:
        assert re.fullmatch(r"koatsu(_[a-z][a-z0-9]*)+", family.name), family.name
        assert family.documentation, family.name
        assert not NO_BASE.search(family.name), family.name
        for word in ("gauge", "counter", "metric"):
            assert word not in family.name.split("_")
        for one in family.samples:
            assert one.name.endswith("_total") == (family.type == "counter"), one.name
            assert not one.name.endswith(("_count", "_sum", "_bucket")), one.name
            for label in one.labels:
                assert re.fullmatch(r"[a-z][a-z0-9_]*", label)
                assert label not in family.name.split("_") or label in ("meter", "state"), (
                    family.name,
                    label,
                )


def test_the_strict_format_takes_them_too() -> None:
    text = generate_openmetrics(site_registry(Reader(sample()))).decode()
    assert list(parse_openmetrics(text))


@pytest.mark.parametrize("kind", [StoreErrorKind.FULL, StoreErrorKind.LOCKED])
def test_a_store_in_trouble_leaves_the_rest_to_be_read(kind: StoreErrorKind) -> None:
    seen = scraped(kind)
    assert seen["koatsu_store_trouble", ()] == 1
    assert seen["koatsu_healthy", ()] == 0
    assert seen["koatsu_trouble", (("meter", ""), ("reason", f"store_{kind}"))] == 1
    assert not any(name.startswith("koatsu_meter") for name, _ in seen)


def test_the_page_serves_them_with_the_process() -> None:
    app = create_app(FixtureSite(), extras=[operation_router(Reader(sample()))])
    answer = Browser(app).get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    names = {family.name for family in text_string_to_metric_families(answer.text)}
    assert {"process_resident_memory_bytes", "process_cpu_seconds", "koatsu_meter_up"} <= names


# --- from a real store ----------------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path: Any) -> Any:
    with Store.open(tmp_path / "koatsu.db") as one:
        yield one


def fill(store: Store, slots: int, *, until: datetime) -> None:
    """A meter of ten kWh a slot whose last ``slots`` half hours before ``until`` are known."""
    store.put_meter(
        StoredMeter(id="main", label="m", role="buy", class_code=0x028A, address="127.0.0.2", site="site"),
        at=until,
    )
    scale = Scale(10, Decimal(1), Decimal("0.1"))
    plate = Nameplate(
        class_code=0x028A,
        serial="A",
        energy_scale=scale,
        energy_digits=6,
        demand_scale=None,
        demand_digits=None,
    )
    store.open_epoch("main", plate, until - timedelta(days=9))
    store.record(
        "main", 1, [_reading(until - step * HALF_HOUR, 5000 - 10 * step) for step in range(slots + 1)]
    )


def _reading(at: datetime, count: int, source: Source = Source.FIXED) -> Reading:
    return Reading(
        register=Register.ENERGY, instant=at.astimezone(UTC), count=count, source=source, received=at
    )


BORDER = datetime(2026, 7, 15, 13, 0, tzinfo=JST)


@pytest.mark.parametrize(("slots", "missing"), [(48, 0), (60, 0), (10, 38)])
def test_missing_slots_are_those_of_the_last_day(store: Store, slots: int, missing: int) -> None:
    fill(store, slots, until=BORDER)
    found = vitals(store, LiveState(), NOW)
    [direction] = found.meters[0].directions
    assert direction.missing == missing
    assert direction.scale_kwh == Decimal("1.0")


def test_the_newest_count_and_what_nobody_has_settled(store: Store) -> None:
    fill(store, 48, until=BORDER)
    store.record("main", 1, [_reading(NOW, 5003, Source.LIVE)])
    store.record("main", 1, [_reading(BORDER, 4999), _reading(BORDER - HALF_HOUR, 1)])
    [meter] = vitals(store, LiveState(), NOW).meters
    assert (meter.directions[0].count, meter.directions[0].count_at) == (5003, NOW)
    assert meter.conflicts == 2
    store.correct(
        "main", Register.ENERGY, BORDER, 5000, reason="read at the meter", author="person:1", at=NOW
    )
    [meter] = vitals(store, LiveState(), NOW).meters
    assert meter.conflicts == 1


def test_size_and_space_are_those_of_the_disk(store: Store) -> None:
    found = vitals(store, LiveState(), NOW).store
    assert found.size is not None
    assert found.size > 4096
    assert found.free is not None


# --- health ---------------------------------------------------------------------------------------------


def codes(found: Health) -> list[tuple[str, str | None]]:
    return [(reason.code, reason.meter_id) for reason in found.reasons]


def test_a_silent_meter_is_told_and_is_not_our_fault(store: Store) -> None:
    fill(store, 1, until=BORDER)
    live = LiveState()
    live.started("main", NOW - timedelta(hours=2), poll=timedelta(seconds=60))
    live.answered("main", NOW - timedelta(hours=1))
    live.failed("main", NOW - timedelta(seconds=30))
    found = health(store, live, NOW)
    assert codes(found) == [("meter_silent", "main")]
    assert found.working
    assert not found.well


def test_a_collector_that_has_ended_is_our_fault(store: Store) -> None:
    """Nobody has asked for long: neither an answer nor a failure."""
    fill(store, 1, until=BORDER)
    live = LiveState()
    live.started("main", NOW - timedelta(hours=2), poll=timedelta(seconds=60))
    live.answered("main", NOW - timedelta(minutes=26))
    assert codes(health(store, live, NOW)) == [("collector_ended", "main")]
    assert not health(store, live, NOW).working
    live.failed("main", NOW - timedelta(minutes=24))
    assert health(store, live, NOW).working


def test_a_meter_just_waited_for_is_no_trouble(store: Store) -> None:
    fill(store, 1, until=BORDER)
    live = LiveState()
    live.started("main", NOW - timedelta(seconds=30), poll=timedelta(seconds=60))
    assert health(store, live, NOW).well


def test_trouble_of_the_store_is_named_by_its_kind(store: Store) -> None:
    live = LiveState()
    live.store_failed(StoreError(StoreErrorKind.FULL, "koatsu.db"), NOW)
    assert codes(health(store, live, NOW)) == [("store_full", None)]
    live.store_works()
    assert health(store, live, NOW).well
    store.close()
    assert codes(health(store, live, NOW)) == [("store_closed", None)]


def test_a_disk_that_fills_is_told_in_time(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("koatsu.ems.vitals.DISK_LOW", 10**18)
    found = health(store, LiveState(), NOW)
    assert codes(found) == [("disk_low", None)]
    assert found.working


@pytest.mark.parametrize(
    ("reasons", "status", "said"),
    [
        ((), 200, "ok"),
        ((Reason(code="meter_silent", ours=False, meter_id="main"),), 200, "degraded"),
        ((Reason(code="store_full", ours=True),), 503, "degraded"),
    ],
)
def test_the_status_says_whether_a_supervisor_can_help(
    reasons: tuple[Reason, ...], status: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = FixtureSite()
    told = Health(at=NOW, reasons=reasons, links={"main": LinkState.LIVE})
    monkeypatch.setattr(site, "health", lambda: told)
    answer = Browser(create_app(site)).get("/healthz")
    assert answer.status_code == status
    body = answer.json()
    assert body["status"] == said
    assert [reason["code"] for reason in body["reasons"]] == [reason.code for reason in reasons]
    assert body["meters"] == {"main": "live"}
