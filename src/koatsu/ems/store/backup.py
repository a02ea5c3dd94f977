"""A backup: one file that carries a whole store, made while the store is in use.

It is a ZIP with ``koatsu.db``, an SQLite store, and ``manifest.json``, which says whose it is and what the
bytes must add up to. A store on a database server gives the same file, so a backup goes from either kind of
database into either. Users, passwords and their audit log are not in it: they have a database of their own.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any, Final
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

from sqlalchemy import func, select

from koatsu.ems.store.database import Database
from koatsu.ems.store.epochs import epochs_of
from koatsu.ems.store.errors import StoreError, StoreErrorKind, told
from koatsu.ems.store.schema import HEAD, meter, reading, site
from koatsu.ems.store.sites import info
from koatsu.errors import KoatsuError

__all__ = [
    "BackupError",
    "Manifest",
    "Progress",
    "describe",
    "other_site",
    "pack",
    "quiet",
    "read_manifest",
    "scratch",
    "settle",
    "snapshot",
    "unpacked",
]

Progress = Callable[[int, int], object]
"""Called with how much is done, and of how much."""

_FORMAT: Final = "koatsu-backup"
_VERSION: Final = 1
_STORE: Final = "koatsu.db"
_MANIFEST: Final = "manifest.json"
_PAGES: Final = 512  #: copied at a time
_CHUNK: Final = 1 << 20
_LONGEST_MANIFEST: Final = 1 << 20


class BackupError(KoatsuError):
    """A backup cannot be written, read or restored; the sentence says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup says of itself.

    ``store`` is the id of the store, ``sites`` their names by id, ``meters`` serial numbers by meter id, the
    present one last. ``readings`` is the number of half-hour counts. ``made_at`` is ISO 8601.
    """

    store: str
    sites: dict[str, str]
    meters: dict[str, list[str]]
    readings: int
    version: str
    revision: str
    made_at: str
    sha256: str
    bytes: int


def quiet(_done: int, _whole: int) -> None:
    """Progress that nobody watches."""


def snapshot(source: Path, target: Path, progress: Progress) -> None:
    """Copy an SQLite store as it is at this moment, page by page, while others go on writing to it.

    Raises:
        StoreError: it cannot be read, or is damaged: a damaged store is not passed on as a backup.
    """
    with told(str(source)):
        origin = sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
        copy = sqlite3.connect(target, isolation_level=None)
        try:
            origin.execute("BEGIN")  # one moment for the whole copy, or every write would begin it anew
            origin.execute("SELECT count(*) FROM meter").fetchone()
            origin.backup(
                copy, pages=_PAGES, progress=lambda _status, left, whole: progress(whole - left, whole)
            )
            if copy.execute("PRAGMA quick_check(1)").fetchall() != [("ok",)]:
                raise StoreError(StoreErrorKind.CORRUPT, str(source))
        finally:
            copy.close()
            origin.close()


def settle(database: Path) -> None:
    """Make a closed SQLite store one plain file without a log, as it is packed."""
    with told(str(database)):
        connection = sqlite3.connect(database, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode=DELETE").fetchone()
        finally:
            connection.close()


def describe(store: Database, at: datetime) -> Manifest:
    """What a backup will say of a store; ``sha256`` and ``bytes`` are for :func:`pack` to fill in."""
    with store.reading() as connection:
        meters = {
            meter_id: [
                one.nameplate.serial for _, one in epochs_of(connection, meter_id) if one.nameplate.serial
            ]
            for meter_id in connection.execute(select(meter.c.id)).scalars()
        }
        return Manifest(
            store=info(connection)["id"],
            sites={row.id: row.name for row in connection.execute(select(site))},
            meters=meters,
            readings=connection.execute(select(func.count()).select_from(reading)).scalar_one(),
            version=version("koatsu"),
            revision=HEAD,
            made_at=at.isoformat(timespec="seconds"),
            sha256="",
            bytes=0,
        )


def pack(database: Path, target: Path, described: Manifest, progress: Progress) -> Manifest:
    """Make the backup file of an SQLite store that nobody uses; it has its name when it is whole.

    Raises:
        BackupError: the file cannot be written.
    """
    with _written(target) as partial, ZipFile(partial, "w", ZIP_DEFLATED) as archive:
        size = database.stat().st_size
        with database.open("rb") as source, archive.open(_STORE, "w", force_zip64=True) as packed:
            digest = _copy(source, packed, size, progress)
        manifest = replace(described, sha256=digest, bytes=size)
        document = {"format": _FORMAT, "format_version": _VERSION, **asdict(manifest)}
        archive.writestr(_MANIFEST, json.dumps(document, ensure_ascii=False, indent=2))
    return manifest


@contextmanager
def scratch(beside: Path | None) -> Iterator[Path]:
    """A folder that is gone after the block, inside ``beside``; ``None`` for where the system has such.

    Raises:
        BackupError: it cannot be made.
    """
    try:
        if beside is not None:
            beside.mkdir(parents=True, exist_ok=True)
        made = tempfile.mkdtemp(dir=beside, prefix=".koatsu-")
    except OSError as error:
        raise _unwritable(beside or Path(tempfile.gettempdir()), error) from error
    try:
        yield Path(made)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _unwritable(path: Path, error: OSError) -> BackupError:
    reason = error.strerror or str(error)
    return BackupError(
        f"{path} cannot be written: {reason}.",
        ja=f"{path} に書き込めません({reason})。",
        hint="Name a folder that may be written and has space.",
        hint_ja="書き込みでき、空きのあるフォルダーを指定してください。",
    )


@contextmanager
def _written(target: Path) -> Iterator[IO[bytes]]:
    """A file beside ``target`` that takes its name at the end, safely on the disk; gone if that fails."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as file:
            try:
                yield file
                file.flush()
                os.fsync(file.fileno())
                Path(file.name).replace(target)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise _unwritable(target, error) from error


def _copy(source: IO[bytes], target: IO[bytes], size: int, progress: Progress) -> str:
    digest, done = hashlib.sha256(), 0
    while chunk := source.read(_CHUNK):
        digest.update(chunk)
        target.write(chunk)
        done += len(chunk)
        progress(done, size)
    return digest.hexdigest()


def read_manifest(path: Path) -> Manifest:
    """What a backup says of itself.

    Raises:
        BackupError: there is no such file, it is no backup, or one of a newer version.
    """
    with _opened(path) as archive:
        return _read(archive, path)


def unpacked(path: Path, folder: Path, progress: Progress) -> tuple[Manifest, Path]:
    """The manifest of a backup, and its database unpacked into ``folder``.

    Raises:
        BackupError: the backup cannot be read, or its bytes are not those that were written.
    """
    with _opened(path) as archive:
        manifest = _read(archive, path)
        database = folder / _STORE
        with archive.open(_STORE) as packed, database.open("wb") as file:
            digest = _copy(packed, file, manifest.bytes, progress)
            file.flush()
            os.fsync(file.fileno())
        if digest != manifest.sha256:
            raise _damaged(path)
    return manifest, database


@contextmanager
def _opened(path: Path) -> Iterator[ZipFile]:
    try:
        with ZipFile(path) as archive:
            try:
                yield archive
            except (BadZipFile, EOFError) as error:
                raise _damaged(path) from error
    except FileNotFoundError as error:
        raise BackupError(f"There is no file {path}.", ja=f"ファイル {path} がありません。") from error
    except BadZipFile as error:
        raise _no_backup(path) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise BackupError(
            f"The backup {path} cannot be unpacked: {reason}.", ja=f"{path} を展開できません({reason})。"
        ) from error


def _read(archive: ZipFile, path: Path) -> Manifest:
    try:
        entry = archive.getinfo(_MANIFEST)
        size = archive.getinfo(_STORE).file_size
        if entry.file_size > _LONGEST_MANIFEST:
            raise _no_backup(path)
        document: dict[str, Any] = json.loads(archive.read(entry))
        if document.pop("format") != _FORMAT:
            raise _no_backup(path)
        if document.pop("format_version") > _VERSION or document["revision"] > HEAD:
            raise BackupError(
                f"The backup {path} was made by a newer version of Koatsu ({document['version']}).",
                ja=f"{path} は、より新しい版の Koatsu ({document['version']}) のバックアップです。",
                hint="Install that version or a later one.",
                hint_ja="その版以降をインストールしてください。",
            )
        manifest = Manifest(**{name: document[name] for name in Manifest.__dataclass_fields__})
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _no_backup(path) from error
    if size != manifest.bytes:
        raise _damaged(path)
    return manifest


def other_site(manifest: Manifest) -> BackupError:
    """The sentence for a backup of another site."""
    names = ", ".join(manifest.sites.values()) or manifest.store
    return BackupError(
        f"This is a backup of another site ({names}).",
        ja=f"これは別の拠点({names})のバックアップです。",
        hint="Restore it into a store of its own, or name that site with --site.",
        hint_ja="別の保存先に戻すか、--site にその拠点名を指定してください。",
    )


def _no_backup(path: Path) -> BackupError:
    return BackupError(
        f"{path} is not a backup of Koatsu.",
        ja=f"{path} は Koatsu のバックアップではありません。",
        hint="Name a file that koatsu backup has written.",
        hint_ja="koatsu backup で作ったファイルを指定してください。",
    )


def _damaged(path: Path) -> BackupError:
    return BackupError(
        f"The backup {path} is damaged: its checksum does not match.",
        ja=f"バックアップ {path} は壊れています(チェックサム不一致)。",
        hint="Nothing was restored; take another copy of it.",
        hint_ja="何も復元していません。別の控えを使ってください。",
    )
