"""The root of every error that Koatsu raises on purpose.

An error carries one clear sentence in English, the same in Japanese where a person of the site may
read it, a hint that says what to do, and the exit status of the command line.
"""

from __future__ import annotations

from typing import ClassVar

__all__ = ["ConfigError", "KoatsuError", "UnreachableError", "UsageError"]


class KoatsuError(Exception):
    """Anything that went wrong for a reason we can name.

    Args:
        message: what happened, where, in one English sentence.
        ja: the same sentence in Japanese; ``None`` where only programmers read it.
        hint: what to do next, one English sentence.
        hint_ja: the same in Japanese.
    """

    exit_status: ClassVar[int] = 1  #: design section 5: 1 found wanting, 2 wrong use, 3 could not reach

    def __init__(
        self, message: str, *, ja: str | None = None, hint: str | None = None, hint_ja: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.ja = ja
        self.hint = hint
        self.hint_ja = hint_ja

    def text(self, lang: str = "en") -> str:
        """The sentence and its hint in ``lang`` ("ja" or "en"), English where no Japanese was given."""
        message = self.ja if lang == "ja" and self.ja else self.message
        hint = self.hint_ja if lang == "ja" and self.hint_ja else self.hint
        if not hint:
            return message
        return f"{message}{hint}" if message.endswith("。") else f"{message} {hint}"


class UsageError(KoatsuError, ValueError):
    """The caller asked for something that cannot be: wrong name, wrong range, wrong unit."""

    exit_status = 2


class ConfigError(UsageError):
    """A configuration file has a wrong key, type or unit; the message names file and line."""


class UnreachableError(KoatsuError, ConnectionError):
    """The other side cannot be reached: no route, no permission, port taken, no answer."""

    exit_status = 3
