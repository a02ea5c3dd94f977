"""What ``koatsu healthcheck`` does: ask the running program whether it can do its work, for a supervisor.

Asked is the page at the address that the configuration gives it, encrypted or not, as ``koatsu doctor`` does.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from koatsu.app.doctor.health import Health, ask_health
from koatsu.app.exposure import address_of
from koatsu.config import load_config
from koatsu.errors import UnreachableError

__all__ = ["health_of", "health_words"]


def health_of(config: Path) -> Health:
    """What the program with that configuration says of itself.

    Raises:
        ConfigError: the configuration is wrong or not there.
        UnreachableError: it does not run, or another program answers there.
    """
    web = load_config(config).web
    found = asyncio.run(ask_health(web))
    if found is None:
        url = address_of(web, web.port)
        raise UnreachableError(
            f"No Koatsu answers at {url}.",
            ja=f"{url} で Koatsu が応答しません。",
            hint="Start it with koatsu run, or name its configuration.",
            hint_ja="koatsu run で起動するか、その設定ファイルを指定してください。",
        )
    return found


def health_words(found: Health) -> str:
    """The answer in one line: ``ok``, or ``degraded`` with the codes of what is wrong."""
    return f"{found.status}: {', '.join(found.reasons)}" if found.reasons else found.status
