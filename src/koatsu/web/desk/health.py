"""Whether the desk can do its work: asked of its two stores, told to everybody."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from fastapi.responses import JSONResponse

from koatsu.errors import KoatsuError
from koatsu.people import People

if TYPE_CHECKING:
    from koatsu.desk import Desk

__all__ = ["health_answer"]

_log = logging.getLogger(__name__)


def health_answer(desk: Desk, people: People) -> JSONResponse:
    """The answer of ``/healthz``: 200, or 503 with the codes of what cannot be read."""
    reasons = []
    for code, ask in (("desk_store", desk.database.look), ("people_store", people.audit.head)):
        try:
            ask()
        except KoatsuError as error:
            _log.warning("the desk is not well: %s", error)
            reasons.append({"code": code})
    status = {"status": "failed" if reasons else "ok", "reasons": reasons}
    return JSONResponse(status, status_code=503 if reasons else 200)
