"""How the program is: ``/metrics`` for Prometheus, and the answer of ``/healthz`` for supervisors.

Names follow Prometheus' conventions: base units (seconds, bytes, joules), counters end in ``_total``. Meters
are named by their ids; supply-point numbers, serial numbers and addresses stand nowhere.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from typing import Final, Protocol

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from koatsu.clock import JST
from koatsu.ems.live import LinkState
from koatsu.ems.vitals import Health, MeterVitals, Vitals
from koatsu.errors import KoatsuError
from koatsu.people import Right
from koatsu.web.access import needs

__all__ = ["SiteCollector", "VitalsReader", "health_answer", "metrics_router", "site_registry"]

JOULES_PER_KWH: Final = 3_600_000

_METER: Final = ("site", "meter")
_DIRECTION: Final = ("site", "meter", "direction")


class VitalsReader(Protocol):
    """Who can tell how the program is."""

    def health(self) -> Health:
        """Whether all is well; cheap, and never an error."""
        ...

    def vitals(self) -> Vitals:
        """Everything that is measured.

        Raises:
            StoreError: the store cannot be read.
        """
        ...


def health_answer(health: Health, *, whole: bool) -> JSONResponse:
    """The answer of ``/healthz``: 503 when the program cannot do its own work, 200 otherwise.

    ``whole`` tells of each meter too, which is not for everybody's eyes.
    """
    told: dict[str, object] = {
        "status": "ok" if health.well else "degraded",
        "reasons": [
            {"code": reason.code, "meter": reason.meter_id if whole else None} for reason in health.reasons
        ],
    }
    if whole:
        told["now"] = health.at.astimezone(JST).isoformat()
        told["meters"] = {meter: str(link) for meter, link in health.links.items()}
    return JSONResponse(told, status_code=200 if health.working else 503)


def metrics_router(registry: CollectorRegistry) -> APIRouter:
    """The route ``/metrics``."""
    router = APIRouter(include_in_schema=False)

    @router.get("/metrics", dependencies=[needs(Right.VIEW)])
    def metrics() -> Response:
        return Response(generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return router


def site_registry(reader: VitalsReader, *further: Callable[[CollectorRegistry], object]) -> CollectorRegistry:
    """A registry of our own with the site's metrics; ``further`` add collectors to it."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(SiteCollector(reader))
    for add in further:
        add(registry)
    return registry


class SiteCollector(Collector):
    """The metrics of the program and its meters, read anew at each scrape."""

    def __init__(self, reader: VitalsReader) -> None:
        self._reader = reader

    def collect(self) -> Iterator[Metric]:
        """Every metric family; while the store cannot be read, those that need no store."""
        yield InfoMetricFamily(
            "koatsu_build",
            "Version of Koatsu and of Python.",
            value={"version": version("koatsu"), "python": platform.python_version()},
        )
        try:
            found = self._reader.vitals()
        except KoatsuError:
            yield from _health(self._reader.health())
            return
        yield from _health(found.health)
        yield from _store(found)
        yield from _links(found.meters, found)
        yield from _counts(found.meters)
        yield from _energies(found.meters)


def _health(health: Health) -> Iterator[Metric]:
    yield GaugeMetricFamily("koatsu_healthy", "1 while nothing is wrong.", value=float(health.well))
    reasons = GaugeMetricFamily(
        "koatsu_trouble", "1 for each reason not to be well.", labels=("reason", "meter")
    )
    for code, meter in sorted({(reason.code, reason.meter_id or "") for reason in health.reasons}):
        reasons.add_metric((code, meter), 1.0)
    yield reasons
    store = any(reason.code.startswith("store_") for reason in health.reasons)
    yield GaugeMetricFamily("koatsu_store_trouble", "1 while the store takes nothing.", value=float(store))


def _store(found: Vitals) -> Iterator[Metric]:
    if found.store.size is not None:
        yield GaugeMetricFamily(
            "koatsu_store_size_bytes", "Size of the store's files.", value=float(found.store.size)
        )
    if found.store.free is not None:
        yield GaugeMetricFamily(
            "koatsu_store_free_bytes", "Free space on the store's disk.", value=float(found.store.free)
        )


def _links(meters: Sequence[MeterVitals], found: Vitals) -> Iterator[Metric]:
    up = GaugeMetricFamily("koatsu_meter_up", "1 while the meter answers as expected.", labels=_METER)
    state = GaugeMetricFamily(
        "koatsu_meter_link_state", "1 for the state that the link is in.", labels=(*_METER, "state")
    )
    age = GaugeMetricFamily("koatsu_meter_answer_age_seconds", "Time since the last answer.", labels=_METER)
    took = GaugeMetricFamily(
        "koatsu_meter_answer_duration_seconds", "How long the last answer took.", labels=_METER
    )
    offset = GaugeMetricFamily(
        "koatsu_meter_clock_offset_seconds", "The meter's clock minus ours.", labels=_METER
    )
    for meter in meters:
        name, live = (meter.site_id, meter.meter_id), meter.live
        up.add_metric(name, float(meter.link is LinkState.LIVE))
        for one in LinkState:
            state.add_metric((*name, str(one)), float(meter.link is one))
        if live.last_received is not None:
            age.add_metric(name, (found.health.at - live.last_received).total_seconds())
        if live.answer is not None:
            took.add_metric(name, live.answer.total_seconds())
        if live.clock_offset is not None:
            offset.add_metric(name, live.clock_offset.total_seconds())
    yield from (up, state, age, took, offset)


def _counts(meters: Sequence[MeterVitals]) -> Iterator[Metric]:
    exchanges = CounterMetricFamily("koatsu_meter_exchanges", "Questions that came to an end.", labels=_METER)
    failures = CounterMetricFamily("koatsu_meter_failures", "Questions nobody answered.", labels=_METER)
    refused = CounterMetricFamily("koatsu_meter_refused", "Answers without anything usable.", labels=_METER)
    days = CounterMetricFamily(
        "koatsu_meter_recovered_days", "Days of history read with data in them.", labels=_METER
    )
    conflicts = GaugeMetricFamily(
        "koatsu_meter_open_conflicts", "Instants with two values that nobody has settled.", labels=_METER
    )
    for meter in meters:
        name, counted = (meter.site_id, meter.meter_id), meter.counted
        exchanges.add_metric(name, counted.exchanges)
        failures.add_metric(name, counted.failures)
        refused.add_metric(name, counted.refused)
        days.add_metric(name, counted.recovered_days)
        conflicts.add_metric(name, meter.conflicts)
    yield from (exchanges, failures, refused, days, conflicts)


def _energies(meters: Sequence[MeterVitals]) -> Iterator[Metric]:
    missing = GaugeMetricFamily(
        "koatsu_meter_missing_slots",
        "Slots without a value among the last 48 closed ones.",
        labels=_DIRECTION,
    )
    register = GaugeMetricFamily(
        "koatsu_meter_register_counts",
        "The energy register as the meter counts, with what one count is worth.",
        labels=(*_DIRECTION, "kwh_per_count"),
    )
    energy = CounterMetricFamily(
        "koatsu_meter_energy_joules",
        "The energy register in joules (3600000 to the kWh); it wraps where the meter's does.",
        labels=_DIRECTION,
    )
    for meter in meters:
        for one in meter.directions:
            name = meter.site_id, meter.meter_id, "reverse" if one.channel.reverse else "normal"
            missing.add_metric(name, one.missing)
            if one.count is None:
                continue
            scale = "" if one.scale_kwh is None else format(one.scale_kwh, "f")
            register.add_metric((*name, scale), one.count)
            if one.scale_kwh is not None:
                energy.add_metric(name, float(one.count * one.scale_kwh * JOULES_PER_KWH))
    yield from (missing, register, energy)
