"""From the text of ``desk.toml`` to a :class:`DeskConfig`, or to the list of all that is wrong with it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from koatsu.config.desk_model import (
    DESK_PORT,
    DESK_TABLES,
    DaysConfig,
    DeskStoreConfig,
    DocumentsConfig,
    LinkConfig,
    MailConfig,
    UtilityConfig,
    WebhookConfig,
)
from koatsu.config.lines import Lines
from koatsu.config.load import ConfigFileError, file_text, parsed, placed, placed_page
from koatsu.config.model import LogConfig, WebConfig
from koatsu.config.relations import Misfit, page_misfits
from koatsu.config.rules import RuleError
from koatsu.config.tables import TableReader

__all__ = ["DeskConfig", "load_desk_config", "parse_desk_config"]

_MADE_BY: Final = (
    "ops/desk.toml is an example; koatsu desk --demo needs none.",
    "例が ops/desk.toml にあります。koatsu desk --demo なら設定は要りません。",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskConfig:
    """A whole configuration of a desk.

    Raises:
        RuleError: its parts do not fit together.
    """

    utility: UtilityConfig
    days: DaysConfig = field(default_factory=DaysConfig)
    documents: DocumentsConfig = field(default_factory=DocumentsConfig)
    store: DeskStoreConfig = field(default_factory=DeskStoreConfig)
    web: WebConfig = field(default_factory=lambda: WebConfig(port=DESK_PORT))
    log: LogConfig = field(default_factory=LogConfig)
    mail: MailConfig | None = None
    webhooks: tuple[WebhookConfig, ...] = ()
    links: tuple[LinkConfig, ...] = ()

    def __post_init__(self) -> None:
        for wrong in _misfits(self):
            raise RuleError(wrong.en, wrong.ja)


def load_desk_config(
    path: Path | str, *, profiles: Collection[str] | None = None, events: Collection[str] | None = None
) -> DeskConfig:
    """Read a configuration file; paths in it are taken from the folder that the file is in.

    Args:
        path: the file.
        profiles: the names of link profiles that exist; ``None`` leaves the question open.
        events: the names of events that exist; ``None`` leaves the question open.

    Raises:
        ConfigError: there is no such file, or it cannot be read.
        ConfigFileError: with every problem of the file.
    """
    path = Path(path)
    text = file_text(path, _MADE_BY)
    return _placed(parse_desk_config(text, name=str(path), profiles=profiles, events=events), path)


def parse_desk_config(
    text: str,
    *,
    name: str = "desk.toml",
    profiles: Collection[str] | None = None,
    events: Collection[str] | None = None,
) -> DeskConfig:
    """The configuration in ``text``; ``name`` is what error sentences call the file.

    Raises:
        ConfigFileError: with every problem of the text.
    """
    document = parsed(text, name)
    reader = _DeskReader(Lines(text), profiles, events)
    config = reader.read(document)
    if config is None or reader.problems:
        raise ConfigFileError(name, reader.problems)
    return config


class _DeskReader(TableReader):
    """One pass over a parsed ``desk.toml``."""

    def __init__(
        self, lines: Lines, profiles: Collection[str] | None, events: Collection[str] | None
    ) -> None:
        super().__init__(DESK_TABLES, lines)
        self._profiles, self._events = profiles, events

    def read(self, document: Mapping[str, Any]) -> DeskConfig | None:
        """The configuration; ``None`` where ``problems`` has something."""
        self.known_tables(document)
        tables = {
            name: self.table(document, name)
            for name in ("utility", "days", "documents", "store", "web", "log")
        }
        mail = self.table(document, "mail") if "mail" in document else None
        webhooks = self._webhooks(document)
        links = self._links(document)
        if self.problems:
            return None
        sound = {name: values or {} for name, values in tables.items()}
        parts: dict[str, Any] = {
            "utility": UtilityConfig(**sound["utility"]),
            "days": DaysConfig(**sound["days"]),
            "documents": DocumentsConfig(**sound["documents"]),
            "store": DeskStoreConfig(**sound["store"]),
            "web": WebConfig(**{"port": DESK_PORT} | sound["web"]),
            "log": LogConfig(**sound["log"]),
            "mail": None if mail is None else MailConfig(**mail),
            "webhooks": webhooks,
            "links": links,
        }
        for wrong in _relations(parts["store"], parts["web"], parts["mail"], webhooks, links):
            self.problem(*wrong)
        return None if self.problems else DeskConfig(**parts)

    def _webhooks(self, document: Mapping[str, Any]) -> tuple[WebhookConfig, ...]:
        found = []
        for index, values in self.several(document, "webhook"):
            for event in values.get("events", ()):
                self.named(("webhook", index, "events"), "[[webhook]] events", event, self._events)
            found.append(WebhookConfig(**values))
        return tuple(found)

    def _links(self, document: Mapping[str, Any]) -> tuple[LinkConfig, ...]:
        found = []
        for index, values in self.several(document, "link"):
            if "profile" in values:
                place = ("link", index, "profile")
                self.named(place, "[[link]] profile", values["profile"], self._profiles)
            found.append(LinkConfig(**values))
        return tuple(found)


# --- what the parts mean to each other ------------------------------------------------------------------


def _misfits(config: DeskConfig) -> Iterator[Misfit]:
    return _relations(config.store, config.web, config.mail, config.webhooks, config.links)


def _relations(
    store: DeskStoreConfig,
    web: WebConfig,
    mail: MailConfig | None,
    webhooks: Sequence[WebhookConfig],
    links: Sequence[LinkConfig],
) -> Iterator[Misfit]:
    """Everything that does not fit, in no particular order."""
    if "://" in store.path and store.key is None:
        yield Misfit(
            ("store", "path"),
            'a database server needs the file of the key to be named; write key = "desk.key" under [store].',
            "データベースサーバーを使うときは鍵のファイルが必要です。"
            '[store] に key = "desk.key" のように書いてください。',
        )
    yield from page_misfits(web)
    if mail is not None:
        yield from _of_mail(mail)
    for index, hook in enumerate(webhooks):
        yield from _one_secret(("webhook", index), "[[webhook]]", "secret", hook.secret, hook.secret_file)
        if hook.url in [other.url for other in webhooks[:index]]:
            yield Misfit(
                ("webhook", index, "url"),
                f"[[webhook]] {hook.url} is named twice; allowed: each address once.",
                f"[[webhook]] {hook.url} が2つあります。アドレスは一度だけ書けます。",
            )
    yield from _of_links(links)


def _of_mail(mail: MailConfig) -> Iterator[Misfit]:
    if mail.user is not None or mail.password is not None or mail.password_file is not None:
        yield from _one_secret(("mail",), "[mail]", "password", mail.password, mail.password_file)
        if mail.user is None:
            yield Misfit(
                ("mail",),
                "[mail] password needs user beside it.",
                "[mail] の password には user も必要です。",
            )
    if mail.user is not None and mail.tls == "none":
        yield Misfit(
            ("mail", "tls"),
            '[mail] tls = "none" would send the password in clear; allowed: "starttls", "tls", or no user.',
            '[mail] tls = "none" ではパスワードが暗号化されずに流れます。'
            '"starttls" か "tls" にするか、user を消してください。',
        )


def _one_secret(
    place: tuple[str | int, ...], shown: str, name: str, value: str | None, file: str | None
) -> Iterator[Misfit]:
    if (value is None) == (file is None):
        yield Misfit(
            place,
            f"{shown} needs either {name} or {name}_file.",
            f"{shown} には {name} か {name}_file のどちらか一方が必要です。",
        )


def _of_links(links: Sequence[LinkConfig]) -> Iterator[Misfit]:
    for index, link in enumerate(links):
        if link.supply_point in [other.supply_point for other in links[:index]]:
            yield Misfit(
                ("link", index, "supply_point"),
                "this [[link]] names a supply point for the second time; allowed: each once.",
                "この [[link]] の供給地点はすでに書かれています。一度だけ書けます。",
            )
        if link.address.host.startswith("fe80:") and not link.address.zone:
            yield Misfit(
                ("link", index, "address"),
                f'[[link]] address "{link.address}" is link-local and needs its interface; allowed: '
                f'"{link.address.host}%eth0".',
                f'[[link]] の address "{link.address}" はリンクローカルなのでインターフェイスが要ります。'
                f'"{link.address.host}%eth0" のように書いてください。',
            )


# --- where files are ------------------------------------------------------------------------------------


def _placed(config: DeskConfig, path: Path) -> DeskConfig:
    """The same with every path as it is meant in the file."""

    def there(written: str | None) -> str | None:
        return None if written is None else placed(path, written)

    store, mail = config.store, config.mail
    where = store.path if "://" in store.path else placed(path, store.path)
    return replace(
        config,
        utility=replace(config.utility, templates=there(config.utility.templates)),
        store=replace(store, path=where, key=there(store.key)),
        web=placed_page(config.web, path),
        mail=None if mail is None else replace(mail, password_file=there(mail.password_file)),
        webhooks=tuple(replace(one, secret_file=there(one.secret_file)) for one in config.webhooks),
    )
