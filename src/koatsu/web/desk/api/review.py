"""For those who review: what happened to cases and registers, and whether it is as it was written."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Final, Literal, Self

from fastapi import APIRouter, Query, Request
from pydantic import Field

from koatsu.desk.fields import FIELDS, Kind
from koatsu.desk.point_numbers import masked
from koatsu.desk.register_history import RegisterEntry
from koatsu.desk.trail import CASES, Traced, Verified, Wanted
from koatsu.people import Right
from koatsu.web.access import access_of
from koatsu.web.answers import ApiError, Instant, Shape
from koatsu.web.desk.actors import actor_of
from koatsu.web.desk.api.groups import Group
from koatsu.web.desk.api.shapes import Day, Said
from koatsu.web.desk.trail_words import verdict
from koatsu.web.texts import texts

if TYPE_CHECKING:
    from koatsu.desk import Desk

__all__ = ["Review"]

_HASH: Final = r"^[0-9a-fA-F]{64}$"
_LONGEST: Final = 80


class TrailEntry(Shape):
    """One entry as it was written; of cases with states, of registers with the reference of the record."""

    seq: int
    at: Instant
    by: str = Field(examples=["person:3"])
    role: str = Field(description="of the author, or system")
    about: str = Field(description="number of the case, or the register")
    key: str = Field(description="reference of the record, or empty")
    what: str = Field(examples=["begin_check"])
    before: str
    after: str
    detail: dict[str, str] = Field(description="references and codes; supply point numbers masked")

    @classmethod
    def of_case(cls, one: Traced) -> Self:
        """The shape of an entry of a case."""
        detail = {name: _shown(name, value) for name, value in one.detail.items()}
        return cls(
            seq=one.seq, at=one.at, by=one.author, role=one.role, about=one.case, key="", what=one.event,
            before=one.before, after=one.after, detail=detail,
        )  # fmt: skip

    @classmethod
    def of_register(cls, one: RegisterEntry) -> Self:
        """The shape of an entry of a register."""
        return cls(
            seq=one.seq, at=one.at, by=one.author, role=one.role, about=one.register, key=one.key,
            what=one.change, before="", after="",
            detail={name: str(value) for name, value in one.detail.items()},
        )  # fmt: skip


class TrailPart(Shape):
    """A part of the trail, the newest first; hand ``next`` back as ``before``, null at the end."""

    next: int | None
    entries: list[TrailEntry]


class Expected(Shape):
    """What was noted before."""

    expected: str | None = Field(
        default=None, pattern=_HASH, description="hash of an entry that was noted", examples=[None]
    )


class Chain(Shape):
    """A chain that was gone through."""

    chain: str = Field(examples=["cases"])
    sound: bool
    entries: int = Field(description="number of the last one")
    head: str = Field(description="its hash: what to keep elsewhere")
    words: Said

    @classmethod
    def of(cls, one: Verified) -> Self:
        """The shape of a verdict."""
        (sound, ja), (_, en) = (verdict(one, texts(lang)) for lang in ("ja", "en"))
        return cls(chain=one.chain, sound=sound, entries=one.entries, head=one.head, words=Said(ja=ja, en=en))


class Verdicts(Shape):
    """Whether everything is as it was written; ``audit`` null: the audit log is."""

    sound: bool
    chains: list[Chain]
    audit: Said | None


class Review(Group):
    """``/events``."""

    tag = "review"

    def __init__(self, desk: Desk, router: APIRouter) -> None:
        super().__init__(desk, router)
        review = Right.DESK_REVIEW
        self.route("GET", "/events", self.list_events, review, TrailPart)
        self.route("POST", "/events/verify", self.verify_events, review, Verdicts)

    def list_events(
        self,
        request: Request,
        kind: Annotated[Literal["cases", "registers"], Query(description="which chain")] = "cases",
        case: Annotated[str, Query(description="of this case", max_length=40)] = "",
        register: Annotated[str, Query(description="of this register", max_length=40)] = "",
        by: Annotated[str, Query(description="reference of the author", max_length=_LONGEST)] = "",
        what: Annotated[str, Query(description="this event or change", max_length=_LONGEST)] = "",
        since: Annotated[Day | None, Query(alias="from", description="first day, in Japan")] = None,
        until: Annotated[Day | None, Query(alias="to", description="last day, in Japan")] = None,
        before: Annotated[int | None, Query(ge=1, le=2**53, description="only older entries")] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> TrailPart:
        """The end of the trail of every office, the newest first. Nothing personal stands in it."""
        if since is not None and until is not None and until < since:
            raise ApiError(422, "backwards")
        _near(since, until)
        wanted = Wanted(case=case, author=by, what=what, register=register, first=since, last=until)
        actor, trail = actor_of(request), self.desk.trail
        if kind == CASES:
            found = trail.cases(actor, wanted, limit=limit, before=before)
            entries = [TrailEntry.of_case(one) for one in found]
        else:
            changes = trail.registers(actor, wanted, limit=limit, before=before)
            entries = [TrailEntry.of_register(one) for one in changes]
        return TrailPart(next=entries[-1].seq if len(entries) == limit else None, entries=entries)

    def verify_events(self, request: Request, noted: Expected) -> Verdicts:
        """Go through every entry of both chains and of the audit log: is it as it was written?"""
        expected = noted.expected.lower() if noted.expected else None
        chains = [Chain.of(one) for one in self.desk.trail.verify(actor_of(request), expected)]
        people = access_of(request).people
        audit = people.audit.verify() if people is not None else None
        return Verdicts(
            sound=audit is None and all(one.sound for one in chains),
            chains=chains,
            audit=None if audit is None else Said(ja=audit.text("ja"), en=audit.text("en")),
        )


def _near(*days: date | None) -> None:
    """Refuse days that no instant can be made of.

    Raises:
        ApiError: there is one.
    """
    if any(day is not None and not 1970 <= day.year <= 2200 for day in days):
        raise ApiError(422, "no_such_day")


def _shown(name: str, value: str) -> str:
    return masked(value) if name in FIELDS and FIELDS[name].kind is Kind.POINT else value
