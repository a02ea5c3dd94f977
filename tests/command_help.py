"""The help of ``koatsu`` and its commands, as the program prints it on a wide terminal, without a process."""

from __future__ import annotations

import re
from functools import cache

from typer.testing import CliRunner

from koatsu.cli.main import whole

__all__ = ["commands", "help_of", "whole_help"]


@cache
def help_of(*command: str) -> str:
    """What ``koatsu ... --help`` prints."""
    done = CliRunner().invoke(whole(), [*command, "--help"], terminal_width=200, prog_name="koatsu")
    assert done.exit_code == 0, (command, done.output)
    return done.output


def commands(*group: str) -> set[str]:
    """The commands that ``koatsu --help``, or the help of a group of commands, lists."""
    _, _, listed = help_of(*group).partition("Commands")
    return set(re.findall(r"^ *([a-z][a-z-]*)  ", listed, re.MULTILINE))


def whole_help(*command: str) -> str:
    """The help of a command and of all commands that it is a group of."""
    below = (whole_help(*command, one) for one in sorted(commands(*command)))
    return "".join((help_of(*command), *below))
