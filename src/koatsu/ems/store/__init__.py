"""Where readings are kept: raw counts per meter epoch, in SQLite or PostgreSQL."""

from __future__ import annotations

from koatsu.ems.store.backup import BackupError, Manifest, read_manifest
from koatsu.ems.store.corrections import overlaid
from koatsu.ems.store.errors import StoreError, StoreErrorKind, StoreHeldError
from koatsu.ems.store.housekeeping import Kept
from koatsu.ems.store.integrity import Finding
from koatsu.ems.store.restoring import Restored
from koatsu.ems.store.rows import (
    ENOUGH_READS,
    Clash,
    Correction,
    Epoch,
    Event,
    HistoryRead,
    Level,
    Recorded,
    Sample,
    StoredCount,
    StoredMeter,
    StoredSite,
)
from koatsu.ems.store.store import SAMPLES_KEPT, Store
from koatsu.ems.store.whole import restore_whole, unpacked_store

__all__ = [
    "ENOUGH_READS",
    "SAMPLES_KEPT",
    "BackupError",
    "Clash",
    "Correction",
    "Epoch",
    "Event",
    "Finding",
    "HistoryRead",
    "Kept",
    "Level",
    "Manifest",
    "Recorded",
    "Restored",
    "Sample",
    "Store",
    "StoreError",
    "StoreErrorKind",
    "StoreHeldError",
    "StoredCount",
    "StoredMeter",
    "StoredSite",
    "overlaid",
    "read_manifest",
    "restore_whole",
    "unpacked_store",
]
