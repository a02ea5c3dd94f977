"""What every group of operations is made of: its routes with their rights, and how they refuse.

A parameter that an address does not know is refused, not passed over: a filter that is misspelt must not
answer with everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from fastapi import APIRouter, Depends, Request, Response
from fastapi.dependencies.models import Dependant

from koatsu.clock import JST
from koatsu.desk.database import DeskStoreError
from koatsu.desk.errors import ChangedMeanwhileError, DeskError, InputError, RuleError
from koatsu.errors import KoatsuError
from koatsu.people import Right
from koatsu.web.access import needs
from koatsu.web.answers import API, ApiError, ApiRoute, refusal
from koatsu.web.desk.actors import visitor_of
from koatsu.web.desk.api.shapes import Refusal
from koatsu.web.desk.pace import let_through
from koatsu.web.desk.refusing import status_of

if TYPE_CHECKING:
    from koatsu.desk import Desk

__all__ = ["DeskRoute", "Group", "OvertakenError", "desk_router", "overtaken"]

_SHOWN: Final = 40
_REFUSALS: Final = {
    400: "the request cannot be read, or is not addressed to this server",
    401: "no valid token or session",
    403: "this login may not",
    404: "there is no such thing for this login",
    422: "a parameter, a field or a rule; the sentence says which",
    503: "the store cannot be used at this moment",
}
_OF_POSTS: Final = {
    408: "the body came too slowly",
    409: "what is there now does not allow it",
    413: "too large",
}
_TOO_OFTEN: Final = {429: "asked too often without a login"}


class OvertakenError(KoatsuError):
    """Somebody else was faster: the version of now, and who it was unless ``error`` does not say."""

    def __init__(self, error: KoatsuError, version: int) -> None:
        super().__init__(error.text("en"), ja=error.text("ja"))
        self.details: dict[str, object] = {"version": version}
        if isinstance(error, ChangedMeanwhileError):
            self.details |= {"changed_by": error.by, "changed_at": error.at.astimezone(JST).isoformat()}


@contextmanager
def overtaken(version: Callable[[], int]) -> Iterator[None]:
    """Where somebody else was faster, ``version`` says which version there is now.

    Raises:
        OvertakenError: instead of ``ChangedMeanwhileError``.
    """
    try:
        yield
    except ChangedMeanwhileError as error:
        raise OvertakenError(error, version()) from error


class DeskRoute(ApiRoute):
    """A route over the desk."""

    def look_over(self, request: Request) -> None:
        """Refuse parameters that this address does not have.

        Raises:
            ApiError: there is one.
        """
        known = set(_parameters(self.dependant))
        strange = next((name for name in request.query_params if name not in known), None)
        if strange is not None:
            plain = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in strange)
            raise ApiError(422, "unknown_parameter", name=plain[:_SHOWN])

    def told(self, request: Request, error: KoatsuError) -> Response | None:
        """What the desk refused, in its own words, with what a program can use of it."""
        del request
        if isinstance(error, OvertakenError):
            return refusal(409, "changed", error, **error.details)
        if isinstance(error, DeskStoreError) or not isinstance(error, DeskError):
            return None
        details: dict[str, Any] = {}
        if isinstance(error, RuleError):
            details = {"rule": error.rule, "lacking": list(error.fields)}
        elif isinstance(error, InputError):
            words = error.by_field.items()
            details = {"fields": {name: {"ja": one.ja, "en": one.en} for name, one in words}}
        status, code = status_of(error)
        return refusal(status, code, error, **details)


def desk_router() -> APIRouter:
    """A router whose routes refuse in the shape of the API."""
    return APIRouter(prefix=API, route_class=DeskRoute)


class Group:
    """A group of operations over the desk: a class of its own that names its routes in ``__init__``.

    The name of a view is the id of its operation, and its docstring the description. Views are plain
    functions: the framework calls them beside the event loop.

    Args:
        desk: the open desk.
        router: takes the routes.
    """

    tag = ""  #: what the operations are grouped by

    def __init__(self, desk: Desk, router: APIRouter) -> None:
        self.desk, self._router = desk, router

    def route(
        self,
        method: str,
        path: str,
        view: Callable[..., Any],
        right: Right | None,
        model: Any,
        *,
        status: int = 200,
        asks_only: bool = False,
        paced: bool = True,
    ) -> None:
        """Add an operation.

        Args:
            method: GET or POST.
            path: below ``/api/v1``.
            view: answers it.
            right: what it asks for; ``None``: everybody may.
            model: the shape of its answer.
            status: of that answer.
            asks_only: a POST that changes nothing.
            paced: what everybody may is counted for those without a login; not where the view counts.
        """
        texts = {
            **_REFUSALS,
            **(_OF_POSTS if method != "GET" else {}),
            **(_TOO_OFTEN if right is None else {}),
        }
        pace = [Depends(_paced)] if right is None and paced else []
        self._router.add_api_route(
            path,
            view,
            methods=[method],
            dependencies=[needs(right, asks_only=asks_only), *pace],
            response_model=model,
            status_code=status,
            tags=[self.tag],
            operation_id=view.__name__,
            responses={code: {"model": Refusal, "description": texts[code]} for code in sorted(texts)},
        )


def _parameters(dependant: Dependant) -> Iterator[str]:
    """The names of the parameters of an address, those of what it depends on too."""
    yield from (one.alias for one in dependant.query_params)
    for below in dependant.dependencies:
        yield from _parameters(below)


def _paced(request: Request) -> None:
    if visitor_of(request) is None and not let_through(request, "api"):
        raise ApiError(429, "too_often")
