"""The TOML files that come with the emulator: which there are in a folder, and the text of one by name."""

from __future__ import annotations

from importlib.resources import files

from koatsu.errors import UsageError

__all__ = ["packaged_names", "packaged_text"]

_PACKAGE = files(__package__)


def packaged_names(folder: str) -> tuple[str, ...]:
    """The names of the files in ``folder``, without their ending, in alphabetical order."""
    entries = (_PACKAGE / folder).iterdir()
    return tuple(sorted(entry.name[:-5] for entry in entries if entry.name.endswith(".toml")))


def packaged_text(folder: str, name: str, *, what: str, what_ja: str) -> str:
    """The text of one file; ``what`` names its kind in the sentence when there is none.

    Raises:
        UsageError: no such file; those there are stand in the hint.
    """
    known = packaged_names(folder)
    if name not in known:
        raise UsageError(
            f"There is no {what} {name!r}.",
            ja=f"{what_ja} {name!r} はありません。",
            hint=f"Known: {', '.join(known)}.",
            hint_ja=f"使えるもの: {', '.join(known)}",
        )
    return (_PACKAGE / folder / f"{name}.toml").read_text(encoding="utf-8")
