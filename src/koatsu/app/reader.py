"""The sites as the pages read them: store, live state and signals behind the one reader that they know."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

from koatsu.clock import Clock
from koatsu.ems import views
from koatsu.ems.channels import Channel
from koatsu.ems.correcting import CorrectionDesk
from koatsu.ems.doubts import Doubt, doubts
from koatsu.ems.live import Listener, LiveHub, LiveState
from koatsu.ems.period_models import MonthView, YearView
from koatsu.ems.period_views import month_view, year_view
from koatsu.ems.site_models import SiteBrief, SiteHead
from koatsu.ems.site_views import site_briefs, site_heads
from koatsu.ems.store import Store
from koatsu.ems.view_models import DayView, EventView, NowView, RecoveryView, SiteView
from koatsu.ems.vitals import Health, Vitals, health, vitals

__all__ = ["StoredSites"]

_KINDS: Final = 8  # a listener keeps one signal for each kind and meter, so that none pushes another out


class StoredSites:
    """Answers the questions of ``koatsu.web.SiteReader`` from one store; meters are the sites' channels.

    Args:
        order: the ids of the sites as the configuration names them; others that are stored come after.
        store: where readings are.
        live: the state of the links.
        hub: the signals.
        clock: the sites' time.
    """

    def __init__(
        self, order: Sequence[str], store: Store, live: LiveState, hub: LiveHub, clock: Clock
    ) -> None:
        self._order = tuple(order)
        self._store = store
        self._live = live
        self._hub = hub
        self._clock = clock
        self._listener_limit = _KINDS * (len(store.meters()) + 1)

    @property
    def store(self) -> Store:
        """Where readings are."""
        return self._store

    @property
    def live(self) -> LiveState:
        """The state of the links."""
        return self._live

    def sites(self) -> tuple[SiteHead, ...]:
        """Every site with its meters, in the order of the configuration."""
        return site_heads(self._store, self._order)

    def overview(self) -> tuple[SiteBrief, ...]:
        """Every site in one line, in the order of the configuration."""
        return site_briefs(self._store, self.sites(), self._clock.now(), self._live)

    def site(self, site_id: str | None = None) -> SiteView:
        """Name and meters of a site, the first one when none is named, and the days on file of each.

        Raises:
            KeyError: no such site.
        """
        head = self._head(site_id)
        return views.site_view(self._store, head.name, self._clock.now(), live=self._live, site=head.id)

    def now(self, meter_id: str) -> NowView:
        """The open half hour of a channel."""
        channel, now = Channel.parse(meter_id), self._clock.now()
        return views.now_view(self._store, channel.meter_id, now, register=channel.register, live=self._live)

    def day(self, meter_id: str, day: date) -> DayView:
        """The 48 slots of a day."""
        channel, now = Channel.parse(meter_id), self._clock.now()
        return views.day_view(
            self._store, channel.meter_id, day, now, register=channel.register, live=self._live
        )

    def month(self, meter_id: str, month: date, *, billing: bool = False) -> MonthView:
        """A calendar or billing month of a channel."""
        channel, now = Channel.parse(meter_id), self._clock.now()
        return month_view(
            self._store,
            channel.meter_id,
            month,
            now,
            register=channel.register,
            billing=billing,
            live=self._live,
        )

    def year(self, meter_id: str, first: date | None = None, *, billing: bool | None = None) -> YearView:
        """Twelve months of a channel."""
        channel, now = Channel.parse(meter_id), self._clock.now()
        return year_view(
            self._store,
            channel.meter_id,
            now,
            first=first,
            register=channel.register,
            billing=billing,
            live=self._live,
        )

    def doubts(self, meter_id: str, since: datetime, until: datetime) -> Sequence[Doubt]:
        """What does not fit together of a meter between two half hours."""
        return doubts(self._store, meter_id, since, until, self._clock.now())

    def recovery(self, site_id: str | None = None) -> Sequence[RecoveryView]:
        """How far the histories have been read back, meter by meter, of a site or of all.

        Raises:
            KeyError: no such site.
        """
        if site_id is None:
            return [views.recovery_view(meter.id, self._live) for meter in self._store.meters()]
        return [views.recovery_view(meter, self._live) for meter in self._head(site_id).meter_ids]

    def events(self, limit: int, site_id: str | None = None) -> Sequence[EventView]:
        """What happened, newest first, at a site or at all; what concerns no meter concerns every site.

        Raises:
            KeyError: no such site.
        """
        newest = views.event_views(self._store, limit=limit)
        if site_id is None or len(self.sites()) == 1:
            return newest
        found = {event.id: event for event in newest if event.meter_id is None}
        for meter in self._head(site_id).meter_ids:
            found |= {one.id: one for one in views.event_views(self._store, meter_id=meter, limit=limit)}
        return sorted(found.values(), key=lambda event: (event.at, event.id), reverse=True)[:limit]

    def health(self) -> Health:
        """Whether the program and its meters are well."""
        return health(self._store, self._live, self._clock.now(), clock=self._clock)

    def vitals(self) -> Vitals:
        """Everything that is measured of the program and its meters."""
        return vitals(self._store, self._live, self._clock.now(), clock=self._clock)

    def clock_now(self) -> datetime:
        """The present instant of the sites' clock."""
        return self._clock.now()

    def listen(self) -> Listener:
        """A new listener to the signals of all sites."""
        return self._hub.listen(limit=self._listener_limit)

    def hands(self) -> CorrectionDesk:
        """Where counts are corrected by hand."""
        return CorrectionDesk(self._store, self._hub, self._clock)

    def end_streams(self) -> None:
        """End every listener: the live pages are closing."""
        self._hub.close()

    def _head(self, site_id: str | None) -> SiteHead:
        heads = self.sites()
        if site_id is None and heads:
            return heads[0]
        for head in heads:
            if head.id == site_id:
                return head
        raise KeyError(site_id)
