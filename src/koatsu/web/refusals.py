"""Why a request is not answered, and in which form that is said: to a person on a page, to a program as JSON.

Every reason has a code that programs may rely on, and a sentence in both languages below ``error``.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse

from koatsu.web.texts import LANGUAGES, texts

__all__ = ["RefusedError", "as_json", "for_program"]


class RefusedError(Exception):
    """A request that may not pass; ``code`` is the key of its sentence, ``status`` that of the answer."""

    def __init__(self, code: str, status: int) -> None:
        super().__init__(code)
        self.code, self.status = code, status


def for_program(request: Request) -> bool:
    """Whether a program asked, which wants no page: the API, figures for monitoring, a live stream."""
    path, headers = request.url.path, request.headers
    return (
        path.startswith("/api/")
        or path == "/metrics"
        or headers.get("authorization", "").lower().startswith("bearer ")
        or headers.get("accept", "").startswith("text/event-stream")
    )


def as_json(
    code: str,
    status: int,
    headers: Mapping[str, str] | None = None,
    *,
    sentences: Mapping[str, str] | None = None,
) -> JSONResponse:
    """The answer to a program: ``{"error": {"code": …, "ja": …, "en": …}}``.

    Args:
        code: what programs may rely on.
        status: of the answer.
        headers: of the answer.
        sentences: by language; those of the code below ``error`` where they are not given.
    """
    if sentences is None:
        sentences = {lang: texts(lang).for_code("error", code) for lang in LANGUAGES}
    extra = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    return JSONResponse(
        {"error": {"code": code, **sentences}}, status_code=status, headers={**extra, **(headers or {})}
    )
