"""Link profiles: the timers, limits and habits of one kind of meter, as named files.

The interface specification of high-voltage meters is not public in full, so whatever it would settle is a
field here, and every field says where its value comes from or that it is assumed. The files lie in
``profile_files``; a site may write its own, starting from one of them with ``extends``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal

from koatsu.config.load import ConfigFileError
from koatsu.config.reader import Problem
from koatsu.errors import ConfigError, UsageError
from koatsu.node.profile_reader import Origin, ProfileText, read_profile
from koatsu.node.profile_rules import RULES, nearest

__all__ = ["LinkProfile", "Origin", "load_profile", "profile_names"]

_FILES: Final = files("koatsu.node") / "profile_files"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkProfile:
    """How to talk to one kind of meter. Seconds are real ones, never a scaled clock's.

    Attributes:
        name: what a configuration calls it.
        title_en: what a person reads.
        title_ja: the same in Japanese.
        timer_one_s: wait for the answer to a request of one property, 0.01 to 600 s.
        timer_many_s: the same for two properties or more; not below ``timer_one_s``.
        retries: further tries after the first, 0 to 10.
        max_properties: most properties in one request, 1 to 255.
        outstanding: exchanges open at a time towards one node, 1 to 64.
        spacing_s: pause between two exchanges with one node, 0 to 60 s.
        accept_trailing: take a datagram with bytes behind its last property.
        match_answer_properties: "exact" wants the properties asked for, "subset" takes any part of them.
        poll_now_s: how often the present counters are read, 0.1 to 3600 s.
        poll_slot_after_s: when after :00 and :30 the closed half hour is asked for, 0 to 1799 s.
        notify_expected: the meter notifies the closed half hour by itself.
        notify_within_s: until when after :00 and :30, 0 to 1799 s.
        history_pause_s: pause between two days of a recovery, 0 to 3600 s.
        energy_history_first: at which instant of the day the first element of an energy history was counted,
            "00:00" or "00:30".
        demand_history_stamp: whether an element of a demand history bears the "start" or the "end" of its
            slot.
        history_days_max: oldest day a meter may keep, 0 (today alone) to 99.
        start_wait_s: wait for the meter's announcement after the link comes up, 0 to 600 s.
        discover_wait_s: how long a discovery collects answers, 0 to 600 s.
        origins: for each field, where its value comes from; not part of equality.

    Raises:
        UsageError: a value of the wrong type or outside its range.
    """

    name: str
    title_en: str = ""
    title_ja: str = ""
    timer_one_s: float
    timer_many_s: float
    retries: int
    max_properties: int
    outstanding: int
    spacing_s: float
    accept_trailing: bool
    match_answer_properties: Literal["exact", "subset"]
    poll_now_s: float
    poll_slot_after_s: float
    notify_expected: bool
    notify_within_s: float
    history_pause_s: float
    energy_history_first: Literal["00:00", "00:30"]
    demand_history_stamp: Literal["start", "end"]
    history_days_max: int
    start_wait_s: float
    discover_wait_s: float
    origins: Mapping[str, Origin] = field(
        default_factory=lambda: MappingProxyType({}), compare=False, repr=False
    )

    def __post_init__(self) -> None:
        for key, rule in RULES.items():
            value = getattr(self, key)
            if not rule.accepts(value):
                raise UsageError(
                    f"{key} must be {rule.allowed_en}, not {value!r}.",
                    ja=f"{key} は {rule.allowed_ja} です({value!r} ではありません)。",
                )
        if self.timer_many_s < self.timer_one_s:
            raise UsageError(
                f"timer_many_s ({self.timer_many_s}) must not be below timer_one_s ({self.timer_one_s}).",
                ja=f"timer_many_s ({self.timer_many_s}) は timer_one_s ({self.timer_one_s}) 以上です。",
            )

    @property
    def assumed(self) -> tuple[str, ...]:
        """The fields whose values nothing public says, in the order of the class."""
        return tuple(key for key in RULES if key in self.origins and self.origins[key].assumed)

    def values(self) -> dict[str, Any]:
        """The fields that a profile file sets, by name, in the order of the class."""
        return {key: getattr(self, key) for key in RULES}


def profile_names() -> tuple[str, ...]:
    """The profiles that come with the program, in alphabetical order."""
    names = (entry.name for entry in _FILES.iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


def load_profile(name_or_path: str | os.PathLike[str]) -> LinkProfile:
    """A profile by name, or from a file of one's own.

    Args:
        name_or_path: one of `profile_names`, or a path: a ``Path``, or text that ends with ``.toml`` or
            holds a slash. What the file extends is a name, or a path seen from the file's folder.

    Raises:
        UsageError: no profile has that name.
        ConfigError: the file is missing, unreadable or wrong; every problem is told with its line.
    """
    text = os.fspath(name_or_path)
    if isinstance(name_or_path, str) and not _is_path(text):
        return _packaged(text)
    path = Path(text).expanduser()
    return _profile(path.stem, _own(path, ()))


@cache
def _packaged(name: str) -> LinkProfile:
    return _profile(name, _ours(name))


def _profile(name: str, text: ProfileText) -> LinkProfile:
    return LinkProfile(
        name=name,
        title_en=text.title_en or name,
        title_ja=text.title_ja or text.title_en or name,
        origins=MappingProxyType(text.origins),
        **text.values,
    )


def _is_path(text: str) -> bool:
    return text.endswith(".toml") or "/" in text or os.sep in text


def _ours(name: str) -> ProfileText:
    """The content of a profile that comes with the program, with what it extends."""
    if name not in profile_names():
        near = nearest(name, profile_names())
        raise UsageError(
            f"There is no link profile {name!r}.",
            ja=f"リンクプロファイル {name!r} はありません。",
            hint=f"Near it: {', '.join(near)}. A file of your own ends with .toml.",
            hint_ja=f"近いもの: {'、'.join(near)}。自作のファイルは .toml で終わる名前にしてください。",
        )
    content = (_FILES / f"{name}.toml").read_text(encoding="utf-8")
    return read_profile(content, file=name, parent=_ours)


def _own(path: Path, chain: tuple[str, ...]) -> ProfileText:
    """The content of a user's file, with what it extends."""
    shown = str(path)
    seen = str(path.resolve())
    if seen in chain:
        raise UsageError(f"{shown} extends itself.", ja=f"{shown} が自分自身を extends しています。")
    try:
        content = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problem = Problem(line=None, en="the file is not UTF-8 text.", ja="UTF-8 のテキストではありません。")
        raise ConfigFileError(shown, [problem]) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(
            f"The link profile {shown} cannot be read: {reason}.",
            ja=f"リンクプロファイル {shown} を読めません({reason})。",
        ) from error

    def parent(name: str) -> ProfileText:
        if _is_path(name):
            return _own(path.parent / Path(name).expanduser(), (*chain, seen))
        return _ours(name)

    return read_profile(content, file=shown, parent=parent)
