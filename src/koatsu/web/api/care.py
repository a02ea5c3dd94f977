"""Sites, health, contradictions, corrections, files and ways out over the API."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Final

from fastapi import Path, Query, Request
from starlette.concurrency import run_in_threadpool

from koatsu.clock import JST
from koatsu.ems.correcting import CorrectionDesk
from koatsu.ems.exchange import DataDesk
from koatsu.errors import UsageError
from koatsu.web.answers import ApiError
from koatsu.web.api.care_models import (
    Conflict,
    Conflicts,
    Correction,
    Corrections,
    Export,
    Exports,
    File,
    Files,
    NewCorrection,
    Site,
    SiteList,
    State,
)
from koatsu.web.api.channel import heads, meter_of
from koatsu.web.correcting import noting
from koatsu.web.site import SiteReader

__all__ = ["Bringing", "Care", "Hands"]

_Meter = Annotated[str | None, Query(description="of this meter only", max_length=40)]
_Number = Annotated[int, Path(ge=1, le=2**53)]
_MOST: Final = 1000


class Care:
    """Which sites there are, and how everything is."""

    def __init__(self, reader: SiteReader) -> None:
        self._reader = reader

    def sites(self) -> SiteList:
        """The sites of this program, in the order of its settings."""
        sites = [Site.of(head) for head in self._reader.sites()]
        return SiteList(now=self._reader.clock_now(), sites=sites)

    def health(self) -> State:
        """Whether the program, its store and its meters are well."""
        return State.of(self._reader.health())


class Hands:
    """Contradictions, and what was entered by hand."""

    def __init__(self, reader: SiteReader, desk: CorrectionDesk) -> None:
        self._reader, self._desk = reader, desk

    def conflicts(
        self,
        meter: _Meter = None,
        settled: Annotated[bool, Query(description="those that a correction has settled, too")] = False,
        limit: Annotated[int, Query(ge=1, le=_MOST)] = 100,
    ) -> Conflicts:
        """Instants with several values: a meter that contradicts itself."""
        wanted = [meter_of(self._reader, meter)] if meter is not None else self._meters()
        found = [one for one in self._desk.contradictions(wanted) if settled or one.settled_by is None]
        shown = [Conflict.of(one) for one in found[:limit]]
        return Conflicts(now=self._reader.clock_now(), conflicts=shown, more=len(found) - len(shown))

    def corrections(
        self,
        meter: _Meter = None,
        withdrawn: Annotated[bool, Query(description="those that were withdrawn, too")] = False,
    ) -> Corrections:
        """Counts entered by hand, the newest act first."""
        wanted = meter_of(self._reader, meter) if meter is not None else None
        found = self._desk.corrections(wanted, withdrawn=withdrawn)
        return Corrections(now=self._reader.clock_now(), corrections=[Correction.of(one) for one in found])

    async def correct(self, request: Request, wanted: NewCorrection) -> Correction:
        """Enter a count by hand; what the meter said stays beside it."""
        meter = await run_in_threadpool(meter_of, self._reader, wanted.meter)
        author = request.state.login.reference
        try:
            made = await self._desk.correct(
                meter,
                wanted.register_,
                wanted.instant,
                wanted.count,
                reason=wanted.reason,
                author=author,
                note=noting(request, "count_corrected"),
            )
        except KeyError:
            raise ApiError(409, "no_epoch") from None
        except UsageError as error:
            raise ApiError.told(422, "unfit", error) from None
        return Correction.of(made)

    async def withdraw(self, request: Request, number: _Number) -> Correction:
        """Take a correction back; what stood before it stands again."""
        try:
            gone = await self._desk.withdraw(
                number, author=request.state.login.reference, note=noting(request, "correction_withdrawn")
            )
        except KeyError:
            raise ApiError(404, "no_correction", number=number) from None
        except UsageError as error:
            raise ApiError.told(409, "withdrawn", error) from None
        return Correction.of(gone)

    def _meters(self) -> list[str]:
        return [meter for site in self._reader.sites() for meter in site.meter_ids]


class Bringing:
    """Files that were brought in, and what can be downloaded."""

    def __init__(self, reader: SiteReader, desk: DataDesk) -> None:
        self._reader, self._desk = reader, desk

    def imports(self) -> Files:
        """Files beside the meter that were brought in: a retailer's energies, never counts."""
        return Files(now=self._reader.clock_now(), files=[File.of(known) for known in self._desk.files()])

    def exports(
        self,
        since: Annotated[date | None, Query(alias="from", description="first day; 30 days ago")] = None,
        until: Annotated[date | None, Query(alias="to", description="last day; today")] = None,
    ) -> Exports:
        """Where slots can be downloaded as CSV, meter by meter, and everything as one archive."""
        today = self._reader.clock_now().astimezone(JST).date()
        last = until or today
        first = since or min(last, today) - timedelta(days=30)
        if last < first:
            raise ApiError(422, "backwards")
        span = f"from={first.isoformat()}&to={last.isoformat()}"
        found = [
            Export(
                what="slots",
                meter=head.id,
                address=f"/data/export?form=csv&meter={head.id}&{span}",
                media_type="text/csv",
            )
            for head in heads(self._reader)
        ]
        whole = Export(
            what="archive",
            meter=None,
            address=f"/data/export?form=archive&{span}",
            media_type="application/zip",
        )
        return Exports(now=self._reader.clock_now(), exports=[*found, whole])
