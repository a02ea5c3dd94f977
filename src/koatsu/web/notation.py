"""How numbers, times and days are written on the pages.

Digits are grouped in threes, minus is U+2212, a unit stands after a space, times are JST on a 24-hour clock.
Values stay exact: a figure gets the decimal places that its meter can tell, no more.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from koatsu.clock import JST, require_aware
from koatsu.meter.slots import Slot
from koatsu.web.texts import Texts

__all__ = [
    "age",
    "clock_time",
    "countdown",
    "day_label",
    "day_plain",
    "day_title",
    "exact",
    "grouped",
    "moment",
    "places_of",
    "rounded",
    "signed",
    "slot_end",
    "slot_start",
]

MINUS = "−"


def grouped(value: Decimal | int, places: int | None = None) -> str:
    """``2870.4`` → ``2,870.4``; ``places`` fixes the decimals, otherwise the value's own are kept."""
    if places is None:
        places = places_of(Decimal(value))
    return f"{rounded(Decimal(value), places):,.{places}f}".replace("-", MINUS)


def exact(value: Decimal | int, step: Decimal | None) -> str:
    """The whole value, with at least the decimals of ``step``: so a growing figure keeps its width."""
    return grouped(value, places_of(Decimal(value), step))


def signed(value: Decimal | int, places: int | None = None) -> str:
    """As :func:`grouped`, with ``+`` in front of what is above zero."""
    text = grouped(value, places)
    return f"+{text}" if Decimal(value) > 0 else text


def rounded(value: Decimal, places: int) -> Decimal:
    """``value`` to ``places`` decimals, halves away from zero, and never a negative zero."""
    result = value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    return result or abs(result)


def places_of(*values: Decimal | None) -> int:
    """The decimals that show every one of ``values`` in full (``None`` is left out): 0 for whole numbers."""
    exponents = [value.normalize().as_tuple().exponent for value in values if value is not None]
    return max([0, *(-exponent for exponent in exponents if isinstance(exponent, int))])


def clock_time(instant: datetime, *, seconds: bool = False) -> str:
    """The time of day in JST: ``13:17`` or ``13:17:40``."""
    local = require_aware(instant).astimezone(JST)
    return f"{local:%H:%M:%S}" if seconds else f"{local:%H:%M}"


def countdown(seconds: float) -> str:
    """Time left as ``12:20``; over an hour ``1:02:20``; never below ``0:00``."""
    whole = max(0, int(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def age(span: timedelta, t: Texts) -> str:
    """How long ago, in the two units that matter: ``2 秒``, ``15 分 30 秒``, ``3 時間 5 分``."""
    seconds = max(0, int(span.total_seconds()))
    if seconds < 60:
        return t("age.seconds", s=seconds)
    if seconds < 3600:
        return t("age.minutes", m=seconds // 60, s=seconds % 60)
    if seconds < 86400:
        return t("age.hours", h=seconds // 3600, m=seconds % 3600 // 60)
    return t("age.days", d=seconds // 86400)


def day_label(day: date, t: Texts) -> str:
    """``7月15日(水)`` or ``Wed 15 July``."""
    weekday = t("day.weekdays").split()[day.weekday()]
    month = t("day.months").split()[day.month - 1]
    return t("day.short", m=month, d=day.day, w=weekday)


def day_plain(day: date, t: Texts) -> str:
    """``7月15日`` or ``15 July``, where the weekday says nothing."""
    return t("day.plain", m=t("day.months").split()[day.month - 1], d=day.day)


def day_title(day: date, t: Texts) -> str:
    """The same with the year: ``2026年7月15日(水)`` or ``Wed 15 July 2026``."""
    return t("day.long", y=day.year, short=day_label(day, t))


def moment(instant: datetime, today: date, t: Texts) -> str:
    """The time, with its day in front when that is not ``today`` (JST)."""
    local = require_aware(instant).astimezone(JST)
    time = clock_time(local)
    return time if local.date() == today else f"{day_label(local.date(), t)} {time}"


def slot_start(slot: Slot) -> str:
    """When the slot begins: ``13:00``."""
    return slot.label.partition("–")[0]


def slot_end(slot: Slot) -> str:
    """When the slot ends: ``13:30``, and ``24:00`` for the last of the day."""
    return slot.label.partition("–")[2]
