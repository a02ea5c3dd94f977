"""The names of rules: each is asked by the steps of the life cycle that name it.

A rule refuses with one sentence and what to do. The rules themselves stand in the modules beside this one,
and :mod:`koatsu.desk.rules` brings them together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from koatsu.desk.standing import Standing

__all__ = ["RULES", "Rule", "rule"]

Rule = Callable[[Standing], None]

RULES: Final[dict[str, Rule]] = {}
"""Every rule by its name."""


def rule(name: str) -> Callable[[Rule], Rule]:
    """Make a function the rule of that name."""

    def named(check: Rule) -> Rule:
        RULES[name] = check
        return check

    return named
