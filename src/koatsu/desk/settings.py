"""What a utility decides for itself. Nothing that its public pages leave open has a silent answer in code.

Lead times, the office of those who supply themselves and the like are not published; each is a setting, and
the defaults of days are marked as assumed in the documents.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

from koatsu.desk.states import State
from koatsu.desk.words import Words

__all__ = ["DAYS_TO_ACT", "DeskSettings", "MailSettings", "WebhookSettings"]

DAYS_TO_ACT: Final[Mapping[State, int]] = MappingProxyType(
    {
        State.SUBMITTED: 2,
        State.CHECKING: 5,
        State.RETURNED: 20,
        State.ACCEPTED: 3,
        State.SURVEY: 10,
        State.WORKS_PLANNED: 20,
        State.WORKS_DONE: 2,
        State.CONNECTION_CHECK: 3,
        State.SUSPENDED: 10,
        State.ENDING: 10,
    }
)
"""Business days within which a case should leave a state: assumed, no utility publishes them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailSettings:
    """The server that takes our mail, and whom it comes from."""

    host: str
    sender: str
    port: int = 587
    tls: str = "starttls"  #: "starttls", "tls" or "none"
    user: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSettings:
    """A program that wants to know what happens to cases; each call is signed with ``secret``."""

    url: str
    secret: str = field(default="", repr=False)
    events: frozenset[str] = frozenset()  #: empty: all


_NAMELESS: Final = Words("電力会社", "The utility")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskSettings:
    """The settings of one utility's desk.

    ``area_prefixes``: what supply point numbers of the area begin with; empty: the beginning is not checked.
    ``self_supply_office``: code of the office for those who supply themselves; there is no silent default.
    ``closed_days``: month-day on which nobody works, beside weekends and holidays.
    ``retention_days``: from the end of a case until its personal data may be erased.
    ``site_url``: how customers open the page; printed in letters.
    ``templates``: a folder with the utility's own forms and letters.
    """

    utility: Words = _NAMELESS
    area_prefixes: tuple[str, ...] = ()
    case_prefix: str = "HB"
    online: bool = False
    self_supply_office: str = ""
    days_to_act: Mapping[State, int] = field(default_factory=lambda: DAYS_TO_ACT)
    remind_before_days: int = 2
    enquiry_days: int = 5
    closed_days: tuple[str, ...] = ("12-29", "12-30", "12-31", "01-02", "01-03")
    retention_days: int = 1825
    document_bytes: int = 10 * 1024 * 1024
    site_url: str = ""
    templates: Path | None = None
    webhooks: tuple[WebhookSettings, ...] = ()
    mail: MailSettings | None = None
