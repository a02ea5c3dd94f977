"""All tables of the desk, and the number of their newest shape."""

from __future__ import annotations

from typing import Final

from koatsu.desk import schema_cases, schema_help, schema_registers
from koatsu.desk.metadata import PREFIX, metadata

__all__ = ["HEAD", "PREFIX", "VERSION_TABLE", "metadata", "schema_cases", "schema_help", "schema_registers"]

VERSION_TABLE: Final = "desk_version"
HEAD: Final = "0004"  #: the newest migration; a test compares it with the folder
