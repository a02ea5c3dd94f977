"""The sites of a store: which there are, and each in one line, all from a handful of queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from koatsu.clock import require_aware
from koatsu.ems.live import LinkState, LiveState, link_state
from koatsu.ems.moment import at_one_moment
from koatsu.ems.site_models import MeterBrief, SiteBrief, SiteDays, SiteHead
from koatsu.ems.store import Event, Level, Store, StoredMeter
from koatsu.ems.store import overviews as looks
from koatsu.ems.totals import slots_on_file
from koatsu.ems.view_models import EventView
from koatsu.meter.conflicts import Conflict
from koatsu.meter.demand import OpenSlotDemand, open_slot_demand
from koatsu.meter.quantity import mean_power
from koatsu.meter.readings import Reading, Source
from koatsu.meter.registers import Register
from koatsu.meter.slots import SLOTS_PER_DAY, Slot

__all__ = ["DAYS_SHOWN", "site_briefs", "site_heads"]

DAYS_SHOWN: Final = 30  #: so many closed days are looked at for holes
_PACE_AFTER: Final = timedelta(minutes=1)  # as in the slot's own view: before, there is no pace
_WORST: Final = (LinkState.SILENT, LinkState.STALE, LinkState.WAITING, LinkState.LIVE)


def site_heads(store: Store, wanted: Sequence[str] = ()) -> tuple[SiteHead, ...]:
    """The sites of the store with a meter: the ``wanted`` ones in that order, then those of earlier times."""
    meters: dict[str, list[str]] = {}
    for meter in store.meters():
        meters.setdefault(meter.site, []).append(meter.id)
    names = {site.id: site.name for site in store.sites()}
    order = dict.fromkeys((*wanted, *names, *meters))
    return tuple(
        SiteHead(id=site, name=names.get(site, site), meter_ids=tuple(meters[site]))
        for site in order
        if site in meters
    )


@at_one_moment
def site_briefs(
    store: Store, heads: Sequence[SiteHead], now: datetime, live: LiveState, *, counting: int = 2
) -> tuple[SiteBrief, ...]:
    """Each of ``heads`` in one line.

    Days that nobody has looked at yet have to be counted, which takes a while: at most ``counting`` meters
    have that done at one call, and the sites of the others say that they are not counted yet.

    Raises:
        ValueError: ``now`` is naive.
    """
    slot = Slot.at(require_aware(now))
    yesterday = slot.day - timedelta(days=1)
    since = slot.day - timedelta(days=DAYS_SHOWN)
    begun = Slot(since, 1).start
    with store.reading() as connection:
        counts = looks.glances(connection, slot.start, min(now, slot.end))
        known = looks.known_by_day(connection, since, yesterday)
        firsts = looks.first_days(connection)
        changed = looks.changed_since(connection, begun)
        troubles = looks.newest_events(connection, begun, (Level.CAUTION, Level.ALARM))
    entries = {meter.id: meter for meter in store.meters()}
    briefs = {key: _meter(entry, slot, counts.get(key), now, live) for key, entry in entries.items()}
    on_file: dict[str, Mapping[date, int] | None] = {}
    for key in (key for head in heads for key in head.meter_ids):
        days = _days(max(since, firsts.get(key, slot.day)), slot.day)
        found = {} if key in changed else {day: known[key][day] for day in days if day in known.get(key, {})}
        if len(found) == len(days):
            on_file[key] = found
        elif key in changed or counting > 0:
            counting -= key not in changed  # of these one row of figures does not tell all: asked every time
            on_file[key] = slots_on_file(store, key, days[0], yesterday, now)
        else:
            on_file[key] = None
    return tuple(_site(head, briefs, on_file, troubles) for head in heads)


def _site(
    head: SiteHead,
    briefs: Mapping[str, MeterBrief],
    on_file: Mapping[str, Mapping[date, int] | None],
    troubles: Mapping[str, Event],
) -> SiteBrief:
    meters = tuple(briefs[key] for key in head.meter_ids)
    events = [troubles[key] for key in head.meter_ids if key in troubles]
    newest = max(events, key=lambda event: (event.at, event.id or 0), default=None)
    return SiteBrief(
        head=head,
        meters=meters,
        link=min((meter.link for meter in meters), key=_WORST.index),
        days=_fill([on_file[key] for key in head.meter_ids]),
        trouble=None if newest is None else _event(newest),
    )


def _fill(meters: Sequence[Mapping[date, int] | None]) -> SiteDays | None:
    missing: dict[date, int] = {}
    for on_file in meters:
        if on_file is None:
            return None
        for day, known in on_file.items():
            missing[day] = missing.get(day, 0) + SLOTS_PER_DAY - known
    whole = sum(1 for lacking in missing.values() if not lacking)
    return SiteDays(closed=len(missing), whole=whole, missing_slots=sum(missing.values()))


def _days(first: date, until: date) -> list[date]:
    return [first + timedelta(days=step) for step in range((until - first).days)]


def _meter(
    entry: StoredMeter, slot: Slot, counts: looks.MeterGlance | None, now: datetime, live: LiveState
) -> MeterBrief:
    state = live.of(entry.id)
    grown = _grown(slot, counts, entry.ceiling_kw) if counts else None
    line = None
    if grown and grown.energy_kwh is not None and grown.elapsed >= _PACE_AFTER:
        line = mean_power(grown.energy_kwh, grown.elapsed)
    return MeterBrief(
        id=entry.id,
        label=entry.label,
        role=entry.role,
        link=link_state(state, now),
        last_received=state.last_received,
        slot=slot,
        until=grown.instant if grown else None,
        demand_kw=grown.demand_kw if grown else None,
        straight_line_kw=line,
        resolution_kwh=counts.scale.factor if counts else None,
    )


def _grown(slot: Slot, counts: looks.MeterGlance, ceiling_kw: Decimal | None) -> OpenSlotDemand | None:
    """How far the slot has come by its last count; ``None`` where that is not known or not believed."""
    last = counts.latest
    if counts.start is None or last is None or counts.scale.factor is None:
        return None
    at = datetime.fromtimestamp(last.at, UTC)
    if at == slot.start:
        return None
    found = open_slot_demand(
        _reading(slot.start, counts.start),
        _reading(at, last.count),
        digits=counts.digits,
        scale=counts.scale,
        ceiling_kw=ceiling_kw,
    )
    return None if isinstance(found, Conflict) else found


def _reading(instant: datetime, count: int) -> Reading:
    return Reading(
        register=Register.ENERGY, instant=instant, count=count, source=Source.LIVE, received=instant
    )


def _event(found: Event) -> EventView:
    return EventView(
        id=found.id or 0,
        at=found.at,
        meter_id=found.meter_id,
        level=found.level,
        code=found.code,
        params=MappingProxyType(dict(found.params)),
    )
