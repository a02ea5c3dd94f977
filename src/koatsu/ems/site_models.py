"""The read models of many sites: which there are, and what a list of them shows of each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from koatsu.ems.live import LinkState
from koatsu.ems.view_models import EventView
from koatsu.meter.slots import Slot

__all__ = ["MeterBrief", "SiteBrief", "SiteDays", "SiteHead"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteHead:
    """A site and the ids of its meters, the first one added first (meters, not channels)."""

    id: str
    name: str
    meter_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterBrief:
    """A meter in a list: its link, and how far its open slot has come.

    ``demand_kw`` is twice the energy so far, by the count at ``until``; ``straight_line_kw`` what the slot
    would close with at that pace; ``resolution_kwh`` one scaled count. ``None``: not known.
    """

    id: str
    label: str
    role: str
    link: LinkState
    last_received: datetime | None
    slot: Slot
    until: datetime | None = None
    demand_kw: Decimal | None = None
    straight_line_kw: Decimal | None = None
    resolution_kwh: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteDays:
    """The closed days of a site, at most the last 30, from the first one on file.

    ``whole`` of the ``closed`` days have all 48 slots of every meter on file, ``missing_slots`` are those
    that are not, of all meters.
    """

    closed: int
    whole: int
    missing_slots: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteBrief:
    """A site in a list.

    ``link`` is that of the meter which is worst off. ``days`` is ``None`` while they are not counted yet.
    ``trouble`` is the newest event of these days that somebody should mind.
    """

    head: SiteHead
    meters: tuple[MeterBrief, ...]
    link: LinkState
    days: SiteDays | None = None
    trouble: EventView | None = None
