"""Months and years of a channel over the API: the views of the pages, in JSON."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import Path, Query

from koatsu.web.api.channel import channel_of
from koatsu.web.api.period_models import Month, Year
from koatsu.web.site import SiteReader

__all__ = ["Periods"]

_MonthName = Annotated[str, Path(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$", examples=["2026-07"])]
_YearName = Annotated[int, Path(ge=2000, le=2099, examples=[2026])]


class Periods:
    """The views of months and years."""

    def __init__(self, reader: SiteReader) -> None:
        self._reader = reader

    def month(self, meter_id: str, month: _MonthName) -> Month:
        """A calendar month, day by day."""
        return self._month(meter_id, month, billing=False)

    def billing_month(self, meter_id: str, month: _MonthName) -> Month:
        """The month that begins on the meter's fixed day in this calendar month, day by day."""
        return self._month(meter_id, month, billing=True)

    def year(
        self,
        meter_id: str,
        year: _YearName,
        billing: Annotated[bool, Query(description="billing months, where the meter has them")] = False,
    ) -> Year:
        """The twelve months from January, and the contract power that follows from them."""
        head, now = channel_of(self._reader, meter_id), self._reader.clock_now()
        return Year.of(self._reader.year(head.id, date(year, 1, 1), billing=billing), now)

    def recent(
        self,
        meter_id: str,
        billing: Annotated[bool, Query(description="billing months, where the meter has them")] = False,
    ) -> Year:
        """The twelve months that end with the present one."""
        head, now = channel_of(self._reader, meter_id), self._reader.clock_now()
        return Year.of(self._reader.year(head.id, None, billing=billing), now)

    def _month(self, meter_id: str, name: str, *, billing: bool) -> Month:
        year, month = int(name[:4]), int(name[5:])
        head, now = channel_of(self._reader, meter_id), self._reader.clock_now()
        return Month.of(self._reader.month(head.id, date(year, month, 1), billing=billing), now)
