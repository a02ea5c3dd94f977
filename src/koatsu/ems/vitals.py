"""How the program is: what supervisors and monitoring ask, from the store and the live state.

Health is cheap and never fails: it is asked for every few seconds, above all when something is wrong. Vitals
are what metrics are made of, asked for once or twice a minute.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Final

from koatsu.clock import Clock
from koatsu.ems.channels import Channel, channels
from koatsu.ems.correcting import contradictions
from koatsu.ems.live import Counters, LinkState, LiveState, MeterLive, link_state
from koatsu.ems.store import Store, StoredMeter, StoreError
from koatsu.errors import KoatsuError
from koatsu.meter.slots import HALF_HOUR, SLOTS_PER_DAY, Slot

__all__ = [
    "DISK_LOW",
    "CounterVitals",
    "Health",
    "MeterVitals",
    "Reason",
    "StoreVitals",
    "Vitals",
    "health",
    "vitals",
]

DISK_LOW: Final = 200 * 1024 * 1024  #: bytes free below which the disk is reported
_STALLED: Final = 25  # polls without a question or an answer: nobody asks any more
_LONGEST_WAIT: Final = timedelta(minutes=5)  # of one question, all tries together
_SLOT_S: Final = HALF_HOUR // timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why the program is not well.

    ``code`` is one of "store_…" (the kind of the store's trouble), "collector_ended", "disk_low" and
    "meter_silent". ``ours``: the program cannot do its work itself, whatever the meter does.
    """

    code: str
    ours: bool
    meter_id: str | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Whether all is well, and if not, why; ``links`` is how each meter answers."""

    at: datetime
    reasons: tuple[Reason, ...]
    links: dict[str, LinkState]

    @property
    def well(self) -> bool:
        """Whether nothing is wrong."""
        return not self.reasons

    @property
    def working(self) -> bool:
        """Whether the program does its own work: a silent meter is not its fault."""
        return not any(reason.ours for reason in self.reasons)


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterVitals:
    """The newest count of one direction of energy, and the last day's slots.

    ``scale_kwh`` is what one count is worth, ``missing`` how many of the last 48 closed slots have no value.
    """

    channel: Channel
    count: int | None
    count_at: datetime | None
    scale_kwh: Decimal | None
    missing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterVitals:
    """One meter. ``conflicts`` are instants with two values of which nobody has said yet which is right."""

    meter_id: str
    site_id: str
    role: str
    live: MeterLive
    link: LinkState
    counted: Counters
    directions: tuple[CounterVitals, ...]
    conflicts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreVitals:
    """The store: bytes of its files and bytes free beside them, ``None`` on a server."""

    size: int | None
    free: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """Everything at one moment."""

    health: Health
    meters: tuple[MeterVitals, ...]
    store: StoreVitals


def health(store: Store, live: LiveState, now: datetime, *, clock: Clock | None = None) -> Health:
    """How the program is. A store that cannot be read is a reason, not an error.

    With ``clock``, whether a collector has ended is told by real time, which no step of a clock changes.
    """
    reasons: list[Reason] = []
    links: dict[str, LinkState] = {}
    meters: tuple[StoredMeter, ...] = ()
    trouble: KoatsuError | None = live.trouble
    try:
        meters = store.meters()
    except StoreError as error:
        trouble = trouble or error
    if trouble is not None:
        kind = trouble.kind if isinstance(trouble, StoreError) else "other"
        reasons.append(Reason(code=f"store_{kind}", ours=True, since=live.trouble_since))
    free = _store_vitals(store).free
    if free is not None and free < DISK_LOW:
        reasons.append(Reason(code="disk_low", ours=False))
    for meter in meters:
        state = live.of(meter.id)
        links[meter.id] = link_state(state, now)
        if _stalled(state, now) if clock is None else _quiet(live, meter.id, clock):
            reasons.append(Reason(code="collector_ended", ours=True, meter_id=meter.id, since=_last(state)))
        elif links[meter.id] is LinkState.SILENT:
            reasons.append(
                Reason(code="meter_silent", ours=False, meter_id=meter.id, since=state.last_received)
            )
    return Health(at=now, reasons=tuple(reasons), links=links)


def vitals(store: Store, live: LiveState, now: datetime, *, clock: Clock | None = None) -> Vitals:
    """Everything that is measured of the program and its meters.

    Raises:
        StoreError: the store cannot be read.
    """
    directions: dict[str, list[CounterVitals]] = {}
    for channel in channels(store):
        directions.setdefault(channel.meter_id, []).append(_counter(store, channel, now))
    meters = tuple(
        MeterVitals(
            meter_id=meter.id,
            site_id=meter.site,
            role=meter.role,
            live=live.of(meter.id),
            link=link_state(live.of(meter.id), now),
            counted=live.counters(meter.id),
            directions=tuple(directions.get(meter.id, ())),
            conflicts=sum(one.settled_by is None for one in contradictions(store, meter.id)),
        )
        for meter in store.meters()
    )
    how = health(store, live, now, clock=clock)
    return Vitals(health=how, meters=meters, store=_store_vitals(store))


def _counter(store: Store, channel: Channel, now: datetime) -> CounterVitals:
    meter, register = channel.meter_id, channel.register
    last, epoch = store.latest_sample(meter, register, now), store.current_epoch(meter)
    until = Slot.at(now).start
    known = store.known_instants(meter, register, until - SLOTS_PER_DAY * HALF_HOUR, until)
    # A set: where two epochs know a slot it is still one slot.
    slots = {one[1] for one, two in pairwise(known) if two[0] == one[0] and two[1] - one[1] == _SLOT_S}
    return CounterVitals(
        channel=channel,
        count=last.count if last else None,
        count_at=datetime.fromtimestamp(last.at, UTC) if last else None,
        scale_kwh=epoch.nameplate.energy_scale.factor if epoch else None,
        missing=SLOTS_PER_DAY - len(slots),
    )


def _store_vitals(store: Store) -> StoreVitals:
    if "://" in store.where:
        return StoreVitals(size=None, free=None)
    path = Path(os.path.realpath(store.where))  # a link may lead to another disk
    files = (path, path.with_name(f"{path.name}-wal"))
    try:
        size = sum(file.stat().st_size for file in files if file.exists())
        return StoreVitals(size=size, free=shutil.disk_usage(path.parent).free)
    except OSError:
        return StoreVitals(size=None, free=None)  # the folder is gone; the store's own trouble says so


def _last(state: MeterLive) -> datetime | None:
    return max(
        (at for at in (state.since, state.last_received, state.last_failed) if at is not None), default=None
    )


def _stalled(state: MeterLive, now: datetime) -> bool:
    """Whether nobody has asked the meter for so long that its collector cannot be alive."""
    last = _last(state)
    return last is not None and now - last > _patience(state)


def _quiet(live: LiveState, meter_id: str, clock: Clock) -> bool:
    """The same by real time."""
    quiet, patience = live.quiet_s(meter_id), _patience(live.of(meter_id))
    return quiet is not None and quiet > clock.real_seconds_until(clock.now() + patience)


def _patience(state: MeterLive) -> timedelta:
    """How long nothing may be heard of a collector."""
    return max(_STALLED * state.poll, _LONGEST_WAIT)
