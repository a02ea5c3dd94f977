"""Where the demo's desk is kept: made once, put aside for the next start, brought on to today.

Making some thousand cases through the desk itself takes a minute or two, so what was made is kept in the
user's cache and copied. A copy that somebody has worked with (``--store``) is never filled again.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, Self

from koatsu.app.holding import hold_store
from koatsu.clock import JST
from koatsu.desk.sample import Filled, Plan, fill, sample_people, sample_settings
from koatsu.errors import KoatsuError, UsageError

__all__ = ["Place", "cache_folder", "demo_place"]

Progress = Callable[[int, int], object]

_STORE, _KEY, _NOTE = "desk.db", "desk.key", ".demo.json"
_FRESH: Final = timedelta(minutes=30)  #: what was made less long ago is taken as it is


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A store of the demo, and what is known of it."""

    store: Path
    key: Path
    cases: int
    checked: str  #: supply point of a case whose connection is to be checked
    free: tuple[str, ...]  #: supply points to try an application with


def cache_folder(variables: Mapping[str, str] = os.environ) -> Path:
    """Where this user's programs put aside what can be made again."""
    named = variables.get("XDG_CACHE_HOME")
    return (Path(named) if named else Path.home() / ".cache") / "koatsu"


@contextmanager
def demo_place(
    store: Path | None, *, cases: int, seed: int, now: datetime, progress: Progress, cached: Path | None
) -> Iterator[Place]:
    """A filled store, ready to be opened; thrown away at the end unless it is to be kept.

    Args:
        store: the file to keep it in; ``None``: a folder that is thrown away.
        cases: how many, about.
        seed: another seed is another utility.
        now: until when things have happened.
        progress: told of what is done of what.
        cached: the folder in which it is put aside; ``None``: it is made anew.

    Raises:
        UsageError: ``store`` is there and is no store of a demo.
    """
    if store is not None:
        store = store.absolute()
        note = store.with_suffix(_NOTE)
        if not store.exists():
            _make(store, note, cases, seed, now, progress, cached)
        yield _Note.read(note, store).place(store)
        return
    with tempfile.TemporaryDirectory(prefix="koatsu-desk-") as folder:
        store = Path(folder) / _STORE
        _make(store, store.with_suffix(_NOTE), cases, seed, now, progress, cached)
        yield _Note.read(store.with_suffix(_NOTE), store).place(store)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Note:
    """What is written beside a store of the demo."""

    seed: int
    size: int  #: as it was asked for
    made: str  #: instants, ISO 8601
    until: str
    cases: int
    checked: str
    free: tuple[str, ...]

    @classmethod
    def read(cls, note: Path, store: Path) -> Self:
        """The note beside ``store``.

        Raises:
            UsageError: there is none, so the store may be a real one.
        """
        try:
            told: Any = json.loads(note.read_text(encoding="utf-8"))
            return cls(**{**told, "free": tuple(told["free"])})
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise UsageError(
                f"{store} is not a store of the demo and is left as it is.",
                ja=f"{store} はデモの保存先ではないため、そのままにしました。",
                hint="Name another file with --store; the demo lets people in whose password is known.",
                hint_ja="--store に別のファイルを指定してください(デモのパスワードは公開されています)。",
            ) from error

    def write(self, note: Path) -> None:
        note.write_text(json.dumps(asdict(self), ensure_ascii=False, indent=2), encoding="utf-8")

    def place(self, store: Path) -> Place:
        return Place(
            store=store, key=store.with_suffix(".key"), cases=self.cases, checked=self.checked, free=self.free
        )


def _make(
    store: Path, note: Path, cases: int, seed: int, now: datetime, progress: Progress, cached: Path | None
) -> None:
    store.parent.mkdir(parents=True, exist_ok=True)
    if cached is None:
        _filled(store, note, None, cases, seed, now, progress)
        return
    try:
        kept = _kept(cached, cases, seed, now, progress)
        for source, target in ((_STORE, store), (_KEY, store.with_suffix(".key")), (f"desk{_NOTE}", note)):
            shutil.copyfile(kept / source, target)
            target.chmod(0o600)
    except (OSError, KoatsuError):  # no room, no right, or somebody else is making it: made here then
        for leftover in (store, store.with_suffix(".key"), note):
            leftover.unlink(missing_ok=True)
        _filled(store, note, None, cases, seed, now, progress)


def _kept(cached: Path, cases: int, seed: int, now: datetime, progress: Progress) -> Path:
    """The folder in which the store is put aside, brought on to ``now``; older ones are removed.

    Raises:
        OSError: the folder cannot be written.
        UsageError: another program makes it just now.
    """
    folder = cached / f"desk-demo-{_fingerprint()}-{cases}-{seed}"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    store = folder / _STORE
    note = store.with_suffix(_NOTE)
    with hold_store(str(store)):
        known = _Note.read(note, store) if note.exists() else None
        if known is not None and datetime.fromisoformat(known.until) > now:
            known = None  # this machine's clock went back
        if known is None:
            for left in folder.glob("desk.*"):
                if not left.name.endswith(".lock"):
                    left.unlink()
        if known is None or now - datetime.fromisoformat(known.until) > _FRESH:
            note.unlink(missing_ok=True)  # there again once everything is
            _filled(store, note, known, cases, seed, now, progress)
    for other in cached.glob("desk-demo-*"):
        if not other.name.startswith(f"desk-demo-{_fingerprint()}"):
            shutil.rmtree(other, ignore_errors=True)
    return folder


def _filled(
    store: Path, note: Path, known: _Note | None, cases: int, seed: int, now: datetime, progress: Progress
) -> None:
    settings = sample_settings()
    made = now.replace(microsecond=0) if known is None else datetime.fromisoformat(known.made)
    plan = Plan(seed=seed, cases=cases, made=made, closed_days=settings.closed_days)
    people = {one.key: number for number, one in enumerate(sample_people(), 1)}
    since = None if known is None else datetime.fromisoformat(known.until)
    found: Filled = fill(
        store, store.with_suffix(".key"), plan, settings, people, now.replace(microsecond=0), since=since,
        progress=progress,
    )  # fmt: skip
    _Note(
        seed=seed, size=cases, made=made.astimezone(JST).isoformat(),
        until=now.replace(microsecond=0).astimezone(JST).isoformat(), cases=found.cases,
        checked=found.checked, free=found.free,
    ).write(note)  # fmt: skip


@cache
def _fingerprint() -> str:
    """Changes with everything that a filled store depends on: this version, and the desk's own files."""
    made = hashlib.sha256(version("koatsu").encode())
    root = Path(str(files("koatsu.desk")))
    for path in sorted(root.rglob("*")):
        if path.suffix in (".py", ".toml"):
            made.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return made.hexdigest()[:16]
