"""A backup that is a store by itself: looked at, or put where no store is."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from koatsu.clock import JST
from koatsu.ems.store.backup import BackupError, Manifest, Progress, scratch, settle, unpacked
from koatsu.ems.store.errors import StoreError
from koatsu.ems.store.store import Store

__all__ = ["restore_whole", "unpacked_store"]

_FILES: Final = ("", "-wal", "-shm")  #: a log of another store would be taken for ours


@contextmanager
def unpacked_store(path: Path, progress: Progress) -> Iterator[tuple[Manifest, Store]]:
    """A backup as a store of its own that is gone after the block.

    Raises:
        BackupError: it is no backup, damaged, or of a newer version.
    """
    with scratch(None) as folder:
        manifest, database = unpacked(path, folder, progress)
        with Store.open(database) as store:
            yield manifest, store


def restore_whole(path: Path, target: Path, *, at: datetime, progress: Progress) -> Manifest:
    """Put the store of a backup at ``target``; what is there is put aside under a name with the time.

    Nothing may use ``target``. Either the old store or the new one has that name, whatever happens. Where it
    is a link, the file behind it is what takes and is put aside, and the link stays.

    Raises:
        BackupError: the backup cannot be read, or the folder not be written.
        StoreError: the backup is no sound store.
    """
    target = Path(os.path.realpath(target))
    with scratch(target.parent) as folder:
        manifest, database = unpacked(path, folder, progress)
        with Store.open(database):
            pass  # brought to the newest shape, and sound
        settle(database)
        try:
            _put_aside(target, f"{target.name}.before-{at.astimezone(JST):%Y%m%dT%H%M%S}")
            database.replace(target)
            _sync(target.parent)
        except OSError as error:
            raise BackupError(
                f"{target} cannot be written: {error.strerror}.",
                ja=f"{target} に書き込めません({error.strerror})。",
            ) from error
    return manifest


def _put_aside(target: Path, name: str) -> None:
    """Give the old store a second name, with its log if it has one; only the log goes away here."""
    if target.exists():
        try:
            settle(target)
        except StoreError:
            pass  # damaged: as it is, log and all
    present = [end for end in _FILES if Path(f"{target}{end}").exists()]
    for end in present:
        second = target.with_name(f"{name}{end}")
        try:
            second.hardlink_to(f"{target}{end}")
        except OSError:  # a file system without links
            shutil.copy2(f"{target}{end}", second)
    for end in present:
        if end:
            Path(f"{target}{end}").unlink()


def _sync(folder: Path) -> None:
    """Have the names in a folder on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
