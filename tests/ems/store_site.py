"""A small site for the tests of store and views: short ways to write what a meter would have said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from koatsu.clock import JST
from koatsu.ems.store import Recorded, Store, StoredMeter, schema
from koatsu.meter.epochs import Nameplate
from koatsu.meter.readings import DemandReading, Reading, Source
from koatsu.meter.registers import Register
from koatsu.meter.scale import Scale
from koatsu.meter.slots import HALF_HOUR, Slot

STARTED = datetime(2025, 1, 1, tzinfo=UTC)


def plate(
    *,
    serial: str | None = "A1",
    coefficient: int = 60,
    unit: str = "0.1",
    digits: int = 6,
    fixed_day: int | None = None,
    demand: bool = True,
) -> Nameplate:
    """A nameplate of class 0x028A: one count is 6 kWh, one count of demand 6 kW."""
    scale = Scale(coefficient, Decimal(1), Decimal(unit))
    return Nameplate(
        class_code=0x028A,
        serial=serial,
        energy_scale=scale,
        energy_digits=digits,
        demand_scale=scale if demand else None,
        demand_digits=4 if demand else None,
        fixed_day=fixed_day,
    )


def jst(day: int, hour: int = 0, minute: int = 0, second: int = 0, *, month: int = 6) -> datetime:
    """A time in 2025, JST, as UTC."""
    return datetime(2025, month, day, hour, minute, second, tzinfo=JST).astimezone(UTC)


def empty(store: Store) -> None:
    """Throw away what a store on a server holds, but not its name."""
    tables = ", ".join(f'"{name}"' for name in schema.metadata.tables if name != schema.store_info.name)
    with store.writing() as connection:
        connection.exec_driver_sql(f"TRUNCATE {tables} RESTART IDENTITY")


class Site:
    """A store with one meter, "main", in its first epoch."""

    def __init__(self, store: Store, *, meter_id: str = "main", ceiling_kw: int | None = None) -> None:
        self.store = store
        self.id = meter_id
        self.epoch = 1
        ceiling = None if ceiling_kw is None else Decimal(ceiling_kw)
        store.put_meter(
            StoredMeter(
                id=meter_id,
                label="受電",
                role="buy",
                class_code=0x028A,
                address="127.0.0.2",
                ceiling_kw=ceiling,
            ),
            at=STARTED,
        )

    def begin(self, nameplate: Nameplate, at: datetime = STARTED) -> int:
        """Begin (or stay in) the epoch of this nameplate."""
        self.epoch = self.store.open_epoch(self.id, nameplate, at).number
        return self.epoch

    def counts(
        self,
        counts: Mapping[datetime, int | None],
        *,
        source: Source = Source.FIXED,
        received: datetime | None = None,
        register: Register = Register.ENERGY,
    ) -> Recorded:
        """Record counts; each is received twenty seconds after its instant, unless said otherwise."""
        readings = [
            Reading(
                register=register,
                instant=at,
                count=count,
                source=source,
                received=received or at + timedelta(seconds=20),
            )
            for at, count in counts.items()
        ]
        return self.store.record(self.id, self.epoch, readings)

    def run(
        self, since: datetime, counts: Sequence[int | None], *, source: Source = Source.FIXED
    ) -> Recorded:
        """Record counts of neighbouring half hours from ``since`` on; ``None`` is no data."""
        return self.counts({since + HALF_HOUR * step: c for step, c in enumerate(counts)}, source=source)

    def demand(
        self,
        slot: Slot,
        count: int | None,
        *,
        source: Source = Source.FIXED,
        received: datetime | None = None,
    ) -> Recorded:
        """Record the meter's own demand of a slot."""
        return self.store.record(
            self.id,
            self.epoch,
            demands=[
                DemandReading(
                    slot=slot,
                    direction="normal",
                    count=count,
                    source=source,
                    received=received or slot.end + timedelta(seconds=20),
                )
            ],
        )

    def polls(self, counts: Mapping[datetime, int]) -> Recorded:
        """Record polled present values."""
        return self.counts(dict(counts), source=Source.LIVE)
