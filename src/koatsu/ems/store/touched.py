"""Which days' figures may have changed: a revision for each day of a meter, and one for the meter.

Whoever changes counts, demands, conflicts or corrections touches their days in the same transaction. A
figure kept together with both revisions is good as long as both are the present ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from functools import cache
from typing import Any, Final

from sqlalchemy import BigInteger, Connection, Integer, Select, Text, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import Insert

from koatsu.ems.store import queries
from koatsu.ems.store.schema import correction, day_touched, epoch, meter, reading

__all__ = ["day_of", "revisions", "touch_between", "touch_counts", "touch_days", "touch_meter"]

_DAY_S: Final = 86_400
_JST_S: Final = 9 * 3_600
_1970: Final = date(1970, 1, 1).toordinal()
_MOST: Final = 400  #: days touched one by one; a wider change touches the whole meter


def _neighbours() -> Select[Any]:
    """The nearest believed counts before and after, by the meter and by hand, and a later epoch.

    One statement, made once: it is asked with every count that is recorded.
    """
    key, name = bindparam("epoch", type_=Integer), bindparam("register", type_=Text)
    found = []
    for border, after in (
        (bindparam("first", type_=BigInteger), False),
        (bindparam("last", type_=BigInteger), True),
    ):
        for table, believed in ((reading, queries.is_undisputed()), (correction, queries.is_in_force())):
            at = table.c.instant
            query = select(at).where(
                table.c.epoch == key,
                table.c.register == name,
                at > border if after else at < border,
                table.c["count"].is_not(None),
                believed,
            )
            found.append(query.order_by(at if after else at.desc()).limit(1).scalar_subquery())
    own = epoch.alias()
    later = (
        select(epoch.c.id)
        .where(own.c.id == key, epoch.c.meter == own.c.meter, epoch.c.number > own.c.number)
        .limit(1)
        .scalar_subquery()
    )
    return select(found[0], found[1], found[2], found[3], later)


_NEIGHBOURS: Final = _neighbours()


def day_of(at: int) -> date:
    """The JST day that holds the second ``at`` since 1970 UTC."""
    return date.fromordinal(_1970 + (at + _JST_S) // _DAY_S)


def touch_counts(
    connection: Connection, meter_id: str, epoch_key: int, name: str, instants: Sequence[int]
) -> None:
    """Touch the days whose figures rest on counts of a register at ``instants`` (seconds since 1970).

    A count decides over the differences to its neighbours, however far away they are, and over the days
    between. A count of an epoch that is not the newest may also decide from when on the next one counts.
    """
    first, last = min(instants), max(instants)
    wanted = {"epoch": epoch_key, "register": name, "first": first, "last": last}
    found = connection.execute(_NEIGHBOURS, wanted).one()
    before, before_by_hand, after, after_by_hand, later = tuple(found)
    earlier = [at for at in (before, before_by_hand) if at is not None]
    following = [at for at in (after, after_by_hand) if at is not None]
    start = max(earlier) if earlier else first - 1
    end = min(following) - 1 if following else last
    touch_between(connection, meter_id, start, end)
    if later is not None:
        touch_meter(connection, meter_id)


def touch_between(connection: Connection, meter_id: str, start: int, end: int) -> None:
    """Touch every day that holds a second from ``start`` to ``end``, both included."""
    first, last = day_of(start).toordinal(), day_of(end).toordinal()
    if last - first >= _MOST:
        touch_meter(connection, meter_id)
    else:
        touch_days(connection, meter_id, (date.fromordinal(day) for day in range(first, last + 1)))


def touch_days(connection: Connection, meter_id: str, days: Iterable[date]) -> None:
    """Raise the revision of each of these days by one."""
    rows: list[dict[str, Any]] = [
        {"meter": meter_id, "day": day.isoformat(), "revision": 1} for day in sorted(set(days))
    ]
    if not rows:
        return
    connection.execute(_raising(connection.dialect.name), rows)


@cache
def _raising(dialect: str) -> Insert:
    adding = postgresql.insert(day_touched) if dialect == "postgresql" else sqlite.insert(day_touched)
    return adding.on_conflict_do_update(
        index_elements=[day_touched.c.meter, day_touched.c.day],
        set_={"revision": day_touched.c.revision + 1},
    )


def touch_meter(connection: Connection, meter_id: str) -> None:
    """Raise the revision of a meter by one: all its figures may have changed."""
    connection.execute(update(meter).where(meter.c.id == meter_id).values(revision=meter.c.revision + 1))


def revisions(connection: Connection, meter_id: str, first: date, last: date) -> tuple[int, dict[date, int]]:
    """The revision of a meter, and those of its days from ``first`` to ``last`` that are not 0.

    Raises:
        KeyError: no such meter.
    """
    whole = connection.execute(select(meter.c.revision).where(meter.c.id == meter_id)).scalar_one_or_none()
    if whole is None:
        raise KeyError(meter_id)
    found = connection.execute(
        select(day_touched.c.day, day_touched.c.revision).where(
            day_touched.c.meter == meter_id,
            day_touched.c.day.between(first.isoformat(), last.isoformat()),
        )
    )
    return whole, {date.fromisoformat(row.day): row.revision for row in found}
