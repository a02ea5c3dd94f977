"""Where readings are kept: raw counts per meter epoch, in SQLite or PostgreSQL."""

from __future__ import annotations

from koatsu.ems.store.errors import StoreError, StoreErrorKind
from koatsu.ems.store.rows import (
    ENOUGH_READS,
    Clash,
    Epoch,
    Event,
    HistoryRead,
    Level,
    Recorded,
    Sample,
    StoredCount,
    StoredMeter,
)
from koatsu.ems.store.store import SAMPLES_KEPT, Store

__all__ = [
    "ENOUGH_READS",
    "SAMPLES_KEPT",
    "Clash",
    "Epoch",
    "Event",
    "HistoryRead",
    "Level",
    "Recorded",
    "Sample",
    "Store",
    "StoreError",
    "StoreErrorKind",
    "StoredCount",
    "StoredMeter",
]
