"""One emulated meter for all tests of the program, and a runtime directory of their own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from program import EmulatedMeter, Here, emulated_meter

# the desk is tried over the small utility that its own tests use
sys.path.append(str(Path(__file__).resolve().parent.parent / "desk"))


@pytest.fixture(scope="session", autouse=True)
def runtime_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Lock files of the tests, apart from those of a program that runs on this machine."""
    folder = tmp_path_factory.mktemp("runtime")
    folder.chmod(0o700)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(folder))
        yield folder


@pytest.fixture(scope="module")
def meter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatedMeter]:
    """A 0x028A meter with two days of history; its clock begins anew with each file of tests."""
    with emulated_meter(tmp_path_factory.mktemp("meter")) as one:
        yield one


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Here:
    """The command line, called in this process."""
    return Here(monkeypatch, capsys)
