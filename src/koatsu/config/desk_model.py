"""The parts of ``desk.toml`` as frozen values, and the table of keys that its reader follows.

``[web]`` and ``[log]`` are those of ``koatsu.toml``. What is left out stays ``None`` where the desk itself
knows what then holds: its defaults stand in one place.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Final

from koatsu.config import desk_rules, rules
from koatsu.config.model import TABLES
from koatsu.config.rules import Address, one_of
from koatsu.config.tables import Key, check, key

__all__ = [
    "DAYS_OF_STATES",
    "DESK_PORT",
    "DESK_TABLES",
    "MAIL_TLS",
    "DaysConfig",
    "DeskStoreConfig",
    "DocumentsConfig",
    "LinkConfig",
    "MailConfig",
    "UtilityConfig",
    "WebhookConfig",
]

DESK_PORT: Final = 8029
MAIL_TLS: Final = ("starttls", "tls", "none")

_STATES: Final[dict[str, tuple[str, str]]] = {
    "submitted": ("until the check of an application begins", "提出から審査の開始まで"),
    "checking": ("for the check", "審査"),
    "returned": ("for the customer to hand in again", "差し戻しから再提出まで"),
    "accepted": ("until the survey is planned", "受理から調査日の決定まで"),
    "survey": ("for the survey, where no day is planned", "現地調査(日が決まっていないとき)"),
    "works_planned": ("for the works, where no day is planned", "工事(日が決まっていないとき)"),
    "works_done": ("until the connection check begins", "工事完了から接続確認の開始まで"),
    "connection_check": ("for the connection check", "接続確認"),
    "suspended": ("for a suspension, where no day is planned", "一時停止(再開日が決まっていないとき)"),
    "ending": ("until the cable is taken out", "終了の申込からケーブルの取外しまで"),
}
DAYS_OF_STATES: Final = tuple(_STATES)
"""States of a case that have a deadline; the desk's own list says the same (a test compares them)."""


def _days_of(name: str) -> Key:
    en, ja = _STATES[name]
    return key(name, desk_rules.days(1, 365), f"business days {en}", f"営業日数: {ja}")


DESK_TABLES: Final[dict[str, tuple[Key, ...]]] = {
    "utility": (
        key("name", rules.text, "name of the utility", "事業者名", need=True),
        key("name_en", rules.text, "its name in English", "英語の事業者名"),
        key(
            "area_prefixes",
            desk_rules.prefixes,
            "what supply point numbers of the area begin with",
            "供給区域の供給地点特定番号の先頭",
        ),
        key("case_prefix", desk_rules.case_prefix, "what case numbers begin with", "受付番号の先頭"),
        key(
            "online",
            rules.truth,
            "true: applications on the page are taken",
            "true: 画面の申込を受け付ける",
        ),
        key(
            "self_supply_office",
            desk_rules.code,
            "code of the office for those who supply themselves; none by default",
            "自己等供給の窓口の事業所コード(既定値なし)",
        ),
        key("site_url", desk_rules.site_url, "how customers open the page", "お客さまが開く画面のアドレス"),
        key("templates", rules.file, "folder of own forms and letters", "独自の帳票と手紙のフォルダー"),
    ),
    "days": (
        *map(_days_of, DAYS_OF_STATES),
        key(
            "remind",
            desk_rules.days(0, 60),
            "business days before a deadline",
            "期限の何営業日前に知らせる",
        ),
        key(
            "enquiry",
            desk_rules.days(1, 365),
            "business days for an answer",
            "問い合わせの回答までの営業日数",
        ),
        key(
            "retention",
            desk_rules.days(1, 36_500),
            "days from the end of a case until its personal data may be erased",
            "案件の終わりから個人の情報を消去できるまでの日数",
        ),
        key("closed", desk_rules.closed_days, "days on which nobody works", "土日祝日のほかの休業日"),
    ),
    "documents": (
        key("max_mb", desk_rules.megabytes, "largest scan, in MiB", "書類 1 件の大きさの上限 [MiB]"),
    ),
    "store": (
        key("path", rules.store, "where the desk keeps everything", "保存先"),
        key(
            "key",
            rules.file,
            "file of the desk's own key; beside the store by default",
            "デスクの鍵のファイル(省略時は保存先の隣)",
        ),
    ),
    "web": TABLES["web"],
    "log": TABLES["log"],
    "mail": (
        key("host", desk_rules.mail_host, "server that takes our mail", "メールサーバー", need=True),
        key("sender", desk_rules.sender, "whom mail comes from", "差出人", need=True),
        key("port", rules.port, "its port; 587", "ポート番号(587)"),
        key("tls", one_of(*MAIL_TLS), "starttls, tls from the beginning, or none", "暗号化の方法"),
        key("user", desk_rules.user, "name under which it knows us", "ユーザー名"),
        key("password", desk_rules.password, "password for it", "パスワード"),
        key("password_file", rules.file, "file that holds the password", "パスワードを書いたファイル"),
    ),
    "webhook": (
        key("url", desk_rules.web_hook, "where a program wants to be called", "通知先のアドレス", need=True),
        key("secret", desk_rules.secret, "secret that signs each call", "署名に使う合言葉"),
        key("secret_file", rules.file, "file that holds the secret", "合言葉を書いたファイル"),
        key("events", desk_rules.event_names, "events that it wants; all by default", "知らせる出来事"),
    ),
    "link": (
        key("supply_point", desk_rules.supply_point, "supply point number", "供給地点特定番号", need=True),
        key(
            "address",
            rules.node_address,
            "address of its terminal",
            "伝送端末のアドレス",
            need=True,
        ),
        key(
            "class",
            rules.class_code,
            "ECHONET class of the meter",
            "メーターのクラスコード",
            field="class_code",
        ),
        key("instance", rules.instance, "instance number, 1 to 127", "インスタンス番号 1〜127"),
        key("profile", rules.profile, "link profile: timers and habits", "リンクプロファイル(待ち時間など)"),
        key(
            "from",
            rules.own_address,
            "own ECHONET Lite address; left out, the route decides",
            "自分のアドレス(省略時は経路から決定)",
            field="source",
        ),
        key(
            "meter",
            rules.identifier,
            "its id in the koatsu run that reads it, where one of this machine does",
            "この機械の koatsu run が読んでいるときの計器の id",
        ),
    ),
}
"""Every table of the file and its keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UtilityConfig:
    """Whose desk it is, and what the utility has decided."""

    name: str
    name_en: str | None = None
    area_prefixes: tuple[str, ...] = ()
    case_prefix: str | None = None
    online: bool = False
    self_supply_office: str | None = None
    site_url: str | None = None
    templates: str | None = None

    def __post_init__(self) -> None:
        check(DESK_TABLES["utility"], self)


@dataclass(frozen=True, slots=True, kw_only=True)
class DaysConfig:
    """How long things may take; ``None``: as the desk assumes."""

    submitted: int | None = None
    checking: int | None = None
    returned: int | None = None
    accepted: int | None = None
    survey: int | None = None
    works_planned: int | None = None
    works_done: int | None = None
    connection_check: int | None = None
    suspended: int | None = None
    ending: int | None = None
    remind: int | None = None
    enquiry: int | None = None
    retention: int | None = None
    closed: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        check(DESK_TABLES["days"], self)

    @property
    def to_act(self) -> dict[str, int]:
        """Business days by state, of those that were given."""
        return {name: days for name in DAYS_OF_STATES if (days := getattr(self, name)) is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentsConfig:
    """What scans may be."""

    max_mb: int | None = None

    def __post_init__(self) -> None:
        check(DESK_TABLES["documents"], self)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskStoreConfig:
    """Where the desk keeps everything, and the key that opens the personal data in it."""

    path: str = "desk.db"
    key: str | None = None

    def __post_init__(self) -> None:
        check(DESK_TABLES["store"], self)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailConfig:
    """The server that takes our mail. The password stands here or in a file of its own."""

    host: str
    sender: str
    port: int = 587
    tls: str = "starttls"
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    password_file: str | None = None

    def __post_init__(self) -> None:
        check(DESK_TABLES["mail"], self)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookConfig:
    """A program that wants to know what happens to cases; ``events`` is empty for all."""

    url: str
    secret: str | None = field(default=None, repr=False)
    secret_file: str | None = None
    events: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check(DESK_TABLES["webhook"], self)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkConfig:
    """A terminal that this machine can ask: that of a supply point."""

    supply_point: str = field(repr=False)
    address: Address
    class_code: str | None = None  #: four hexadecimal digits; None: found out
    instance: int = 1
    profile: str = "hv-assumed"
    source: Address | None = None
    meter: str | None = None

    def __post_init__(self) -> None:
        check(DESK_TABLES["link"], self)

    @property
    def class_number(self) -> int | None:
        """The class code as a number, 0x028A for "028A"."""
        return None if self.class_code is None else int(self.class_code, 16)


assert all(
    {one.field for one in DESK_TABLES[table]} == {one.name for one in fields(kind)}
    for table, kind in (
        ("utility", UtilityConfig),
        ("days", DaysConfig),
        ("documents", DocumentsConfig),
        ("store", DeskStoreConfig),
        ("mail", MailConfig),
        ("webhook", WebhookConfig),
        ("link", LinkConfig),
    )
)
