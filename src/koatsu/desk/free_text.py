"""Text of several lines, as customers and staff write it: kept as written, or refused. Pure."""

from __future__ import annotations

from typing import Final

from koatsu.desk.plain_text import kept_text

__all__ = ["kept_lines"]

_TAB: Final = "    "


def kept_lines(text: str, longest: int) -> str:
    """``text`` as it is kept: every character as written, plain line ends, no space behind lines or around.

    Args:
        text: as it came in.
        longest: characters that fit, line ends counted.

    Raises:
        TextRefused: it is too long, or holds what cannot be shown.
    """
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = [line.replace("\t", _TAB).rstrip() for line in plain.split("\n")]
    kept_text(" ".join(lines), longest)
    return "\n".join(lines).strip()
