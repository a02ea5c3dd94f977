"""What the pages need from the rest of the program: one reader, nine questions.

The pages know nothing of stores and links. What they call a meter is a channel (:mod:`koatsu.ems.channels`):
a meter that counts both directions is two. Whoever starts them hands in an object of this shape; every
answer is a read model of :mod:`koatsu.ems.view_models` or :mod:`koatsu.ems.site_models`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol

from koatsu.ems.doubts import Doubt
from koatsu.ems.live import Listener
from koatsu.ems.period_models import MonthView, YearView
from koatsu.ems.site_models import SiteBrief, SiteHead
from koatsu.ems.view_models import DayView, EventView, NowView, RecoveryView, SiteView
from koatsu.ems.vitals import Health

__all__ = ["SiteReader"]


class SiteReader(Protocol):
    """One site or several as they can be read.

    Answers never wait for a meter. They are asked for from worker threads; :meth:`listen` and
    :meth:`clock_now` from the event loop. Where a site is named that is not there, ``KeyError`` comes.
    """

    def sites(self) -> tuple[SiteHead, ...]:
        """Every site with the ids of its meters, in the order of the settings."""
        ...

    def overview(self) -> Sequence[SiteBrief]:
        """Every site in one line, in the order of :meth:`sites`."""
        ...

    def site(self, site_id: str | None = None) -> SiteView:
        """Name, meters in the order bought, sold, sub-meters, and the days on file of each.

        Without an id it is the first site.
        """
        ...

    def now(self, meter_id: str) -> NowView:
        """The open half hour of a meter and what surrounds it."""
        ...

    def day(self, meter_id: str, day: date) -> DayView:
        """The 48 slots of a JST day; a day without values is a day of missing slots, not an error."""
        ...

    def month(self, meter_id: str, month: date, *, billing: bool = False) -> MonthView:
        """The month that begins in the calendar month of ``month``, from its 1st or its fixed day."""
        ...

    def year(self, meter_id: str, first: date | None = None, *, billing: bool | None = None) -> YearView:
        """Twelve months from that of ``first``, or those that end now; ``billing`` ``None``: as metered."""
        ...

    def doubts(self, meter_id: str, since: datetime, until: datetime) -> Sequence[Doubt]:
        """What does not fit together of a meter (not a channel) between two half hours, oldest first."""
        ...

    def recovery(self, site_id: str | None = None) -> Sequence[RecoveryView]:
        """How far the histories of each meter have been read back, each meter once; of a site or of all."""
        ...

    def events(self, limit: int, site_id: str | None = None) -> Sequence[EventView]:
        """What happened, newest first, at a site or at all."""
        ...

    def health(self) -> Health:
        """Whether the program and its meters are well; cheap, and never an error."""
        ...

    def clock_now(self) -> datetime:
        """The present instant of the sites' clock, aware."""
        ...

    def listen(self) -> Listener:
        """A new listener to the signals of all sites; the stream of a page closes it.

        Signals name a meter by its own id, whatever its channels.
        """
        ...
