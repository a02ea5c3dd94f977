"""Where templates come from: the program, or a file of the same name in the utility's folder."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from koatsu.desk.forms.charges import refuse_amounts
from koatsu.render import Template, TemplateError, folder_files

__all__ = ["own_files", "templates_of"]


def templates_of(package: str, folder: Path | None, name: str) -> Template:
    """The template ``name`` of ``package`` with what it imports.

    A file of the utility's folder takes the place of the built-in one with its name; further files there
    (a company's mark) can be imported. The folder is read each time, so a correction needs no restart.

    Raises:
        TemplateError: the folder cannot be read, a file is not text, or one states an amount of money.
    """
    built_in = {
        entry.name: entry.read_bytes() for entry in files(package).iterdir() if entry.name.endswith(".typ")
    }
    own = own_files(folder)
    refuse_amounts(own)
    return Template(name=name, files=built_in | own)


def own_files(folder: Path | None, suffixes: frozenset[str] | None = None) -> dict[str, bytes]:
    """The utility's files by name, those of templates or those with ``suffixes``; none without a folder.

    Raises:
        TemplateError: the folder or a file cannot be read.
    """
    if folder is None:
        return {}
    try:
        return folder_files(folder) if suffixes is None else folder_files(folder, suffixes)
    except OSError as error:
        raise TemplateError(folder.name, f"cannot be read: {error.strerror or error}") from error
