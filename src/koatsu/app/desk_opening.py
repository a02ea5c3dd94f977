"""The store of a desk as its configuration names it, opened: for the program and for single commands."""

from __future__ import annotations

from pathlib import Path

from koatsu.app.desk_settings import settings_of
from koatsu.clock import Clock
from koatsu.config import DeskConfig
from koatsu.desk import Desk, LinkProbe

__all__ = ["open_desk"]


def open_desk(config: DeskConfig, clock: Clock, *, probe: LinkProbe | None = None) -> Desk:
    """The desk of a configuration, open; close it.

    Raises:
        DeskStoreError: its store cannot be used.
        DeskSettingError: its key is missing or another one's.
        ConfigError: a file that should hold a secret holds none.
    """
    key = None if config.store.key is None else Path(config.store.key)
    return Desk.open(config.store.path, settings=settings_of(config), clock=clock, key=key, probe=probe)
