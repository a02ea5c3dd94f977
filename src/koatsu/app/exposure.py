"""Who may reach the page: this machine alone, until somebody owns it and passwords travel under cover.

The configuration says where the page is to be; whether that is safe is known only when the program starts,
because an owner may have been made, or not. Nothing here listens.
"""

from __future__ import annotations

from typing import Final

from koatsu.config import WebConfig
from koatsu.errors import UsageError
from koatsu.people import People

__all__ = ["ExposureError", "address_of", "check_exposure", "names_of"]


_THIS: Final = "127.0.0.1"


class ExposureError(UsageError):
    """The page would be open to more than it should be."""


def check_exposure(web: WebConfig, people: People | None, *, program: str = "koatsu people") -> None:
    """Pass when the page may be where ``web`` wants it.

    Args:
        web: where that is.
        people: those who may log in; ``None``: nobody can.
        program: the command that makes the owner.

    Raises:
        ExposureError: passwords would travel in clear, or nobody owns the page yet.
    """
    if not web.loopback and not web.tls and not web.behind_proxy:
        raise ExposureError(
            f"The page is not opened on {web.host}: passwords would travel there in clear.",
            ja=f"画面を {web.host} では開きません。パスワードが暗号化されずに流れてしまうためです。",
            hint="Set tls_cert and tls_key under [web], or put a proxy with https in front and set "
            "behind_proxy = true.",
            hint_ja="[web] に tls_cert と tls_key を書くか、https のプロキシを置いて behind_proxy = true "
            "としてください。",
        )
    if (not web.loopback or web.behind_proxy) and not (people and people.has_owner()):
        where, where_ja = (
            (f"on {web.host}", f"{web.host} で") if not web.loopback else ("behind a proxy", "プロキシ経由で")
        )
        raise ExposureError(
            f"The page is not opened {where} yet: it has no owner, and anybody could become it.",
            ja=f"画面をまだ {where_ja}は開きません。管理者がまだなく、だれでも管理者になれるためです。",
            hint=f"Make the owner first: {program} add NAME --role owner",
            hint_ja=f"先に {program} add 名前 --role owner で管理者を登録してください。",
        )


def names_of(web: WebConfig) -> tuple[str, ...]:
    """What a request may call the page, beside the loopback names."""
    own = () if web.loopback or web.wildcard else (web.host,)
    return tuple(dict.fromkeys((*own, *web.names)))


def address_of(web: WebConfig, port: int) -> str:
    """The address of the page as a person opens it; a proxy's own port is not known here."""
    host = web.host if web.loopback else (*web.names, _THIS if web.wildcard else web.host)[0]
    bracketed = f"[{host}]" if ":" in host else host
    return f"{'https' if web.tls else 'http'}://{bracketed}:{port}/"
