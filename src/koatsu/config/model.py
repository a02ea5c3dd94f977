"""The configuration as frozen values, and the table of keys that both reader and writer follow.

Every dataclass is checked on construction by the same rules that read the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Final, NamedTuple

from koatsu.config import rules
from koatsu.config.rules import Address, Rule, one_of

__all__ = ["TABLES", "Config", "Key", "MeterConfig", "NodeConfig", "SiteConfig", "WebConfig"]


class Key(NamedTuple):
    """One key of a table: its name in the file, the field it fills, its rule, and what it is for."""

    name: str
    field: str
    rule: Rule
    required: bool
    comment: str
    comment_ja: str


def _key(name: str, rule: Rule, comment: str, comment_ja: str, *, field: str = "", need: bool = False) -> Key:
    return Key(name, field or name, rule, need, comment, comment_ja)


TABLES: Final[dict[str, tuple[Key, ...]]] = {
    "site": (
        _key("name", rules.text, "name of the site, shown on the page", "拠点名(画面に出ます)", need=True),
        _key("store", rules.store, "where readings are kept", "計測値の保存先"),
        _key("contract_kw", rules.power_kw, "contract power in kW", "契約電力 [kW]"),
        _key("target_kw", rules.power_kw, "demand to stay under, in kW", "目標デマンド [kW]"),
    ),
    "web": (
        _key(
            "host", rules.loopback, "address of the page; this machine only", "画面のアドレス(この機器のみ)"
        ),
        _key("port", rules.port, "port of the page", "画面のポート番号"),
    ),
    "node": (
        _key(
            "address",
            rules.own_address,
            "own ECHONET Lite address; left out, the route to the meter decides",
            "自分のアドレス(省略時は経路から決定)",
        ),
        _key(
            "interface",
            rules.interface,
            "interface of the B-route terminal",
            "Bルート対応用伝送端末をつないだインターフェイス",
        ),
    ),
    "meter": (
        _key("id", rules.identifier, "short name that never changes", "変えない短い名前", need=True),
        _key("label", rules.text, "name on the page", "画面に出す名前"),
        _key(
            "address",
            rules.node_address,
            "address of the meter's terminal",
            "伝送端末のアドレス",
            need=True,
        ),
        _key("role", one_of(*rules.ROLES), "buy, sell or sub", "buy=買電 sell=売電 sub=副メーター"),
        _key(
            "class",
            rules.class_code,
            "ECHONET class of the meter",
            "メーターのクラスコード",
            field="class_code",
        ),
        _key("instance", rules.instance, "instance number, 1 to 127", "インスタンス番号 1〜127"),
        _key("profile", rules.profile, "link profile: timers and habits", "リンクプロファイル(待ち時間など)"),
        _key(
            "ceiling_kw", rules.power_kw, "more than this is not believed, in kW", "これを超える値は疑う [kW]"
        ),
    ),
}
"""Every table of the file and its keys, in the order in which they are written."""


def _check(table: str, config: object) -> None:
    """Run each rule on the value that stands in ``config``; absent optional values pass."""
    for key in TABLES[table]:
        value = getattr(config, key.field)
        if value is not None:
            key.rule(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteConfig:
    """The site: its name, its store (a path or a database URL) and the powers that bind it, in kW."""

    name: str
    store: str = "koatsu.db"
    contract_kw: Decimal | None = None
    target_kw: Decimal | None = None

    def __post_init__(self) -> None:
        _check("site", self)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebConfig:
    """Where the page is: a loopback address and a port."""

    host: str = "127.0.0.1"
    port: int = 8028

    def __post_init__(self) -> None:
        _check("web", self)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeConfig:
    """The ECHONET Lite node of this program; ``None`` lets the route to the meter decide."""

    address: Address | None = None
    interface: str | None = None

    def __post_init__(self) -> None:
        _check("node", self)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterConfig:
    """One meter of the site, as the person named it and as the wire reaches it."""

    id: str
    address: Address
    label: str = ""  #: empty: the id is shown
    role: str = "buy"
    class_code: str = "028A"  #: four hexadecimal digits
    instance: int = 1
    profile: str = ""  #: empty: see ``profile_name``
    ceiling_kw: Decimal | None = None

    def __post_init__(self) -> None:
        for name, value in (("label", self.label or self.id), ("profile", self.profile or self.profile_name)):
            object.__setattr__(self, name, value)
        _check("meter", self)

    @property
    def class_number(self) -> int:
        """The class code as a number, 0x028A for "028A"."""
        return int(self.class_code, 16)

    @property
    def profile_name(self) -> str:
        """The profile in use: the one written, else the assumed habits of the class's kind of terminal."""
        return self.profile or ("hv-assumed" if self.class_code in {"028A", "028F"} else "lv-default")


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A whole configuration file. ``meters`` has at least one entry, ids are unique."""

    site: SiteConfig
    meters: tuple[MeterConfig, ...]
    web: WebConfig = WebConfig()
    node: NodeConfig = NodeConfig()

    def __post_init__(self) -> None:
        if not self.meters:
            raise rules.RuleError("at least one [[meter]]", "[[meter]] が1つ以上")
        for first, second in ((self.meters[a], self.meters[b]) for a, b in duplicates(self.meters)):
            raise rules.RuleError(
                f'different ids and objects: "{second.id}" repeats "{first.id}"',
                f'重複しないメーター: "{second.id}" は "{first.id}" と重なります',
            )

    def meter(self, meter_id: str) -> MeterConfig:
        """The meter of that id.

        Raises:
            KeyError: there is none.
        """
        for meter in self.meters:
            if meter.id == meter_id:
                return meter
        raise KeyError(meter_id)


def duplicates(meters: Sequence[MeterConfig]) -> list[tuple[int, int]]:
    """Index pairs of meters that share an id, or that are the same object at the same address."""
    found = []
    seen: dict[object, int] = {}
    for index, meter in enumerate(meters):
        keys = (meter.id.lower(), (meter.address, meter.class_code, meter.instance))
        first = min(seen.setdefault(key, index) for key in keys)
        if first != index:
            found.append((first, index))
    return found


assert all(
    {key.field for key in TABLES[table]} == {field.name for field in fields(kind)}
    for table, kind in (
        ("site", SiteConfig),
        ("web", WebConfig),
        ("node", NodeConfig),
        ("meter", MeterConfig),
    )
)
