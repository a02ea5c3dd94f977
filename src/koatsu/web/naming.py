"""One site in the words of one language: a reverse channel is named after its meter and the direction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from koatsu.ems.channels import Channel
from koatsu.ems.doubts import Doubt
from koatsu.ems.live import Listener
from koatsu.ems.period_models import MonthView, YearView
from koatsu.ems.site_models import SiteBrief, SiteHead
from koatsu.ems.view_models import DayView, EventView, MeterHead, NowView, RecoveryView, SiteView
from koatsu.ems.vitals import Health
from koatsu.web.site import SiteReader
from koatsu.web.texts import Texts

__all__ = ["NamedSite"]


class NamedSite:
    """A :class:`SiteReader` over another one; its reverse channels have labels in the language of ``t``.

    With a ``site_id``, what is asked without one is asked of that site: a screen knows but one.
    """

    def __init__(self, reader: SiteReader, t: Texts, site_id: str | None = None) -> None:
        self._reader, self._t, self._site_id = reader, t, site_id

    def sites(self) -> tuple[SiteHead, ...]:
        """Every site."""
        return self._reader.sites()

    def overview(self) -> Sequence[SiteBrief]:
        """Every site in one line."""
        return self._reader.overview()

    def site(self, site_id: str | None = None) -> SiteView:
        """The site, its channels named."""
        site = self._reader.site(site_id or self._site_id)
        return replace(site, meters=tuple(self._named(meter) for meter in site.meters))

    def now(self, meter_id: str) -> NowView:
        """The open half hour of a channel."""
        view = self._reader.now(meter_id)
        head = self._named(view.meter)
        return replace(view, meter=head, today=replace(view.today, meter=head))

    def day(self, meter_id: str, day: date) -> DayView:
        """One day of a channel."""
        view = self._reader.day(meter_id, day)
        return replace(view, meter=self._named(view.meter))

    def month(self, meter_id: str, month: date, *, billing: bool = False) -> MonthView:
        """A month of a channel."""
        view = self._reader.month(meter_id, month, billing=billing)
        return replace(view, meter=self._named(view.meter))

    def year(self, meter_id: str, first: date | None = None, *, billing: bool | None = None) -> YearView:
        """Twelve months of a channel."""
        view = self._reader.year(meter_id, first, billing=billing)
        return replace(view, meter=self._named(view.meter))

    def doubts(self, meter_id: str, since: datetime, until: datetime) -> Sequence[Doubt]:
        """What does not fit together of a meter."""
        return self._reader.doubts(meter_id, since, until)

    def recovery(self, site_id: str | None = None) -> Sequence[RecoveryView]:
        """The recovery of each meter, whatever its channels."""
        return self._reader.recovery(site_id or self._site_id)

    def events(self, limit: int, site_id: str | None = None) -> Sequence[EventView]:
        """What happened, newest first."""
        return self._reader.events(limit, site_id or self._site_id)

    def health(self) -> Health:
        """Whether the program and its meters are well."""
        return self._reader.health()

    def clock_now(self) -> datetime:
        """The present instant of the site's clock."""
        return self._reader.clock_now()

    def listen(self) -> Listener:
        """A new listener to the site's signals."""
        return self._reader.listen()

    def _named(self, meter: MeterHead) -> MeterHead:
        if not Channel.parse(meter.id).reverse:
            return meter
        return replace(meter, label=self._t("channel.reverse", label=meter.label))
