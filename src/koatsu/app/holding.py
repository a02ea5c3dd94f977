"""Who holds a meter or a store: lock files, looked at by whoever wants it too.

A meter has one selector for the day of its histories, so two readers of histories would turn it away under
each other; two that collect into one store would do so for every meter of it. The lock is the system's
(``flock``): a crash frees it, whatever is left in the file. That of a meter is seen by programs of the same
user and the same network; other users' programs are not known.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import stat
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from koatsu.errors import UnreachableError, UsageError
from koatsu.node import Peer

__all__ = ["Holder", "MeterHeldError", "check_free", "hold", "hold_store", "holder_of"]

RUNTIME: Final = "/run/user/{user}"
"""Where a login has its runtime directory, whether or not a variable says so."""

_TRIES: Final = 10  # a look at the lock takes microseconds, and may coincide with taking it
_PAUSE_S: Final = 0.02


class MeterHeldError(UnreachableError):
    """Another program of this user collects from the meter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """The program that holds a meter; ``page`` is the address of its page."""

    process: str
    page: str


@contextmanager
def hold(peers: Iterable[Peer], *, page: str) -> Iterator[None]:
    """Hold the meters at these addresses until the block ends.

    Args:
        peers: addresses of the terminals; one may stand there twice.
        page: where a person finds what this program reads.

    Without any folder of the user's own to write into, nothing is held.

    Raises:
        MeterHeldError: another program holds one of them.
    """
    folder = next(iter(_folders()), None)
    with ExitStack() as stack:
        for peer in dict.fromkeys(peers):
            if folder is not None:
                stack.enter_context(_locked(folder / _name(peer), peer, page))
        yield


def check_free(peer: Peer) -> None:
    """Pass when nobody holds the meter at ``peer``.

    Raises:
        MeterHeldError: somebody does; the sentence says who, and where the same data are to be had.
    """
    holder = holder_of(peer)
    if holder is not None:
        raise _held(peer, holder)


def holder_of(peer: Peer) -> Holder | None:
    """The program of this user that holds the meter at ``peer``; ``None`` when there is none."""
    for folder in _folders():
        try:
            handle = os.open(folder / _name(peer), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            continue  # nobody has ever held it from there
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return _written(handle)
        finally:
            os.close(handle)
    return None


@contextmanager
def hold_store(store: str) -> Iterator[None]:
    """Hold the lock file beside an SQLite store; a database server's store holds itself once it is open.

    The lock lies beside the file itself: a link to it, or to its folder, is another name of the same store.

    Raises:
        UsageError: another program holds it, or the file cannot be made.
    """
    if "://" in store:
        yield
        return
    path = Path(f"{os.path.realpath(store)}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        what, what_ja = (
            f"{path} cannot be made: {error.strerror}.",
            f"{path} を作れません({error.strerror})。",
        )
        if isinstance(error, FileExistsError | NotADirectoryError):
            what, what_ja = f"{path.parent} is not a folder.", f"{path.parent} はフォルダーではありません。"
        raise UsageError(
            what,
            ja=what_ja,
            hint="Give this user the right to write into the folder, or name another store.",
            hint_ja="フォルダーに書き込み権限を付けるか、別の保存先を指定してください。",
        ) from error
    try:
        if not _taken(handle):
            process = _written(handle).process
            raise UsageError(
                f"{store} is in use by another koatsu (process {process}).",
                ja=f"{store} は別の koatsu (プロセス {process}) が使用中です。",
                hint="Stop that one, or name another store.",
                hint_ja="そちらを止めるか、別の保存先を指定してください。",
            )
        _write(handle, f"{os.getpid()}\n")
        yield
    finally:
        os.close(handle)


@contextmanager
def _locked(path: Path, peer: Peer, page: str) -> Iterator[None]:
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError:
        yield  # no place for the lock: collecting is worth more than the warning to others
        return
    try:
        if not _taken(handle):
            raise _held(peer, _written(handle))
        _write(handle, f"{os.getpid()}\n{page}\n")
        yield
        os.ftruncate(handle, 0)
    finally:
        os.close(handle)


def _taken(handle: int) -> bool:
    """Take the lock; a program that only looks lets go at once, so it is tried again for a moment."""
    for _ in range(_TRIES):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EWOULDBLOCK, errno.EAGAIN):
                return True  # a file system without locks
            time.sleep(_PAUSE_S)
        else:
            return True
    return False


def _write(handle: int, text: str) -> None:
    """Leave word of who holds it; the lock holds without, where the disk is full."""
    try:
        os.ftruncate(handle, 0)
        os.pwrite(handle, text.encode(), 0)
    except OSError:
        pass  # whoever finds it held is told "?"


def _written(handle: int) -> Holder:
    process, _, page = os.pread(handle, 400, 0).decode(errors="replace").strip().partition("\n")
    return Holder(process=process or "?", page=page or "?")


def _held(peer: Peer, holder: Holder) -> MeterHeldError:
    return MeterHeldError(
        f"{peer} is held by another koatsu (process {holder.process}) that collects its histories.",
        ja=f"{peer} は別の koatsu (プロセス {holder.process}) が履歴を収集中です。",
        hint=f"Take the CSV from its page {holder.page}, or stop it first.",
        hint_ja=f"その画面 {holder.page} から CSV を保存するか、先に停止してください。",
    )


def _folders() -> list[Path]:
    """Where lock files of this user may be, the place for ours first; each is the user's own.

    A service may lack the variable that a login sets, so the usual place is looked at in any case.
    """
    user = os.geteuid()
    named = os.environ.get("XDG_RUNTIME_DIR")
    runtime = [Path(named)] if named else []
    runtime.append(Path(RUNTIME.format(user=user)))
    own = Path(tempfile.gettempdir()) / f"koatsu-{user}"
    try:
        own.mkdir(mode=0o700, exist_ok=True)
    except OSError:
        pass  # not writable, or a file of that name: _is_own tells
    return [folder for folder in dict.fromkeys((*runtime, own)) if _is_own(folder, user)]


def _is_own(folder: Path, user: int) -> bool:
    """Whether the folder is this user's and nobody else may put files there."""
    try:
        status = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == user and not status.st_mode & 0o022


def _name(peer: Peer) -> str:
    """A file name for an address; the same address in another network namespace is another meter."""
    try:
        network = os.readlink("/proc/self/ns/net")  # noqa: PTH115 - not a path
    except OSError:
        network = ""
    return "koatsu-" + re.sub(r"[^A-Za-z0-9.%-]+", "_", f"{network}-{peer}") + ".lock"
