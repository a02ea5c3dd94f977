"""Pages to read: who pays for what, the terms of use, the list of the data, a sample of an EMS."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from fastapi import Request
from fastapi.responses import Response

from koatsu.desk.costs import PAYER_WORDS, Payer, cost_items
from koatsu.desk.data_list import data_list_in_force
from koatsu.desk.terms import TermsVersion
from koatsu.web.desk.pages import DeskPages

if TYPE_CHECKING:
    from koatsu.desk import Desk
    from koatsu.web.desk.frame import DeskFrame

__all__ = ["SAMPLE_KW", "SAMPLE_TARGET_KW", "ReadingPages", "paragraphs"]

#: The 48 half hours of an invented factory on a working day, kW.
SAMPLE_KW: Final = (
    *(92, 90, 88, 88, 86, 86, 88, 90, 94, 98, 104, 118),
    *(146, 188, 236, 268, 292, 318, 334, 346, 352, 358, 362, 348),
    *(296, 284, 364, 378, 384, 376, 368, 360, 352, 340, 318, 288),
    *(246, 212, 186, 170, 158, 146, 136, 128, 118, 110, 102, 96),
)
SAMPLE_TARGET_KW: Final = 400


class ReadingPages(DeskPages):
    """``/costs``, ``/terms``, ``/data`` and ``/sample``."""

    def __init__(self, desk: Desk, frame: DeskFrame) -> None:
        super().__init__(desk, frame)
        self.route("GET", "/costs", self.costs, None)
        self.route("GET", "/terms", self.terms, None)
        self.route("GET", "/terms/{version}", self.version, None)
        self.route("GET", "/data", self.data, None)
        self.route("GET", "/sample", self.sample, None)

    def costs(self, request: Request) -> Response:
        """Who pays for what."""
        lang = self.t.lang
        payers = [
            (
                payer.value,
                PAYER_WORDS[payer].text(lang),
                [one.words.text(lang) for one in cost_items() if one.who is payer],
            )
            for payer in Payer
        ]
        return self.frame.show(request, "desk/help-costs.html", {"payers": payers}, here="help")

    def terms(self, request: Request) -> Response:
        """The terms in force, and the list of all versions."""
        return self._terms(request, self.desk.terms.in_force())

    def version(self, request: Request, version: str) -> Response:
        """One version of the terms."""
        return self._terms(request, self.desk.terms.version(version))

    def _terms(self, request: Request, found: TermsVersion | None) -> Response:
        present = self.desk.terms.in_force()
        values = {
            "found": found,
            "text": [] if found is None else paragraphs(found.text_in(self.t.lang)),
            "untranslated": self.t.lang == "en" and found is not None and not found.text_en,
            "present": None if present is None else present.id,
            "versions": self.desk.terms.versions(),
            "today": self.desk.registers.today().isoformat(),
        }
        return self.frame.show(request, "desk/terms.html", values, here="help")

    def data(self, request: Request) -> Response:
        """What is sent to an EMS."""
        with self.desk.database.reading() as connection:
            found = data_list_in_force(connection, self.desk.registers.today())
        return self.frame.show(request, "desk/data-list.html", {"found": found}, here="help")

    def sample(self, request: Request) -> Response:
        """What an EMS can show of the data, with invented figures."""
        top = 420
        values = {
            "bars": [(kw, slot, kw / top * 100) for slot, kw in enumerate(SAMPLE_KW)],
            "target": SAMPLE_TARGET_KW,
            "target_at": 100 - SAMPLE_TARGET_KW / top * 100,
            "most": max(SAMPLE_KW),
            "most_at": SAMPLE_KW.index(max(SAMPLE_KW)),
            "energy": sum(SAMPLE_KW) // 2,
            "clock": lambda slot: f"{slot // 2:02}:{slot % 2 * 30:02}",
        }
        return self.frame.show(request, "desk/help-sample.html", values, here="help")


def paragraphs(text: str) -> list[str]:
    """The parts of a text between its empty lines."""
    return [part.strip("\n") for part in re.split(r"\n[ \t]*\n", text) if part.strip()]
