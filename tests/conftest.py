"""What all tests share: what this machine lacks, how many tests that cost, and Hypothesis settings.

A test that needs something says so by a marker (``browser``, ``netns``) or by asking for the fixture
``npm_peers``; it is skipped with the line that installs what is missing. At the end every skip is counted
by reason. Under continuous integration (``CI=true``) one skip fails the run: there, everything is installed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / "tests/peers/node_modules"
CI = os.environ.get("CI", "").lower() == "true"

# Two shared cores: a deadline would measure the neighbours. Under CI the same examples every time.
settings.register_profile(
    "koatsu",
    deadline=None,
    derandomize=CI,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("soak", settings.get_profile("koatsu"), derandomize=False, max_examples=2_000)


# --- what this machine has ------------------------------------------------------------------------------


class Need(NamedTuple):
    """Something tests want of the machine, and the line that brings it."""

    name: str
    present: Callable[[], bool]
    remedy: str


def _answers(*command: str) -> bool:
    """Whether the command exists, ends well and prints something."""
    if shutil.which(command[0]) is None:
        return False
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    return done.returncode == 0 and bool(done.stdout.strip())


def _namespaces() -> bool:
    """Whether a network namespace can really be made: root in a container may not be allowed to."""
    name = f"koatsu-probe-{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, timeout=60, check=False)
    if made.returncode == 0:
        subprocess.run(["ip", "netns", "delete", name], capture_output=True, timeout=60, check=True)
    return made.returncode == 0


CHROMIUM = Need("Chromium", lambda: shutil.which("chromium") is not None, "apt-get install chromium")
FONT = Need(
    "a Japanese font", lambda: _answers("fc-list", ":lang=ja"), "apt-get install fontconfig fonts-noto-cjk"
)
IPROUTE = Need("iproute2", lambda: shutil.which("ip") is not None, "apt-get install iproute2")
NETNS = Need(
    "network namespaces",
    lambda: IPROUTE.present() and os.geteuid() == 0 and _namespaces(),
    "run as root (sudo make test), with iproute2 installed",
)
NPM_PEERS = Need(
    "npm's echonet-lite",
    lambda: shutil.which("node") is not None and (PEERS / "echonet-lite").is_dir(),
    "make test installs it; without npm: apt-get install npm",
)
TSHARK = Need("tshark", lambda: shutil.which("tshark") is not None, "apt-get install tshark")
NEEDS = (CHROMIUM, FONT, IPROUTE, NETNS, NPM_PEERS, TSHARK)
BY_MARKER = {"browser": (CHROMIUM, FONT), "netns": (IPROUTE, NETNS)}


@cache
def has(need: Need) -> bool:
    """Whether the machine has it, asked once."""
    return need.present()


def skip_without(*needs: Need) -> None:
    """Skip the running test for the first of these that is missing, saying what installs it."""
    for need in needs:
        if not has(need):
            pytest.skip(f"{need.name} is missing; {need.remedy}")


@pytest.fixture
def npm_peers() -> Path:
    """The folder with npm's ``echonet-lite`` and ``date-utils`` (use it as NODE_PATH)."""
    skip_without(NPM_PEERS)
    return PEERS


@pytest.fixture
def tshark() -> str:
    """The path of tshark."""
    skip_without(TSHARK)
    return shutil.which("tshark") or ""


# --- which tests run ------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--soak``: the tests marked ``soak`` too, and 2,000 examples for each property."""
    parser.addoption("--soak", action="store_true", help="also run what takes minutes")


def pytest_configure(config: pytest.Config) -> None:
    """Choose how hard Hypothesis looks."""
    settings.load_profile("soak" if config.getoption("--soak") else "koatsu")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the long tests out unless asked for: deselected, so that they do not count as skipped."""
    if config.getoption("--soak"):
        return
    long = [item for item in items if item.get_closest_marker("soak")]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a marked test on a machine that lacks what the marker stands for."""
    for marker, needs in BY_MARKER.items():
        if item.get_closest_marker(marker):
            skip_without(*needs)


# --- what was skipped, and why --------------------------------------------------------------------------


def _counts(config: pytest.Config) -> tuple[Counter[str], Counter[str]]:
    """Outcomes, and skips by reason, of the whole run (with xdist: of all workers together)."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    stats = reporter.stats if reporter else {}
    outcomes = Counter(
        passed=len(stats.get("passed", [])),
        failed=len(stats.get("failed", [])) + len(stats.get("error", [])),
        skipped=len(stats.get("skipped", [])),
    )
    reasons = Counter(
        str(report.longrepr[2]).removeprefix("Skipped: ")
        for report in stats.get("skipped", [])
        if isinstance(report.longrepr, tuple | list)
    )
    return outcomes, reasons


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Leave the counts for ``scripts/check``; under CI a skip is a failure."""
    if _is_worker(session.config):
        return
    outcomes, _ = _counts(session.config)
    target = ROOT / "artifacts/tests.txt"
    target.parent.mkdir(exist_ok=True)
    target.write_text(
        f"{outcomes['passed']} passed, {outcomes['failed']} failed, {outcomes['skipped']} skipped\n"
    )
    if CI and outcomes["skipped"] and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what did not run, and what to install so that it does."""
    outcomes, reasons = _counts(config)
    missing = [need for need in NEEDS if not has(need)]
    if not outcomes["skipped"] and not missing:
        return
    terminalreporter.section("what did not run")
    for reason, count in reasons.most_common():
        terminalreporter.write_line(f"{count} skipped: {reason}")
    for need in missing:
        terminalreporter.write_line(f"missing here: {need.name} ({need.remedy})")
    if CI and outcomes["skipped"]:
        terminalreporter.write_line("Under CI nothing may be skipped: this run has failed.", red=True)
