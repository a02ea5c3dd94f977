"""The half-hour XML of Japan's electricity business protocols (root SBD-MSG, OCCTO) to the energies of slots.

Two messages are known: a day's or slot's energies as they come in, and the month as it was settled. The
official schema is not at hand, so what is assumed stands in docs/data.md and in the tables below; elements
of other names only enclose. Entities, document types and external references are refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final, cast
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from koatsu.ems.exchange.cells import clean, read_day, read_energy
from koatsu.ems.exchange.measured import OutsideEnergy, OutsideFile, chosen_point, whole_file
from koatsu.ems.exchange.refusals import CellError, FileRefusedError, Place, cut
from koatsu.meter.slots import SLOTS_PER_DAY, Slot

__all__ = ["KIND", "read_occto_xml"]

KIND: Final = "occto-xml"
ROOT: Final = "SBD-MSG"

_POINT: Final = "JP06400"
_SLOT: Final = "JP06219"
_DAYS: Final = ("JP06116", "JP06423")  #: day of a running message, day of a settled one
_MISSING: Final = "JP06122"  #: 0: the value is there
_KWH: Final = ("JP06123", "JP06125", "JP06424", "JP06425")  #: running and settled, high voltage before low
_KEPT: Final = frozenset((_POINT, _SLOT, *_DAYS, _MISSING, *_KWH))

_MAX_DEPTH: Final = 40
_MAX_ELEMENTS: Final = 2_000_000
_MAX_TEXT: Final = 200
_DECLARED: Final = re.compile(rb"^\s*<\?xml[^>]*?encoding\s*=\s*[\"']([A-Za-z0-9_.\-]+)[\"'][^>]*\?>")
_CP932: Final = frozenset(("shift_jis", "shift-jis", "sjis", "x-sjis", "windows-31j", "cp932", "ms932"))


class _LimitError(Exception):
    """The document is deeper or longer than any real one."""


@dataclass(slots=True)
class _Element:
    """One open element: what it says itself, and the text that is being read."""

    tag: str
    says: dict[str, tuple[str, int]] = field(default_factory=dict)
    text: list[str] = field(default_factory=list)
    length: int = 0


@dataclass(frozen=True, slots=True)
class _Record:
    """One energy, with the elements around it from the outside in; they may be told more after it."""

    around: Sequence[_Element]
    line: int

    def get(self, *codes: str) -> tuple[str, str, int] | None:
        """The innermost of these codes: its name, text and line."""
        for element in reversed(self.around):
            for code in codes:
                if code in element.says and element.says[code][0]:
                    return code, *element.says[code]
        return None


class _Target:
    """Receives the parser's events; keeps the known codes and one record for each element with a slot."""

    def __init__(self) -> None:
        self.open: list[_Element] = []
        self.records: list[_Record] = []
        self.root = ""
        self.elements = 0
        self.twice: tuple[str, int] | None = None
        self.parser: DefusedXMLParser | None = None

    def start(self, tag: str, _attributes: Mapping[str, str]) -> None:
        """Enter an element."""
        self.elements += 1
        if len(self.open) >= _MAX_DEPTH or self.elements > _MAX_ELEMENTS:
            raise _LimitError
        local = tag.rpartition("}")[2]
        self.root = self.root or local
        self.open.append(_Element(local))

    def data(self, text: str) -> None:
        """Read on in the innermost element."""
        element = self.open[-1]
        if element.tag in _KEPT:
            element.length += len(text)
            if element.length > _MAX_TEXT:
                raise _LimitError
            element.text.append(text)

    def end(self, _tag: str) -> None:
        """Leave an element: tell the one around it, or keep a record."""
        element = self.open.pop()
        line = self.parser.parser.CurrentLineNumber if self.parser else 0
        if element.tag in _KEPT and self.open:
            around = self.open[-1]
            if element.tag in around.says and self.twice is None:
                self.twice = element.tag, line
            around.says[element.tag] = ("".join(element.text).strip(), line)
        elif element.says and (_SLOT in element.says or any(code in element.says for code in _KWH)):
            self.records.append(_Record((*self.open, element), line))

    def close(self) -> _Target:
        """The end of the document."""
        return self


def read_occto_xml(data: bytes, name: str, *, now: datetime, point: str = "") -> OutsideFile:
    """The energies that a half-hour message holds.

    Args:
        data: the bytes of the XML document.
        name: what errors call the file.
        now: the present; later half hours are refused.
        point: the last digits of the supply point, where the message holds several.

    Raises:
        FileRefusedError: with line and element of the first thing that is wrong.
    """
    target = _parsed(data, name)
    # An element that has a slot or an energy alone only encloses the records inside it, if there are any.
    records = [one for one in target.records if one.get(_SLOT) and (one.get(*_KWH) or one.get(_MISSING))]
    if target.twice is not None:
        code, line = target.twice
        raise FileRefusedError(
            name,
            CellError(
                f"{code} stands twice in one element",
                f"1 つの要素に {code} が 2 回あります",
                expected=f"one {code} in each element around it",
                expected_ja=f"要素ごとに 1 つの {code}",
            ),
            Place(row=line, heading=code),
        )
    points = {found[1] for one in records if (found := one.get(_POINT))}
    chosen = chosen_point(name, points, point)
    values: list[OutsideEnergy] = []
    empty = 0
    for one in records:
        found = one.get(_POINT)
        if chosen is not None and (found is None or found[1] != chosen):
            continue
        value = _value(one, name)
        if value is None:
            empty += 1
        else:
            values.append(value)
    return whole_file(KIND, name, values, empty, now)


def _value(one: _Record, name: str) -> OutsideEnergy | None:
    day, slot = one.get(*_DAYS), one.get(_SLOT)
    assert slot is not None
    place = Place(row=slot[2], heading=slot[0])
    if day is None:
        raise FileRefusedError(
            name,
            CellError(
                "a half hour without a day",
                "日付のない 30 分値があります",
                expected=" / ".join(_DAYS),
                expected_ja=" / ".join(_DAYS),
            ),
            place,
        )
    number = clean(slot[1])
    if not (number.isascii() and number.isdigit() and len(number) <= 2 and 1 <= int(number) <= SLOTS_PER_DAY):
        raise FileRefusedError(
            name,
            CellError(
                f"“{cut(slot[1])}” is not the number of a half hour",
                f"「{cut(slot[1])}」はコマ番号ではありません",
                expected="1 to 48",
                expected_ja="1〜48",
            ),
            place,
        )
    try:
        date = read_day(day[1])
    except CellError as cause:
        raise FileRefusedError(name, cause, Place(row=day[2], heading=day[0])) from cause
    return _energy(one, Slot(date, int(number)), name)


def _energy(one: _Record, slot: Slot, name: str) -> OutsideEnergy | None:
    flag = one.get(_MISSING)
    if flag is not None and clean(flag[1]).lstrip("0"):
        return None  # the sender itself says that the value is missing
    found = one.get(*_KWH)
    if found is None:
        return None
    place = Place(row=found[2], heading=found[0])
    try:
        energy: Decimal | None = read_energy(found[1])
    except CellError as cause:
        raise FileRefusedError(name, cause, place) from cause
    return None if energy is None else OutsideEnergy(slot, energy, place)


def _parsed(data: bytes, name: str) -> _Target:
    target = _Target()
    try:
        parser = DefusedXMLParser(target=target, forbid_dtd=True, forbid_entities=True, forbid_external=True)
        target.parser = parser
        parser.feed(_as_utf8(data))
        found = cast("_Target", parser.close())
    except DefusedXmlException as error:
        raise FileRefusedError(
            name,
            CellError(
                f"the document declares a type or an entity ({type(error).__name__})",
                f"文書型またはエンティティの宣言があります({type(error).__name__})",
                expected="plain XML without DOCTYPE and ENTITY",
                expected_ja="DOCTYPE や ENTITY のない XML",
            ),
        ) from error
    except ParseError as error:
        line, column = error.position
        raise FileRefusedError(
            name,
            CellError(
                f"this is not well-formed XML ({cut(str(error).partition(':')[0])}, character {column + 1})",
                f"XML として読めません({column + 1} 文字目)",
                expected="a whole document; was the file cut short?",
                expected_ja="完全な XML 文書(途中で切れていないか確かめてください)",
            ),
            Place(row=line),
        ) from error
    except (UnicodeError, LookupError, ValueError) as error:
        raise FileRefusedError(
            name,
            CellError(
                "the text is not in the encoding that the document declares",
                "文書が宣言している文字コードで読めません",
                expected="UTF-8 or Shift_JIS",
                expected_ja="UTF-8 または Shift_JIS",
            ),
        ) from error
    except _LimitError as error:
        raise FileRefusedError(
            name,
            CellError(
                "the document is deeper or longer than a half-hour message can be",
                "30 分値の電文としては深すぎるか長すぎます",
                expected=f"at most {_MAX_DEPTH} levels and {_MAX_ELEMENTS} elements",
                expected_ja=f"{_MAX_DEPTH} 段、{_MAX_ELEMENTS} 要素まで",
            ),
        ) from error
    if found.root != ROOT:
        raise FileRefusedError(
            name,
            CellError(
                f"the outermost element is “{cut(found.root)}”",
                f"最も外側の要素が「{cut(found.root)}」です",
                expected=ROOT,
                expected_ja=ROOT,
            ),
        )
    return found


def _as_utf8(data: bytes) -> bytes:
    """The document in an encoding that the parser knows; it knows no Shift_JIS."""
    found = _DECLARED.match(data.removeprefix(b"\xef\xbb\xbf"))
    if found is None or found[1].decode("ascii").casefold() not in _CP932:
        return data
    return data[found.end() :].decode("cp932").encode("utf-8")
