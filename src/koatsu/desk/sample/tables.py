"""The tables of the sample utility, read once: what it is, and what its customers are called."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from koatsu.desk.settings import DeskSettings
from koatsu.desk.words import Words
from koatsu.people import Role

__all__ = ["SamplePerson", "names", "sample_people", "sample_settings", "utility"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplePerson:
    """Somebody who works at the sample utility, or a customer who follows a case on the page."""

    key: str
    name: str
    role: Role
    office: str | None  #: code; None: every office, or a customer
    shown: bool  #: on the login page of the demo


@cache
def _table(name: str) -> Mapping[str, Any]:
    text = files("koatsu.desk.sample").joinpath(f"{name}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def utility() -> Mapping[str, Any]:
    """The table ``utility.toml``."""
    return _table("utility")


def names() -> Mapping[str, Any]:
    """The table ``names.toml``."""
    return _table("names")


def sample_people() -> Sequence[SamplePerson]:
    """The people of the sample, the owner first."""
    return [
        SamplePerson(
            key=row["key"],
            name=row["name"],
            role=Role(row["role"]),
            office=row.get("office"),
            shown=row.get("login", False),
        )
        for row in utility()["person"]
    ]


def sample_settings() -> DeskSettings:
    """What the sample utility has decided; applications on the page are taken, so that they can be tried."""
    row = utility()
    return DeskSettings(
        utility=Words(**row["name"]),
        area_prefixes=tuple(row["area_prefixes"]),
        case_prefix=row["case_prefix"],
        online=True,
        self_supply_office=row["self_supply_office"],
    )
