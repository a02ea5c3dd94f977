"""The shapes of what is looked after: sites, health, contradictions, corrections, files, ways out."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import AwareDatetime, Field

from koatsu.ems.correcting import Contradiction
from koatsu.ems.exchange import KnownFile
from koatsu.ems.live import LinkState
from koatsu.ems.site_models import SiteHead
from koatsu.ems.store import Correction as Corrected
from koatsu.ems.vitals import Health
from koatsu.meter.registers import Register
from koatsu.web.answers import Instant, Shape
from koatsu.web.api.models import SlotRef

__all__ = [
    "Conflict", "Conflicts", "Correction", "Corrections", "Export", "Exports", "File", "Files",
    "NewCorrection", "Site", "SiteList", "State",
]  # fmt: skip


class Site(Shape):
    """A site and the ids of its meters (not channels)."""

    id: str = Field(examples=["site"])
    name: str
    meters: list[str]

    @classmethod
    def of(cls, head: SiteHead) -> Self:
        """The site of a head."""
        return cls(id=head.id, name=head.name, meters=list(head.meter_ids))


class SiteList(Shape):
    """The sites of this program."""

    now: Instant
    sites: list[Site]


class Trouble(Shape):
    """A reason not to be well."""

    code: str = Field(examples=["meter_silent"])
    meter: str | None
    since: Instant | None


class State(Shape):
    """Whether the program and its meters are well. ``working``: the program itself does its work."""

    now: Instant
    status: Literal["ok", "degraded"]
    working: bool
    troubles: list[Trouble]
    links: dict[str, LinkState]

    @classmethod
    def of(cls, health: Health) -> Self:
        """The state of a health."""
        return cls(
            now=health.at,
            status="ok" if health.well else "degraded",
            working=health.working,
            troubles=[Trouble(code=one.code, meter=one.meter_id, since=one.since) for one in health.reasons],
            links=health.links,
        )


class Correction(Shape):
    """A count entered by hand; ``count`` null: what is kept is not believed. ``author`` is a reference."""

    id: int
    meter: str
    register_: Register = Field(alias="register")
    instant: Instant
    count: int | None
    reason: str
    author: str = Field(examples=["person:3"])
    at: Instant
    withdrawn_at: Instant | None
    withdrawn_by: str | None

    @classmethod
    def of(cls, one: Corrected) -> Self:
        """The shape of a correction."""
        return cls.model_validate(
            {
                "id": one.id,
                "meter": one.meter_id,
                "register": one.register,
                "instant": one.instant,
                "count": one.count,
                "reason": one.reason,
                "author": one.author,
                "at": one.at,
                "withdrawn_at": one.withdrawn_at,
                "withdrawn_by": one.withdrawn_by,
            }
        )


class Corrections(Shape):
    """Corrections, the newest act first."""

    now: Instant
    corrections: list[Correction]


class NewCorrection(Shape):
    """A count that is to stand over what the meter said at a half hour."""

    meter: str = Field(min_length=1, max_length=40, examples=["main"])
    register_: Register = Field(default=Register.ENERGY, alias="register")
    instant: AwareDatetime = Field(examples=["2026-07-14T22:00:00+09:00"])
    count: int | None = Field(
        strict=True,
        ge=0,
        le=99_999_999,
        examples=[8_412_907],
        description="null: what is kept is not believed",
    )
    reason: str = Field(min_length=1, max_length=500, examples=["read at the meter's display"])


class Conflict(Shape):
    """Several values for one instant; ``kept`` came first and stands until somebody settles it."""

    meter: str
    kind: Literal["reading", "demand"]
    name: str = Field(description="the register of a reading, or the direction of a demand")
    instant: Instant = Field(description="of the count, or the start of the slot")
    kept: int | None
    others: list[int]
    settled_by: int | None = Field(description="the id of the correction in force")

    @classmethod
    def of(cls, one: Contradiction) -> Self:
        """The shape of a contradiction."""
        return cls(
            meter=one.meter_id,
            kind=one.kind,
            name=one.name,
            instant=one.instant,
            kept=one.kept,
            others=list(one.others),
            settled_by=one.settled_by.id if one.settled_by else None,
        )


class Conflicts(Shape):
    """Contradictions, the newest instant first; ``more`` is how many were left out."""

    now: Instant
    conflicts: list[Conflict]
    more: int


class File(Shape):
    """A file beside the meter that was brought in."""

    id: int
    name: str
    kind: str = Field(examples=["retailer-csv"])
    meter: str
    at: Instant
    rows: int
    first: SlotRef
    last: SlotRef

    @classmethod
    def of(cls, known: KnownFile) -> Self:
        """The shape of a file."""
        return cls(
            id=known.file.id,
            name=known.file.name,
            kind=known.file.kind,
            meter=known.file.channel,
            at=known.file.at,
            rows=known.file.rows,
            first=SlotRef.of(known.first),
            last=SlotRef.of(known.last),
        )


class Files(Shape):
    """Files that were brought in, the newest first."""

    now: Instant
    files: list[File]


class Export(Shape):
    """Something to download: an address of this server, and what it gives."""

    what: Literal["slots", "archive"]
    meter: str | None
    address: str = Field(examples=["/data/export?form=csv&meter=main&from=2026-07-01&to=2026-07-31"])
    media_type: str


class Exports(Shape):
    """What can be downloaded."""

    now: Instant
    exports: list[Export]
