"""What ``koatsu desk backup`` does: the two stores of a desk as they are at one moment, while it goes on.

The key is left out on purpose: with it the copy would open the personal data, without it it is noise.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

from koatsu.app.auditing import noted
from koatsu.app.desk_settings import desk_config
from koatsu.desk.database import store_url
from koatsu.errors import KoatsuError, UsageError
from koatsu.people.database import address

__all__ = ["BackupFailedError", "back_up"]

Progress = Callable[[int, int], object]

_PAGES: Final = 2000  #: copied at a stretch; writers get in between


class BackupFailedError(KoatsuError):
    """A copy could not be written; what was there before is as it was."""


def back_up(config: Path, folder: Path, *, replace: bool, progress: Progress) -> list[Path]:
    """Copy the stores of a desk into a folder; the files that were written.

    Raises:
        ConfigError: the configuration is wrong or not there.
        UsageError: there is no store yet, it is on a database server, or a copy is there already.
        BackupFailedError: a copy cannot be written.
    """
    settings = desk_config(config)
    where = settings.store.path
    url, people = store_url(where), address(where)
    if url.get_backend_name() != "sqlite":
        raise UsageError(
            "A store on a database server is backed up with the server's own tools.",
            ja="データベースサーバー上の保存先は、サーバー側のツールでバックアップしてください。",
            hint="Use pg_dump.",
            hint_ja="pg_dump を使ってください。",
        )
    sources = [Path(one.database or "") for one in (url, people)]
    if not sources[0].exists():
        raise UsageError(
            f"There is no store {sources[0]} yet.",
            ja=f"保存先 {sources[0]} がまだありません。",
            hint="koatsu desk makes it.",
            hint_ja="koatsu desk が作ります。",
        )
    pairs = [(source, folder / source.name) for source in sources if source.exists()]
    there = next((target for _, target in pairs if target.exists()), None)
    if there is not None and not replace:
        raise UsageError(
            f"{there} is there already.",
            ja=f"{there} は既にあります。",
            hint="Name another folder, or say --replace.",
            hint_ja="別のフォルダーにするか、--replace を付けてください。",
        )
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for source, target in pairs:
            _copy(source, target, progress)
    except (OSError, sqlite3.Error) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise BackupFailedError(
            f"The backup cannot be written to {folder}: {reason}.",
            ja=f"{folder} にバックアップを書き込めません({reason})。",
            hint="Check the folder, its rights and the space on the disk.",
            hint_ja="フォルダー、権限、空き容量を確かめてください。",
        ) from error
    noted(settings, "backup_made", detail={"files": str(len(pairs))})
    return [target for _, target in pairs]


def _copy(source: Path, target: Path, progress: Progress) -> None:
    """One store, whole or not at all, readable by its owner only."""
    draft = target.with_name(f".{target.name}.draft")
    draft.unlink(missing_ok=True)
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        with (
            closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True)) as there,
            closing(sqlite3.connect(draft)) as copy,
        ):
            there.backup(copy, pages=_PAGES, progress=lambda _, left, all_: progress(all_ - left, all_))
            copy.execute("PRAGMA journal_mode=DELETE").close()  # one file, without a log beside it
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
