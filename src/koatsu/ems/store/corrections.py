"""Corrections by hand: counts that a person enters beside what the meter said, with a reason.

Nothing that the meter said is changed by one, and no correction is ever deleted: it is withdrawn, and both
acts name who did them. For each count the newest correction that is not withdrawn is in force.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, insert, select, update

from koatsu.ems.store import epochs as epoch_rows
from koatsu.ems.store.queries import is_in_force
from koatsu.ems.store.recording import seconds, utc
from koatsu.ems.store.rows import Correction, Epoch, StoredCount
from koatsu.ems.store.schema import correction, epoch, reading
from koatsu.ems.store.touched import touch_counts
from koatsu.errors import UsageError
from koatsu.meter.readings import Source
from koatsu.meter.registers import Register, fits_digits
from koatsu.meter.slots import is_half_hour

__all__ = ["LONGEST_REASON", "correct", "corrections", "in_force", "overlaid", "withdraw"]

LONGEST_REASON: Final = 500  #: characters of a reason


def correct(connection: Connection, wanted: Correction, epoch_number: int | None) -> Correction:
    """Append a correction; it comes back with its id and epoch.

    Args:
        connection: a writing transaction.
        wanted: what to enter; its ``id`` and ``epoch`` are not looked at.
        epoch_number: the epoch that the count belongs to; ``None`` for the one that covers the instant.

    Raises:
        KeyError: no such meter or epoch.
        UsageError: the count or the instant cannot be, or reason or author are missing.
    """
    _check_words(wanted)
    _check_instant(wanted)
    known = epoch_rows.epochs_of(connection, wanted.meter_id)
    if not known:
        raise KeyError(wanted.meter_id)
    numbers = {found.number: (key, found) for key, found in known}
    number = epoch_number or _epoch_at(connection, numbers, wanted)
    if number not in numbers:
        raise KeyError(f"meter {wanted.meter_id} has no epoch {number}")
    key, found = numbers[number]
    _check_count(wanted.count, found.nameplate.digits_of(wanted.register))
    made = connection.execute(
        insert(correction)
        .values(
            epoch=key,
            register=wanted.register.value,
            instant=seconds(wanted.instant),
            count=wanted.count,
            reason=wanted.reason.strip(),
            author=wanted.author,
            at=seconds(wanted.at),
        )
        .returning(correction)
    ).one()
    touch_counts(connection, wanted.meter_id, key, wanted.register.value, [made.instant])
    return _correction(made, wanted.meter_id, number)


def withdraw(connection: Connection, correction_id: int, *, author: str, at: datetime) -> Correction:
    """Take a correction back; the one before it is in force again, or what the meter said.

    Raises:
        KeyError: there is none of that id.
        UsageError: it has been withdrawn already, or no author is given.
    """
    if not author.strip():
        raise _no_author()
    query = (
        select(correction, epoch.c.meter, epoch.c.number)
        .join(epoch, epoch.c.id == correction.c.epoch)
        .where(correction.c.id == correction_id)
    )
    row = connection.execute(query).first()
    if row is None:
        raise KeyError(correction_id)
    if row.withdrawn_at is not None:
        raise UsageError(
            f"Correction {correction_id} has been withdrawn already.",
            ja=f"訂正 {correction_id} は既に取り消されています。",
        )
    connection.execute(
        update(correction)
        .where(correction.c.id == correction_id)
        .values(withdrawn_at=seconds(at), withdrawn_by=author)
    )
    touch_counts(connection, row.meter, row.epoch, row.register, [row.instant])
    found = _correction(row, row.meter, row.number)
    return replace(found, withdrawn_at=utc(seconds(at)), withdrawn_by=author)


def corrections(
    connection: Connection,
    *,
    meter_id: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    withdrawn: bool = False,
) -> tuple[Correction, ...]:
    """Corrections of counts from ``since`` to ``until``, both included, the newest act first.

    ``withdrawn``: those that were withdrawn, too.
    """
    query = select(correction, epoch.c.meter, epoch.c.number).join(epoch, epoch.c.id == correction.c.epoch)
    if meter_id is not None:
        query = query.where(epoch.c.meter == meter_id)
    if since is not None:
        query = query.where(correction.c.instant >= seconds(since))
    if until is not None:
        query = query.where(correction.c.instant <= seconds(until))
    if not withdrawn:
        query = query.where(correction.c.withdrawn_at.is_(None))
    found = connection.execute(query.order_by(correction.c.id.desc()))
    return tuple(_correction(row, row.meter, row.number) for row in found)


def in_force(
    connection: Connection, meter_id: str, register: Register, since: int, until: int
) -> Mapping[tuple[int, int], Correction]:
    """The corrections in force, by epoch number and instant, from ``since`` to ``until``, both included."""
    query: Select[Any] = (
        select(correction, epoch.c.number)
        .join(epoch, epoch.c.id == correction.c.epoch)
        .where(
            epoch.c.meter == meter_id,
            correction.c.register == register.value,
            correction.c.instant.between(since, until),
            is_in_force(),
        )
    )
    found = connection.execute(query)
    return {(row.number, row.instant): _correction(row, meter_id, row.number) for row in found}


def overlaid(
    rows: Iterable[StoredCount], hands: Mapping[tuple[int, int], Correction]
) -> tuple[StoredCount, ...]:
    """``rows`` with the corrections in force over them, by epoch and time.

    A corrected count has the source "manual"; one that is not believed has ``None`` in its place.
    """
    merged = {(row.epoch, row.at): row for row in rows}
    for (number, at), hand in hands.items():
        merged[number, at] = StoredCount(number, at, hand.count, Source.MANUAL.value, seconds(hand.at))
    return tuple(merged[key] for key in sorted(merged)) if hands else tuple(merged.values())


def _epoch_at(connection: Connection, numbers: Mapping[int, tuple[int, Epoch]], wanted: Correction) -> int:
    """The epoch that covers an instant: the last that has a count there, else the one that had begun."""
    at = seconds(wanted.instant)
    keys = {key: number for number, (key, _) in numbers.items()}
    found = connection.execute(
        select(reading.c.epoch).where(
            reading.c.epoch.in_(keys),
            reading.c.register == wanted.register.value,
            reading.c.instant == at,
            reading.c["count"].is_not(None),
        )
    ).scalars()
    having = [keys[key] for key in found]
    if having:
        return max(having)
    begun = [number for number, (_, one) in numbers.items() if one.started_at <= wanted.instant]
    return max(begun, default=min(numbers))


def _check_words(wanted: Correction) -> None:
    if not wanted.reason.strip():
        raise UsageError(
            "A correction needs a reason.",
            ja="訂正には理由が必要です。",
            hint="Say where the value comes from.",
            hint_ja="値の根拠を書いてください。",
        )
    if len(wanted.reason.strip()) > LONGEST_REASON:
        raise UsageError(
            f"The reason is longer than {LONGEST_REASON} characters.",
            ja=f"理由が {LONGEST_REASON} 文字を超えています。",
        )
    if not wanted.author.strip():
        raise _no_author()


def _no_author() -> UsageError:
    return UsageError("A correction needs an author.", ja="訂正には訂正者が必要です。")


def _check_instant(wanted: Correction) -> None:
    if not is_half_hour(wanted.instant):
        raise UsageError(
            f"A count stands on a half hour, not at {wanted.instant.isoformat()}.",
            ja=f"指示値の時刻は毎時 0 分か 30 分です({wanted.instant.isoformat()})。",
        )
    if wanted.instant > wanted.at:
        raise UsageError(
            f"{wanted.instant.isoformat()} has not come yet.",
            ja=f"{wanted.instant.isoformat()} はまだ来ていない時刻です。",
        )


def _check_count(count: int | None, digits: int) -> None:
    if count is None:
        return
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise UsageError(
            f"A count is a whole number from 0 up, not {count!r}.",
            ja=f"指示値は 0 以上の整数です({count!r})。",
        )
    if not fits_digits(count, digits):
        raise UsageError(
            f"The count {count} does not fit the {digits} digits of the register.",
            ja=f"指示値 {count} は計器の有効桁数 {digits} 桁を超えています。",
        )


def _correction(row: Row[Any], meter_id: str, number: int) -> Correction:
    return Correction(
        id=row.id,
        meter_id=meter_id,
        epoch=number,
        register=Register(row.register),
        instant=utc(row.instant),
        count=row._mapping["count"],  # Row.count is a method
        reason=row.reason,
        author=row.author,
        at=utc(row.at),
        withdrawn_at=None if row.withdrawn_at is None else utc(row.withdrawn_at),
        withdrawn_by=row.withdrawn_by,
    )
