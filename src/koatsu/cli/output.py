"""Printing: tables for people, JSON for programs. A number never appears without its unit."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from koatsu.cli.main import language

__all__ = [
    "console",
    "notes",
    "print_json",
    "print_line",
    "print_table",
    "progress_bar",
    "say",
    "waiting",
    "watched",
]

console = Console(highlight=False, soft_wrap=False)
notes = Console(stderr=True, highlight=False)

_SHOWN_AFTER_S = 2.0  # a bar for less would only flicker
_NO_LIMIT = 10_000  # columns; a table takes what it needs of them


def watched() -> bool:
    """Whether a person is looking, so that progress is worth showing."""
    return sys.stderr.isatty()


def say(text: str) -> None:
    """A sentence to the person who started the program, on standard error; never taken as markup."""
    notes.print(text, markup=False, soft_wrap=True)


def print_line(text: str) -> None:
    """A line of the result, on standard output, as it is."""
    console.print(text, markup=False, soft_wrap=True)


@contextmanager
def waiting(ja: str, en: str) -> Iterator[None]:
    """Say what is being waited for, as long as it lasts, to a person who is watching."""
    if not watched():
        yield
        return
    with notes.status(ja if language() == "ja" else en):
        yield


@contextmanager
def progress_bar(ja: str, en: str) -> Iterator[Callable[[int, int], object]]:
    """A bar for what takes longer than two seconds, where a person is watching; told what is done of what."""
    started = time.monotonic()
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=notes, transient=True, disable=not watched()) as bar:
        task = bar.add_task(ja if language() == "ja" else en, visible=False)

        def show(done: int, whole: int) -> None:
            late = time.monotonic() - started > _SHOWN_AFTER_S
            bar.update(task, completed=done, total=max(whole, 1), visible=late)

        yield show


def print_json(data: Any) -> None:
    """Write ``data`` as JSON, exact values being strings already."""
    sys.stdout.write(json.dumps(data, ensure_ascii=False, indent=2) + "\n")


def print_table(headings: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[int] = ()) -> None:
    """A table; columns in ``right`` are aligned to the right. On a pipe it is as wide as it needs to be."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="right" if number in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))  # what a meter says is no markup
    if console.is_terminal:
        console.print(table)
    else:
        Console(file=sys.stdout, width=_NO_LIMIT, highlight=False).print(table)
