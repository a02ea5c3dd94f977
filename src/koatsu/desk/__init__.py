"""The utility's service desk for the high-voltage B-route: states, rules, works, forms, help.

Start at :class:`Desk`; ``tables/lifecycle.toml`` is the life of a case.
"""

from __future__ import annotations

from koatsu.desk.desk import Desk, key_path
from koatsu.desk.errors import (
    ChangedMeanwhileError,
    DeskError,
    DeskSettingError,
    ForbiddenError,
    InputError,
    NoStepError,
    RuleError,
    UnknownError,
)
from koatsu.desk.lifecycle import STEPS, Event, Step
from koatsu.desk.models import SYSTEM, Actor, Case, Entry
from koatsu.desk.probe import LinkProbe, ProbeResult
from koatsu.desk.settings import DeskSettings, MailSettings, WebhookSettings
from koatsu.desk.states import STATE_WORDS, State
from koatsu.desk.words import Words

__all__ = [
    "STATE_WORDS",
    "STEPS",
    "SYSTEM",
    "Actor",
    "Case",
    "ChangedMeanwhileError",
    "Desk",
    "DeskError",
    "DeskSettingError",
    "DeskSettings",
    "Entry",
    "Event",
    "ForbiddenError",
    "InputError",
    "LinkProbe",
    "MailSettings",
    "NoStepError",
    "ProbeResult",
    "RuleError",
    "State",
    "Step",
    "UnknownError",
    "WebhookSettings",
    "Words",
    "key_path",
]
