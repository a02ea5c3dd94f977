"""One moment: what a view asks of the store in several questions, it sees as of one instant.

Without this, a meter that is met between two questions would be in one answer and not in the other.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from koatsu.ems.store import Store

__all__ = ["at_one_moment"]

P = ParamSpec("P")
T = TypeVar("T")


def at_one_moment(view: Callable[Concatenate[Store, P], T]) -> Callable[Concatenate[Store, P], T]:
    """Let a function of a store see it as of the first question that it asks."""

    @wraps(view)
    def looking(store: Store, /, *args: P.args, **kwargs: P.kwargs) -> T:
        with store.reading():
            return view(store, *args, **kwargs)

    return looking
