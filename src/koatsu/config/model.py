"""The parts of a configuration as frozen values, and the table of keys that reader and writer follow.

Every dataclass is checked on construction by the same rules that read the file. What the parts mean to each
other is in :mod:`koatsu.config.relations`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Final

from koatsu.config import rules
from koatsu.config.rules import Address, one_of
from koatsu.config.tables import Key, check
from koatsu.config.tables import key as _key

__all__ = [
    "LOG_FORMATS",
    "LOG_LEVELS",
    "ONLY_SITE",
    "TABLES",
    "LogConfig",
    "MeterConfig",
    "NodeConfig",
    "PulseConfig",
    "SiteConfig",
    "StoreConfig",
    "WebConfig",
]

LOG_FORMATS: Final = ("auto", "human", "json")
LOG_LEVELS: Final = ("debug", "info", "warning", "error")
ONLY_SITE: Final = "site"  #: the id of a site that is alone and was given none


TABLES: Final[dict[str, tuple[Key, ...]]] = {
    "site": (
        _key(
            "id",
            rules.identifier,
            "short name that never changes; with several sites each has one",
            "変えない短い名前(拠点が複数なら必須)",
        ),
        _key("name", rules.text, "name of the site, shown on the page", "拠点名(画面に出ます)", need=True),
        _key("contract_kw", rules.power_kw, "contract power in kW", "契約電力 [kW]"),
        _key("target_kw", rules.power_kw, "demand to stay under, in kW", "目標デマンド [kW]"),
    ),
    "store": (
        _key("path", rules.store, "where readings are kept, of all sites", "計測値の保存先(全拠点で1つ)"),
    ),
    "web": (
        _key(
            "host",
            rules.page_host,
            "address of the page; any but this machine's own loopback needs an owner, and TLS or a proxy",
            "画面のアドレス(この機器の外に開くには、管理者の登録と TLS またはプロキシが必要)",
        ),
        _key("port", rules.port, "port of the page", "画面のポート番号"),
        _key(
            "names",
            rules.host_names,
            "names by which others call the page",
            "ほかの機器から画面を開くときの名前",
        ),
        _key("tls_cert", rules.file, "certificate for https, PEM", "https の証明書(PEM)"),
        _key("tls_key", rules.file, "its private key, PEM", "その秘密鍵(PEM)"),
        _key(
            "behind_proxy",
            rules.truth,
            "true: a proxy on this machine, or one of proxies, passes requests on",
            "true: この機器または proxies のプロキシが取り次ぎます",
        ),
        _key(
            "proxies", rules.addresses, "addresses of proxies elsewhere", "ほかの機器にあるプロキシのアドレス"
        ),
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
    "log": (
        _key(
            "format",
            one_of(*LOG_FORMATS),
            "human, json, or auto: human on a terminal, json elsewhere",
            "human=人向け json=プログラム向け auto=端末では human",
        ),
        _key("level", one_of(*LOG_LEVELS), "least that is logged", "これ以上をログに残す"),
    ),
    "meter": (
        _key("id", rules.identifier, "short name that never changes", "変えない短い名前", need=True),
        _key(
            "site", rules.identifier, "id of its site, where there are several", "拠点の id(拠点が複数のとき)"
        ),
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
    "pulse": (
        _key("meter", rules.identifier, "id of the meter that gives the pulses", "計器の id", need=True),
        _key("source", rules.pulse_source, "pulse detector", "パルス検出器の接続先", need=True),
        _key("per_kwh", rules.pulses_per_kwh, "pulses for one kWh of the site", "1 kWh あたりのパルス数"),
        _key(
            "slot_pulse",
            rules.truth,
            "false: there is no time-slot pulse, our clock cuts",
            "false: 時限パルスがない(この機器の時計で区切る)",
        ),
    ),
}
"""Every table of the file and its keys, in the order in which they are written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteConfig:
    """One site: its id, its name, and the powers that bind it, in kW."""

    name: str
    id: str = ONLY_SITE
    contract_kw: Decimal | None = None
    target_kw: Decimal | None = None

    def __post_init__(self) -> None:
        check(TABLES["site"], self)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreConfig:
    """Where the readings of all sites are kept: the path of a file, or a database URL."""

    path: str = "koatsu.db"

    def __post_init__(self) -> None:
        check(TABLES["store"], self)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebConfig:
    """Where the page is, by which names it is called, and what stands between it and other machines.

    ``proxies`` are addresses beside those of this machine that may pass requests on.
    """

    host: str = "127.0.0.1"
    port: int = 8028
    names: tuple[str, ...] = ()
    tls_cert: str | None = None
    tls_key: str | None = None
    behind_proxy: bool = False
    proxies: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check(TABLES["web"], self)

    @property
    def loopback(self) -> bool:
        """Whether the page can be opened from this machine only."""
        return rules.is_loopback(self.host)

    @property
    def wildcard(self) -> bool:
        """Whether the page is on every address of the machine."""
        return self.host in ("0.0.0.0", "::")  # noqa: S104 - asked, not bound

    @property
    def tls(self) -> bool:
        """Whether the page speaks https itself."""
        return self.tls_cert is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeConfig:
    """The ECHONET Lite node of this program; ``None`` lets the route to the meter decide."""

    address: Address | None = None
    interface: str | None = None

    def __post_init__(self) -> None:
        check(TABLES["node"], self)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogConfig:
    """What is logged, and for whom."""

    format: str = "auto"
    level: str = "info"

    def __post_init__(self) -> None:
        check(TABLES["log"], self)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterConfig:
    """One meter of the site, as the person named it and as the wire reaches it."""

    id: str
    address: Address
    site: str = ONLY_SITE
    label: str = ""  #: empty: the id is shown
    role: str = "buy"
    class_code: str = "028A"  #: four hexadecimal digits
    instance: int = 1
    profile: str = ""  #: empty: see ``profile_name``
    ceiling_kw: Decimal | None = None

    def __post_init__(self) -> None:
        for name, value in (("label", self.label or self.id), ("profile", self.profile or self.profile_name)):
            object.__setattr__(self, name, value)
        check(TABLES["meter"], self)

    @property
    def class_number(self) -> int:
        """The class code as a number, 0x028A for "028A"."""
        return int(self.class_code, 16)

    @property
    def profile_name(self) -> str:
        """The profile in use: the one written, else the assumed habits of the class's kind of terminal."""
        return self.profile or ("hv-assumed" if self.class_code in {"028A", "028F"} else "lv-default")


@dataclass(frozen=True, slots=True, kw_only=True)
class PulseConfig:
    """A pulse detector beside a meter.

    ``per_kwh`` is a number as text, ``250/3``; ``None`` takes what the detector or the meter's scale says.
    """

    meter: str
    source: str
    per_kwh: str | None = None
    slot_pulse: bool = True

    def __post_init__(self) -> None:
        check(TABLES["pulse"], self)


assert all(
    {key.field for key in TABLES[table]} == {field.name for field in fields(kind)}
    for table, kind in (
        ("site", SiteConfig),
        ("store", StoreConfig),
        ("web", WebConfig),
        ("node", NodeConfig),
        ("log", LogConfig),
        ("meter", MeterConfig),
        ("pulse", PulseConfig),
    )
)
