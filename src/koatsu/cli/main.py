"""The ``koatsu`` command and how its errors reach a person: one sentence, one exit status, no traceback."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Coroutine
from importlib.metadata import version
from typing import Any, TypeVar

import typer

from koatsu.app.causes import cause_of
from koatsu.errors import KoatsuError

__all__ = ["app", "language", "main", "run", "whole"]

T = TypeVar("T")

app = typer.Typer(
    name="koatsu",
    help="The open system for Japan's high-voltage B-route service. / 高圧Bルートのオープンなシステム",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def _root(
    show_version: bool = typer.Option(False, "--version", help="Print the version and stop."),
) -> None:
    if show_version:
        typer.echo(version("koatsu"))
        raise typer.Exit


def language() -> str:
    """The language of sentences on the terminal: Japanese where the locale is, English otherwise."""
    setting = os.environ.get("KOATSU_LANG") or os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    return "ja" if setting.lower().startswith("ja") else "en"


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end; of errors in nested tasks the one to be told comes out."""
    try:
        return asyncio.run(work)
    except BaseExceptionGroup as errors:
        raise cause_of(errors) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None  # as shells count it: neither done nor found wanting


def _fault(error: Exception) -> str:
    """A fault of this program in one sentence; the traceback is for who asks for it."""
    what = f"{type(error).__name__}: {error}".splitlines()[0]
    if language() == "ja":
        return f"プログラムの不具合です ({what})。KOATSU_DEBUG=1 を付けて実行し、表示をお知らせください。"
    return (
        f"This is a fault of the program ({what}). Run it again with KOATSU_DEBUG=1 and report what it shows."
    )


def whole() -> typer.Typer:
    """``koatsu`` with all of its commands: each module registers its own when it is imported."""
    from koatsu.cli import (  # noqa: F401
        care,
        comparing,
        data,
        desk,
        keeping,
        meters,
        people,
        services,
    )

    return app


def main() -> None:
    """Entry point of the console script."""
    koatsu = whole()
    try:
        koatsu(standalone_mode=True)
    except KoatsuError as error:
        sys.stderr.write(f"koatsu: {error.text(language())}\n")
        sys.exit(error.exit_status)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # a pager was closed: that is no error
        sys.exit(0)
    except Exception as error:
        if os.environ.get("KOATSU_DEBUG"):
            raise
        sys.stderr.write(f"koatsu: {_fault(error)}\n")
        sys.exit(1)
