"""``songprint serve``: what it tells, and how it ends."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from songprint.cli.serve import page_address
from songprint.web.settings import Settings, is_own_address
from support.drawing import command


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def start(library: Path, port: int, *options: str, **variables: str) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "songprint", "serve", "--no-browser", "--port", str(port)]
    return subprocess.Popen(
        [*words, "--library", str(library), *options],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **variables},
    )


def status(port: int, path: str = "/", **headers: str) -> int:
    deadline = time.monotonic() + 120
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request("GET", path, headers=headers)
            return connection.getresponse().status
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        finally:
            connection.close()


def test_it_serves_until_it_is_interrupted(tmp_path: Path) -> None:
    port = free_port()
    server = start(tmp_path / "library", port)
    assert status(port) == 200
    server.send_signal(signal.SIGINT)
    _, told = server.communicate(timeout=60)
    assert server.returncode in (0, 130)
    assert told.splitlines()[0].endswith(f"is at http://localhost:{port}/; Ctrl-C ends it")
    assert "Traceback" not in told


def test_other_addresses_ask_for_a_token_that_no_log_has(tmp_path: Path) -> None:
    port, token = free_port(), "a-token-that-nobody-guesses"
    server = start(tmp_path / "library", port, "--host", "0.0.0.0", SONGPRINT_TOKEN=token)
    assert status(port, "/api/library") == 401
    assert status(port, f"/api/songs?q={token}", Authorization=f"Bearer {token}") == 200
    server.send_signal(signal.SIGINT)
    _, told = server.communicate(timeout=60)
    assert told.count(token) == 1  # where to find the page, once, at the start


def test_a_port_that_is_taken_is_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = command("serve", "--no-browser", "--port", port, "--library", tmp_path / "library")
    assert done.exit_code == 1
    assert done.stderr.splitlines()[-1].endswith("cannot listen: Address already in use")


def test_a_token_that_is_easily_guessed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SONGPRINT_TOKEN", "short")
    done = command("serve", "--library", tmp_path / "library")
    assert (done.exit_code, "16 characters" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("host", "own"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("127.9.9.9", True),
     ("0.0.0.0", False), ("192.168.1.2", False), ("nas.local", False), ("", False)],
)  # fmt: skip
def test_only_the_loopback_is_this_machine_alone(host: str, own: bool) -> None:
    assert is_own_address(host) == own


def test_the_token_stands_where_browsers_send_it_to_nobody(tmp_path: Path) -> None:
    settings = Settings(tmp_path, host="0.0.0.0", port=80, token="x" * 16)
    assert page_address(settings) == f"http://localhost:80/#token={'x' * 16}"
