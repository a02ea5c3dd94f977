"""The OpenAPI document against the answers: what it promises is what comes, for sound and unsound requests.

In this process, over a store with data; the same requests every time, and many others in ``make soak``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from api_site import HOME, ApiSite, api_site
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

DOCUMENT = "/api/v1/openapi.json"
CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance,
    response_headers_conformance,
]  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiSite]:
    with api_site(tmp_path_factory.mktemp("api")) as one:
        yield one


@pytest.fixture(scope="module")
def schema(site: ApiSite) -> Any:
    headers = {**site.bearer(), "Host": "127.0.0.1:8028"}
    return schemathesis.openapi.from_asgi(DOCUMENT, site.app, headers=headers)


#: Every operation of the API. A new one is added here, or the last test fails.
OPERATIONS = [
    ("GET", "/sites"),
    ("GET", "/health"),
    ("GET", "/meters"),
    ("GET", "/meters/{meter_id}/now"),
    ("GET", "/meters/{meter_id}/slots"),
    ("GET", "/meters/{meter_id}/days"),
    ("GET", "/meters/{meter_id}/days/{day}"),
    ("GET", "/meters/{meter_id}/months/{month}"),
    ("GET", "/meters/{meter_id}/billing-months/{month}"),
    ("GET", "/meters/{meter_id}/years"),
    ("GET", "/meters/{meter_id}/years/{year}"),
    ("GET", "/recovery"),
    ("GET", "/events"),
    ("GET", "/conflicts"),
    ("GET", "/corrections"),
    ("POST", "/corrections"),
    ("POST", "/corrections/{number}/withdraw"),
    ("GET", "/imports"),
    ("GET", "/exports"),
]

#: Answers that do not end; what they tell is judged beside the rest of what is told.
STREAMS = [("GET", "/events/stream")]

#: Whether there is time for more requests than those that are the same every time.
SOAK = settings().max_examples > settings.get_profile("koatsu").max_examples


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_answers_are_what_the_description_promises(
    site: ApiSite, schema: Any, method: str, path: str, mode: GenerationMode
) -> None:
    operation, seen = schema[f"/api/v1{path}"][method], set[int]()

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=max(8, settings().max_examples // 20) if SOAK else 8, derandomize=not SOAK,
        deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    def ask(case: schemathesis.Case) -> None:
        if "meter_id" in case.path_parameters and mode is GenerationMode.POSITIVE:
            case.path_parameters["meter_id"] = "main"
        answer = case.call(base_url=HOME, headers=site.bearer())
        seen.add(answer.status_code)
        more = [negative_data_rejection] if mode is GenerationMode.NEGATIVE else []
        case.validate_response(answer, checks=[*CHECKS, *more])

    try:
        ask()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE  # an address without parameters cannot be asked wrongly
    if mode is GenerationMode.POSITIVE and method == "GET":
        assert 200 in seen, "sound requests must be answered, or nothing was tested"


def test_the_list_is_every_operation(schema: Any) -> None:
    described = {
        (method.upper(), path.removeprefix("/api/v1"))
        for path, methods in schema.raw_schema["paths"].items()
        for method in methods
    }
    assert described == {*OPERATIONS, *STREAMS}


def test_the_document_has_examples_and_says_who_may(schema: Any) -> None:
    document = schema.raw_schema
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], path
            assert operation["description"], path
            assert {"401", "403", "422"} <= set(operation["responses"])
            assert ({} in operation["security"]) is (method == "get")
    body = document["components"]["schemas"]["NewCorrection"]["properties"]
    assert all("examples" in body[name] for name in ("meter", "instant", "reason"))
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
