"""What a running page says of its own health, asked over HTTP at ``/healthz`` of the configured address."""

from __future__ import annotations

import asyncio
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from koatsu.config import WebConfig

__all__ = ["Health", "ask_health", "ask_page"]

_WAIT_S: Final = 5.0
_LARGEST: Final = 1 << 20
_LOOPBACK_OF: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - asked, not bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The answer: ``status`` "ok" or "degraded", codes of what is wrong, the links where it tells them.

    ``working``: the program can do its own work, whatever else is wrong.
    """

    url: str
    status: str
    reasons: tuple[str, ...]
    links: Mapping[str, str]
    process: str = "?"
    working: bool = True

    def knows(self, meter: str) -> bool:
        """Whether that program collects from a meter of this id; it may not tell everybody."""
        return not self.links or meter in self.links

    def link(self, meter: str) -> str | None:
        """How a meter answers it; ``None`` where it does not know the meter."""
        return self.links.get(meter)


async def ask_health(web: WebConfig) -> Health | None:
    """Ask the page; ``None`` when nobody answers there, or somebody who is not Koatsu."""
    host = _LOOPBACK_OF.get(web.host, web.host)
    scheme = "https" if web.tls else "http"
    url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{web.port}/"
    return await asyncio.to_thread(ask_page, url)


def ask_page(url: str) -> Health | None:
    """Ask the page at ``url``, which ends with a slash; blocks. ``None`` as for :func:`ask_health`."""
    # Whom we ask is this machine itself, at an address; its certificate is for names, and nothing is sent.
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
    )
    working = True
    try:
        with opener.open(f"{url}healthz", timeout=_WAIT_S) as answer:
            body = answer.read(_LARGEST)
    except urllib.error.HTTPError as error:
        body, working = error.read(_LARGEST), False  # 503 says why
    except (OSError, ValueError):
        return None
    try:
        told: Any = json.loads(body)
        status, meters = str(told["status"]), dict(told.get("meters", {}))
        reasons = [one["code"] for one in told.get("reasons", ())]
    except (ValueError, KeyError, TypeError):
        return None
    return Health(
        url=url,
        status=status,
        reasons=tuple(str(one) for one in reasons),
        links={str(name): str(link) for name, link in meters.items()},
        process=str(told.get("process", "?")),
        working=working,
    )
