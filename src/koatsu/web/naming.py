"""The site in the words of one language: a reverse channel is named after its meter and the direction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from koatsu.ems.channels import Channel
from koatsu.ems.live import Listener
from koatsu.ems.view_models import DayView, EventView, MeterHead, NowView, RecoveryView, SiteView
from koatsu.web.site import SiteReader
from koatsu.web.texts import Texts

__all__ = ["NamedSite"]


class NamedSite:
    """A :class:`SiteReader` over another one; its reverse channels have labels in the language of ``t``."""

    def __init__(self, reader: SiteReader, t: Texts) -> None:
        self._reader, self._t = reader, t

    def site(self) -> SiteView:
        """The site, its channels named."""
        site = self._reader.site()
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

    def recovery(self) -> Sequence[RecoveryView]:
        """The recovery of each meter, whatever its channels."""
        return self._reader.recovery()

    def events(self, limit: int) -> Sequence[EventView]:
        """What happened, newest first."""
        return self._reader.events(limit)

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
