"""The page where values in doubt are looked at and counts are corrected by hand.

Nothing is overwritten: a correction stands over what the meter said, with a reason and an author, and can be
withdrawn. Every form is sent to the address of the list it stands in.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData

from koatsu.ems.channels import Channel
from koatsu.ems.correcting import CorrectionDesk
from koatsu.ems.store import Correction
from koatsu.errors import UsageError
from koatsu.meter.registers import Register
from koatsu.meter.slots import SLOTS_PER_DAY, Slot
from koatsu.people import Right
from koatsu.web.access import add_page
from koatsu.web.correcting import noting
from koatsu.web.doubt_words import ENTER, NONE, DoubtWords, slot_words
from koatsu.web.forms import Form, text_of
from koatsu.web.frame import Frame
from koatsu.web.limits import Limits
from koatsu.web.notation import grouped
from koatsu.web.record import callers
from koatsu.web.site import SiteReader
from koatsu.web.site_pages import SitePages

__all__ = ["DoubtPages"]

_SPAN: Final = timedelta(days=100)  #: what the list covers: as far as a meter itself keeps its history
_ROWS: Final = 100
_CORRECTIONS: Final = 200
_FILTERS: Final = ("site", "meter", "day", "slot", "until")


class DoubtPages(SitePages):
    """The routes of one language over the desk of corrections."""

    def __init__(
        self, reader: SiteReader, limits: Mapping[str, Limits], frame: Frame, hands: CorrectionDesk
    ) -> None:
        super().__init__(reader, limits, frame)
        self._hands = hands
        self.route(("/doubts", self.doubts))
        add_page(self.router, "POST", "/doubts", self.decide, Right.CORRECT)

    def doubts(self, request: Request) -> Response:
        """What does not fit together, and what was corrected."""
        asked = request.query_params
        if self.several() and not (asked.get("site") or asked.get("meter")):
            return RedirectResponse(f"{self._t.prefix}/sites", status_code=303)
        done = asked.get("done", "")
        told = self._t.for_code("doubts", f"done_{done}") if done in ("corrected", "withdrawn") else ""
        return self._page(request, done=told)

    async def decide(self, request: Request, form: Form) -> Response:
        """Correct a count, or withdraw a correction."""
        author = request.state.login.reference
        try:
            if text_of(form, "do") == "withdraw":
                note = noting(request, "correction_withdrawn")
                await self._hands.withdraw(_number(text_of(form, "number")), author=author, note=note)
                return self._again(request, "withdrawn")
            note = noting(request, "count_corrected")
            await self._hands.correct(author=author, note=note, **self._wanted(form))
        except KeyError:
            wrong = self._t("doubts.gone")
        except UsageError as error:
            wrong = error.text(self._t.lang)
        else:
            return self._again(request, "corrected")
        return await run_in_threadpool(
            self._page, request, wrong=wrong, row=text_of(form, "row"), given=form, status=422
        )

    def _wanted(self, form: FormData) -> dict[str, Any]:
        """What a form decides.

        Raises:
            UsageError: nothing was chosen, or the count is none.
        """
        at, _, what = text_of(form, "choice").partition(":")
        register, epoch = text_of(form, "register"), text_of(form, "epoch")
        if not what or register not in set(Register):
            raise UsageError("Choose what is right.", ja="どれが正しいかを選んでください。")
        count: int | None = None
        if what == ENTER:
            what = text_of(form, "count").replace(",", "")
            if not (what.isascii() and what.isdigit() and len(what) <= 12):
                raise UsageError(
                    "A count is a whole number, such as 12345.",
                    ja="計量値は 12345 のような整数で入力してください。",
                )
        if what != NONE:
            count = _number(what)
        return {
            "meter_id": text_of(form, "meter"),
            "register": Register(register),
            "instant": datetime.fromtimestamp(_number(at), UTC),
            "count": count,
            "reason": text_of(form, "reason"),
            "epoch": _number(epoch) if epoch else None,
        }

    def _page(
        self,
        request: Request,
        *,
        done: str = "",
        wrong: str = "",
        row: str = "",
        given: FormData | None = None,
        status: int = 200,
    ) -> HTMLResponse:
        asked = request.query_params
        channel = Channel.parse(asked.get("meter", ""))
        reader = self.reader_of(channel.id) if channel.meter_id else self.reader_at(asked.get("site"))
        site = reader.site()
        heads = site.meters
        meters = dict.fromkeys(Channel.parse(head.id).meter_id for head in heads)
        if channel.meter_id in meters:
            meters = {channel.meter_id: None}
        since, until = self._span(asked.get("day"), asked.get("until"))
        words = DoubtWords(self._t, heads, reader.day)
        found = [(meter, one) for meter in meters for one in reader.doubts(meter, since, until)]
        found.sort(key=lambda pair: (pair[1].settled, -pair[1].since.timestamp()))
        hands = [
            one
            for meter in meters
            for one in self._hands.corrections(meter, withdrawn=True)
            if since <= one.instant <= until
        ]
        slot = _slot(asked.get("day"), asked.get("slot"))
        values = {
            "rows": [words.row(meter, one) for meter, one in found[:_ROWS]],
            "more": max(0, len(found) - _ROWS),
            "open": sum(1 for _, one in found if not one.settled),
            "corrections": self._corrections(request, hands[:_CORRECTIONS], words),
            "since": Slot.at(since).day,
            "until": Slot.at(until).previous.day,
            "older": self._address(request, until=Slot.at(since).day.isoformat(), day=None, slot=None)
            if any(fills and fills[0].day < Slot.at(since).day for fills in site.days.values())
            else "",
            "newest": self._address(request, until=None, day=None, slot=None) if "until" in asked else "",
            "whole": self._address(request, meter=None, day=None, slot=None),
            "narrow": "day" in asked or channel.meter_id in meters,
            "one_day": since + timedelta(days=1) >= until,
            "by_hand": self._by_hand(words, channel, slot) if slot and channel.meter_id in meters else None,
            "here_url": self._address(request),
            "done": done,
            "wrong": wrong,
            "wrong_row": row,
            "given": given or FormData(),
        }
        return self._frame.show(request, "doubts.html", values, here="doubts", status=status)

    def _by_hand(self, words: DoubtWords, channel: Channel, slot: Slot) -> dict[str, Any]:
        """The form for the counts of one slot that nobody doubts, or that are missing."""
        return {
            "key": "by-hand",
            "meter_id": channel.meter_id,
            "register": channel.register,
            "epoch": "",
            "label": words.label(channel.meter_id, channel.register),
            "when": slot_words(slot, self._t),
            "choices": words.borders(slot.start, slot.end),
        }

    def _corrections(
        self, request: Request, found: list[Correction], words: DoubtWords
    ) -> list[dict[str, Any]]:
        access, t = self._frame.access, self._t
        called = callers(access.people if access.sees(request, Right.CORRECT) else None, t)
        standing: set[tuple[str, int, str, datetime]] = set()

        def superseded(one: Correction) -> bool:
            """Whether a newer correction of that count stands: the newest come first."""
            key = (one.meter_id, one.epoch, one.register.value, one.instant)
            if one.withdrawn_at is not None:
                return False
            before = key in standing
            standing.add(key)
            return before

        return [
            {
                "number": one.id,
                "superseded": superseded(one),
                "when": words.moment(one.instant),
                "label": words.label(one.meter_id, one.register),
                "value": t("doubts.not_believed")
                if one.count is None
                else t("slot.counts_value", n=grouped(one.count)),
                "reason": one.reason,
                "author": called(one.author),
                "at": one.at,
                "withdrawn_at": one.withdrawn_at,
                "withdrawn_by": called(one.withdrawn_by) if one.withdrawn_by else "",
            }
            for one in found
        ]

    def _span(self, day: str | None, until: str | None) -> tuple[datetime, datetime]:
        """The half hours between which doubts are looked for: one day, or the hundred before ``until``."""
        if (one := _date(day)) is not None:
            return Slot(one, 1).start, Slot(one, SLOTS_PER_DAY).end
        end = Slot(_date(until) or self.today() + timedelta(days=1), 1).start
        return end - _SPAN, end

    def _address(self, request: Request, **other: str | None) -> str:
        kept = {name: request.query_params.get(name) for name in _FILTERS} | other
        query = urlencode({name: value for name, value in kept.items() if value})
        return f"{self._t.prefix}/doubts" + (f"?{query}" if query else "")

    def _again(self, request: Request, done: str) -> Response:
        address = self._address(request)
        joined = "&" if "?" in address else "?"
        return RedirectResponse(f"{address}{joined}done={done}", status_code=303)


def _number(text: str) -> int:
    """A whole number that a form of ours has sent.

    Raises:
        UsageError: it is none.
    """
    if text.isascii() and text.isdigit() and len(text) <= 12:
        return int(text)
    raise UsageError("The form could not be read.", ja="送られた内容を読み取れませんでした。")


def _date(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text and len(text) == 10 else None
    except ValueError:
        return None


def _slot(day: str | None, number: str | None) -> Slot | None:
    one = _date(day)
    known = number is not None and number.isascii() and number.isdigit() and 1 <= int(number) <= SLOTS_PER_DAY
    return Slot(one, int(number)) if one is not None and number is not None and known else None
