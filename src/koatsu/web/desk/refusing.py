"""What the desk refuses, as an answer over HTTP: the status, and the code for programs."""

from __future__ import annotations

from typing import Final

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
from koatsu.errors import KoatsuError

__all__ = ["TOLD", "status_of"]

TOLD: Final[dict[type[KoatsuError], tuple[int, str]]] = {
    DeskError: (422, "refused"),
    UnknownError: (404, "not_found"),
    ForbiddenError: (403, "no_right"),
    InputError: (422, "invalid"),
    NoStepError: (409, "no_step"),
    RuleError: (422, "rule"),
    ChangedMeanwhileError: (409, "changed"),
    DeskSettingError: (409, "not_set"),
}
"""What the desk refuses, where a page has no better place for it."""


def status_of(error: DeskError) -> tuple[int, str]:
    """Status and code of an error; of one that is of several kinds, the nearest one counts."""
    return next(TOLD[kind] for kind in type(error).__mro__ if kind in TOLD)
