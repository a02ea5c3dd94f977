"""Imported files and their comparison with the meter, put into words and rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from koatsu.ems.channels import Channel
from koatsu.ems.exchange import ChannelHead, Comparison, KnownFile, SlotComparison, Verdict
from koatsu.meter.quantity import EXACT
from koatsu.web.notation import grouped, signed
from koatsu.web.texts import Texts

__all__ = [
    "ChannelGroup",
    "ComparisonWords",
    "FileRow",
    "channel_groups",
    "channel_name",
    "comparison_words",
    "file_row",
    "month_of",
]

_SHOWN: Final = 100  #: contradictions on a page


@dataclass(frozen=True, slots=True)
class ChannelGroup:
    """The channels of a site as (id, name); ``name`` of the site is empty where there is only one."""

    name: str
    channels: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRow:
    """A file that was brought in, in one line."""

    number: int
    name: str
    channel: str
    kind: str
    first: date
    last: date
    rows: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonWords:
    """A comparison summed up: counts by name, sums in kWh, and the contradictions that fit on a page."""

    counts: tuple[tuple[str, str, str], ...]
    meter_kwh: str
    file_kwh: str
    difference_kwh: str
    listed: Sequence[SlotComparison]
    more: int
    contradicting: int


def channel_groups(heads: Sequence[ChannelHead], t: Texts) -> list[ChannelGroup]:
    """The channels to choose from, by site."""
    sites = list(dict.fromkeys(head.site for head in heads))
    return [
        ChannelGroup(
            site if len(sites) > 1 else "",
            tuple((head.id, channel_name(head, t)) for head in heads if head.site == site),
        )
        for site in sites
    ]


def channel_name(head: ChannelHead, t: Texts) -> str:
    """What a channel is called: the meter's label, its direction, and what it is for."""
    label = t("channel.reverse", label=head.label) if Channel.parse(head.id).reverse else head.label
    return t("data.channel", label=label, role=t.for_code("role", head.role))


def file_row(known: KnownFile, heads: Sequence[ChannelHead], t: Texts) -> FileRow:
    """A file in one line."""
    file = known.file
    names = {head.id: channel_name(head, t) for head in heads}
    return FileRow(
        number=file.id,
        name=file.name,
        channel=names.get(file.channel, file.channel),
        kind=t.for_code("data", f"kind_{file.kind.replace('-', '_')}"),
        first=known.first.day,
        last=known.last.day,
        rows=grouped(file.rows),
        at=file.at,
    )


def comparison_words(seen: Comparison, t: Texts) -> ComparisonWords:
    """A comparison with its counts named."""
    counts = (
        ("equal", seen.tally[Verdict.EQUAL]),
        ("within", seen.within_count),
        ("contradicting", seen.contradicting),
        ("only_file", seen.tally[Verdict.ONLY_FILE]),
        ("only_meter", seen.tally[Verdict.ONLY_METER]),
    )
    return ComparisonWords(
        counts=tuple((name, t(f"data.{name}"), grouped(count)) for name, count in counts),
        meter_kwh=grouped(seen.meter_kwh),
        file_kwh=grouped(seen.file_kwh),
        difference_kwh=signed(EXACT.subtract(seen.file_kwh, seen.meter_kwh)),
        listed=seen.listed[:_SHOWN],
        more=max(0, seen.contradicting - _SHOWN),
        contradicting=seen.contradicting,
    )


def month_of(text: str) -> date | None:
    """The first day of a month written ``2026-04``; ``None`` where it is none."""
    try:
        return datetime.strptime(text, "%Y-%m").date()  # noqa: DTZ007 - a month has no zone
    except ValueError:
        return None
