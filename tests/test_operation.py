"""What stands in ops/ and docs/operation.md refers to what exists: commands, options, files, metrics."""

from __future__ import annotations

import ast
import re
from datetime import UTC, datetime
from pathlib import Path

from prometheus_client import CollectorRegistry

from command_help import help_of
from koatsu.config import load_config
from koatsu.config.model import LOG_FORMATS, LOG_LEVELS
from koatsu.ems.store import StoreErrorKind
from koatsu.ems.vitals import Health, StoreVitals, Vitals
from koatsu.node import PORT, profile_names
from koatsu.web.metrics import SiteCollector
from ops_units import OPS, analyzed, assert_taken_by_systemd, unit

ROOT = Path(__file__).resolve().parent.parent
MANUAL = ROOT / "docs/operation.md"
UNITS = ("koatsu.service", "koatsu-backup.service", "koatsu-backup.timer")
CONTAINER = (OPS / "Containerfile").read_text()


def check_command(words: list[str]) -> None:
    """A command line of ours, without the program: the command exists, and so do its options."""
    command = [word for word in words if re.fullmatch(r"[a-z][a-z-]*", word)][
        : 2 if words[0] == "people" else 1
    ]
    text = help_of(*command)
    for option in (word for word in words if word.startswith("-") and word != "--help"):
        assert re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", text), (words, option)


# --- the units ------------------------------------------------------------------------------------------


def test_the_units_start_commands_that_exist() -> None:
    started = re.findall(
        r"/opt/koatsu/bin/koatsu ([^\n]+)", "".join((OPS / name).read_text() for name in UNITS)
    )
    assert len(started) == 2
    for line in started:
        check_command([word.strip("\"'") for word in line.split()])


def test_the_service_is_restarted_on_failure_and_not_for_a_wrong_configuration() -> None:
    service = unit("koatsu.service")["Service"]
    assert service["Restart"] == "on-failure"
    assert service["RestartPreventExitStatus"] == "2"
    assert unit("koatsu-backup.timer")["Install"]["WantedBy"] == "timers.target"
    for name in ("koatsu.service", "koatsu-backup.service"):
        one = unit(name)
        assert one["Service"]["NoNewPrivileges"] == "yes"
        assert one["Service"]["User"] in (OPS / "koatsu.sysusers").read_text().split()
        assert one["Unit"]["ConditionPathExists"] == "/etc/koatsu/koatsu.toml"


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    assert_taken_by_systemd(UNITS, tmp_path)


def test_the_service_is_kept_from_what_it_does_not_need() -> None:
    """systemd's own measure: 0 is a service that may do nothing, 10 one that may do everything."""
    done = analyzed("security", "--offline=true", "--threshold=20", "--no-pager", str(OPS / "koatsu.service"))
    assert done.returncode == 0, done.stdout[-400:] + done.stderr


# --- the container --------------------------------------------------------------------------------------


def test_the_container_copies_files_that_exist_and_starts_a_command_that_exists() -> None:
    for line in re.findall(r"^COPY (?!--from)(.+)$", CONTAINER, re.MULTILINE):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source
    for lock in re.findall(r"-r (\S+)", CONTAINER):
        assert (ROOT / lock).is_file()
    [words] = re.findall(r"^CMD \[(\"run\".+)\]$", CONTAINER, re.MULTILINE)
    check_command([word.strip(' "') for word in words.split(",")])
    assert f"{PORT}/udp" in CONTAINER


def test_the_container_runs_as_nobody_special_from_two_like_stages() -> None:
    stages = re.findall(r"^FROM (\S+)", CONTAINER, re.MULTILINE)
    assert stages == ["${PYTHON}", "${PYTHON}"], "a virtual environment fits the Python that it was made with"
    assert "/" not in re.findall(r"^ARG PYTHON=(\S+)", CONTAINER, re.MULTILINE)[0], "no host is named"
    last = CONTAINER.split("\nFROM ")[-1]
    assert re.search(r"^USER koatsu$", last, re.MULTILINE)
    [words] = re.findall(
        r"^HEALTHCHECK .*\\\n  CMD \[\"/opt/koatsu/bin/koatsu\", (.+)\]$", last, re.MULTILINE
    )
    check_command([word.strip(' "') for word in words.split(",")])


def test_the_container_asks_python_that_a_program_of_this_version_runs_on() -> None:
    [version] = re.findall(r"^ARG PYTHON=python:3\.(\d+)", CONTAINER, re.MULTILINE)
    assert int(version) >= 11


# --- the example and the manual -------------------------------------------------------------------------


def test_the_example_configuration_is_read() -> None:
    config = load_config(OPS / "koatsu.toml", profiles=profile_names())
    state = unit("koatsu.service")["Service"]["StateDirectory"]
    assert config.store.path == f"/var/lib/{state}/koatsu.db"


def test_the_manual_names_commands_files_and_settings_that_exist() -> None:
    text = MANUAL.read_text()
    lines = re.findall(r"(?:/opt/koatsu/bin/|`)koatsu ([a-z][^`\n]*)", text)
    assert len(lines) > 6
    for line in lines:
        check_command(line.split())
    for name in re.findall(r"\bops/[\w.-]*\w", text):
        assert (ROOT / name).exists(), name
    for words in re.findall(r"KOATSU_LOG=(\w+)", text):
        assert words in (*LOG_FORMATS, *LOG_LEVELS)
    for block in re.findall(r"^```toml\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        for key in re.findall(r"^(\w+) =", block, re.MULTILINE):
            assert key in {"host", "names", "tls_cert", "tls_key", "behind_proxy"}


def test_an_error_in_the_log_is_a_fault_of_this_program_with_its_traceback() -> None:
    """What the manual's table promises. What the site, the disk or a visitor did is a warning."""
    without = [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for path in (ROOT / "src").rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and ast.unparse(call.func.value).lower().strip("_").endswith(("log", "logger", "getlogger(__name__)"))
        and call.func.attr in ("error", "critical")
        and "exc_info" not in {word.arg for word in call.keywords}
    ]
    assert not without


class _Nothing:
    def health(self) -> Health:
        return Health(at=datetime(2026, 7, 15, tzinfo=UTC), reasons=(), links={})

    def vitals(self) -> Vitals:
        return Vitals(health=self.health(), meters=(), store=StoreVitals(size=1, free=1))


def test_the_manual_names_every_metric_and_no_other() -> None:
    registry = CollectorRegistry()
    registry.register(SiteCollector(_Nothing()))
    existing = set()
    for family in SiteCollector(_Nothing()).collect():
        suffix = {"counter": "_total", "info": "_info"}.get(family.type, "")
        existing.add(family.name + suffix)
    table = MANUAL.read_text().partition("| metric |")[2].partition("\n\n")[0]
    assert set(re.findall(r"`(koatsu_\w+)`", table)) == existing
    named = set(re.findall(r"\bkoatsu_[a-z_]+\b", MANUAL.read_text()))
    assert named <= existing


def test_the_manual_names_every_reason() -> None:
    text = MANUAL.read_text()
    for code in ("meter_silent", "disk_low", "collector_ended"):
        assert f"`{code}`" in text
    for code in re.findall(r"`store_([a-z_]+)`", text):
        assert code in set(StoreErrorKind)
