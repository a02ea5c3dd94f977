"""How often a stranger may do what costs something or tells something: so many times within a time.

Counted for each origin, in this program's memory: a restart forgets the counts, which are a brake and no
lock. An IPv6 customer holds a whole network, so its first 64 bits are the origin.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address
from threading import Lock
from typing import Final

from fastapi import Request

from koatsu.clock import Clock
from koatsu.web.accounts import origin_of
from koatsu.web.desk.actors import desk_of
from koatsu.web.desk.pages import DeskPages
from koatsu.web.trouble import TroubleError

__all__ = ["PACES", "Pace", "let_through", "too_often"]

PACES: Final[dict[str, tuple[int, timedelta]]] = {
    "check": (30, timedelta(hours=1)),  # supply point numbers tried out
    "paper": (60, timedelta(hours=1)),  # forms printed
    "enquiry": (10, timedelta(hours=1)),
    "register": (5, timedelta(hours=1)),
    "apply": (10, timedelta(hours=1)),
    "probe": (10, timedelta(minutes=10)),  # terminals asked
    "api": (600, timedelta(minutes=10)),  # what is open to programs
}
"""What is counted: how often, within which time."""

_ORIGINS: Final = 10_000  #: that are kept in mind; the one that was quiet longest is forgotten first
_making: Final = Lock()


class Pace:
    """One count for each origin.

    Args:
        clock: the time.
        goes: how many within ``within``.
        within: the time.
    """

    def __init__(self, clock: Clock, goes: int, within: timedelta) -> None:
        self._clock, self._goes, self._within = clock, goes, within
        self._seen: OrderedDict[str, deque[datetime]] = OrderedDict()
        self._lock = Lock()

    def take(self, origin: str) -> bool:
        """Count one more go of ``origin``; ``False``: it has had its goes, and this one does not count."""
        now = self._clock.now()
        with self._lock:
            goes = self._seen.setdefault(origin, deque())
            self._seen.move_to_end(origin)
            while goes and not now - self._within < goes[0] <= now:  # a clock that was set back forgets
                goes.popleft()
            allowed = len(goes) < self._goes
            if allowed:
                goes.append(now)
            while len(self._seen) > _ORIGINS:
                self._seen.popitem(last=False)
        return allowed


def let_through(request: Request, name: str) -> bool:
    """Whether whoever asks may do what ``name`` of :data:`PACES` counts; it is counted by asking."""
    state = request.app.state
    with _making:  # both languages count together
        if not hasattr(state, "paces"):
            clock = desk_of(request).clock
            state.paces = {key: Pace(clock, goes, within) for key, (goes, within) in PACES.items()}
        pace: Pace = state.paces[name]
    return pace.take(_network(origin_of(request)))


def too_often(pages: DeskPages) -> TroubleError:
    """What is said to those who have had their goes, where no form can say it."""
    t = pages.t
    return TroubleError(429, t("desk_help.too_often"), action=t("desk_help.back"), url=f"{t.prefix}/help")


def _network(origin: str) -> str:
    try:
        address = ip_address(origin)
    except ValueError:
        return origin
    if not isinstance(address, IPv6Address):
        return origin
    return str(address.ipv4_mapped or (int(address) >> 64))
