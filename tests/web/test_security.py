"""Who may ask and what they may have: forged hosts, other sites, tokens, paths, limits."""

from __future__ import annotations

import http.client
import json
import logging
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from songprint.library.store import Library
from songprint.web.security import Buckets
from support.serving import JSON, Client, serving

TOKEN = "a-token-that-nobody-guesses"


def test_every_answer_carries_the_policy(kin: Client) -> None:
    for path in ("/", "/api/library", "/static/js/main.js", "/nothing", "/api/songs?limit=x"):
        policy = kin.get(path).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert kin.get(path).headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:{port}", "127.0.0.1:1", "127.0.0.1.evil.example:{port}",
     "localhost@evil.example:{port}", "", "[::1", "8.8.8.8:{port}", "local host:{port}"],
)  # fmt: skip
def test_a_forged_host_is_refused(kin: Client, host: str) -> None:
    assert kin.get("/api/library", Host=host.format(port=kin.port)).status in (400, 403)


@pytest.mark.parametrize("host", ["localhost:{port}", "127.0.0.1:{port}", "[::1]:{port}"])
def test_this_machines_own_names_are_known(kin: Client, host: str) -> None:
    assert kin.get("/api/library", Host=host.format(port=kin.port)).status == 200


OTHER_SITES = (
    "https://evil.example", "null", "http://127.0.0.1:1", "http://localhost.evil:80", "x",
)  # fmt: skip


def test_a_post_from_another_site_changes_nothing(client: Client) -> None:
    one = client.get("/api/songs").json["songs"][0]["id"]
    said = json.dumps({"song": one, "verdict": "never"})
    for origin in OTHER_SITES:
        answer = client.send("POST", "/api/feedback", said, {**JSON, "Origin": origin})
        assert answer.status == 403, origin
    own = {**JSON, "Origin": client.address}
    assert client.send("POST", "/api/feedback", said, own).status == 204


def test_a_form_of_another_site_is_no_request_of_ours(kin: Client) -> None:
    headers = {"Content-Type": "text/plain", "Sec-Fetch-Site": "cross-site"}
    assert kin.send("POST", "/api/station", "{}", headers).status == 403
    # and one that hides where it comes from does not send JSON
    assert kin.send("POST", "/api/station", "{}", {"Content-Type": "text/plain"}).status == 422


def test_nothing_here_can_be_shown_on_another_site(kin: Client) -> None:
    elsewhere = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
    assert kin.get("/api/library", **elsewhere).status == 403
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert kin.get("/", **link, **{"Sec-Fetch-Dest": "document"}).status == 200
    assert kin.get("/", **link, **{"Sec-Fetch-Dest": "iframe"}).status == 403


HOSTILE_PATHS = (
    "/static/../app.py", "/static/..%2fapp.py", "/static/%2e%2e/app.py", "/static/js/../../app.py",
    "/static//etc/passwd", "/static/..%5capp.py", "/api/songs/../../etc/passwd/audio",
    "/api/songs/..%2f..%2fetc%2fpasswd/audio", "/api/songs/%00/audio",
    "/api/songs//etc/passwd/audio", "/api/stations/..%2f..%2fetc%2fpasswd",
    "/api/genres/personal/..%2f..%2fetc%2fpasswd/songs", "/song/..%2f..%2fetc%2fpasswd",
    f"/api/songs/{'a' * 32}%2f..%2f..%2fetc%2fpasswd/audio", f"/api/songs/{'%61' * 5000}/audio",
)  # fmt: skip


@pytest.mark.parametrize("path", HOSTILE_PATHS)
def test_no_path_leads_out_of_the_page(kin: Client, path: str) -> None:
    answer = kin.get(path)
    assert b"root:" not in answer.body
    assert b"create_app" not in answer.body
    assert answer.status in (400, 404, 422) or b"<!doctype html>" in answer.body


def test_no_name_of_genres_leads_out_of_their_folder(client: Client, tmp_path: Path) -> None:
    one = client.get("/api/songs").json["songs"][0]["id"]
    (tmp_path / "evil.json").write_text('{"personal": "x"}')
    before = sorted(tmp_path.rglob("*.json"))
    for name in ("../evil", "../../evil", "/etc/x", "a/b", "\0", "", "x" * 200):
        asked = {"name": name, "genres": {"mine": [one]}}
        assert client.post("/api/genres/personal", asked).status == 422, name
        deleted = client.send("DELETE", f"/api/genres/personal/{quote(name, safe='')}")
        assert deleted.status in (404, 405, 422), name
    assert sorted(tmp_path.rglob("*.json")) == before


def test_a_file_that_became_a_link_is_not_sent(client: Client, songs: list[Path]) -> None:
    one = client.get("/api/songs?q=one").json["songs"][0]["id"]
    songs[0].unlink()
    songs[0].symlink_to("/etc/passwd")
    assert client.get(f"/api/songs/{one}/audio").status == 404


def test_a_request_that_is_too_large_is_not_read(kin: Client) -> None:
    headers = {**JSON, "Content-Length": str(1 << 40)}
    assert kin.send("POST", "/api/station", None, headers).status == 413
    assert kin.send("POST", "/api/station", None, {**JSON, "Content-Length": "-5"}).status in (
        400,
        413,
    )


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Client]:
    """A server that takes little."""
    with serving(tmp_path / "library", upload_bytes=100_000, upload_seconds=1.0) as client:
        yield client


def test_an_upload_that_is_too_large_is_refused(small: Client) -> None:
    assert small.upload(bytes(100_001)).status == 413


def test_an_upload_that_hides_its_size_is_cut_off(small: Client) -> None:
    pieces = (bytes(10_000) for _ in range(100))
    headers = {"Transfer-Encoding": "chunked"}
    try:
        answer = small.send("POST", "/api/classify", pieces, headers, chunked=True)
    except (http.client.HTTPException, OSError):
        return  # the server hung up while we were still sending
    assert answer.status == 413


def test_an_upload_that_dawdles_is_given_up(small: Client) -> None:
    with socket.create_connection(("127.0.0.1", small.port)) as connection:
        connection.sendall(
            f"POST /api/classify HTTP/1.1\r\nHost: 127.0.0.1:{small.port}\r\n"
            "Content-Length: 50000\r\n\r\nabc".encode()
        )
        connection.settimeout(20)
        assert b" 408 " in connection.recv(1000).split(b"\r\n")[0]


def test_an_empty_upload_is_refused(small: Client) -> None:
    assert small.upload(b"").status == 422


def test_uploads_at_once_are_few(tmp_path: Path) -> None:
    with serving(tmp_path / "library") as client:
        waiting = [socket.create_connection(("127.0.0.1", client.port)) for _ in range(2)]
        for connection in waiting:
            connection.sendall(
                f"POST /api/classify HTTP/1.1\r\nHost: 127.0.0.1:{client.port}\r\n"
                "Content-Length: 50000\r\n\r\nabc".encode()
            )
        deadline = time.monotonic() + 60
        while client.upload(b"text").status != 429:
            assert time.monotonic() < deadline
        for connection in waiting:
            connection.close()


@pytest.fixture
def guarded(heard: Library) -> Iterator[Client]:
    """A server that asks for a token."""
    with serving(heard.path, token=TOKEN) as client:
        yield client


def test_without_the_token_there_is_only_the_frame(guarded: Client) -> None:
    for path in ("/api/library", "/api/songs", f"/api/songs/{'0' * 32}/audio", "/openapi.json"):
        answer = guarded.get(path)
        assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert guarded.post("/api/add", {"folders": ["/"]}).status == 401
    assert guarded.upload(b"x").status == 401
    assert guarded.get("/").status == guarded.get("/static/js/main.js").status == 200
    assert guarded.get("/api/session").json == {"needed": True, "known": False}


def test_a_wrong_token_is_refused(guarded: Client) -> None:
    for token in ("", TOKEN[:-1], TOKEN + "x", "é" * 20):
        headers = {"Authorization": f"Bearer {token}".encode().decode("latin-1")}
        assert guarded.get("/api/library", **headers).status == 401
        assert guarded.post("/api/session", {"token": token}).status == 401


def test_the_token_opens_the_api(guarded: Client) -> None:
    assert guarded.get("/api/library", Authorization=f"Bearer {TOKEN}").status == 200


def test_a_browser_gets_a_cookie_that_scripts_cannot_read(guarded: Client) -> None:
    answer = guarded.post("/api/session", {"token": TOKEN})
    cookie = answer.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict"} <= {part.strip() for part in cookie.split(";")}
    assert TOKEN not in cookie
    told = cookie.split(";")[0]
    assert guarded.get("/api/library", Cookie=told).status == 200
    guarded.send("DELETE", "/api/session", headers={"Cookie": told})
    assert guarded.get("/api/library", Cookie=told).status == 401


def test_who_guesses_has_to_wait(guarded: Client) -> None:
    answers = [guarded.post("/api/session", {"token": f"guess {n}"}).status for n in range(12)]
    assert answers[0] == 401
    assert answers[-1] == 429
    # What was let in before is not shut out, and guessing on does not help.
    assert guarded.get("/api/library", Authorization=f"Bearer {TOKEN}").status == 429


def test_no_secret_is_in_the_log(guarded: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    guarded.post("/api/session", {"token": TOKEN})
    guarded.get("/api/library", Authorization=f"Bearer {TOKEN}")
    guarded.get(f"/api/songs?q={TOKEN}", Authorization=f"Bearer {TOKEN}")
    assert TOKEN not in caplog.text


def test_too_many_requests_are_put_off(heard: Library) -> None:
    with serving(heard.path, requests_a_second=1.0, burst=5) as client:
        answers = [client.get("/api/session") for _ in range(8)]
        assert [answer.status for answer in answers[:5]] == [200] * 5
        assert answers[-1].status == 429
        assert int(answers[-1].headers["retry-after"]) >= 1


def test_a_bucket_fills_again() -> None:
    bucket = Buckets(a_second=2.0, burst=2.0)
    assert [bucket.take("a", now=0.0) for _ in range(3)] == [0.0, 0.0, 0.5]
    assert bucket.take("b", now=0.0) == 0.0
    assert bucket.take("a", now=0.6) == 0.0
