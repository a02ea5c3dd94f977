"""A correction's entry in the audit log, the same from the page and from the API.

It is written before the correction stands, inside its transaction: where the log cannot take it, nothing is
corrected, and no correction is ever in force that the log does not know of.
"""

from __future__ import annotations

from collections.abc import Callable

from fastapi import Request

from koatsu.clock import JST
from koatsu.ems.store import Correction
from koatsu.web.access import access_of

__all__ = ["noting"]


def noting(request: Request, action: str) -> Callable[[Correction], None]:
    """What enters a correction, or its withdrawal, as done by whoever asks."""
    people, author = access_of(request).people, request.state.login.reference

    def note(one: Correction) -> None:
        if people is None:
            return
        detail = {
            "number": str(one.id),
            "instant": one.instant.astimezone(JST).isoformat(),
            "register": one.register.value,
        }
        people.audit.append(author, action, f"meter:{one.meter_id}", detail)

    return note
