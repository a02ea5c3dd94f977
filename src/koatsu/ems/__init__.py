"""The energy management system: collector, store, read models. It meets a meter over the wire only."""

from __future__ import annotations

__all__: list[str] = []
