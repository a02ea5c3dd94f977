"""Parser of the layout mini-language: what the bytes of a property are, in one line.

    layout   := item (" " item)*          several items make a record, and then each has a name
    item     := [name ":"] term ["*" times]
    term     := type | "(" layout ")"     a type is a row of tables/types.toml
    times    := number | name             a name is an integer item that stands before

Examples: ``count``; ``at:datetime7 normal:count``; ``day:day normal:count*48``;
``at:datetime6 segments:segments10 rows:(normal:count reverse:count)*segments``.
Only the text is read here; ``codec.py`` gives it meaning.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Item", "Layout", "LayoutError", "parse"]

_TOKEN = re.compile(r"\s*(?:(?P<word>[a-z][a-z0-9_]*)|(?P<number>[0-9]+)|(?P<sign>[:*()]))")


class LayoutError(ValueError):
    """The text of a layout is not in the language."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item: ``name`` is empty where it needs none; ``times`` is 0 for "once", a number, or a name."""

    name: str
    term: str | Layout
    times: int | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The items of a layout, in wire order: one item without a name, or only items with names."""

    items: tuple[Item, ...]

    @property
    def is_record(self) -> bool:
        """Whether the items have names, so that the value is a ``Record``."""
        return bool(self.items[0].name)


class _Reader:
    """The tokens of one layout text, read from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def fail(self, wanted: str) -> LayoutError:
        return LayoutError(f"layout {self.text!r}: {wanted} expected at character {self.at + 1}")

    def take(self, kind: str, value: str = "") -> str:
        """The next token if it is of this kind (and value), else an empty string."""
        match = _TOKEN.match(self.text, self.at)
        found = match.group(kind) if match else None
        if match is None or found is None or (value and found != value):
            return ""
        self.at = match.end()
        return found

    def layout(self) -> Layout:
        items = [self.item()]
        while not (self.done() or self.next_is(")")):
            items.append(self.item())
        names = [item.name for item in items]
        if len(items) > 1 and not all(names):
            raise self.fail("a name for each item")
        if len(set(names)) != len(names):
            raise self.fail("different names")
        for index, item in enumerate(items):
            if isinstance(item.times, str) and item.times not in names[:index]:
                raise self.fail(f"an item {item.times!r} before its use")
        return Layout(items=tuple(items))

    def item(self) -> Item:
        name, term = "", self.term()
        if isinstance(term, str) and self.take("sign", ":"):
            name, term = term, self.term()
        times: int | str = 0
        if self.take("sign", "*"):
            number = self.take("number")
            times = int(number) if number else self.take("word")
            if not times:
                raise self.fail("a number above 0 or a name")
        return Item(name=name, term=term, times=times)

    def term(self) -> str | Layout:
        if self.take("sign", "("):
            inner = self.layout()
            if not self.take("sign", ")"):
                raise self.fail("')'")
            return inner
        word = self.take("word")
        if not word:
            raise self.fail("a name or a type")
        return word

    def next_is(self, sign: str) -> bool:
        match = _TOKEN.match(self.text, self.at)
        return match is not None and match.group("sign") == sign

    def done(self) -> bool:
        return not self.text[self.at :].strip()


def parse(text: str) -> Layout:
    """The layout that ``text`` describes.

    Raises:
        LayoutError: it is not in the language; the message names the character.
    """
    reader = _Reader(text)
    layout = reader.layout()
    if not reader.done():
        raise reader.fail("an item or the end")
    return layout
