"""``koatsu init`` writes its answers with this: a commented file, read back before it is believed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Final

import tomlkit
from tomlkit.items import AoT, Item, Table

from koatsu.config.load import load_config
from koatsu.config.model import ONLY_SITE, TABLES, StoreConfig
from koatsu.config.rules import Address
from koatsu.config.whole import Config
from koatsu.errors import ConfigError

__all__ = ["write_config"]

_HEAD = (
    "Koatsu: configuration. Times are JST, powers are kW.",
    "Koatsu の設定ファイルです。時刻は日本標準時、電力は kW で書きます。",
    "“koatsu run -c” reads this file; a wrong line is named when it starts.",
)

_FILES: Final = ("tls_cert", "tls_key")
_SITE_IDS: Final = {("site", "id"), ("meter", "site")}  # left out where a site is alone


def write_config(path: Path | str, config: Config, *, replace: bool = False) -> None:
    """Write ``config`` as a commented TOML file; optional keys without value stand there as comments.

    The file appears whole or not at all. Paths inside the file's folder are written as relative ones.

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


def _placed(config: Config, path: Path) -> Config:
    """``config`` with its paths as they would be written into ``path``, for comparison."""
    web = config.web
    files = replace(
        web,
        tls_cert=web.tls_cert and _relative(web.tls_cert, path),
        tls_key=web.tls_key and _relative(web.tls_key, path),
    )
    return replace(config, store=StoreConfig(path=_relative(config.store.path, path)), web=files)


def _document(path: Path, config: Config) -> str:
    document = tomlkit.document()
    for line in _HEAD:
        document.add(tomlkit.comment(line))
    document.add(tomlkit.nl())
    if len(config.sites) == 1:
        table = _table("site", config.sites[0], path)
        table.add(tomlkit.nl())
        document.add("site", table)
    else:
        document.add("site", _several("site", config.sites, path, last=False))
    rest = (("store", config.store), ("web", config.web), ("node", config.node), ("log", config.log))
    for name, part in rest:
        table = _table(name, part, path)
        table.add(tomlkit.nl())
        document.add(name, table)
    document.add("meter", _several("meter", config.meters, path, last=not config.pulses))
    if config.pulses:
        document.add("pulse", _several("pulse", config.pulses, path, last=True))
    return tomlkit.dumps(document)


def _several(name: str, parts: Sequence[object], path: Path, *, last: bool) -> AoT:
    """``[[name]]`` for each of ``parts``, an empty line after each but the ``last`` thing of the file."""
    tables: AoT = tomlkit.aot()
    for index, part in enumerate(parts):
        table = _table(name, part, path)
        if not last or index + 1 < len(parts):
            table.add(tomlkit.nl())
        tables.append(table)
    return tables


def _table(name: str, part: object, path: Path) -> Table:
    table = tomlkit.table()
    for key in TABLES[name]:
        value = getattr(part, key.field)
        note = f"{key.comment} / {key.comment_ja}"
        if value is None or value == () or ((name, key.name) in _SITE_IDS and value == ONLY_SITE):
            table.add(tomlkit.comment(f"{key.name} =   # {note}"))
            continue
        item = _item(_relative(value, path) if key.name in ("path", *_FILES) else value)
        item.comment(note)
        table.add(key.name, item)
    return table


def _item(value: object) -> Item:
    if isinstance(value, Decimal):
        whole = value == value.to_integral_value()
        return tomlkit.value(f"{value:f}" if not whole else str(int(value)))
    if isinstance(value, Address):
        return tomlkit.item(str(value))
    if isinstance(value, int):  # true and false too
        return tomlkit.item(value)
    if isinstance(value, tuple):
        listed: Item = tomlkit.item(list(value))
        return listed
    return tomlkit.item(str(value))


def _relative(file: str, path: Path) -> str:
    """A file in the folder of ``path`` by its relative name, any other, and a URL, as it is."""
    folder = path.parent.absolute()
    placed = Path(file)
    if "://" not in file and placed.is_absolute() and placed.is_relative_to(folder):
        return str(placed.relative_to(folder))
    return file
