"""What the pages need from the rest of the program: one reader, seven questions.

The pages know nothing of stores and links. What they call a meter is a channel (:mod:`koatsu.ems.channels`):
a meter that counts both directions is two. Whoever starts them hands in an object of this shape; every
answer is a read model of :mod:`koatsu.ems.view_models`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol

from koatsu.ems.live import Listener
from koatsu.ems.view_models import DayView, EventView, NowView, RecoveryView, SiteView

__all__ = ["SiteReader"]


class SiteReader(Protocol):
    """The site as it can be read.

    Answers never wait for a meter. They are asked for from worker threads; :meth:`listen` and
    :meth:`clock_now` from the event loop.
    """

    def site(self) -> SiteView:
        """Name, meters in the order bought, sold, sub-meters, and the days on file of each."""
        ...

    def now(self, meter_id: str) -> NowView:
        """The open half hour of a meter and what surrounds it."""
        ...

    def day(self, meter_id: str, day: date) -> DayView:
        """The 48 slots of a JST day; a day without values is a day of missing slots, not an error."""
        ...

    def recovery(self) -> Sequence[RecoveryView]:
        """How far the histories of each meter have been read back, each meter once."""
        ...

    def events(self, limit: int) -> Sequence[EventView]:
        """What happened, newest first."""
        ...

    def clock_now(self) -> datetime:
        """The present instant of the site's clock, aware."""
        ...

    def listen(self) -> Listener:
        """A new listener to the site's signals; the stream of a page closes it.

        Signals name a meter by its own id, whatever its channels.
        """
        ...
