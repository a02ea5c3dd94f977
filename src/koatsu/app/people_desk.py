"""What ``koatsu people`` does: the people of an installation, from the console of its machine.

Whoever can run this can read and write the files anyway, so it asks for no login; the audit log knows it as
``console``. It may run while ``koatsu run`` does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from koatsu.clock import JST, SystemClock
from koatsu.config import Config, load_config
from koatsu.errors import UsageError
from koatsu.people import CONSOLE, HASHING, SITE_ROLES, AuditEntry, Hashing, People, Person, Role, Token

__all__ = [
    "add",
    "audit_json",
    "audit_rows",
    "open_people",
    "people_headings",
    "people_json",
    "people_of",
    "people_rows",
    "role_named",
    "token_json",
    "token_rows",
]


def people_of(config: Config, *, hashing: Hashing = HASHING) -> People:
    """The people of a configuration, open. Logins live by the machine's time, also where meters do not.

    Raises:
        PeopleStoreError: their store cannot be used.
    """
    return People.open(config.store.path, clock=SystemClock(), hashing=hashing)


@contextmanager
def open_people(config: Path) -> Iterator[People]:
    """The people of the installation that the file describes.

    Raises:
        ConfigError: the file is wrong or not there.
        PeopleStoreError: their store cannot be used.
    """
    with people_of(load_config(config)) as people:
        yield people


def role_named(text: str, offered: Sequence[Role] = SITE_ROLES) -> Role:
    """The role with that name, among those that a program offers.

    Raises:
        UsageError: there is none.
    """
    found = next((role for role in offered if role == text.lower()), None)
    if found is None:
        names = ", ".join(offered)
        raise UsageError(
            f"There is no role {text}.",
            ja=f"権限 {text} はありません。",
            hint=f"Roles are: {names}.",
            hint_ja=f"権限は {names} です。",
        )
    return found


def add(people: People, name: str, role: Role, password: str) -> Person:
    """Add somebody; the first has to be an owner.

    Raises:
        UsageError: the first is no owner; name or password are not acceptable.
    """
    if people.has_owner():
        return people.add(CONSOLE, name, role, password)
    if role is not Role.OWNER:
        raise UsageError(
            "The first person has to be an owner.",
            ja="最初の利用者は管理者(owner)でなければなりません。",
            hint="Add --role owner.",
            hint_ja="--role owner を付けてください。",
        )
    return people.create_owner(name, password, author=CONSOLE.reference)


# --- what is shown --------------------------------------------------------------------------------------


def people_headings(lang: str, *, placed: bool = False) -> tuple[str, ...]:
    """What stands above the columns of :func:`people_rows`; ``placed``: where people belong somewhere."""
    if lang == "ja":
        return ("番号", "名前", "権限", *(("所属",) if placed else ()), "登録", "パスワード設定")
    return ("number", "name", "role", *(("office",) if placed else ()), "since", "password of")


def people_rows(people: Sequence[Person], places: Mapping[int, str] | None = None) -> list[tuple[str, ...]]:
    """Number, name, role, with ``places`` where each belongs, since when, password since when."""
    return [
        (
            str(one.id),
            one.name,
            one.role.value,
            *(() if places is None else (places.get(one.id, "-"),)),
            _shown(one.made_at),
            _shown(one.password_at),
        )
        for one in people
    ]


def people_json(people: Sequence[Person], places: Mapping[int, str] | None = None) -> list[dict[str, object]]:
    """The same for programs."""
    return [
        {
            "id": one.id,
            "name": one.name,
            "role": one.role.value,
            **({} if places is None else {"office": places.get(one.id)}),
            "made_at": _iso(one.made_at),
            "password_at": _iso(one.password_at),
        }
        for one in people
    ]


def token_rows(tokens: Sequence[Token], now: datetime, lang: str) -> list[tuple[str, ...]]:
    """Number, label, role, who made it, until when, last use, whether it is valid."""
    return [
        (
            str(one.id),
            one.label,
            one.role.value,
            "console" if one.maker is None else f"person:{one.maker}",
            _shown(one.expires_at),
            "-" if one.used_at is None else _shown(one.used_at),
            _state(one, now)[lang == "ja"],
        )
        for one in tokens
    ]


def token_json(tokens: Sequence[Token], now: datetime) -> list[dict[str, object]]:
    """The same for programs."""
    return [
        {
            "id": one.id,
            "label": one.label,
            "role": one.role.value,
            "maker": one.maker,
            "expires_at": _iso(one.expires_at),
            "used_at": None if one.used_at is None else _iso(one.used_at),
            "revoked_at": None if one.revoked_at is None else _iso(one.revoked_at),
            "valid": one.valid(now),
        }
        for one in tokens
    ]


def audit_rows(entries: Sequence[AuditEntry], people: Sequence[Person]) -> list[tuple[str, ...]]:
    """Number, time, who, what, to what, detail; oldest first. Names are put to the references here only."""
    names = {one.reference: one.name for one in people}
    return [
        (
            str(entry.seq),
            _shown(entry.at),
            _named(entry.author, names),
            entry.action,
            _named(entry.subject, names),
            " ".join(f"{key}={value}" for key, value in entry.detail.items()),
        )
        for entry in reversed(entries)
    ]


def audit_json(entries: Sequence[AuditEntry]) -> list[dict[str, object]]:
    """Entries for programs, oldest first, with references alone."""
    return [
        {
            "seq": entry.seq,
            "at": _iso(entry.at),
            "author": entry.author,
            "action": entry.action,
            "subject": entry.subject,
            "detail": dict(entry.detail),
            "hash": entry.hash,
        }
        for entry in reversed(entries)
    ]


def _named(reference: str, names: Mapping[str, str]) -> str:
    return f"{reference} ({names[reference]})" if reference in names else reference


def _state(one: Token, now: datetime) -> tuple[str, str]:
    if one.revoked_at is not None:
        return "revoked", "取消済み"
    return ("valid", "有効") if one.valid(now) else ("expired", "期限切れ")


def _shown(at: datetime) -> str:
    return at.astimezone(JST).strftime("%Y-%m-%d %H:%M")


def _iso(at: datetime) -> str:
    return at.astimezone(JST).isoformat(timespec="seconds")
