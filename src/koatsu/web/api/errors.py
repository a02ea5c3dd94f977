"""How the API refuses where the site's store cannot be used."""

from __future__ import annotations

from fastapi import Request, Response

from koatsu.ems.store import StoreError
from koatsu.errors import KoatsuError
from koatsu.web.answers import ApiRoute, refusal

__all__ = ["SiteRoute"]


class SiteRoute(ApiRoute):
    """A route over the store of a site."""

    def told(self, request: Request, error: KoatsuError) -> Response | None:
        """Why the store cannot be used."""
        del request
        return refusal(503, f"store_{error.kind}", error) if isinstance(error, StoreError) else None
