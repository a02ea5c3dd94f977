"""The OpenAPI document of an API: what FastAPI makes of the routes, with what a caller must show."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter
from fastapi.openapi.utils import get_openapi

from koatsu.web.answers.shapes import Shape

__all__ = ["described"]


def described(
    router: APIRouter,
    *,
    title: str,
    text: str,
    schemes: Mapping[str, Any],
    needed: Callable[[str, str], list[dict[str, list[str]]]],
    further: Sequence[type[Shape]] = (),
    tags: Sequence[Mapping[str, str]] = (),
) -> dict[str, Any]:
    """The document of the routes that are to be described.

    Args:
        router: the routes.
        title: of the document.
        text: what a caller may rely on.
        schemes: the ways in which somebody shows who asks.
        needed: which of them an operation asks for, by its method in small letters and its path.
        further: shapes that no answer of its own has.
        tags: what the operations are grouped by.
    """
    routes = [route for route in router.routes if getattr(route, "include_in_schema", False)]
    document = get_openapi(
        title=title,
        version=version("koatsu"),
        description=text,
        routes=routes,
        tags=[dict(tag) for tag in tags] or None,
    )
    shapes = document.setdefault("components", {}).setdefault("schemas", {})
    for shape in further:
        made = shape.model_json_schema(mode="serialization", ref_template="#/components/schemas/{model}")
        shapes |= made.pop("$defs", {}) | {shape.__name__: made}
    document["components"]["securitySchemes"] = dict(schemes)
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            operation["security"] = needed(method, path)
    return document
