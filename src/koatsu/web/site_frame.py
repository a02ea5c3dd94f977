"""The shell as the pages of sites use it: which site a page is of, what troubles the store of its values."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote, urlencode

from fastapi import Request

from koatsu.ems.channels import Channel
from koatsu.people import SITE_ROLES, Right
from koatsu.web.access import Access
from koatsu.web.frame import Frame
from koatsu.web.navigation import SITE_ENTRIES
from koatsu.web.program import Program
from koatsu.web.site import SiteReader
from koatsu.web.texts import Texts

__all__ = ["SITE", "SiteFrame"]

SITE: Final = Program(entries=SITE_ENTRIES, roles=SITE_ROLES, reads=Right.VIEW, open_here=True)
"""The pages of the energy manager."""


class SiteFrame(Frame):
    """The frame of every page of sites in one language.

    Args:
        reader: the sites.
        t: the language.
        access: who may see what.
        demo: say on every page that the meter is an emulated one.
    """

    def __init__(self, reader: SiteReader, t: Texts, access: Access, *, demo: bool) -> None:
        super().__init__(t, access, SITE, demo=demo)
        self._reader = reader

    def site_name(self, request: Request) -> str:
        """The name of the only site, for those who may see it."""
        if not self.access.sees(request):
            return ""
        sites = self._reader.sites()
        return sites[0].name if len(sites) == 1 else ""

    def several_sites(self) -> bool:
        """Whether there is more than one site."""
        return len(self._reader.sites()) > 1

    def store_trouble(self) -> str:
        """What keeps the store from taking values now, in one sentence; empty when nothing does."""
        codes = (reason.code for reason in self._reader.health().reasons)
        code = next((code for code in codes if code.startswith("store_")), None)
        return "" if code is None else self.t.for_code("trouble", code)

    def of_site(self, request: Request) -> str:
        """What keeps the navigation at the site of this page, where there are several sites."""
        sites = self._reader.sites()
        if len(sites) < 2:
            return ""
        meter = Channel.parse(request.path_params.get("meter_id", "")).meter_id
        shown = request.query_params.get("site")
        site = next((one.id for one in sites if one.id == shown or meter in one.meter_ids), None)
        return "" if site is None else f"?site={site}"

    def kept(self, request: Request) -> str:
        """What stays in the address of the page in the other language: the site, and how months are cut."""
        kept = {key: request.query_params[key] for key in ("site", "months") if key in request.query_params}
        return f"?{urlencode(kept, quote_via=quote)}" if kept else ""
