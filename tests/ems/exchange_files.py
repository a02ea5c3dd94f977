"""Files as retailers write them, for the tests of import: made from energies, in every known layout."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal

from koatsu.meter.slots import Slot

Energies = Mapping[Slot, Decimal]

ERAS = {"reiwa": 2018, "heisei": 1988}


def written(rows: Sequence[Sequence[str]], *, separator: str = ",", end: str = "\r\n") -> str:
    """Rows as text of a CSV file."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator, lineterminator=end).writerows(rows)
    return text.getvalue()


def day_text(day: date, form: str) -> str:
    """A date as people write it."""
    return {
        "slash": f"{day.year}/{day.month}/{day.day}",
        "slash2": f"{day:%Y/%m/%d}",
        "dash": day.isoformat(),
        "dot": f"{day.year}.{day.month}.{day.day}",
        "bare": f"{day:%Y%m%d}",
        "kanji": f"{day.year}年{day.month}月{day.day}日",
        "reiwa": f"令和{day.year - 2018}年{day.month}月{day.day}日",
        "r": f"R{day.year - 2018}.{day.month:02}.{day.day:02}",
        "weekday": f"{day:%Y/%m/%d}({'月火水木金土日'[day.weekday()]})",
        "full": f"{day.year}/{day.month}/{day.day}".translate(FULL),
    }[form]


DAY_FORMS = ("slash", "slash2", "dash", "dot", "bare", "kanji", "reiwa", "r", "weekday", "full")
FULL = {ord(plain): chr(ord(plain) + 0xFEE0) for plain in "0123456789/:.,"}


def clock(minutes: int, form: str = "short") -> str:
    """A time of day: ``0:30``, ``00:30``, ``00:30:00`` or ``0時30分``."""
    hour, minute = divmod(minutes, 60)
    return {
        "short": f"{hour}:{minute:02}",
        "long": f"{hour:02}:{minute:02}",
        "seconds": f"{hour:02}:{minute:02}:00",
        "kanji": f"{hour}時{minute:02}分",
        "full": f"{hour}:{minute:02}".translate(FULL),
    }[form]


CLOCK_FORMS = ("short", "long", "seconds", "kanji", "full")

#: headings of 48 columns
WIDE = {
    "starts": [clock(30 * n) for n in range(48)],
    "ends": [clock(30 * n) for n in range(1, 49)],
    "ends_0": [clock(30 * n % 1440) for n in range(1, 49)],
    "spans": [f"{clock(30 * n, 'long')}～{clock(30 * n + 30, 'long')}" for n in range(48)],
    "numbers": [str(n) for n in range(1, 49)],
    "koma": [f"{n}コマ" for n in range(1, 49)],
    "units": [f"{clock(30 * n)}(kWh)" for n in range(48)],
}


def number(value: Decimal | None, form: str) -> str:
    """An energy as people write it; empty where there is none."""
    if value is None:
        return ""
    return {
        "plain": f"{value:f}",
        "grouped": f"{value:,f}",
        "full": f"{value:f}".translate(FULL),
        "spaced": f" {value:f} ",
    }[form]


NUMBER_FORMS = ("plain", "grouped", "full", "spaced")


def wide_rows(
    energies: Mapping[Slot, Decimal | None], headings: str, day_form: str, number_form: str
) -> list[list[str]]:
    """One row a day."""
    rows = [["年月日", *WIDE[headings], "合計"]]
    for day in sorted({slot.day for slot in energies}):
        cells = [number(energies.get(Slot(day, n)), number_form) for n in range(1, 49)]
        rows.append([day_text(day, day_form), *cells, "9999"])
    return rows


def long_rows(
    energies: Mapping[Slot, Decimal | None], times: str, day_form: str, clock_form: str, number_form: str
) -> list[list[str]]:
    """One row a half hour, in order; ``times``: start, end, bare_start, bare_end, wrapped, slot, instant."""
    headings = {
        "start": ["日付", "開始時刻"],
        "both": ["日付", "開始時刻", "終了時刻"],
        "end": ["日付", "終了時刻"],
        "end24": ["日付", "時刻"],
        "bare_start": ["日付", "時刻"],
        "bare_end": ["日付", "時刻"],
        "wrapped": ["日付", "時刻"],
        "slot": ["日付", "コマ"],
        "span": ["日付", "時間帯"],
        "instant": ["開始日時"],
    }[times]
    rows = [[*headings, "使用電力量(kWh)"]]
    for slot in sorted(energies):
        start = 30 * (slot.number - 1)
        day, following = day_text(slot.day, day_form), day_text(slot.day + timedelta(days=1), day_form)
        first, last = clock(start, clock_form), clock(start + 30, clock_form)
        midnight = slot.number == 48
        cells = {
            "start": [day, first],
            "both": [day, first, last],
            "end": [following, clock(0, clock_form)] if midnight else [day, last],
            "end24": [day, last],
            "bare_start": [day, first],
            "bare_end": [following, clock(0, clock_form)] if midnight else [day, last],
            "wrapped": [day, clock(0, clock_form) if midnight else last],
            "slot": [day, str(slot.number)],
            "span": [day, f"{first}-{last}"],
            "instant": [f"{day} {first}"],
        }[times]
        rows.append([*cells, number(energies[slot], number_form)])
    return rows


LONG = ("start", "both", "end", "end24", "bare_start", "bare_end", "wrapped", "slot", "span", "instant")


def running_xml(energies: Energies, *, point: str = "0712345678901234567890", rows: bool = False) -> str:
    """A running message of the energies of slots; ``rows``: with the row element around each."""
    days = []
    for slot in sorted(energies):
        record = (
            f"<JPM00010><JP06400>{point}</JP06400><JP06119>0001</JP06119><JP06122>0</JP06122>"
            f"<JP06123>{energies[slot]:f}</JP06123></JPM00010>"
        )
        inside = f"<JPMR00010>{record}</JPMR00010>" if rows else record
        days.append(
            f"<JPTRM><JP06116>{slot.day:%Y%m%d}</JP06116><JP06219>{slot.number:02}</JP06219>{inside}</JPTRM>"
        )
    return f"<?xml version='1.0' encoding='UTF-8'?><SBD-MSG><JPMGRP>{''.join(days)}</JPMGRP></SBD-MSG>"


def settled_xml(energies: Energies, *, points: Sequence[str] = ("0712345678901234567890",)) -> str:
    """A month as it was settled, for each of the supply points."""
    parts = []
    for point in points:
        days = ""
        for day in sorted({slot.day for slot in energies}):
            slots = "".join(
                f"<JPM00014><JP06219>{slot.number}</JP06219><JP06424>{energies[slot]:f}</JP06424></JPM00014>"
                for slot in sorted(energies)
                if slot.day == day
            )
            days += f"<JPM00013><JP06423>{day:%Y%m%d}</JP06423>{slots}</JPM00013>"
        parts.append(
            f"<JPM00012><JP06400>{point}</JP06400><JP06402>青葉食品</JP06402><JP06405>0</JP06405>"
            f"<JP06426>1</JP06426>{days}</JPM00012>"
        )
    return f"<SBD-MSG><JPMGRP><JPTRM><JP06401>202604</JP06401>{''.join(parts)}</JPTRM></JPMGRP></SBD-MSG>"
