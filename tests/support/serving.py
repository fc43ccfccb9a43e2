"""A server that really runs, and a client that can send what browsers would not."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import uvicorn

from songprint.web.app import create_app
from songprint.web.settings import Settings

JSON = {"Content-Type": "application/json"}
START_SECONDS = 60


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Client:
    """Asks a server."""

    port: int

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
        *,
        chunked: bool = False,
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Host": f"127.0.0.1:{self.port}", **(headers or {})}
        try:
            connection.request(method, path, body, headers, encode_chunked=chunked)
            answer = connection.getresponse()
            told = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, told, answer.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Answer:
        return self.send("GET", path, headers=headers)

    def post(self, path: str, document: Any, method: str = "POST") -> Answer:
        return self.send(method, path, json.dumps(document), JSON)

    def upload(self, data: bytes, name: str = "song.flac") -> Answer:
        headers = {"Content-Type": "application/octet-stream"}
        return self.send("POST", f"/api/classify?name={name}", data, headers)

    def check(self, told: Any, path: str, kind: str) -> None:
        """Fail unless an answer of a kind is as the OpenAPI document describes it."""
        document = self.get("/openapi.json").json
        content = document["paths"][path]["get"]["responses"]["200"]["content"]
        schema = content["application/json"]["schema"]["discriminator"]["mapping"][kind]
        jsonschema.validate(told, {"$ref": schema, "components": document["components"]})

    def job(self, answer: Answer, seconds: float = 120.0) -> Any:
        """Wait for the end of a job that was started."""
        assert answer.status == 202, answer.body
        return self.ended(answer.json["id"], seconds)

    def ended(self, job: str, seconds: float = 120.0) -> Any:
        """Wait for the end of a job, which is as the server's OpenAPI document has it."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            state = self.get(f"/api/jobs/{job}").json
            if state["state"] in ("done", "failed", "cancelled"):
                self.check(state, "/api/jobs/{job_id}", state["kind"])
                return state
            time.sleep(0.05)
        raise AssertionError(f"not done after {seconds} s: {state}")


@contextmanager
def serving(library: Path, **settings: Any) -> Iterator[Client]:
    """Serve a library at a free port of this machine."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        app = create_app(Settings(library, port=port, **settings))
        config = uvicorn.Config(app, log_level="warning", access_log=False, lifespan="on")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            deadline = time.monotonic() + START_SECONDS
            while not server.started and time.monotonic() < deadline:
                assert thread.is_alive()
                time.sleep(0.01)
            yield Client(port)
        finally:
            server.should_exit = True
            thread.join()
