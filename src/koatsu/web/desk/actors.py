"""Who acts at the desk: the login of a request, with the office or the customer that it stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import Request

from koatsu.desk.models import Actor
from koatsu.web.access import access_of
from koatsu.web.refusals import RefusedError

if TYPE_CHECKING:
    from koatsu.desk import Desk

__all__ = ["actor_of", "desk_of", "visitor_of"]


def desk_of(request: Request) -> Desk:
    """The desk of the application that answers ``request``."""
    found: Desk = request.app.state.desk
    return found


def visitor_of(request: Request) -> Actor | None:
    """Who asks, on a page that is for everybody; ``None``: somebody who has not logged in.

    Raises:
        RefusedError: the request carries a token that opens nothing.
        DeskStoreError: the desk's store cannot be used.
    """
    if not hasattr(request.state, "actor"):
        login = access_of(request).login(request)
        request.state.actor = None if login is None else desk_of(request).staff.actor(login)
    found: Actor | None = request.state.actor
    return found


def actor_of(request: Request) -> Actor:
    """Who asks, where the rule of the route lets nobody in who has not logged in; found out once a request.

    Raises:
        RefusedError: nobody has logged in after all.
        DeskStoreError: the desk's store cannot be used.
    """
    found = visitor_of(request)
    if found is None:
        raise RefusedError("login", 401)
    return found
