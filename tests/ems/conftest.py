from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from koatsu.ems.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store in a real file."""
    with Store.open(tmp_path / "koatsu.db") as opened:
        yield opened
