"""What the desk refuses, each in one sentence with what to do: in Japanese and English."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from koatsu.clock import JST
from koatsu.desk.words import Words
from koatsu.errors import ConfigError, KoatsuError, UsageError

__all__ = [
    "ChangedMeanwhileError",
    "DeskError",
    "DeskSettingError",
    "ForbiddenError",
    "InputError",
    "NoStepError",
    "RuleError",
    "UnknownError",
]


class DeskError(KoatsuError):
    """Anything that the desk refuses."""

    def __init__(self, words: Words, hint: Words | None = None) -> None:
        super().__init__(
            words.en, ja=words.ja, hint=hint.en if hint else None, hint_ja=hint.ja if hint else None
        )


class DeskSettingError(DeskError, ConfigError):
    """The utility has not said in its settings what this needs."""


class UnknownError(DeskError, UsageError):
    """There is no such case, point, office, document, or it is not for whoever asks to see."""


class ForbiddenError(DeskError):
    """Whoever asks may not do this."""


class InputError(DeskError, UsageError):
    """Fields that cannot be taken; ``by_field`` has a sentence for each, nothing was kept."""

    def __init__(self, by_field: Mapping[str, Words]) -> None:
        self.by_field = dict(by_field)
        first = next(iter(self.by_field.values()))
        more = len(self.by_field) - 1
        tail = Words(f"(ほか {more} 件)", f" (and {more} more)") if more else Words("", "")
        super().__init__(Words(first.ja + tail.ja, first.en + tail.en))


class NoStepError(DeskError, UsageError):
    """The life cycle has no such step from where the case is."""


class RuleError(DeskError):
    """A named rule of the service does not hold; ``rule`` is its name, ``fields`` are those it lacks."""

    def __init__(
        self, rule: str, words: Words, hint: Words | None = None, *, fields: tuple[str, ...] = ()
    ) -> None:
        super().__init__(words, hint)
        self.rule, self.fields = rule, fields


class ChangedMeanwhileError(DeskError):
    """Somebody else has changed it since it was looked at; nothing was written over."""

    def __init__(self, what: Words, by: str, at: datetime) -> None:
        when = f"{at.astimezone(JST):%H:%M}"
        super().__init__(
            Words(
                f"{what.ja}は、表示したあとに {by} が {when} に変更しました。入力は反映していません。",
                f"{what.en} was changed by {by} at {when}, after you opened it. Your input was not applied.",
            ),
            Words(
                "最新の内容を確かめてから、もう一度行ってください。",
                "Look at what it says now, then do it again.",
            ),
        )
        self.by, self.at = by, at
