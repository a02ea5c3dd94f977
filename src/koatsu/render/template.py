"""A typst template with the files that it imports, held in memory: it can read those and nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from koatsu.render.errors import TemplateError

__all__ = ["Template", "folder_files"]

_SUFFIXES: Final = frozenset({".typ", ".svg", ".png", ".jpg", ".jpeg"})
"""Files of a template folder that are read: text, and pictures such as a company's mark."""

_FROM_OUTSIDE: Final = re.compile(r'"@[\w-]+/[\w-]+:[\d.]+')
"""``#import "@preview/…"`` would make the compiler ask the internet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """The file ``name`` and everything beside it.

    Raises:
        TemplateError: there is no such file, it is not UTF-8, or it asks for a package from the internet.
    """

    name: str
    files: Mapping[str, bytes] = field(repr=False)

    def __post_init__(self) -> None:
        """See that the text can be compiled at all, without the internet."""
        if self.name not in self.files:
            raise TemplateError(self.name, "there is no such file")
        for name, content in self.files.items():
            if not name.endswith(".typ"):
                continue
            try:
                text = content.decode("utf-8")
            except UnicodeDecodeError as error:
                raise TemplateError(name, "it is not UTF-8 text") from error
            if asks := _FROM_OUTSIDE.search(text):
                line = text.count("\n", 0, asks.start()) + 1
                raise TemplateError(name, "packages from the internet are not taken", line)

    @classmethod
    def of_text(cls, text: str) -> Template:
        """A template that is one text and imports nothing."""
        return cls(name="main.typ", files={"main.typ": text.encode()})

    @classmethod
    def read(cls, path: Path) -> Template:
        """The template at ``path``, with what stands in the same folder.

        Raises:
            TemplateError: it cannot be read.
        """
        try:
            return cls(name=path.name, files=folder_files(path.parent))
        except OSError as error:
            raise TemplateError(path.name, error.strerror or str(error)) from error


def folder_files(folder: Path, suffixes: frozenset[str] = _SUFFIXES) -> dict[str, bytes]:
    """The files of one folder, not of those below it, that a template can use: text and pictures.

    Raises:
        OSError: the folder or a file cannot be read.
    """
    return {
        path.name: path.read_bytes()
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in suffixes and path.is_file()
    }
