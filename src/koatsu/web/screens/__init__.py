"""What each page shows, and which of its parts a signal renews."""

from __future__ import annotations

from koatsu.web.screens.day import DayScreen
from koatsu.web.screens.days import DaysScreen
from koatsu.web.screens.now import NowScreen
from koatsu.web.screens.part import Change, Changes, Part, Screen
from koatsu.web.screens.sites import SitesScreen

__all__ = ["Change", "Changes", "DayScreen", "DaysScreen", "NowScreen", "Part", "Screen", "SitesScreen"]
