"""The pages of the service desk: of its staff, of its customers, and of everybody who wants to know."""

from __future__ import annotations

from koatsu.web.desk.actors import actor_of, visitor_of
from koatsu.web.desk.app import PAGES, create_desk_app
from koatsu.web.desk.frame import DESK, DeskFrame
from koatsu.web.desk.pages import DeskPages

__all__ = ["DESK", "PAGES", "DeskFrame", "DeskPages", "actor_of", "create_desk_app", "visitor_of"]
