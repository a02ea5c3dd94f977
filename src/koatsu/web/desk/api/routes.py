"""The addresses of the desk's API, and the document that describes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from koatsu.web.access import OPEN
from koatsu.web.answers import described
from koatsu.web.desk.api.cases import Cases
from koatsu.web.desk.api.enquiries import Enquiries
from koatsu.web.desk.api.faults import Faults
from koatsu.web.desk.api.groups import DeskRoute, Group, desk_router
from koatsu.web.desk.api.open_to_all import OpenToAll
from koatsu.web.desk.api.own import Own
from koatsu.web.desk.api.plans import Plans
from koatsu.web.desk.api.registers import RegistersGroup
from koatsu.web.desk.api.review import Review

if TYPE_CHECKING:
    from koatsu.desk import Desk

__all__ = ["GROUPS", "api_router"]

GROUPS: Final[tuple[type[Group], ...]] = (
    OpenToAll,
    Plans,
    Cases,
    Enquiries,
    Faults,
    RegistersGroup,
    Review,
    Own,
)
"""Every group of operations, in the order of the document."""

_TEXT: Final = """\
The service desk as JSON. Each login sees what its pages show: its offices, or its own cases.
Exact values are strings; times are ISO 8601 with +09:00, days are days of Japan; null means "not known".
Within v1, fields and addresses are added, and none is renamed, removed or given another meaning.
Programs carry a token that an owner made; a page with a session sends its X-CSRF-Token with every POST.
What changes something names the version that was looked at, so that nobody writes over somebody else.
"""
_SCHEMES: Final = {
    "token": {"type": "http", "scheme": "bearer", "description": "an API token that an owner made"}
}
_TAGS: Final = (
    {"name": "open", "description": "Open to all, counted for those without a login."},
    {"name": "plans", "description": "Who asks; works and letters."},
    {"name": "cases", "description": "The worklist, one case, and what can be done with it."},
    {"name": "enquiries", "description": "Questions that wait for an answer."},
    {"name": "faults", "description": "No data arrives: the guide, up to a works order."},
    {"name": "registers", "description": "Supply points, offices, equipment; files that bring them in."},
    {"name": "review", "description": "For those who verify that everything is as it was written."},
    {"name": "my", "description": "A customer's own cases: with the session of a login, not with a token."},
)


def api_router(desk: Desk) -> APIRouter:
    """All routes of ``/api/v1`` over ``desk``, the description included."""
    router = desk_router()
    for group in GROUPS:
        group(desk, router)

    def description() -> JSONResponse:
        """The OpenAPI document of this API."""
        return JSONResponse(_described(router))

    router.add_api_route(
        "/openapi.json", description, methods=["GET"], dependencies=[OPEN], include_in_schema=False
    )
    return router


def _described(router: APIRouter) -> dict[str, Any]:
    routes = (route for route in router.routes if isinstance(route, DeskRoute) and route.tags)
    tags = {route.path: route.tags[0] for route in routes}

    def needed(_method: str, path: str) -> list[dict[str, list[str]]]:
        return [] if tags[path] in ("open", "my") else [{"token": []}]

    return described(
        router, title="Koatsu service desk", text=_TEXT, schemes=_SCHEMES, needed=needed, tags=_TAGS
    )
