"""The OpenAPI document holds: no request that fits it, or nearly, upsets the server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance

from support.kin import kin_library
from support.serving import Client, serving

SLOW = (
    *("/api/add", "/api/clusters", "/api/genres/personal", "/api/classify", "/api/identify"),
    *("/api/duplicates", "/api/doctor", "/api/export", "/api/import", "/api/tag"),
)
"""Each request would start a process; their own tests send what is hostile."""

EXAMPLES = 12


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A server that is asked all kinds of things."""
    library = kin_library(tmp_path_factory.mktemp("openapi") / "library")
    with serving(library.path, requests_a_second=1e6, burst=10**6) as client:
        yield client


def test_no_request_upsets_the_server(own: Client) -> None:
    schema = schemathesis.openapi.from_url(f"{own.address}/openapi.json")
    operations = [result.ok() for result in schema.get_all_operations()]
    assert len(operations) > 45
    for operation in operations:
        if operation.method.upper() == "POST" and operation.path in SLOW:
            continue

        @given(operation.as_strategy())
        @settings(
            max_examples=EXAMPLES,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        def ask(case: schemathesis.Case) -> None:
            case.call_and_validate(checks=[not_a_server_error, response_schema_conformance])

        ask()


def test_every_route_is_described(own: Client) -> None:
    document = own.get("/openapi.json").json
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation["description"], (method, path)
            assert operation["tags"], (method, path)
            refusals = {s: r for s, r in operation["responses"].items() if s >= "4"}
            assert all("application/problem+json" in r["content"] for r in refusals.values())


def test_the_description_names_no_other_host(own: Client) -> None:
    assert b"http" not in own.get("/docs").body
    assert b"cdn" not in own.get("/static/js/docs.js").body


def test_the_library_is_as_it_was(own: Client, tmp_path: Path) -> None:
    assert own.get("/api/library").json["songs"] == 60
    assert list(tmp_path.iterdir()) == []
