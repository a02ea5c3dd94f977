"""What can go wrong between two nodes, mapped from the operating system's errors at the edge."""

from __future__ import annotations

from koatsu.errors import UnreachableError

__all__ = ["LinkError", "NoAnswerError", "RefusedError"]


class LinkError(UnreachableError):
    """The socket cannot be opened: port taken, address not ours, no permission, no such interface."""


class NoAnswerError(UnreachableError, TimeoutError):
    """No answer came in time, all tries included."""


class RefusedError(UnreachableError):
    """The other node answered, and refused what was asked."""
