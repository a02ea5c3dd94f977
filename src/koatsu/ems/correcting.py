"""The desk where contradictions are looked at and counts corrected by hand, for pages and the API alike.

What the meter said is never changed; a correction stands over it, with a reason and an author, and can be
withdrawn. A contradiction is settled as soon as a correction of its register and instant is in force.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from koatsu.clock import Clock
from koatsu.ems.live import LiveHub, Signal
from koatsu.ems.store import Clash, Correction, Store
from koatsu.meter.registers import Register

__all__ = ["Contradiction", "CorrectionDesk", "contradictions"]

Note = Callable[[Correction], object]

_BEGINNING: Final = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """Several values for one instant of a register, or for the demand of one slot.

    ``kept`` came first and is the one that stands; ``others`` came later. ``name`` is a register (kind
    "reading", ``instant`` is that of the count) or a direction (kind "demand", ``instant`` is the start of
    the slot). ``settled_by`` is the correction in force; demands have none.
    """

    meter_id: str
    kind: Literal["reading", "demand"]
    epoch: int
    name: str
    instant: datetime
    kept: int | None
    others: tuple[int, ...]
    settled_by: Correction | None = None


def contradictions(
    store: Store, meter_id: str, since: datetime = _BEGINNING, until: datetime | None = None
) -> tuple[Contradiction, ...]:
    """Every contradiction of a meter from ``since`` to ``until``, both included, the newest instant first.

    Raises:
        StoreError: the store cannot be read.
    """
    until = until or datetime(9000, 1, 1, tzinfo=UTC)
    hands = {
        (one.epoch, one.register.value, one.instant): one
        for one in reversed(store.corrections(meter_id, since, until))  # of several the newest stays
    }
    grouped: dict[tuple[str, int, str, datetime], list[Clash]] = {}
    for clash in store.conflicts(meter_id, since, until):
        grouped.setdefault((clash.kind, clash.epoch, clash.name, clash.instant), []).append(clash)
    found = [
        Contradiction(
            meter_id=meter_id,
            kind=clashes[0].kind,
            epoch=epoch,
            name=name,
            instant=instant,
            kept=clashes[0].kept,
            others=tuple(clash.other for clash in clashes),
            settled_by=hands.get((epoch, name, instant)) if kind == "reading" else None,
        )
        for (kind, epoch, name, instant), clashes in grouped.items()
    ]
    return tuple(sorted(found, key=lambda one: (one.instant, one.kind, one.name), reverse=True))


class CorrectionDesk:
    """Looks at contradictions and takes corrections in; what changes something runs in the event loop.

    Args:
        store: where both are.
        hub: told when something was changed, so that open pages follow.
        clock: our time.
    """

    def __init__(self, store: Store, hub: LiveHub, clock: Clock) -> None:
        self._store, self._hub, self._clock = store, hub, clock

    def contradictions(self, meter_ids: Iterable[str]) -> tuple[Contradiction, ...]:
        """The contradictions of these meters, the newest instant first."""
        found = [one for meter in meter_ids for one in contradictions(self._store, meter)]
        return tuple(sorted(found, key=lambda one: one.instant, reverse=True))

    def corrections(self, meter_id: str | None = None, *, withdrawn: bool = False) -> tuple[Correction, ...]:
        """Corrections, the newest act first; those withdrawn only where asked for."""
        return self._store.corrections(meter_id, withdrawn=withdrawn)

    async def correct(
        self,
        meter_id: str,
        register: Register,
        instant: datetime,
        count: int | None,
        *,
        reason: str,
        author: str,
        epoch: int | None = None,
        note: Note | None = None,
    ) -> Correction:
        """Enter a count by hand; ``None``: what is kept is not believed. ``author`` is a reference, no name.

        Without an ``epoch`` it is the one that covers the instant. ``note`` enters it elsewhere first: where
        that fails nothing is corrected, and its error comes out.

        Raises:
            KeyError: no such meter, or none of its counts is on file yet.
            UsageError: count, instant or reason cannot be.
            StoreError: nothing was written.
        """
        made = await asyncio.to_thread(
            self._store.correct,
            meter_id,
            register,
            instant,
            count,
            reason=reason,
            author=author,
            at=self._clock.now(),
            epoch=epoch,
            note=note,
        )
        self._told(meter_id)
        return made

    async def withdraw(self, correction_id: int, *, author: str, note: Note | None = None) -> Correction:
        """Take a correction back; ``note`` as for :meth:`correct`.

        Raises:
            KeyError: there is none of that id.
            UsageError: it has been withdrawn already.
            StoreError: nothing was written.
        """
        gone = await asyncio.to_thread(
            self._store.withdraw_correction, correction_id, author=author, at=self._clock.now(), note=note
        )
        self._told(gone.meter_id)
        return gone

    def _told(self, meter_id: str) -> None:
        self._hub.publish(Signal("slot", meter_id, self._clock.now()))
