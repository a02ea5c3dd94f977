"""The desk's OpenAPI document against its answers, for sound and unsound requests, as everybody who may ask.

In this process, over a desk with cases in every state; the same requests every time, and many others in
``make soak``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from desk_api_site import ApiDesk, api_desk
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from people_site import HOME
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from koatsu.desk import State
from koatsu.people import Role
from koatsu.web.desk.pace import PACES

DOCUMENT = "/api/v1/openapi.json"
CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance,
    response_headers_conformance,
]  # fmt: skip
EVERYBODY = (None, Role.SUPERVISOR)
READERS = (Role.SUPERVISOR, Role.COUNTER, Role.AUDITOR)
CUSTOMERS = (Role.CUSTOMER, Role.SUPERVISOR)

#: Every operation of the API, and as whom it is asked: first of all somebody who may.
OPERATIONS: dict[tuple[str, str], tuple[Role | None, ...]] = {
    ("POST", "/eligibility"): EVERYBODY,
    ("GET", "/routing"): EVERYBODY,
    ("GET", "/help"): EVERYBODY,
    ("GET", "/help/{question}"): EVERYBODY,
    ("GET", "/equipment"): EVERYBODY,
    ("GET", "/data-list"): EVERYBODY,
    ("GET", "/terms"): EVERYBODY,
    ("GET", "/terms/{version}"): EVERYBODY,
    ("GET", "/me"): (Role.SUPERVISOR, Role.COUNTER, Role.CUSTOMER, None),
    ("GET", "/works"): READERS,
    ("GET", "/letters"): READERS,
    ("GET", "/cases"): READERS,
    ("POST", "/cases"): READERS,
    ("POST", "/cases/search"): READERS,
    ("GET", "/cases/{number}"): READERS,
    ("POST", "/cases/{number}/events"): READERS,
    ("POST", "/cases/{number}/show"): READERS,
    ("GET", "/enquiries"): READERS,
    ("POST", "/enquiries"): READERS,
    ("GET", "/enquiries/{number}"): READERS,
    ("POST", "/enquiries/{number}/acts"): READERS,
    ("GET", "/faults"): READERS,
    ("POST", "/faults"): READERS,
    ("GET", "/faults/{number}"): READERS,
    ("POST", "/faults/{number}/acts"): READERS,
    ("GET", "/registers"): READERS,
    ("GET", "/registers/{register}"): READERS,
    ("POST", "/registers/{register}/import"): READERS,
    ("GET", "/events"): (Role.AUDITOR, Role.SUPERVISOR),
    ("POST", "/events/verify"): (Role.AUDITOR, Role.SUPERVISOR),
    ("GET", "/my/cases"): CUSTOMERS,
    ("GET", "/my/cases/{number}"): CUSTOMERS,
    ("POST", "/my/cases/{number}/events"): CUSTOMERS,
    ("GET", "/my/enquiries"): CUSTOMERS,
    ("GET", "/my/enquiries/{number}"): CUSTOMERS,
    ("POST", "/my/enquiries/{number}/acts"): CUSTOMERS,
}
#: Whether there is time for more requests than those that are the same every time.
SOAK = settings().max_examples > settings.get_profile("koatsu").max_examples


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiDesk]:
    with pytest.MonkeyPatch.context() as patch, api_desk(tmp_path_factory.mktemp("api")) as one:
        for name in ("api", "check"):  # how often is for another test
            patch.setitem(PACES, name, (1_000_000, PACES[name][1]))
        yield one


@pytest.fixture(scope="module")
def schema(site: ApiDesk) -> Any:
    """The document without what callers show: who may is for the table of every address."""
    found = schemathesis.openapi.from_asgi(DOCUMENT, site.place.app, headers={"Host": "127.0.0.1:8028"})
    for methods in found.raw_schema["paths"].values():
        for operation in methods.values():
            del operation["security"]
    return found


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_answers_are_what_the_description_promises(
    site: ApiDesk, schema: Any, method: str, path: str, mode: GenerationMode
) -> None:
    operation, seen = schema[f"/api/v1{path}"][method], set[int]()
    there = {
        "/cases/": site.cases[State.SUBMITTED].number, "/enquiries/": site.enquiry, "/faults/": site.fault,
        "/my/cases/": site.own_case, "/my/enquiries/": site.own_enquiry,
    }  # fmt: skip

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=max(10, settings().max_examples // 20) if SOAK else 10, derandomize=not SOAK,
        deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    def ask(case: schemathesis.Case) -> None:
        if "number" in case.path_parameters and mode is GenerationMode.POSITIVE:
            case.path_parameters["number"] = there[path.partition("{")[0]]
        for role in OPERATIONS[method, path]:
            headers = {"Origin": HOME} if role is None else site.headers[role]
            answer = case.call(base_url=HOME, headers=headers)
            if role is OPERATIONS[method, path][0]:
                seen.add(answer.status_code)
            judged = mode is GenerationMode.NEGATIVE and answer.status_code != 413  # it is a refusal too
            more = [negative_data_rejection] if judged else []
            case.validate_response(answer, checks=[*CHECKS, *more])

    try:
        ask()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE  # an address without parameters cannot be asked wrongly
    named = path in ("/help/{question}", "/terms/{version}")  # whatever is asked for, it is hardly there
    if mode is GenerationMode.POSITIVE and method == "GET" and not named:
        assert 200 in seen, "sound requests must be answered, or nothing was tested"
    assert not seen & {401, 403}, "it must be asked by somebody who may"


def test_the_list_is_every_operation(site: ApiDesk) -> None:
    described = {
        (method.upper(), path.removeprefix("/api/v1"))
        for path, methods in site.get(None, "/openapi.json")["paths"].items()
        for method in methods
    }
    assert described == set(OPERATIONS)


def test_the_document_says_what_each_operation_does_and_who_may(site: ApiDesk) -> None:
    document = site.get(None, "/openapi.json")
    ids = set()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], path
            assert operation["description"], path
            ids.add(operation["operationId"])
            assert {"401", "403", "422", "503"} <= set(operation["responses"])
            assert ("409" in operation["responses"]) is (method == "post")
            (tag,) = operation["tags"]
            assert ("429" in operation["responses"]) is (tag == "open")
            assert bool(operation["security"]) is (tag not in ("open", "my")), path
    assert len(ids) == len(OPERATIONS), "an id names one operation"
    assert {tag["name"] for tag in document["tags"]} == {
        operation["tags"][0] for methods in document["paths"].values() for operation in methods.values()
    }
    shapes = document["components"]["schemas"]
    for name, fields in {
        "Act": ("event", "version", "fields"),
        "NewCase": ("fields",),
        "Say": ("text",),
    }.items():
        for field in fields:
            assert "examples" in shapes[name]["properties"][field], (name, field)


def test_no_answer_has_a_float(site: ApiDesk) -> None:
    """Exact values are strings; a reader of JSON that makes binary floats of numbers meets none."""
    met: list[str] = []
    for path in (
        "/cases",
        f"/cases/{site.cases[State.IN_SERVICE].number}",
        "/works",
        "/registers/supply_points",
    ):
        json.loads(site.ask(Role.SUPERVISOR, "GET", path).text, parse_float=met.append)
    assert met == []
