"""What each field of a link profile may hold, stated once: for construction, for files and for messages."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

__all__ = ["RULES", "Choice", "Count", "Flag", "Rule", "Seconds", "nearest"]


class Rule(Protocol):
    """What one field may hold."""

    @property
    def allowed_en(self) -> str:
        """What is allowed, to stand behind "must be"."""
        ...

    @property
    def allowed_ja(self) -> str:
        """The same in Japanese, to stand before 「です」."""
        ...

    def accepts(self, value: object) -> bool:
        """Whether ``value`` has the type and lies in the range."""
        ...


@dataclass(frozen=True, slots=True)
class Seconds:
    """A duration in seconds, whole or not, both ends allowed."""

    low: float
    high: float

    @property
    def allowed_en(self) -> str:
        """The range in English."""
        return f"a number of seconds from {self.low:g} to {self.high:g}"

    @property
    def allowed_ja(self) -> str:
        """The range in Japanese."""
        return f"{self.low:g} から {self.high:g} までの秒数"

    def accepts(self, value: object) -> bool:
        """Whether ``value`` is a number in the range; "not a number" and infinity are in none."""
        return (
            isinstance(value, int | float) and not isinstance(value, bool) and self.low <= value <= self.high
        )


@dataclass(frozen=True, slots=True)
class Count:
    """A whole number, both ends allowed."""

    low: int
    high: int

    @property
    def allowed_en(self) -> str:
        """The range in English."""
        return f"a whole number from {self.low} to {self.high}"

    @property
    def allowed_ja(self) -> str:
        """The range in Japanese."""
        return f"{self.low} から {self.high} までの整数"

    def accepts(self, value: object) -> bool:
        """Whether ``value`` is an integer in the range."""
        return isinstance(value, int) and not isinstance(value, bool) and self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""

    @property
    def allowed_en(self) -> str:
        """The two words."""
        return "true or false"

    @property
    def allowed_ja(self) -> str:
        """The two words."""
        return "true または false"

    def accepts(self, value: object) -> bool:
        """Whether ``value`` is one of the two."""
        return isinstance(value, bool)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    words: tuple[str, ...]

    @property
    def allowed_en(self) -> str:
        """The words, quoted."""
        return " or ".join(f'"{word}"' for word in self.words)

    @property
    def allowed_ja(self) -> str:
        """The words, quoted."""
        return " または ".join(f'"{word}"' for word in self.words)

    def accepts(self, value: object) -> bool:
        """Whether ``value`` is one of the words."""
        return isinstance(value, str) and value in self.words


RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "timer_one_s": Seconds(0.01, 600),
        "timer_many_s": Seconds(0.01, 600),
        "retries": Count(0, 10),
        "max_properties": Count(1, 255),  # one byte on the wire
        "outstanding": Count(1, 64),
        "spacing_s": Seconds(0, 60),
        "accept_trailing": Flag(),
        "match_answer_properties": Choice(("exact", "subset")),
        "poll_now_s": Seconds(0.1, 3600),
        "poll_slot_after_s": Seconds(0, 1799),  # before the next half hour closes
        "notify_expected": Flag(),
        "notify_within_s": Seconds(0, 1799),
        "history_pause_s": Seconds(0, 3600),
        "energy_history_first": Choice(("00:00", "00:30")),
        "demand_history_stamp": Choice(("start", "end")),
        "history_days_max": Count(0, 99),
        "start_wait_s": Seconds(0, 600),
        "discover_wait_s": Seconds(0, 600),
    }
)
"""Every field of a profile file, in the order of `koatsu.node.profiles.LinkProfile`."""


def nearest(word: str, known: Iterable[str]) -> list[str]:
    """The known words most like ``word``, best first; all of them where none is like it."""
    known = list(known)
    return difflib.get_close_matches(word, known, n=3, cutoff=0.5) or known
