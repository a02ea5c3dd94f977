"""What can go wrong between a person's words and the class tables, and inside a table itself.

Bytes from the wire raise ``koatsu.echonet.DecodeError`` instead; it is not defined here.
"""

from __future__ import annotations

from koatsu.errors import KoatsuError, UsageError

__all__ = ["MisfitError", "TableError", "UnknownClassError", "UnknownPropertyError"]


class UnknownClassError(UsageError):
    """No table for that object class; the hint names the classes there are."""


class UnknownPropertyError(UsageError):
    """The class has no such property; the hint names the nearest ones."""


class TableError(KoatsuError):
    """A table of this package contradicts itself; the message names file, row and line."""


class MisfitError(Exception):
    """Bytes do not fit a layout. Internal: a property turns it into ``DecodeError`` with the bytes.

    Args:
        reason: what is wrong, without position.
        offset: index of the first byte of the part that does not fit.
        expected: what may stand there.
    """

    def __init__(self, reason: str, offset: int, expected: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.offset = offset
        self.expected = expected
