"""The pages of the site: server-rendered, Japanese and English, live by server-sent events."""

from __future__ import annotations

from koatsu.web.app import create_app
from koatsu.web.limits import Limits
from koatsu.web.site import SiteReader

__all__ = ["Limits", "SiteReader", "create_app"]
