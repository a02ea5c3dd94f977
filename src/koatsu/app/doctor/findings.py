"""What a check found: one step, one verdict, one sentence in both languages, and what to do about it.

The steps stand in the order in which a person would look, from the cable to the page, and each says which
earlier ones it needs. A step whose need is wanting is not checked; its finding names the one to mend first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Self

from koatsu.errors import KoatsuError

__all__ = ["NEEDS", "TITLES", "Finding", "Step", "Verdict", "exit_status"]


class Verdict(StrEnum):
    """How a step came out."""

    OK = "ok"
    WANTING = "wanting"
    UNKNOWN = "unknown"  #: it cannot be checked; the sentence says why


class Step(StrEnum):
    """What is looked at, in this order."""

    CONFIG = "config"
    CABLE = "cable"
    ADDRESS = "address"
    ROUTE = "route"
    NEIGHBOUR = "neighbour"
    PORT = "port"
    ANSWER = "answer"
    CLASS = "class"
    NAMEPLATE = "nameplate"
    CLOCK = "clock"
    DATA = "data"
    STORE = "store"
    INTEGRITY = "integrity"
    DISK = "disk"
    AGE = "age"
    PAGE = "page"


TITLES: Final[Mapping[Step, tuple[str, str]]] = {
    Step.CONFIG: ("設定", "configuration"),
    Step.CABLE: ("ケーブル", "cable"),
    Step.ADDRESS: ("自分のアドレス", "own address"),
    Step.ROUTE: ("経路", "route"),
    Step.NEIGHBOUR: ("相手の有無", "neighbour"),
    Step.PORT: ("ポート 3610", "port 3610"),
    Step.ANSWER: ("応答", "answer"),
    Step.CLASS: ("クラス", "class"),
    Step.NAMEPLATE: ("銘板", "nameplate"),
    Step.CLOCK: ("時計", "clock"),
    Step.DATA: ("履歴", "history"),
    Step.STORE: ("保存先", "store"),
    Step.INTEGRITY: ("保存先の中身", "integrity"),
    Step.DISK: ("空き容量", "disk space"),
    Step.AGE: ("最後のコマ", "last slot"),
    Step.PAGE: ("画面", "page"),
}
"""What a person calls each step: Japanese, English."""

NEEDS: Final[Mapping[Step, tuple[Step, ...]]] = {
    Step.CABLE: (Step.CONFIG,),
    Step.ADDRESS: (Step.CABLE,),
    Step.ROUTE: (Step.ADDRESS,),
    Step.NEIGHBOUR: (Step.ROUTE,),
    Step.PORT: (Step.ROUTE,),
    Step.ANSWER: (Step.NEIGHBOUR, Step.PORT),
    Step.CLASS: (Step.ANSWER,),
    Step.NAMEPLATE: (Step.CLASS,),
    Step.CLOCK: (Step.NAMEPLATE,),
    Step.DATA: (Step.NAMEPLATE,),
    Step.STORE: (Step.CONFIG,),
    Step.INTEGRITY: (Step.STORE,),
    Step.DISK: (Step.CONFIG,),
    Step.AGE: (Step.STORE,),
    Step.PAGE: (Step.CONFIG,),
}
"""Which steps must be well for a step to mean anything."""

_COULD_NOT_REACH: Final = frozenset(
    {Step.CABLE, Step.ADDRESS, Step.ROUTE, Step.NEIGHBOUR, Step.PORT, Step.ANSWER}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One step's outcome. ``meter`` is the id or the address it is about; ``facts`` are what was seen."""

    step: Step
    verdict: Verdict
    en: str
    ja: str
    hint: str = ""
    hint_ja: str = ""
    meter: str | None = None
    facts: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def ok(cls, step: Step, en: str, ja: str, *, meter: str | None = None, **facts: object) -> Self:
        """A step that is well."""
        told = {name: str(value) for name, value in facts.items() if value is not None}
        return cls(step=step, verdict=Verdict.OK, en=en, ja=ja, meter=meter, facts=told)

    @classmethod
    def wanting(
        cls,
        step: Step,
        en: str,
        ja: str,
        *,
        hint: str,
        hint_ja: str,
        meter: str | None = None,
        **facts: object,
    ) -> Self:
        """A step that is not well: what and why, and what to do."""
        told = {name: str(value) for name, value in facts.items() if value is not None}
        return cls(
            step=step,
            verdict=Verdict.WANTING,
            en=en,
            ja=ja,
            hint=hint,
            hint_ja=hint_ja,
            meter=meter,
            facts=told,
        )

    @classmethod
    def of_error(cls, step: Step, error: KoatsuError, *, meter: str | None = None) -> Self:
        """A step that an error of ours explains."""
        return cls(
            step=step,
            verdict=Verdict.WANTING,
            en=error.message,
            ja=error.ja or error.message,
            hint=error.hint or "Mend this and look again.",
            hint_ja=error.hint_ja or "これを直してから、もう一度調べてください。",
            meter=meter,
        )

    @classmethod
    def because_of(cls, step: Step, cause: Finding, *, meter: str | None = None) -> Self:
        """A step that cannot be checked before another one is well."""
        ja, en = TITLES[cause.step]
        return cls(
            step=step,
            verdict=Verdict.UNKNOWN,
            en=f"Cannot be checked because of: {en}.",
            ja=f"確認できません(先に直すもの: {ja})。",
            meter=meter,
            facts={"because": str(cause.step)},
        )

    @classmethod
    def unknown(cls, step: Step, en: str, ja: str, *, meter: str | None = None) -> Self:
        """A step that cannot be checked for a reason of its own."""
        return cls(
            step=step,
            verdict=Verdict.UNKNOWN,
            en=f"Cannot be checked because {en}.",
            ja=f"確認できません({ja})。",
            meter=meter,
        )

    def title(self, lang: str) -> str:
        """What a person calls the step."""
        ja, en = TITLES[self.step]
        return ja if lang == "ja" else en

    def sentence(self, lang: str) -> str:
        """What was found."""
        return self.ja if lang == "ja" else self.en

    def advice(self, lang: str) -> str:
        """What to do; empty where nothing is."""
        return self.hint_ja if lang == "ja" else self.hint

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "step": str(self.step),
            "meter": self.meter,
            "verdict": str(self.verdict),
            "en": self.en,
            "ja": self.ja,
            "hint": self.hint,
            "hint_ja": self.hint_ja,
            "facts": dict(self.facts),
        }


def exit_status(findings: list[Finding]) -> int:
    """0: all well; 1: something is wanting; 2: the configuration is wrong; 3: a meter cannot be reached."""
    wanting = {one.step for one in findings if one.verdict is Verdict.WANTING}
    if Step.CONFIG in wanting:
        return 2
    if wanting & _COULD_NOT_REACH:
        return 3
    return 1 if wanting else 0
