"""From the store to what a person sees: one function for each view, each a few range queries.

Every function takes ``now``, so that the same call gives the same answer; nothing here asks a clock or
the wire, and nothing is written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType

from koatsu.clock import JST, require_aware
from koatsu.ems.channels import Channel, channels
from koatsu.ems.day_figures import day_figures
from koatsu.ems.live import LiveState, MeterLive, link_state
from koatsu.ems.moment import at_one_moment
from koatsu.ems.open_slot import open_slot, recent_power
from koatsu.ems.slot_ledger import Ledger, ledger
from koatsu.ems.store import Epoch, Store, StoredMeter
from koatsu.ems.totals import read_totals, slots_on_file
from koatsu.ems.view_models import (
    DayFill,
    DayView,
    EventView,
    GrowthPoint,
    HoleView,
    MeterHead,
    NowView,
    RecoveryView,
    SiteView,
    SlotState,
    SlotView,
)
from koatsu.meter.quantity import MICROSECOND, exact_sum
from koatsu.meter.registers import Register
from koatsu.meter.slots import HALF_HOUR, SLOTS_PER_DAY, Slot

__all__ = [
    "DayFill",
    "DayView",
    "EventView",
    "GrowthPoint",
    "HoleView",
    "Ledger",
    "MeterHead",
    "NowView",
    "RecoveryView",
    "SiteView",
    "SlotState",
    "SlotView",
    "calendar",
    "day_view",
    "event_views",
    "ledger",
    "meter_head",
    "month_start",
    "now_view",
    "recovery_view",
    "site_view",
]


def meter_head(
    store: Store,
    meter: StoredMeter | str,
    now: datetime,
    *,
    register: Register = Register.ENERGY,
    live: LiveState | None = None,
) -> MeterHead:
    """A meter in one line, as the channel of its energy ``register``.

    Without ``live`` (a program that only looks into the store) the last fine count tells how the link is.

    Raises:
        KeyError: no such meter.
        ValueError: ``register`` is not one of the two of active energy.
    """
    entry = store.meter(meter) if isinstance(meter, str) else meter
    channel = Channel(entry.id, register)
    epoch = store.current_epoch(entry.id)
    return MeterHead(
        id=channel.id,
        label=entry.label,
        role=channel.role(entry.role),
        class_code=entry.class_code,
        serial=epoch.nameplate.serial if epoch else None,
        address=entry.address,
        link=link_state(_link(store, entry.id, now, live), now),
    )


@at_one_moment
def day_view(
    store: Store,
    meter_id: str,
    day: date,
    now: datetime,
    *,
    register: Register = Register.ENERGY,
    live: LiveState | None = None,
) -> DayView:
    """One JST day of an energy register: 48 slots, holes, exact energy.

    Raises:
        KeyError: no such meter.
        ValueError: ``now`` is naive, or the register has no demand.
    """
    book = ledger(store, meter_id, *_day_span(day), require_aware(now), register=register)
    return _day_view(store, meter_id, day, now, book, register=register, live=live)


def _day_view(
    store: Store,
    meter_id: str,
    day: date,
    now: datetime,
    book: Ledger,
    *,
    register: Register,
    live: LiveState | None,
) -> DayView:
    epoch = store.current_epoch(meter_id)
    scale = epoch.nameplate.energy_scale if epoch else None
    return DayView(
        meter=meter_head(store, meter_id, now, register=register, live=live),
        day=day,
        register=register,
        slots=book.slots,
        holes=book.holes,
        energy_kwh=book.energy_kwh,
        energy_since=book.known_from,
        energy_until=book.known_until,
        max_slot=book.greatest,
        tally=MappingProxyType(Counter(slot.state for slot in book.slots)),
        unscaled=scale is not None and scale.factor is None,
        resolution_kwh=scale.factor if scale else None,
    )


@at_one_moment
def now_view(
    store: Store,
    meter_id: str,
    now: datetime,
    *,
    register: Register = Register.ENERGY,
    live: LiveState | None = None,
) -> NowView:
    """The open slot of an energy register, its day and the greatest demand of its month.

    Raises:
        KeyError: no such meter.
        ValueError: ``now`` is naive, or the register has no demand.
    """
    slot = Slot.at(require_aware(now))
    meter, epoch = store.meter(meter_id), store.current_epoch(meter_id)
    book = ledger(store, meter_id, *_day_span(slot.day), now, register=register)
    today = _day_view(store, meter_id, slot.day, now, book, register=register, live=live)
    link = _link(store, meter_id, now, live)
    grown, power = None, None
    if epoch:
        grown = open_slot(store, meter_id, epoch, slot, now, meter.ceiling_kw, register=register)
        power = recent_power(store, meter_id, epoch, now, meter.ceiling_kw, register=register)
    since = month_start(slot.day, epoch)
    made = day_figures(book)
    totals = read_totals(store, meter_id, since, slot.day, now, register=register, made=made)
    month = totals.period(since, slot.day).peak
    energy_kwh = grown.energy_kwh if grown else None
    today_kwh, today_until = today.energy_kwh, today.energy_until
    if grown and energy_kwh is not None and (today_until == slot.start or slot.number == 1):
        today_kwh = exact_sum([today_kwh or Decimal(0), energy_kwh])
        today_until = grown.growth[-1].instant
    return NowView(
        meter=today.meter,
        at=now.astimezone(UTC),
        slot=slot,
        remaining_s=(slot.end - now) // timedelta(seconds=1),
        growth=grown.growth if grown else (),
        energy_kwh=energy_kwh,
        demand_kw=grown.demand_kw if grown else None,
        straight_line_kw=grown.straight_line_kw if grown else None,
        power_kw=power.power_kw if power else None,
        power_error_kw=power.error_kw if power else None,
        resolution_kwh=today.resolution_kwh,
        last_received=link.last_received,
        answer_s=_seconds(link.answer),
        clock_offset_s=_seconds(link.clock_offset),
        today=today,
        today_kwh=today_kwh,
        today_until=today_until,
        month_since=since,
        month_max_kw=month.demand_kw if month else None,
        month_max_slot=month.slot if month else None,
        unscaled=today.unscaled,
    )


def recovery_view(meter_id: str, live: LiveState) -> RecoveryView:
    """How far the recovery of a meter's histories has come."""
    found = live.of(meter_id).recovery
    return RecoveryView(
        meter_id=meter_id,
        state=found.state,
        days_done=found.days_done,
        days_total=found.days_total,
        current_day=found.current_day,
        eta_s=None if found.eta is None else found.eta // timedelta(seconds=1),
        horizon_days=found.horizon_days,
    )


@at_one_moment
def site_view(
    store: Store, name: str, now: datetime, *, live: LiveState | None = None, site: str | None = None
) -> SiteView:
    """The channels of a site (``None``: of all), bought, sold, sub-meters, and the calendar of each.

    A calendar is made when it is looked at: most pages want the channels alone.
    """
    shown = channels(store, site=site)
    heads = (meter_head(store, one.meter_id, now, register=one.register, live=live) for one in shown)
    return SiteView(name=name, meters=tuple(heads), days=_Calendars(store, shown, now))


class _Calendars(Mapping[str, tuple[DayFill, ...]]):
    """The days of each channel, by its id, from the first known one to the present."""

    def __init__(self, store: Store, shown: tuple[Channel, ...], now: datetime) -> None:
        self._store, self._now = store, now
        self._shown = {channel.id: channel for channel in shown}
        self._made: dict[str, tuple[DayFill, ...]] = {}

    def __getitem__(self, key: str) -> tuple[DayFill, ...]:
        if key not in self._made:
            channel = self._shown[key]
            known = self._store.bounds(channel.meter_id)
            self._made[key] = () if known is None else calendar(
                self._store, channel.meter_id, _day(known[0]), _day(self._now), self._now,
                register=channel.register,
            )  # fmt: skip
        return self._made[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._shown)

    def __len__(self) -> int:
        return len(self._shown)


@at_one_moment
def calendar(
    store: Store,
    meter_id: str,
    first: date,
    last: date,
    now: datetime,
    *,
    register: Register = Register.ENERGY,
) -> tuple[DayFill, ...]:
    """How full each day from ``first`` to ``last`` is, days to come left out.

    A slot is known when the counts at both its ends are, in one epoch, and nothing about it is in conflict.
    """
    return tuple(
        DayFill(day=day, known=known, closed=_closed(day, now))
        for day, known in sorted(slots_on_file(store, meter_id, first, last, now, register=register).items())
    )


def event_views(
    store: Store, *, since: datetime | None = None, meter_id: str | None = None, limit: int = 100
) -> tuple[EventView, ...]:
    """What happened, the newest first."""
    return tuple(
        EventView(
            id=found.id or 0,
            at=found.at,
            meter_id=found.meter_id,
            level=found.level,
            code=found.code,
            params=MappingProxyType(dict(found.params)),
        )
        for found in store.events(since=since, meter_id=meter_id, limit=limit)
    )


def month_start(day: date, epoch: Epoch | None) -> date:
    """The last fixed day of the meter up to ``day``; the first of the month where there is none.

    A fixed day that a short month lacks is its last day.
    """
    fixed = (epoch.nameplate.fixed_day if epoch else None) or 1
    here = min(fixed, _month_days(day))
    if day.day >= here:
        return day.replace(day=here)
    before = day.replace(day=1) - timedelta(days=1)
    return before.replace(day=min(fixed, _month_days(before)))


def _link(store: Store, meter_id: str, now: datetime, live: LiveState | None) -> MeterLive:
    if live is not None:
        return live.of(meter_id)
    last = store.latest_sample(meter_id, Register.ENERGY, now)
    return MeterLive(last_received=datetime.fromtimestamp(last.received, UTC) if last else None)


def _day_span(day: date) -> tuple[datetime, datetime]:
    return Slot(day, 1).start, Slot(day, SLOTS_PER_DAY).end


def _day(now: datetime) -> date:
    return require_aware(now).astimezone(JST).date()


def _closed(day: date, now: datetime) -> int:
    passed = (now - Slot(day, 1).start) // HALF_HOUR
    return max(0, min(SLOTS_PER_DAY, passed))


def _month_days(day: date) -> int:
    following = (day.replace(day=28) + timedelta(days=4)).replace(day=1)
    return (following - timedelta(days=1)).day


def _seconds(span: timedelta | None) -> Decimal | None:
    return None if span is None else Decimal(span // MICROSECOND) / 1_000_000
