"""How an API refuses: a status, a code for programs, a sentence in each language for people.

What is refused before a view is reached (login, address, method) has the same shape and comes from
:mod:`koatsu.web.refusals`. A cause inside the program is never shown.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Final, Self

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from koatsu.errors import KoatsuError
from koatsu.web.texts import LANGUAGES, texts

__all__ = ["API", "ApiError", "ApiRoute", "refusal"]

API: Final = "/api/v1"  #: what every address of this version begins with


class ApiError(KoatsuError):
    """An answer of the API that is not a success: its status, its code, a sentence in both languages."""

    def __init__(self, status: int, code: str, **values: object) -> None:
        ja, en = (texts(lang)(f"api.{code}", **values) for lang in LANGUAGES)
        super().__init__(en, ja=ja)
        self.status, self.code = status, code

    @classmethod
    def told(cls, status: int, code: str, error: KoatsuError) -> Self:
        """A refusal in the words of another part of the program."""
        made = cls.__new__(cls)
        KoatsuError.__init__(made, error.text("en"), ja=error.text("ja"))
        made.status, made.code = status, code
        return made


class ApiRoute(APIRoute):
    """A route whose errors are answered in the shape of the API."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler of the framework, with what it raises turned into answers."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                self.look_over(request)
                return await handle(request)
            except ApiError as error:
                return refusal(error.status, error.code, error)
            except RequestValidationError as error:
                where, why = _first(error)
                return refusal(422, "invalid", ApiError(422, "invalid", where=where, why=why))
            except KoatsuError as error:
                told = self.told(request, error)
                if told is None:
                    raise
                return told

        return answer

    def look_over(self, request: Request) -> None:
        """Refuse what the framework would overlook; here nothing.

        Raises:
            ApiError: it cannot be answered as it stands.
        """

    def told(self, request: Request, error: KoatsuError) -> Response | None:
        """The answer to what a part of the program refused; ``None``: the application answers for it."""
        del request, error
        return None


def refusal(status: int, code: str, error: KoatsuError, **details: object) -> JSONResponse:
    """The answer to what was refused: code, the sentence in both languages, and what else there is to say."""
    ja, en = error.text("ja"), error.text("en")
    return JSONResponse({"error": {"code": code, "ja": ja, "en": en, **details}}, status_code=status)


def _first(error: RequestValidationError) -> tuple[str, str]:
    problem = next(iter(error.errors()), {"loc": ("request",), "msg": "cannot be read"})
    place = [str(part) for part in problem["loc"] if part not in ("path", "query", "body")]
    return ".".join(place) or str(problem["loc"][-1]), str(problem["msg"])[:200]
