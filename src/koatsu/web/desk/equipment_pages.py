"""For those who choose an EMS and those who make one: certified equipment, and how to connect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import Response

from koatsu.desk.equipment import DeviceKind
from koatsu.web.desk.pages import DeskPages

if TYPE_CHECKING:
    from koatsu.desk import Desk
    from koatsu.web.desk.frame import DeskFrame

__all__ = ["EquipmentPages"]

_PAGE: Final = 30
_LONGEST: Final = 100


class EquipmentPages(DeskPages):
    """``/equipment``."""

    def __init__(self, desk: Desk, frame: DeskFrame) -> None:
        super().__init__(desk, frame)
        self.route("GET", "/equipment", self.search, None)
        self.route("GET", "/equipment/connect", self.connect, None)

    def search(
        self,
        request: Request,
        q: str = "",
        page: str = "1",
        all: str = "",  # noqa: A002 - the word in the address
    ) -> Response:
        """Certified equipment by maker, model, kind and number; with ``all`` what has run out too."""
        typed, today = " ".join(q.split())[:_LONGEST], self.desk.registers.today()
        number = int(page) if page.isascii() and page.isdigit() and 0 < len(page) < 6 else 1
        registers = self.desk.registers
        past = all == "yes"
        found = registers.search_certified(
            typed, present=not past, limit=_PAGE, offset=(max(number, 1) - 1) * _PAGE
        )
        last = max(1, -(-found.total // _PAGE))

        def at(to: int) -> str:
            asked = {"q": typed, "all": "yes" if past else "", "page": str(to) if to > 1 else ""}
            query = urlencode({key: value for key, value in asked.items() if value})
            return f"{self.t.prefix}/equipment{'?' if query else ''}{query}"

        values = {
            "q": typed,
            "past": past,
            "rows": [(one, one.valid_on(today)) for one in found.equipment],
            "total": found.total,
            "whole": registers.search_certified(limit=0).total,
            "page": number,
            "last": last,
            "before": at(min(number - 1, last)) if number > 1 else "",
            "after": at(number + 1) if number < last else "",
        }
        return self.frame.show(request, "desk/equipment.html", values, here="equipment")

    def connect(self, request: Request) -> Response:
        """How an EMS connects, as far as that is public, for its maker."""
        registers = self.desk.registers
        values = {
            "terminals": registers.supported_types(DeviceKind.TERMINAL),
            "meters": registers.supported_types(DeviceKind.METER),
        }
        return self.frame.show(request, "desk/equipment-connect.html", values, here="equipment")
