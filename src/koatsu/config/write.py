"""``koatsu init`` writes its answers with this: a commented file, read back before it is believed."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import tomlkit
from tomlkit.items import AoT, Item, Table

from koatsu.config.load import load_config
from koatsu.config.model import TABLES, Config
from koatsu.config.rules import Address
from koatsu.errors import ConfigError

__all__ = ["write_config"]

_HEAD = (
    "Koatsu: configuration of one site. Times are JST, powers are kW.",
    "Koatsu の設定ファイルです。時刻は日本標準時、電力は kW で書きます。",
    "“koatsu run -c” reads this file; a wrong line is named when it starts.",
)


def write_config(path: Path | str, config: Config, *, replace: bool = False) -> None:
    """Write ``config`` as a commented TOML file; optional keys without value stand there as comments.

    The file appears whole or not at all. A store inside the file's folder is written as a relative path.

    Raises:
        ConfigError: the file exists and ``replace`` is false, or it cannot be written, or what was
            written does not read back as ``config``.
    """
    path = Path(path)
    if path.exists() and not replace:
        raise ConfigError(
            f"{path} exists already and is left as it is.",
            ja=f"{path} は既にあるので、そのままにしました。",
            hint="Give another name, or remove it first.",
            hint_ja="別の名前を指定するか、先に削除してください。",
        )
    draft = path.with_name(f".{path.name}.draft")
    try:
        draft.write_text(_document(path, config), encoding="utf-8")
        if _placed(load_config(draft), path) != _placed(config, path):
            raise ConfigError(f"{path} would not read back as it was meant; nothing was written.")
        draft.replace(path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(
            f"{path} cannot be written: {reason}.", ja=f"{path} に書き込めません({reason})。"
        ) from error
    finally:
        draft.unlink(missing_ok=True)


def _placed(config: Config, path: Path) -> tuple[object, ...]:
    """``config`` with its store as it would be written into ``path``, for comparison."""
    site = config.site
    return (
        site.name,
        _store(site.store, path),
        site.contract_kw,
        site.target_kw,
        config.web,
        config.node,
        config.meters,
    )


def _document(path: Path, config: Config) -> str:
    document = tomlkit.document()
    for line in _HEAD:
        document.add(tomlkit.comment(line))
    document.add(tomlkit.nl())
    for name, part in (("site", config.site), ("web", config.web), ("node", config.node)):
        table = _table(name, part, path)
        table.add(tomlkit.nl())
        document.add(name, table)
    meters: AoT = tomlkit.aot()
    for index, meter in enumerate(config.meters):
        table = _table("meter", meter, path)
        if index + 1 < len(config.meters):
            table.add(tomlkit.nl())
        meters.append(table)
    document.add("meter", meters)
    return tomlkit.dumps(document)


def _table(name: str, part: object, path: Path) -> Table:
    table = tomlkit.table()
    for key in TABLES[name]:
        value = getattr(part, key.field)
        note = f"{key.comment} / {key.comment_ja}"
        if value is None:
            table.add(tomlkit.comment(f"{key.name} =   # {note}"))
            continue
        item = _item(_store(value, path) if key.name == "store" else value)
        item.comment(note)
        table.add(key.name, item)
    return table


def _item(value: object) -> Item:
    if isinstance(value, Decimal):
        whole = value == value.to_integral_value()
        return tomlkit.value(f"{value:f}" if not whole else str(int(value)))
    if isinstance(value, Address):
        return tomlkit.item(str(value))
    if isinstance(value, int):
        return tomlkit.item(value)
    return tomlkit.item(str(value))


def _store(store: str, path: Path) -> str:
    """A store in the folder of ``path`` by its relative name, any other as it is."""
    folder = path.parent.absolute()
    placed = Path(store)
    if "://" not in store and placed.is_absolute() and placed.is_relative_to(folder):
        return str(placed.relative_to(folder))
    return store
