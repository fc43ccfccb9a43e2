"""Everything at once on one library: adding, serving, and asking for kin and stations."""

from __future__ import annotations

import http.client
import json
import random
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from songprint import Library
from songprint.library.guards import examine
from songprint.library.schema import TABLES
from support.shelves import small_song

START_SECONDS = 120.0
FIRST_SONGS = 12


@dataclass
class Soak:
    """What came of it.

    Attributes
    ----------
    done : Counter of str
        How often what was done.
    errors : list of str
        What failed, and how.
    songs : int
        How many the library has at the end, which are all that were made.
    """

    done: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)
    songs: int = 0


def soak(place: Path, seconds: float, *, songs_a_round: int = 3) -> Soak:
    """Add, serve, and ask for kin and stations at once for some time; count what goes wrong.

    Parameters
    ----------
    place : Path
        An empty folder.
    seconds : float
        How long.
    songs_a_round : int
        New songs before each ``songprint add``.
    """
    found = Soak()
    music, library = place / "music", str(place / "library")
    made = [small_song(music / f"{n}.flac", n, title=f"Song {n}") for n in range(FIRST_SONGS)]
    _command(found, "add", "--workers", "1", str(music), library=library)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = place / "server.log"
    with log.open("wb") as out:
        server = subprocess.Popen(
            [*_PROGRAM, "serve", "--no-browser", "--port", str(port), "--library", library],
            stdout=out,
            stderr=out,
        )
    try:
        _until_it_answers(port, server)
        _all_at_once(found, music, made, library, port, time.monotonic() + seconds, songs_a_round)
        if server.poll() is not None:
            found.errors.append(f"serve ended with {server.returncode}")
    finally:
        server.terminate()
        server.wait()
    _command(found, "add", "--workers", "1", library=library)
    told = log.read_text("utf-8", "replace")
    if "Traceback" in told or "panicked" in told:
        found.errors.append(f"serve said: {told[-2000:]}")
    _take_stock(found, Path(library), made)
    return found


_PROGRAM = (sys.executable, "-m", "songprint")


def _all_at_once(
    found: Soak,
    music: Path,
    made: list[Path],
    library: str,
    port: int,
    stop: float,
    songs_a_round: int,
) -> None:
    rng = random.Random(5)

    def add() -> None:
        for _ in range(songs_a_round):
            number = len(made)
            made.append(small_song(music / f"{number}.flac", number, title=f"Song {number}"))
        _command(found, "add", "--json", "--workers", "1", library=library)

    def similar() -> None:
        _command(found, "similar", "--json", str(made[rng.randrange(FIRST_SONGS)]), library=library)

    def station() -> None:
        _command(found, "station", "--json", str(made[rng.randrange(FIRST_SONGS)]), library=library)

    threads = [
        threading.Thread(target=_again, args=(found, work, stop))
        for work in (add, similar, station, *(_visitor(found, port, n) for n in range(2)))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _again(found: Soak, work: Callable[[], None], stop: float) -> None:
    while time.monotonic() < stop:
        try:
            work()
        except Exception as error:  # it is a finding, too
            found.errors.append(f"{type(error).__name__}: {error}")


def _visitor(found: Soak, port: int, number: int) -> Callable[[], None]:
    """Return what a visitor of the page does next."""
    rng = random.Random(number)

    def visit() -> None:
        ids = json.loads(_ask(found, port, "GET", "/api/song-ids?limit=1000"))
        song, name = rng.choice(ids), f"evening {rng.randrange(5)}"
        _ask(found, port, "GET", "/api/songs?q=song")
        _ask(found, port, "GET", f"/api/songs/{song}")
        _ask(found, port, "POST", "/api/similar", {"song": song})
        station = json.loads(_ask(found, port, "POST", "/api/station", {"seeds": [song]}))
        assert station
        _ask(found, port, "PUT", f"/api/stations/{name.replace(' ', '%20')}", {"seeds": [song]})
        said = {"station": name, "song": song, "verdict": rng.choice(["like", "skip"])}
        _ask(found, port, "POST", "/api/feedback", said)
        _ask(found, port, "GET", "/api/library")
        time.sleep(rng.uniform(0, 0.2))

    return visit


def _ask(found: Soak, port: int, method: str, path: str, body: object = None) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        headers = {"Content-Type": "application/json"}
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        data = answer.read()
    finally:
        connection.close()
    found.done["requests"] += 1
    if answer.status not in (200, 204):
        found.errors.append(f"{method} {path}: {answer.status} {data[:200]!r}")
    return data


def _command(found: Soak, name: str, *arguments: str, library: str) -> None:
    done = subprocess.run(
        [*_PROGRAM, name, *arguments, "--library", library],
        capture_output=True,
        text=True,
        check=False,
    )
    found.done[name] += 1
    if done.returncode != 0 or "Traceback" in done.stderr or "panicked" in done.stderr:
        found.errors.append(f"{name}: {done.returncode} {done.stderr[-500:]}")


def _until_it_answers(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), 1):
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the server does not start")


def _take_stock(found: Soak, library: Path, made: list[Path]) -> None:
    kept = Library.open(library)
    found.songs = len(kept)
    lost = {str(path) for path in made} - {file.path for file in kept.files("error is null")}
    found.errors += [f"{path} is lost" for path in sorted(lost)]
    if found.songs != len(made) or len(kept.catalogue()) != len(made):
        found.errors.append(f"{found.songs} songs of {len(made)}")
    found.errors += [f"{damage.file} {damage.what}" for damage in examine(library, TABLES).damages]
