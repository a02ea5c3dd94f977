"""Files that were checked or imported, kept in memory for a while for their reports.

A file that was only checked need not be sent a second time. What is kept is for whoever has sent it, is
limited in size, and is gone after a restart; the register and its history hold what was imported.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import BoundedSemaphore, Lock
from typing import Final

from fastapi import Request

from koatsu.desk.imports import ImportReport

__all__ = ["IMPORTING", "IMPORT_WAIT_S", "KeptImport", "KeptImports", "kept_imports"]

IMPORTING: Final = BoundedSemaphore(1)  #: one file at a time is read, checked or taken in
IMPORT_WAIT_S: Final = 30.0  #: so long the next one waits
_FOR: Final = timedelta(hours=1)
_FILES: Final = 12
_BYTES: Final = 96 * 1024 * 1024
_making: Final = Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptImport:
    """One file, and what came of it."""

    author: str
    at: datetime
    name: str
    data: bytes
    report: ImportReport


class KeptImports:
    """The files that are kept; safe to use from any thread."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, KeptImport] = OrderedDict()
        self._lock = Lock()

    def keep(self, one: KeptImport) -> str:
        """Keep a file; under what it is found. The oldest make room."""
        token = secrets.token_urlsafe(12)
        with self._lock:
            self._forget(one.at)
            self._kept[token] = one
            while len(self._kept) > _FILES or (len(self._kept) > 1 and self._size() > _BYTES):
                self._kept.popitem(last=False)
        return token

    def find(self, token: str, author: str, now: datetime) -> KeptImport | None:
        """The file, for whoever has sent it; ``None`` where it is not kept any more."""
        with self._lock:
            self._forget(now)
            found = self._kept.get(token)
        return found if found is not None and found.author == author else None

    def drop(self, token: str) -> None:
        """Forget a file: it was taken in."""
        with self._lock:
            self._kept.pop(token, None)

    def _forget(self, now: datetime) -> None:
        for token in [token for token, one in self._kept.items() if not now - _FOR < one.at <= now]:
            del self._kept[token]

    def _size(self) -> int:
        return sum(len(one.data) for one in self._kept.values())


def kept_imports(request: Request) -> KeptImports:
    """Those of the application that answers ``request``; both languages share them."""
    state = request.app.state
    with _making:
        if not hasattr(state, "kept_imports"):
            state.kept_imports = KeptImports()
    found: KeptImports = state.kept_imports
    return found
