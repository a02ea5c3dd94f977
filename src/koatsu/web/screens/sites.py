"""Every site in one line, the most urgent first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from time import monotonic
from typing import Any, Final

from koatsu.clock import JST
from koatsu.ems.view_models import SiteView
from koatsu.web.limits import Limits
from koatsu.web.screens.part import Changes, Part, kinds_of
from koatsu.web.screens.wording import event_words
from koatsu.web.site import SiteReader
from koatsu.web.standing import Standing, standing
from koatsu.web.texts import Texts

__all__ = ["SitesScreen"]

_RENEWING: Final = ("sample", "slot", "link", "event", "epoch")
_REST_S: Final = 2.0  # a hundred sites tell something many times a second: read no more often than this


class SitesScreen:
    """The list of all sites."""

    template = "sites.html"

    def __init__(self, reader: SiteReader, t: Texts, limits: Mapping[str, Limits]) -> None:
        self._reader, self._t, self._limits = reader, t, limits
        self._rows: list[dict[str, Any]] = []
        self._read_at = -_REST_S
        self._moved = False
        self.load()

    @property
    def shape(self) -> str:
        """The sites, whatever their order on the page."""
        return " ".join(sorted(row["id"] for row in self._rows))

    def load(self, changes: Changes | None = None) -> None:
        """Read every site, unless that was done a moment ago."""
        now = monotonic()
        rested = now - self._read_at >= _REST_S
        if changes is not None and (kinds_of(changes).isdisjoint(_RENEWING) or not rested):
            return
        self._read_at = now
        before = [row["id"] for row in self._rows]
        found = (standing(brief, self._limits, self._t) for brief in self._reader.overview())
        at = self._reader.clock_now()
        self._rows = [self._row(one, at) for one in sorted(found, key=lambda one: one.place)]
        self._moved = self._moved or [row["id"] for row in self._rows] != before

    def values(self, at: datetime) -> dict[str, Any]:
        """The rows, and how many sites there are of each kind."""
        links = Counter(str(row["brief"].link) for row in self._rows)
        tones = Counter(row["said"].tone for row in self._rows)
        return {
            "site_name": "",
            "lead": None,
            "at": at.astimezone(JST),
            "at_day": at.astimezone(JST).date(),
            "here": "sites",
            "rows": self._rows,
            "count": len(self._rows),
            "live_count": links["live"],
            "alarm_count": tones["alarm"],
            "caution_count": tones["caution"],
        }

    def parts(self, changes: Changes) -> Iterator[Part]:
        """The clock, the counts, the rows; the whole list where its order has changed."""
        yield Part("clock", "parts/clock.html", {})
        if kinds_of(changes).isdisjoint(_RENEWING):
            return
        yield Part("sites-summary", "parts/sites-summary.html", {})
        if self._moved:
            self._moved = False
            yield Part("sites", "parts/sites.html", {})
        for row in self._rows:
            yield Part(f"site-{row['id']}", "parts/site-row.html", {"row": row})

    def _row(self, said: Standing, at: datetime) -> dict[str, Any]:
        head, trouble = said.brief.head, said.brief.trouble
        bare = SiteView(name=head.name, meters=(), days={})  # the site is named by its row already
        return {
            "id": head.id,
            "name": head.name,
            "url": f"{self._t.prefix}/?site={head.id}",
            "days_url": f"{self._t.prefix}/days?site={head.id}",
            "said": said,
            "brief": said.brief,
            "trouble": None if trouble is None else event_words(trouble, bare, at, self._t),
        }
