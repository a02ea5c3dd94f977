"""The OpenAPI document of the energy manager's API, with the shapes of its events."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter

from koatsu.web.answers import described
from koatsu.web.api.stream import EVENTS

__all__ = ["description_of"]

_TEXT: Final = """\
The EMS as JSON. Exact values are strings with a unit; times are ISO 8601 with +09:00; null means "not known".
Within v1, fields and addresses are added, and none is renamed, removed or given another meaning.
Writing needs a token (or a session and its X-CSRF-Token); reading too, as soon as there is an owner.
"""
_TOKEN: Final = {"type": "http", "scheme": "bearer", "description": "an API token that an owner made"}


def description_of(router: APIRouter) -> dict[str, Any]:
    """The document of the routes that are to be described."""
    return described(
        router,
        title="Koatsu",
        text=_TEXT,
        schemes={"token": _TOKEN},
        needed=lambda method, _path: [{"token": []}] if method == "post" else [{"token": []}, {}],
        further=tuple(EVENTS.values()),
    )
