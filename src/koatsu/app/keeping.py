"""What ``koatsu backup``, ``restore`` and ``verify`` do; all of them may run while ``koatsu run`` does.

A restore adds what the store lacks. Only where there is no store, or where the person says so, the backup
takes its place as a whole; what was there is put aside, never deleted.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from koatsu.app.auditing import noted
from koatsu.app.holding import hold_store
from koatsu.clock import Clock
from koatsu.config import Config, load_config
from koatsu.ems.store import (
    Finding,
    Manifest,
    Restored,
    Store,
    StoreError,
    StoreErrorKind,
    StoreHeldError,
    read_manifest,
    restore_whole,
    unpacked_store,
)
from koatsu.ems.store.backup import Progress, other_site
from koatsu.errors import UsageError

__all__ = ["back_up", "restore", "restored_words", "verify", "verify_backup"]


def back_up(config: Path, target: Path, *, clock: Clock, replace: bool, progress: Progress) -> Manifest:
    """Write a backup of the store that the configuration names.

    Raises:
        ConfigError: the configuration is wrong or not there.
        UsageError: there is no store yet, or the file is there already.
        BackupError: the file cannot be written.
        StoreError: the store cannot be read.
    """
    settings = load_config(config)
    where = settings.store.path
    _check_there(where)
    if target.exists() and not replace:
        raise UsageError(
            f"{target} is there already.",
            ja=f"{target} は既にあります。",
            hint="Name another file, or say --replace.",
            hint_ja="別の名前にするか、--replace を付けてください。",
        )
    with Store.open(where) as store:
        manifest = store.backup(target, at=clock.now(), progress=progress)
    noted(settings, "backup_made", detail={"counts": str(manifest.readings)})
    return manifest


def restore(
    config: Path, backup: Path, *, clock: Clock, replace: bool, site: str | None, progress: Progress
) -> Restored:
    """Bring a backup into the store that the configuration names.

    Args:
        config: the configuration.
        backup: the file.
        clock: our time.
        replace: the backup takes the place of the store.
        site: the name of the site whose backup it is, where it is another one.
        progress: called as it goes on.

    Raises:
        ConfigError: the configuration is wrong or not there.
        UsageError: a program collects into the store that is to be replaced.
        BackupError: the file is no backup, damaged, of a newer version or of another site.
        StoreError: the store cannot be used.
    """
    settings = load_config(config)
    done = _restored(settings, backup, clock=clock, replace=replace, site=site, progress=progress)
    detail = {
        "whole": "yes" if done.whole else "no",
        "counts": str(done.counts),
        "contradictions": str(done.contradictions),
    }
    noted(settings, "store_restored", detail=detail)
    return done


def _restored(
    settings: Config, backup: Path, *, clock: Clock, replace: bool, site: str | None, progress: Progress
) -> Restored:
    where = settings.store.path
    manifest = read_manifest(backup)
    server = "://" in where
    if not server and (replace or not Path(where).exists()):
        _check_named(manifest, settings, site)
        with hold_store(where):
            restore_whole(backup, Path(where), at=clock.now(), progress=progress)
            return Restored(whole=True, meters=tuple(manifest.meters), counts=manifest.readings)
    if replace:
        raise UsageError(
            "A store on a database server is not replaced as a whole.",
            ja="データベースサーバー上の保存先は丸ごと置き換えられません。",
            hint="Name a new, empty database as store, or restore without --replace.",
            hint_ja="空のデータベースを保存先に指定するか、--replace なしで復元してください。",
        )
    with _held_if_free(where) as (store, free):
        if not any(store.epochs(meter.id) for meter in store.meters()):  # nothing tells whose it is
            _check_named(manifest, settings, site)
        return store.restore(backup, at=clock.now(), site=site, in_use=not free, progress=progress)


def verify(config: Path) -> tuple[Finding, ...]:
    """Look at the whole store that the configuration names, and mend what is safe.

    Raises:
        ConfigError: the configuration is wrong or not there.
        StoreError: the store cannot be used.
    """
    where = load_config(config).store.path
    _check_there(where)
    with Store.open(where) as store:
        return store.check()


def verify_backup(backup: Path, *, progress: Progress) -> tuple[Manifest, tuple[Finding, ...]]:
    """Look at a backup: are these the bytes that were written, and are they a sound store?

    Raises:
        BackupError: the file is no backup, damaged or of a newer version.
    """
    with unpacked_store(backup, progress) as (manifest, store):
        return manifest, store.check()


def restored_words(done: Restored, lang: str) -> list[str]:
    """What a restore did, line by line."""
    ja = lang == "ja"
    if done.whole:
        return [
            f"復元しました({done.counts:,} 件)。" if ja else f"Restored as a whole; counts: {done.counts:,}."
        ]
    lines = [
        f"追加 {done.counts:,} 件、既にあったもの {done.same:,} 件。"
        if ja
        else f"Counts added: {done.counts:,}, there already: {done.same:,}."
    ]
    if done.contradictions:
        lines.append(
            f"保存済みの値と違うものが {done.contradictions:,} 件あります。保存済みの値はそのままです。"
            if ja
            else f"Contradicting what is stored: {done.contradictions:,}; nothing was overwritten."
        )
    return lines


@contextmanager
def _held_if_free(where: str) -> Iterator[tuple[Store, bool]]:
    """The store, and whether nobody collects into it; then nobody begins to as long as the block lasts."""
    with ExitStack() as stack:
        free = True
        try:
            stack.enter_context(hold_store(where))
        except UsageError:
            free = False
        store = stack.enter_context(Store.open(where))
        try:
            stack.enter_context(store.hold())
        except StoreHeldError:
            free = False
        yield store, free


def _check_there(where: str) -> None:
    if "://" not in where and not Path(where).exists():
        raise StoreError(StoreErrorKind.CANNOT_OPEN, where, os.strerror(2))


def _check_named(manifest: Manifest, settings: Config, site: str | None) -> None:
    """Pass when the configuration, or the person, names a site of the backup, or knows all its meters."""
    names = {one.name for one in settings.sites} | {site}
    meters = {meter.id for meter in settings.meters}
    if manifest.sites and not names & set(manifest.sites.values()):
        raise other_site(manifest)
    if not manifest.sites and not meters & set(manifest.meters) and site != manifest.store:
        raise other_site(manifest)
