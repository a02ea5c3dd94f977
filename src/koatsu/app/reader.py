"""The site as the pages read it: store, live state and signals behind the one reader that they know."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from koatsu.clock import Clock
from koatsu.ems import views
from koatsu.ems.channels import Channel
from koatsu.ems.live import Listener, LiveHub, LiveState
from koatsu.ems.store import Store
from koatsu.ems.view_models import DayView, EventView, NowView, RecoveryView, SiteView

__all__ = ["StoredSite"]


class StoredSite:
    """Answers the questions of ``koatsu.web.SiteReader`` from one store; its meters are the site's channels.

    Args:
        name: of the site.
        store: where readings are.
        live: the state of the links.
        hub: the signals.
        clock: the site's time.
    """

    def __init__(self, name: str, store: Store, live: LiveState, hub: LiveHub, clock: Clock) -> None:
        self._name = name
        self._store = store
        self._live = live
        self._hub = hub
        self._clock = clock

    def site(self) -> SiteView:
        """Name, meters, and the days on file of each."""
        return views.site_view(self._store, self._name, self._clock.now(), live=self._live)

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

    def recovery(self) -> Sequence[RecoveryView]:
        """How far the histories have been read back, meter by meter."""
        return [views.recovery_view(meter.id, self._live) for meter in self._store.meters()]

    def events(self, limit: int) -> Sequence[EventView]:
        """What happened, newest first."""
        return views.event_views(self._store, limit=limit)

    def clock_now(self) -> datetime:
        """The present instant of the site's clock."""
        return self._clock.now()

    def listen(self) -> Listener:
        """A new listener to the site's signals."""
        return self._hub.listen()

    def end_streams(self) -> None:
        """End every listener: the live pages are closing."""
        self._hub.close()
