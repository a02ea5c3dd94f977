"""What the transaction engine reports. Light values; an event says what happened, never what to do."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from koatsu.echonet.errors import DecodeError
from koatsu.echonet.frame import Frame, Message

if TYPE_CHECKING:
    from koatsu.echonet.engine import Exchange

__all__ = [
    "Announced", "Answered", "Arbitrary", "Duplicate", "Event", "Late", "Malformed", "Requested", "Resend",
    "Stray", "TimedOut", "Unfit",
]  # fmt: skip


class Answered(NamedTuple):
    """The answer, whole or partial (the frame's service says which)."""

    exchange: Exchange
    frame: Frame
    address: Hashable
    elapsed_s: float


class Unfit(NamedTuple):
    """Right address and TID, but it cannot be the answer; the exchange goes on waiting."""

    exchange: Exchange
    frame: Frame
    address: Hashable
    reason: str


class Resend(NamedTuple):
    """Time is over and tries are left: send ``exchange.data`` once more."""

    exchange: Exchange


class TimedOut(NamedTuple):
    """Time is over and no try is left; the usual end of an exchange that collects several answers."""

    exchange: Exchange


class Late(NamedTuple):
    """An answer to an exchange that was given up."""

    frame: Frame
    address: Hashable


class Duplicate(NamedTuple):
    """An answer to an exchange that had its answer."""

    frame: Frame
    address: Hashable


class Stray(NamedTuple):
    """An answer to nothing that was asked of this address."""

    frame: Frame
    address: Hashable


class Requested(NamedTuple):
    """Somebody asks."""

    frame: Frame
    address: Hashable


class Announced(NamedTuple):
    """Somebody announces, INF or INFC; the latter wants a receipt."""

    frame: Frame
    address: Hashable


class Arbitrary(NamedTuple):
    """A format 2 message."""

    message: Message
    address: Hashable


class Malformed(NamedTuple):
    """Bytes that are no message."""

    error: DecodeError
    data: bytes
    address: Hashable


Event: TypeAlias = (
    Answered
    | Unfit
    | Resend
    | TimedOut
    | Late
    | Duplicate
    | Stray
    | Requested
    | Announced
    | Arbitrary
    | Malformed
)
