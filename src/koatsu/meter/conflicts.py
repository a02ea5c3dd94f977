"""What stands in the place of a number when there is none: a conflict or a refusal.

A conflict says that values which must agree do not (a counter that leaps, two values for one instant).
A refusal says that one value from a meter was not taken, and why. Both are returned, not raised: one
bad value must not take its 47 neighbours with it, and each is shown to the person of the site.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

__all__ = ["Conflict", "ConflictKind", "Refusal", "RefusalKind"]


class ConflictKind(StrEnum):
    """What does not agree."""

    OVER_CEILING = "over_ceiling"  #: the difference implies more power than the site can draw
    AMBIGUOUS_WRAP = "ambiguous_wrap"  #: the gap is long enough for one lap more
    BACKWARDS = "backwards"  #: the counter fell, and a wrap is not plausible
    BEYOND_DIGITS = "beyond_digits"  #: a count needs more digits than the register has
    TWO_VALUES = "two_values"  #: one instant, two counts
    DEMAND_MISMATCH = "demand_mismatch"  #: the meter's demand and its energy differ by more than resolution
    ALIGNMENT = "alignment"  #: a history fits neither way of counting its elements


@dataclass(frozen=True, slots=True)
class Conflict:
    """Values that must agree and do not: one sentence in English and in Japanese."""

    kind: ConflictKind
    reason: str
    reason_ja: str

    def text(self, lang: str = "en") -> str:
        """The sentence in ``lang`` ("ja" or "en")."""
        return self.reason_ja if lang == "ja" else self.reason


class RefusalKind(StrEnum):
    """Why a value was not taken."""

    BEYOND_DIGITS = "beyond_digits"  #: the count has more digits than the register
    WRONG_DAY = "wrong_day"  #: a history answered for another day than the one asked for
    DATE_CHANGED = "date_changed"  #: the meter's date changed while the history was read
    FUTURE = "future"  #: a value for an instant that the meter's clock has not reached
    NO_TIME = "no_time"  #: the value carries the initial date-time, not a real one
    NOT_ON_GRID = "not_on_grid"  #: a fixed-time value is not stamped with a half hour or a whole minute
    OUT_OF_RANGE = "out_of_range"  #: an overflow or underflow code
    UNSCALED = "unscaled"  #: the coefficient that the value needs is not known


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A value that was not taken.

    ``subject`` names the property or register; ``instant`` (UTC) is what it would have been for, where
    that is known.
    """

    kind: RefusalKind
    subject: str
    reason: str
    reason_ja: str
    instant: datetime | None = None

    def text(self, lang: str = "en") -> str:
        """The sentence in ``lang`` ("ja" or "en")."""
        return self.reason_ja if lang == "ja" else self.reason
