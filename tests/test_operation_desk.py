"""What ops/ and docs/desk.md say of the desk refers to what exists: commands, files, keys, defaults."""

from __future__ import annotations

import re
from pathlib import Path

from command_help import help_of
from koatsu.app.desk_settings import desk_config, settings_of
from koatsu.config import DESK_PORT, parse_desk_config
from koatsu.config.desk_model import DAYS_OF_STATES, DESK_TABLES
from koatsu.desk.imports import Register
from koatsu.desk.settings import DeskSettings
from koatsu.desk.states import State
from koatsu.people import DESK_ROLES
from ops_units import OPS, assert_taken_by_systemd, unit

ROOT = Path(__file__).resolve().parent.parent
MANUAL = (ROOT / "docs/desk.md").read_text(encoding="utf-8")
UNITS = ("koatsu-desk.service", "koatsu-desk-backup.service", "koatsu-desk-backup.timer")


def check_command(line: str) -> None:
    """A command line of ``koatsu desk``: the command exists, and so do its options."""
    words = line.split()
    command, group = ["desk"], words[1:]
    while (
        group
        and re.fullmatch(r"[a-z]+", group[0])
        and re.search(rf"^  {group[0]}  ", help_of(*command), re.MULTILINE)
    ):
        command.append(group.pop(0))
    for option in (word for word in group if word.startswith("-") and word != "--help"):
        assert re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", help_of(*command)), (line, option)


# --- the units ------------------------------------------------------------------------------------------


def test_the_units_start_commands_that_exist() -> None:
    text = "".join((OPS / name).read_text() for name in UNITS)
    started = re.findall(r"/opt/koatsu/bin/koatsu (desk[^\n]+)", text)
    assert len(started) == 2
    for line in started:
        check_command(line)


def test_the_units_run_as_the_user_of_the_program_and_keep_their_hands_off_the_other_one() -> None:
    for name in UNITS[:2]:
        one = unit(name)
        assert one["Service"]["NoNewPrivileges"] == "yes"
        assert one["Service"]["User"] in (OPS / "koatsu.sysusers").read_text().split()
        assert one["Unit"]["ConditionPathExists"] == "/etc/koatsu/desk.toml"
    service = unit("koatsu-desk.service")["Service"]
    assert service["RestartPreventExitStatus"] == "2"
    assert "RuntimeDirectory" not in service, "it would take away that of koatsu.service when it stops"
    assert (
        f"XDG_RUNTIME_DIR=/run/{unit('koatsu.service')['Service']['RuntimeDirectory']}"
        == service["Environment"]
    )


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    assert_taken_by_systemd(UNITS, tmp_path)


# --- the example and the manual -------------------------------------------------------------------------


def test_the_example_configuration_is_read_and_says_what_the_desk_assumes() -> None:
    config = desk_config(OPS / "desk.toml")
    state = unit("koatsu-desk.service")["Service"]["StateDirectory"]
    assert (config.store.path, config.store.key) == (
        f"/var/lib/{state}/desk.db",
        f"/var/lib/{state}/desk.key",
    )
    assumed = DeskSettings()
    found = settings_of(config)
    assert found.days_to_act == assumed.days_to_act
    assert (found.closed_days, found.case_prefix, found.online) == (assumed.closed_days, "HB", False)


def test_what_is_commented_out_in_the_example_is_right_once_it_is_not() -> None:
    text = re.sub(r"^# (\[|[a-z_]+ = )", r"\1", (OPS / "desk.toml").read_text(), flags=re.MULTILINE)
    config = parse_desk_config(text, events=["submit", "start", "cable_removed"])
    assert config.mail is not None
    assert len(config.webhooks) == len(config.links) == 1
    assert config.utility.self_supply_office == "jika"


def test_every_configuration_in_the_manual_is_one() -> None:
    blocks = re.findall(r"^```toml\n(.*?)^```", MANUAL, re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 3
    for block in blocks:
        parse_desk_config(block)


def test_the_manual_names_every_key_of_the_configuration() -> None:
    for table, keys in DESK_TABLES.items():
        for key in keys:
            assert re.search(rf"\b{key.name}\b", MANUAL), (table, key.name)


def rows() -> dict[str, str]:
    """The keys of the table of settings, each with what holds when it is left out."""
    table = MANUAL.partition("| key | meaning |")[2].partition("\n\n")[0]
    found = re.findall(r"^\| `(?:\[\w+\] )?(\w+)`[^|]*\|[^|]+\| (.+?) \|$", table, re.MULTILINE)
    return dict(found)


def test_the_defaults_in_the_manual_are_those_of_the_desk() -> None:
    shown, assumed = rows(), DeskSettings()
    for state in DAYS_OF_STATES:
        assert shown[state] == str(assumed.days_to_act[State(state)])
    assert shown["remind"] == str(assumed.remind_before_days)
    assert shown["enquiry"] == str(assumed.enquiry_days)
    assert shown["retention"] == str(assumed.retention_days)
    assert shown["max_mb"] == str(assumed.document_bytes // 1024**2)
    assert shown["case_prefix"] == f"`{assumed.case_prefix}`"
    assert shown["online"].startswith(f"`{str(assumed.online).lower()}`")
    assert f"port {DESK_PORT}" in MANUAL


def test_the_manual_names_commands_roles_and_registers_that_exist() -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```", MANUAL, re.MULTILINE | re.DOTALL)
    lines = [
        line for block in blocks for line in re.findall(r"koatsu (desk .+?)(?:\s+#.*)?$", block, re.MULTILINE)
    ]
    assert len(lines) > 10
    for line in lines:
        check_command(line)
    named = set(re.findall(r"koatsu desk import ([a-z_]+)", MANUAL))
    assert named <= set(Register)
    order = MANUAL.partition("The order\nis: ")[2].partition(" whenever")[0]
    assert set(re.findall(r"[a-z_]+", order)) == set(Register)
    table = MANUAL.partition("| role | may |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == set(DESK_ROLES)


def test_files_of_ops_that_the_manual_names_exist() -> None:
    named = set(re.findall(r"ops/([\w.-]+)", MANUAL))
    assert named
    for name in named:
        assert (OPS / name.rstrip(".")).exists(), name
