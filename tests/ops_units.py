"""The units of systemd in ops/: read, and judged by systemd itself."""

from __future__ import annotations

import configparser
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

__all__ = ["OPS", "analyzed", "assert_taken_by_systemd", "unit"]

OPS = Path(__file__).resolve().parent.parent / "ops"
_KOATSU = Path(sys.executable).with_name("koatsu")


def unit(name: str) -> configparser.ConfigParser:
    """What a unit says."""
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign] # systemd's names have capitals
    parser.read_string((OPS / name).read_text())
    return parser


def analyzed(*words: str) -> subprocess.CompletedProcess[str]:
    """What ``systemd-analyze`` says; the test is skipped where there is none."""
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is missing; apt-get install systemd")
    return subprocess.run([program, *words], capture_output=True, text=True, timeout=120, check=False)


def assert_taken_by_systemd(names: Sequence[str], folder: Path) -> None:
    """Systemd has nothing to say against units, with the program as it is installed here."""
    for name in names:
        text = (OPS / name).read_text().replace("/opt/koatsu/bin/koatsu", str(_KOATSU))
        (folder / name).write_text(text)
    done = analyzed("verify", "--man=no", *(str(folder / name) for name in names))
    complaints = [line for line in done.stderr.splitlines() if "koatsu" in line]
    assert not complaints, complaints
