"""The desk at which files are handed in and out of a store: what the command line and the page both use.

One file is one transaction: it is brought in whole or not at all. The same bytes for the same channel are
known again and change nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, Final, Literal

from koatsu.clock import JST, Clock
from koatsu.ems.channels import Channel, channels
from koatsu.ems.exchange.archive import ArchiveReport, OnRows, import_archive
from koatsu.ems.exchange.comparing import Comparison, compare, summed_up
from koatsu.ems.exchange.containers import read_single, sniffed
from koatsu.ems.exchange.measured import OutsideFile
from koatsu.ems.exchange.occto_xml import read_occto_xml
from koatsu.ems.exchange.refusals import hide_points
from koatsu.ems.exchange.retailer_csv import Stamps, read_retailer_csv
from koatsu.ems.exchange.sheets import Encoding
from koatsu.ems.exchange.slot_csv import SlotFile, slot_csv_of
from koatsu.ems.store import Event, Level, Store
from koatsu.ems.store.imported import (
    ImportFile,
    add_file,
    energies_of,
    file_bounds,
    find_file,
    forget_file,
    import_files,
    imported_energies,
)
from koatsu.ems.store.notes import note_event
from koatsu.errors import UsageError
from koatsu.meter.slots import Slot

__all__ = ["ChannelHead", "DataDesk", "FileChoice", "ImportReport", "KnownFile"]

Kind = Literal["auto", "archive", "retailer-csv", "occto-xml"]

_SOURCES: Final = MappingProxyType({"retailer-csv": "retailer", "occto-xml": "occto"})
_LONGEST_NAME: Final = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChoice:
    """How a file is to be read: its kind, the channel it speaks of, and what it leaves open.

    ``meter_id`` is that of a channel ("main", "main.reverse"), ``None`` where the site has only one.
    ``point`` are the last digits of the supply point, where the file holds several.
    """

    kind: Kind = "auto"
    meter_id: str | None = None
    encoding: Encoding = "auto"
    stamps: Stamps = "auto"
    point: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What a file of half hours brought, or would bring.

    ``file`` is how it is kept (``id`` 0: it is not, yet). ``known``: the same bytes were there already.
    ``revised`` slots said something else in an earlier file, ``same`` ones the same; ``empty`` ones have no
    value. ``comparison`` is with the meter, over the span of the file.
    """

    file: ImportFile
    first: Slot
    last: Slot
    energy_kwh: Decimal
    empty: int
    new: int
    same: int
    revised: int
    known: bool
    comparison: Comparison


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelHead:
    """A channel to choose: its id, the label and role of its meter, and the name of the site ("" without)."""

    id: str
    label: str
    role: str
    site: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFile:
    """A file that was brought in, and the slots that it spans."""

    file: ImportFile
    first: Slot
    last: Slot


class DataDesk:
    """Brings files into a store, and hands out what is in it."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    @property
    def store(self) -> Store:
        """The store itself, for what writes archives."""
        return self._store

    def channels(self) -> tuple[Channel, ...]:
        """Every channel of the site."""
        return channels(self._store)

    def heads(self) -> tuple[ChannelHead, ...]:
        """Every channel of the site, with what a person knows it by."""
        meters = {meter.id: meter for meter in self._store.meters()}
        sites = {site.id: site.name for site in self._store.sites()}
        found = []
        for channel in self.channels():
            meter = meters[channel.meter_id]
            found.append(
                ChannelHead(
                    id=channel.id,
                    label=meter.label,
                    role=channel.role(meter.role),
                    site=sites.get(meter.site, ""),
                )
            )
        return tuple(found)

    def channel(self, meter_id: str | None) -> Channel:
        """The channel of an id, or the only one.

        Raises:
            UsageError: there is no such channel, or more than one to choose from.
        """
        known = [channel.id for channel in self.channels()]
        shown = ", ".join(known) or "-"
        if meter_id is None:
            if len(known) == 1:
                return Channel.parse(known[0])
            raise UsageError(
                f"The store has {len(known)} meters: say which with --meter.",
                ja=f"計器が {len(known)} 台あります。--meter で指定してください。",
                hint=f"There are: {shown}.",
                hint_ja=f"指定できるもの: {shown}",
            )
        channel = Channel.parse(meter_id)
        if channel.meter_id not in {Channel.parse(one).meter_id for one in known}:
            raise UsageError(
                f"The store knows no meter {meter_id!r}.",
                ja=f"計器 {meter_id!r} はありません。",
                hint=f"There are: {shown}. A new meter is known after “koatsu run” has started once.",
                hint_ja=f"指定できるもの: {shown}(新しい計器は「koatsu run」を一度起動すると登録されます)",
            )
        return channel

    def days(self, channel: Channel) -> tuple[date, date] | None:
        """The first and the last JST day of which the meter has a count; ``None`` when it has none."""
        found = self._store.bounds(channel.meter_id)
        return None if found is None else (Slot.at(found[0]).day, Slot.ending(found[1]).day)

    # --- out ------------------------------------------------------------------------------------------------

    def slot_csv(self, channel: Channel, first: date | None, last: date | None) -> SlotFile:
        """The CSV file of a channel; without days, all that there are.

        Raises:
            UsageError: there is nothing, or the days are the wrong way round.
        """
        known, now = self.days(channel), self._clock.now()
        if known is None and (first is None or last is None):
            raise UsageError(
                f"No count of meter {channel.meter_id} is stored yet.",
                ja=f"計器 {channel.meter_id} の値はまだありません。",
            )
        first = first or (known[0] if known else now.astimezone(JST).date())
        last = min(last or (known[1] if known else first), now.astimezone(JST).date())
        return slot_csv_of(self._store, channel, first, last, now)

    # --- in -------------------------------------------------------------------------------------------------

    def take_in(
        self,
        source: BinaryIO | Path,
        name: str,
        choice: FileChoice,
        *,
        author: str,
        dry_run: bool = False,
        on_rows: OnRows = lambda _done, _all: None,
    ) -> ImportReport | ArchiveReport:
        """Bring in a file, whole or not at all; an archive may also be a folder.

        Args:
            source: an open binary file, or the folder of an archive of Parquet files.
            name: how the person calls it.
            choice: how to read it.
            author: a reference to who brings it ("person:3"), no name.
            dry_run: change nothing, and tell what would happen.
            on_rows: told of the progress of an archive.

        Raises:
            FileRefusedError: something is wrong with the file; nothing was imported.
            UsageError: the channel cannot be chosen.
        """
        if isinstance(source, Path):
            return self._archive(source, name, author=author, dry_run=dry_run, on_rows=on_rows)
        kind = sniffed(source, name) if choice.kind == "auto" else choice.kind
        if kind == "archive":
            source.seek(0)
            return self._archive(source, name, author=author, dry_run=dry_run, on_rows=on_rows)
        channel = self.channel(choice.meter_id)
        data = read_single(source, name)
        now = self._clock.now()
        if kind == "occto-xml":
            read = read_occto_xml(data, name, now=now, point=choice.point)
        else:
            read = read_retailer_csv(
                data, name, now=now, encoding=choice.encoding, stamps=choice.stamps, point=choice.point
            )
        file = ImportFile(
            name=hide_points(name)[:_LONGEST_NAME],
            sha256=hashlib.sha256(data).hexdigest(),
            kind=read.kind,
            source=_SOURCES[read.kind],
            meter_id=channel.meter_id,
            channel=channel.id,
            at=now,
            author=author,
            rows=len(read.values),
        )
        return self._keep(file, read, dry_run=dry_run)

    def _keep(self, file: ImportFile, read: OutsideFile, *, dry_run: bool) -> ImportReport:
        said = {int(value.slot.start.timestamp()): value.energy_kwh for value in read.values}
        first, last = min(said), max(said)
        with self._store.reading() if dry_run else self._store.writing() as connection:
            known = find_file(connection, file.channel, file.sha256)
            before = imported_energies(connection, file.channel, first, last + 1)
            same = sum(at in before and before[at].energy_kwh == energy for at, energy in said.items())
            if known is not None:
                file = known
            elif not dry_run:
                file = add_file(connection, file, said.items())
                note_event(
                    connection,
                    Event(
                        at=file.at,
                        level=Level.INFO,
                        code="file_imported",
                        meter_id=file.meter_id,
                        params={"file": file.name, "rows": file.rows},
                    ),
                )
        return ImportReport(
            file=file,
            first=read.first,
            last=read.last,
            energy_kwh=read.energy_kwh,
            empty=read.empty,
            new=len(said) - len(before.keys() & said.keys()),
            same=same,
            revised=len(before.keys() & said.keys()) - same,
            known=known is not None,
            comparison=self._compared(file.channel, read.first, read.last, said),
        )

    def _archive(
        self, source: BinaryIO | Path, name: str, *, author: str, dry_run: bool, on_rows: OnRows
    ) -> ArchiveReport:
        report = import_archive(self._store, source, name, dry_run=dry_run, on_rows=on_rows)
        if not dry_run and report.new:
            params = {"file": hide_points(name)[:_LONGEST_NAME], "rows": report.new, "author": author}
            self._store.record_event(
                Event(at=self._clock.now(), level=Level.INFO, code="archive_imported", params=params)
            )
        return report

    # --- what was brought in --------------------------------------------------------------------------------

    def files(self) -> tuple[KnownFile, ...]:
        """Every file that was brought in, the newest first."""
        with self._store.reading() as connection:
            found = [(file, file_bounds(connection, file.id)) for file in import_files(connection)]
        return tuple(
            KnownFile(file=file, first=_slot(span[0]), last=_slot(span[1]))
            for file, span in reversed(found)
            if span is not None
        )

    def file(self, file_id: int) -> KnownFile:
        """One file.

        Raises:
            KeyError: there is none of that id.
        """
        for known in self.files():
            if known.file.id == file_id:
                return known
        raise KeyError(file_id)

    def comparison(self, known: KnownFile, since: datetime, until: datetime) -> Comparison:
        """A file beside the meter from ``since`` to ``until``, two half hours, as far as the file goes."""
        with self._store.reading() as connection:
            said = energies_of(connection, known.file.id)
        since, until = max(since, known.first.start), min(until, known.last.end)
        now = self._clock.now()
        slots = compare(self._store, Channel.parse(known.file.channel), since, until, now, said=said)
        return summed_up(slots)

    def forget(self, file_id: int, *, author: str) -> ImportFile:
        """Take a file out again with all that it said; the meter's counts have nothing to do with it.

        Raises:
            UsageError: there is none of that id.
        """
        with self._store.writing() as connection:
            try:
                gone = forget_file(connection, file_id)
            except KeyError:
                raise UsageError(
                    f"There is no imported file {file_id}.",
                    ja=f"取り込んだファイル {file_id} はありません。",
                ) from None
            params = {"file": gone.name, "rows": gone.rows, "author": author}
            event = Event(
                at=self._clock.now(),
                level=Level.INFO,
                code="import_forgotten",
                meter_id=gone.meter_id,
                params=params,
            )
            note_event(connection, event)
        return gone

    def _compared(self, channel: str, first: Slot, last: Slot, said: Mapping[int, Decimal]) -> Comparison:
        """What is ``said`` of slots, by their start, beside the meter."""
        slots = compare(
            self._store, Channel.parse(channel), first.start, last.end, self._clock.now(), said=said
        )
        return summed_up(slots)


def _slot(start: int) -> Slot:
    return Slot.at(datetime.fromtimestamp(start, UTC))
