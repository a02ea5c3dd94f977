"""What is done from the console of the machine, entered into the audit log like what is done on the page.

Only where people are kept at all: a machine whose page has no owner yet has no log. What has been done is
never undone because it could not be entered; that is said instead.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from koatsu.clock import SystemClock
from koatsu.config import Config, DeskConfig
from koatsu.errors import KoatsuError
from koatsu.people import CONSOLE, People
from koatsu.people.database import address

__all__ = ["noted"]

log = logging.getLogger(__name__)


def noted(
    config: Config | DeskConfig,
    action: str,
    subject: str = "store",
    detail: Mapping[str, str] | None = None,
) -> None:
    """Enter what the console did.

    Args:
        config: whose people.
        action: what: a word such as ``file_imported``.
        subject: what it was done to: ``meter:main``, ``store``.
        detail: what else must be known: identifiers and numbers.
    """
    try:
        where = address(config.store.path)
        if where.get_backend_name() == "sqlite" and not Path(where.database or "").exists():
            return
        with People.open(config.store.path, clock=SystemClock()) as people:
            people.audit.append(CONSOLE.reference, action, subject, detail)
    except KoatsuError as error:
        log.warning("the audit log has no entry of this (%s): %s", action, error.message)
