"""Who pays for what: the table ``tables/costs.toml``.

The rule ``cost.free``: application, use and the works of the utility are free, and nothing in the desk can
raise a charge for them. There is no amount here, nor anywhere else in the desk, that one could be put into.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files

from koatsu.desk.words import Words

__all__ = ["PAYER_WORDS", "CostItem", "Payer", "cost_items"]


class Payer(StrEnum):
    """Who bears it."""

    UTILITY = "utility"  #: free for the customer
    CUSTOMER = "customer"  #: bought or done by the customer, from whom the customer likes


PAYER_WORDS = {
    Payer.UTILITY: Words("当社(お客さまは無料)", "The utility (free for you)"),
    Payer.CUSTOMER: Words("お客さま", "You"),
}
"""How a page calls the one who pays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CostItem:
    """Something that the service takes, and who bears it."""

    id: str
    words: Words
    who: Payer

    @property
    def free(self) -> bool:
        """Whether it costs the customer nothing."""
        return self.who is Payer.UTILITY


@cache
def cost_items() -> tuple[CostItem, ...]:
    """All of it, in the order of the page."""
    text = files("koatsu.desk").joinpath("tables/costs.toml").read_text(encoding="utf-8")
    return tuple(
        CostItem(id=row["id"], words=Words(**row["words"]), who=Payer(row["who"]))
        for row in tomllib.loads(text)["item"]
    )
