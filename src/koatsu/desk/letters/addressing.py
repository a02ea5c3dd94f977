"""To whom: 様 for people, 御中 for companies and their departments, never both and never twice."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["addressee_lines", "dear", "plain_name"]

SAMA: Final = "様"
ONCHU: Final = "御中"

# 殿 ends family names (鵜殿), so it is taken for an honorific behind a space alone.
_HONORIFIC: Final = re.compile(r"(?:[\s\u3000]*(?:様|さま|御中)|[\s\u3000]+殿)+$")


def plain_name(name: str) -> str:
    """The name without an honorific that somebody typed with it."""
    plain = _HONORIFIC.sub("", name.strip())
    return plain or name.strip()


def addressee_lines(
    name: str, *, organisation: bool, department: str = "", person: str = "", nameless: str = "お客さま"
) -> tuple[str, ...]:
    """The lines of the address below the street, in Japanese.

    Args:
        name: the customer: a company, or a person.
        organisation: whether it is a company or another body.
        department: of the company.
        person: whom to write to there; where it is given, the company gets no 御中.
        nameless: how to call a customer of whom no name is kept.
    """
    name, department, person = plain_name(name), plain_name(department), plain_name(person)
    if not name and not person:
        return (nameless,)
    if person and person != name:
        above = (name if organisation or not name else f"{name} {SAMA}", department)
        return (*filter(None, above), f"{person} {SAMA}")
    if not organisation:
        return (*filter(None, (department,)), f"{name} {SAMA}")
    if department:
        return name, f"{department} {ONCHU}"
    return (f"{name} {ONCHU}",)


def dear(name: str, person: str, nameless: str) -> str:
    """Whom an English mail greets: the person, else the customer; no title, for it would be guessed."""
    return plain_name(person) or plain_name(name) or nameless
