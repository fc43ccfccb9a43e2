"""The OpenAPI document holds: no request that fits it, or nearly, upsets the server."""

from __future__ import annotations

import re
import zlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from songprint.fingerprints import default_fingerprinter
from songprint.library.exporting import export_songs
from support.kin import KINDS, kin_library
from support.serving import Client, serving
from support.shelves import library_of, small_song

EXAMPLES = {GenerationMode.POSITIVE: 6, GenerationMode.NEGATIVE: 3}
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]

MAKING = {"/api/export", "/api/import", "/api/genres/personal"}
"""Later requests ask for what these jobs make: the first of each may end, others are stopped."""


@dataclass
class Asked:
    """A server that is asked all kinds of things.

    Attributes
    ----------
    client : Client
        Asks it.
    songs : list of str
        Ids; the first three are of songs with sound.
    there : dict of str to dict
        What there is to be named, by field, of any route ("") or of one.
    files : dict of str to bytes
        What can be heard or imported, by the route that takes it.
    made : set of str
        Routes of :data:`MAKING` whose job has ended.
    """

    client: Client
    songs: list[str]
    there: dict[str, dict[str, Any]]
    files: dict[str, bytes]
    made: set[str] = field(default_factory=set)

    def meet(self, case: Case) -> Case:
        """Let what half of the requests name be there, and some of what others name.

        At random nothing ever would be.
        """
        route = case.operation.path
        own = self.there.get(route, {})
        share = 2 if is_one_of(2, [case.path_parameters, case.query, case.body]) else 1
        fields = {**self.there[""], **own}
        case.path_parameters = self._met(case.path_parameters, fields, share)
        case.query = self._met(case.query, fields, share)
        if route in self.files:
            case.body = case.body if is_one_of(share, case.body) else self.files[route]
        else:
            case.body = self._met(case.body, fields, share)
            if share == 1 and isinstance(case.body, dict):
                case.body |= own
        return case

    def _met(self, value: Any, fields: dict[str, Any], share: int) -> Any:
        """Leave a share of what is named, one of so many, and none of one, as it is."""
        if isinstance(value, dict):
            return {
                self._met(name, {}, share): fields[name]
                if name in fields and not is_one_of(share, item)
                else self._met(item, fields, share)
                for name, item in value.items()
            }
        if isinstance(value, list):
            return [self._met(item, fields, share) for item in value]
        if isinstance(value, str) and re.fullmatch("[0-9a-f]{32}", value):
            some = self.songs[:3] if is_one_of(2, value[1:]) else self.songs
            return value if is_one_of(share, value) else some[int(value, 16) % len(some)]
        return value

    def end(self, case: Case, job: str) -> None:
        """Stop a job, or wait until it has made what later requests ask for."""
        route = case.operation.path
        if route in MAKING - self.made and case.body == self.files.get(route, case.body):
            self.made.add(route)
            ended = self.client.ended(job)
            assert ended["state"] == "done", ended["error"]
            for file in ended["result"].get("imported", []):
                self.there["/api/imported/{name}"] = {"name": file["origin"]}
            if ended["files"]:
                self.there[""]["job_id"] = job
                self.there["/api/jobs/{job_id}/files/{name}"] = {"name": ended["files"][0]}
        else:
            self.client.send("DELETE", f"/api/jobs/{job}")
            self.client.ended(job)


def is_one_of(share: int, value: Any) -> bool:
    """Tell whether a value is among one of so many, and of one none, by nothing but itself."""
    return share > 1 and not zlib.crc32(repr(value).encode("utf-8", "surrogatepass")) % share


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """A server of sixty songs without sound and three with it, which adds from one folder alone."""
    folder = tmp_path_factory.mktemp("openapi")
    music = folder / "music"
    files = [small_song(music / f"{n}.flac", n) for n in range(3)]
    gone = small_song(folder / "gone" / "gone.flac", 3)
    model = default_fingerprinter().model_version
    library = kin_library(folder / "library", model=model)
    kin = {kind: [s.content_hash for s in library.find(f"genre = '{kind}'")] for kind in KINDS}
    library_of(library.path, *files, gone, model=model)
    heard = [library.row_of(str(file)).content_hash for file in files]
    export_songs(kin_library(folder / "ben", each=17, model=model), folder / "ben.parquet")
    file = files[0].read_bytes()
    fields = {"folder": str(music), "folders": [str(music)], "against": str(music)}
    some = {kind: songs[:8] for kind, songs in list(kin.items())[:2]}
    there = {
        "": {**fields, "path": str(music)},
        "/api/feedback": {"station": "evening"},
        "/api/stations/{name}": {"name": "evening"},
        "/api/import": {"name": "ben.parquet"},
        "/api/forget": {"folders": [str(gone.parent)]},
        "/api/genres/personal": {"name": "mine", "genres": some},
        "/api/genres/personal/{name}": {"name": "mine"},
        "/api/genres/personal/{name}/songs": {"name": "mine", "genre": "rock"},
        "/api/tag": {"fields": ["bpm"], "undo": False},
        **{
            f"/api/{name}": {"folder": str(music), "genres": {}}
            for name in ("evaluate", "train", "gallery")
        },
    }
    taken = {
        "/api/classify": file,
        "/api/identify": file,
        "/api/import": (folder / "ben.parquet").read_bytes(),
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SONGPRINT_LIBRARY", str(library.path))
        limits = {"requests_a_second": 1e6, "burst": 10**6, "upload_seconds": 10.0}
        with serving(library.path, music=(music,), **limits) as client:
            yield Asked(client, [*heard, *chain(*kin.values())], there, taken)


def test_no_request_upsets_the_server(asked: Asked) -> None:
    schema = schemathesis.openapi.from_url(f"{asked.client.address}/openapi.json")
    operations = [result.ok() for result in schema.get_all_operations()]
    assert len(operations) > 45
    answers: dict[str, set[int]] = defaultdict(set)
    for operation in operations:
        if operation.path.startswith(("/api/stations", "/api/feedback")):
            asked.client.post("/api/stations/evening", {"seeds": asked.songs[:1]}, "PUT")
        for mode, examples in EXAMPLES.items():

            @given(operation.as_strategy(mode).map(asked.meet))
            @settings(
                max_examples=examples,
                derandomize=True,
                database=None,
                suppress_health_check=list(HealthCheck),
            )
            def ask(case: Case) -> None:
                answer = case.call_and_validate(checks=CHECKS)
                answers[case.operation.label].add(answer.status_code)
                if answer.status_code == 202:
                    asked.end(case, answer.json()["id"])

            try:
                ask()
            except Unsatisfiable:  # it takes nothing that could be wrong
                assert mode is GenerationMode.NEGATIVE, operation.label
    unmet = [name for name, statuses in answers.items() if min(statuses) >= 300]
    assert unmet == []


def test_every_route_is_described(asked: Asked) -> None:
    document = asked.client.get("/openapi.json").json
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation["description"], (method, path)
            assert operation["tags"], (method, path)
            refusals = {s: r for s, r in operation["responses"].items() if s >= "4"}
            assert all("application/problem+json" in r["content"] for r in refusals.values())


def test_every_answer_has_a_type(asked: Asked) -> None:
    document = asked.client.get("/openapi.json").json
    answers = {
        (f"{method} {path} {status} {media}"): content.get("schema")
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        for status, answer in operation["responses"].items()
        for media, content in answer.get("content", {}).items()
    }
    assert len(answers) > 300
    assert [at for name, schema in answers.items() for at in untyped(schema, name)] == []
    parts = document["components"]["schemas"]
    assert [at for name, schema in parts.items() for at in untyped(schema, name)] == []


def untyped(schema: Any, name: str) -> Iterator[str]:
    """Yield the places in a schema that say nothing of what stands there."""
    if not schema or schema is True:
        yield name
    elif "type" not in schema:
        choices = schema.get("anyOf") or schema.get("oneOf") or []
        if not choices and not schema.keys() & {"$ref", "enum", "const"}:
            yield name
        for choice in choices:
            yield from untyped(choice, name)
    elif schema["type"] == "array":
        yield from untyped(schema.get("items"), f"{name}[]")
    elif schema["type"] == "object":
        parts = {**schema.get("properties", {}), **schema.get("patternProperties", {})}
        if not parts or schema.get("additionalProperties"):
            parts["*"] = schema.get("additionalProperties")
        for part, value in parts.items():
            yield from untyped(value, f"{name}.{part}")


def test_the_description_names_no_other_host(asked: Asked) -> None:
    assert b"http" not in asked.client.get("/docs").body
    assert b"cdn" not in asked.client.get("/static/js/docs.js").body
