"""From ``desk.toml`` to what the desk works by: its settings, and the secrets that no log may show."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from koatsu.app.logs import mask
from koatsu.config import DeskConfig, MailConfig, WebhookConfig, load_desk_config
from koatsu.config.desk_rules import password, secret
from koatsu.config.rules import Rule, RuleError
from koatsu.desk.lifecycle import Event
from koatsu.desk.settings import DAYS_TO_ACT, DeskSettings, MailSettings, WebhookSettings
from koatsu.desk.states import State
from koatsu.desk.words import Words
from koatsu.errors import ConfigError
from koatsu.node import profile_names

__all__ = ["desk_config", "settings_of"]

_MIB: Final = 1024 * 1024
_LONGEST_FILE: Final = 1000  # of a password: what is longer is another file


def desk_config(path: Path) -> DeskConfig:
    """The configuration in a file, every name in it known.

    A draft that somebody opens is told to nobody: nothing has been handed in.

    Raises:
        ConfigError: it is wrong or not there; every problem is in the message.
    """
    told = [event.value for event in Event if event is not Event.DRAFT]
    return load_desk_config(path, profiles=profile_names(), events=told)


def settings_of(config: DeskConfig) -> DeskSettings:
    """What the desk works by; what the file leaves out is as the desk assumes. Secrets are masked in logs.

    Raises:
        ConfigError: a file that should hold a secret holds none.
    """
    utility, days = config.utility, config.days
    given: dict[str, Any] = {
        "case_prefix": utility.case_prefix,
        "remind_before_days": days.remind,
        "enquiry_days": days.enquiry,
        "closed_days": days.closed,
        "retention_days": days.retention,
        "document_bytes": None if config.documents.max_mb is None else config.documents.max_mb * _MIB,
    }
    return DeskSettings(
        utility=Words(utility.name, utility.name_en or utility.name),
        area_prefixes=utility.area_prefixes,
        online=utility.online,
        self_supply_office=utility.self_supply_office or "",
        days_to_act={**DAYS_TO_ACT, **{State(name): number for name, number in days.to_act.items()}},
        site_url=utility.site_url or "",
        templates=None if utility.templates is None else Path(utility.templates),
        webhooks=tuple(_webhook(hook) for hook in config.webhooks),
        mail=None if config.mail is None else _mail(config.mail),
        **{name: value for name, value in given.items() if value is not None},
    )


def _webhook(hook: WebhookConfig) -> WebhookSettings:
    shared = hook.secret or _secret_in(hook.secret_file or "", secret)
    mask.know(shared)
    return WebhookSettings(url=hook.url, secret=shared, events=frozenset(hook.events))


def _mail(mail: MailConfig) -> MailSettings:
    word = mail.password or (_secret_in(mail.password_file, password) if mail.password_file else "")
    if word:
        mask.know(word)
    return MailSettings(
        host=mail.host, sender=mail.sender, port=mail.port, tls=mail.tls, user=mail.user or "", password=word
    )


def _secret_in(path: str, rule: Rule) -> str:
    """The secret that is the only line of a file.

    Raises:
        ConfigError: the file cannot be read, or holds something else.
    """
    try:
        with Path(path).open(encoding="utf-8") as file:
            text = file.read(_LONGEST_FILE).strip()
        return str(rule(text))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise ConfigError(
            f"The file of a secret, {path}, cannot be read: {reason}.",
            ja=f"秘密のファイル {path} を読めません({reason})。",
            hint="Check the path in the configuration, and who may read the file.",
            hint_ja="設定ファイルのパスと、ファイルの読み取り権限を確かめてください。",
        ) from error
    except RuleError as error:
        raise ConfigError(
            f"{path} does not hold what is needed; allowed: {error.allowed}.",
            ja=f"{path} の内容は使えません。書けるもの: {error.allowed_ja}。",
        ) from error
