"""The page with 100,000 songs: how fast it is, what it takes, and fifty clients at once.

A library of made-up songs (``search.py`` makes them between real ones) is written once under
``runs/serve/`` and served by ``songprint serve`` in a process of its own:

1. start, and the server's memory then, after everything was asked for once, and at its peak;
2. the API, one client: table, search, filter, similar, station under changing weights, map;
3. the page in Chromium: first paint, a far jump in the table, a station's sliders, the map, and how
   smooth the map is while it is dragged (frames a second, without a graphics card);
4. the most that is granted, asked for by two at once, and all kinds of it at once;
5. fifty clients at once, each asking now and then as a person does, while the server reads the
   library anew, which another process has added a song to, and while ``add`` hears songs.

Memory is told after each: now, at its most since it was told before, and that of the processes
beside the server, of which one lays a large library out and others hear songs.

Run: python benchmarks/serve.py [--songs 100000] [--clients 50] [--seconds 30]
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import secrets
import shutil
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow as pa

from songprint.library.schema import SONGS, FileRow
from songprint.library.store import Library

ROOT = Path(__file__).parents[1]
RUNS = ROOT / "runs" / "serve"
PORT = 8499
PATIENCE_SECONDS = 300
RATES_HZ = ("16000", "22050", "24000", "32000", "44100", "48000")
FLAGS = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-component-update"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--songs", type=int, default=100_000)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=30.0)
    arguments = parser.parse_args()
    written, folder = RUNS / f"library-{arguments.songs}", RUNS / "served"
    if not (written / "songs.lance").is_dir():
        write_library(written, arguments.songs)
    for left in (folder, folder.with_name(f"{folder.name}.cache")):
        shutil.rmtree(left, ignore_errors=True)
    shutil.copytree(written, folder)
    print(f"{arguments.songs:,} songs; load average before: {os.getloadavg()[0]:.1f}")
    started = time.perf_counter()
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "songprint", "serve", "--no-browser", "--port", str(PORT)),
            *("--library", str(folder), "--workers", "1"),
        ]
    )
    BESIDE.start()
    try:
        until_it_answers()
        print(f"start until the first answer: {time.perf_counter() - started:.1f} s")
        BESIDE.process = process = psutil.Process(server.pid)
        tell_memory("memory then", process)
        until_it_rests(process)
        tell_memory("memory when it has warmed up", process)
        measure_api(process)
        tell_memory("memory after all that", process)
        measure_page()
        tell_memory("memory after the page", process)
        ids = json.loads(ask("GET", "/api/song-ids?limit=5000")[1])
        measure_largest(process, ids)
        measure_growth(arguments.clients, ids, folder)
        tell_memory("memory after reading anew", process)
        measure_load(arguments.clients, arguments.seconds, ids)
        tell_memory("memory at the end", process)
    finally:
        server.terminate()
        server.wait()


def write_library(folder: Path, songs: int) -> None:
    """Write a library of made-up songs, none of which has sound."""
    print(f"writing {folder}")
    from made_up_rows import rows_of
    from search import made_up
    from shared_songs import shared_songs

    catalogue = made_up(shared_songs().catalogue, songs)
    library = Library.open(folder, create=True)
    with library.writing() as writer:
        writer.put_model(catalogue.model, catalogue.vocabulary)
        for rows in rows_of(catalogue):
            writer.put_songs(rows)
            pairs = zip(rows["path"].to_pylist(), rows["content_hash"].to_pylist(), strict=True)
            now = datetime.now(UTC)
            writer.put_files([FileRow(path, song, 1, 1, None, None, now) for path, song in pairs])
        writer.tidy()


def until_it_answers() -> None:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        try:
            if ask("GET", "/api/library")[0] == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the server does not answer")


def until_it_rests(process: psutil.Process) -> None:
    """Wait until what is done beforehand is done, in a process beside the server: kinship."""
    started = time.perf_counter()
    while True:
        spent = family_seconds(process)
        time.sleep(2.0)
        if family_seconds(process) - spent < 0.1:
            break
    print(f"warmed up after another {time.perf_counter() - started:.0f} s")


def family_seconds(process: psutil.Process) -> float:
    total = processor_seconds(process)
    for child in process.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            total += processor_seconds(child)
    return total


def processor_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def ask(method: str, path: str, body: Any = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=120)
    headers = {"Content-Type": "application/json"} if body is not None else {}
    try:
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def tell_memory(what: str, process: psutil.Process) -> None:
    """Tell what the server takes, and what it and the processes beside took at most meanwhile."""
    info = process.memory_full_info()
    status = Path(f"/proc/{process.pid}/status").read_text()
    peak = 1024 * int(status.partition("VmHWM:")[2].split()[0])
    Path(f"/proc/{process.pid}/clear_refs").write_text("5")  # the peak begins anew
    beside, BESIDE.most = BESIDE.most, 0
    print(
        f"{what}: {info.rss / 1e6:,.0f} MB resident, its own {info.uss / 1e6:,.0f}, "
        f"peak {peak / 1e6:,.0f}; processes beside, at most {beside / 1e6:,.0f}"
    )


class Beside(threading.Thread):
    """Watches what the processes beside the server take together."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most = 0
        self.process: psutil.Process | None = None

    def run(self) -> None:
        """Look five times a second."""
        while True:
            total = 0
            with suppress(psutil.Error):
                for child in self.process.children(recursive=True) if self.process else []:
                    with suppress(psutil.Error):
                        total += child.memory_info().rss
            self.most = max(self.most, total)
            time.sleep(0.2)


BESIDE = Beside()


def measure_largest(process: psutil.Process, ids: list[str]) -> None:
    """Tell what the server takes for the largest requests that it grants."""
    some = random.Random(3).sample(ids, 100)
    weights = {"beat": 1.3, "timbre": 0.4}
    wishes = {"length": 500, "artist_cap": 0, "any_genre": True, "weights": weights}
    said = dict.fromkeys(some[50:75], "like") | dict.fromkeys(some[75:], "skip")
    mix = {"add": some[:20], "subtract": some[20:40], "count": 200, "weights": weights}
    largest = {
        "stations": ("POST", "/api/station", {"seeds": some[:50], "said": said, "wishes": wishes}),
        "mixes": ("POST", "/api/mix", mix),
        "paths": ("POST", "/api/path", {"start": some[0], "end": some[1], "length": 100}),
        "kin": ("POST", "/api/similar", {"song": some[0], "count": 500, "weights": weights}),
        "genres": ("GET", "/api/genres", None),
        "songs by id": ("POST", "/api/songs/of", ids),
        "reports": ("GET", "/api/report", None),
        "exports": ("POST", "/api/export", {}),
    }
    together = {f"two at once: {what}": [one, one] for what, one in largest.items()}
    together["all of these at once"] = list(largest.values())
    for what, requests in together.items():
        with ThreadPoolExecutor(len(requests)) as pool:
            answers = list(pool.map(ask, *zip(*requests, strict=True)))
        # Of two exports at once one is refused; the other is a job.
        assert {status for status, _ in answers} <= {200, 202, 409}, what
        for job in (json.loads(answer)["id"] for status, answer in answers if status == 202):
            while json.loads(ask("GET", f"/api/jobs/{job}")[1])["ended"] is None:
                time.sleep(0.5)
        tell_memory(what, process)


def percentiles(seconds: list[float]) -> str:
    p50, p95 = np.percentile(seconds, (50, 95))
    return f"{1e3 * p50:8.1f} {1e3 * p95:8.1f}"


def timed(
    process: psutil.Process,
    what: str,
    call: Callable[[int], tuple[int, bytes]],
    times: int = 20,
) -> None:
    first = time.perf_counter()
    status, _ = call(0)
    first = time.perf_counter() - first
    assert status == 200, status
    seconds = []
    spent = processor_seconds(process)
    for i in range(1, times + 1):
        begin = time.perf_counter()
        status, _ = call(i)
        seconds.append(time.perf_counter() - begin)
        assert status == 200, status
    spent = 1e3 * (processor_seconds(process) - spent) / times
    print(f"{what:44s} {1e3 * first:8.1f} {percentiles(seconds)} {spent:8.1f}")


def measure_api(process: psutil.Process) -> None:
    songs = json.loads(ask("GET", "/api/songs?limit=500")[1])["songs"]
    ids = [song["id"] for song in songs]
    rng = random.Random(0)
    print(f"\n{'ms, one client':44s}    first      p50      p95  processor")
    timed(process, "100 rows, far down", lambda i: ask("GET", f"/api/songs?offset={4000 * i}"))
    timed(process, "sort by tempo", lambda i: ask("GET", f"/api/songs?sort=tempo_bpm&offset={i}"))
    timed(process, "search in all names", lambda i: ask("GET", f"/api/songs?q=song+{i}1"))
    timed(process, "filter: genre, tempo, mood", lambda i: ask(
        "GET", f"/api/songs?genre=rock&mood=happy&tempo_from={90 + i}"))  # fmt: skip
    timed(
        process, "find by sound", lambda i: ask("GET", f"/api/find?words=calm+piano+{100 + i}+bpm")
    )
    timed(process, "similar, with reasons", lambda i: ask("POST", "/api/similar", {"song": ids[i]}))
    timed(
        process,
        "station of 25, usual weights",
        lambda i: ask("POST", "/api/station", {"seeds": [ids[i]]}),
    )

    def slid(i: int) -> tuple[int, bytes]:
        weights = {name: rng.uniform(0, 2) for name in ("beat", "intensity", "rhythm", "timbre")}
        asked = {"seeds": ids[:3], "wishes": {"weights": weights, "unpopular": i / 40}}
        return ask("POST", "/api/station", asked)

    timed(process, "station of 25, a slider moved", slid)
    timed(process, "genres of the library", lambda _: ask("GET", "/api/genres"), 3)
    timed(process, "map", lambda _: ask("GET", "/api/map/points"), 3)


def measure_page() -> None:
    from playwright.sync_api import sync_playwright

    place = shutil.which("chromium")
    if place is None:
        print("\nthere is no chromium: the page is not measured")
        return
    address = f"http://127.0.0.1:{PORT}"
    one = json.loads(ask("GET", "/api/songs?limit=1")[1])["songs"][0]["id"]
    print("\nin Chromium, ms")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=place, args=FLAGS.split())
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(120_000)
        for what in ("first visit", "second visit"):
            begin = time.perf_counter()
            page.goto(address)
            page.wait_for_selector(".grid .line a")
            rows = time.perf_counter() - begin
            paint = page.evaluate(
                "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"
            )
            print(f"  {what}: first paint {paint:.0f}, rows of the table {1e3 * rows:.0f}")
        jumps = []
        for share in np.linspace(0.1, 0.9, 9):
            begin = time.perf_counter()
            page.evaluate(f"""() => {{ const b = document.querySelector('.grid .body');
                b.scrollTop = {share} * b.scrollHeight; }}""")
            page.wait_for_timeout(20)
            while page.locator(".grid .line[data-waits]").count():
                page.wait_for_timeout(10)
            jumps.append(time.perf_counter() - begin)
        print(f"  a far jump in the table until its rows are there: p50, p95 {percentiles(jumps)}")
        page.goto(f"{address}/station?seeds={one}")
        page.wait_for_selector("[data-ms]")
        moves = page.evaluate(SLIDE)
        print(f"  a slider moved until the station is drawn: p50, p95 {percentiles(moves)}")
        begin = time.perf_counter()
        page.goto(f"{address}/map")
        page.wait_for_selector(".map-area[data-drawn]")
        print(f"  the map until it is drawn: {1e3 * (time.perf_counter() - begin):.0f}")
        frames = page.evaluate(DRAG)
        print(f"  frames a second while the map is dragged: {frames:.0f}")
        browser.close()


SLIDE = """async () => {
    const sliders = document.querySelectorAll("main input[type=range]");
    const result = document.querySelector("[data-drawn]");
    const frame = () => new Promise(requestAnimationFrame);
    const took = [];
    for (let i = 0; i < 20; i++) {
        const [slider, before] = [sliders[i % 4], result.dataset.drawn];
        const began = performance.now();
        slider.stepUp();
        slider.dispatchEvent(new Event("input", { bubbles: true }));
        while (result.dataset.drawn === before) await frame();
        await frame();
        took.push((performance.now() - began) / 1000);
    }
    return took;
}"""

DRAG = """async () => {
    const canvas = document.querySelector(".map-area canvas");
    const box = canvas.getBoundingClientRect();
    const send = (type, x) => canvas.dispatchEvent(new PointerEvent(type, {
        pointerId: 1, clientX: box.x + 300 + x, clientY: box.y + 200, bubbles: true, buttons: 1 }));
    canvas.setPointerCapture = () => {};
    send("pointerdown", 0);
    let frames = 0;
    const began = performance.now();
    while (performance.now() - began < 2000) {
        send("pointermove", (frames * 7) % 200);
        await new Promise(requestAnimationFrame);
        canvas.getContext("webgl").readPixels(0, 0, 1, 1, 6408, 5121, new Uint8Array(4));
        frames++;
    }
    send("pointerup", 0);
    return frames / ((performance.now() - began) / 1000);
}"""


class Crowd:
    """People who ask now and then, each for what a person might."""

    def __init__(self, people: int, ids: list[str]) -> None:
        self._ids = ids
        self._took: dict[str, list[float]] = defaultdict(list)
        self._errors: list[str] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(i,)) for i in range(people)]

    def __enter__(self) -> Crowd:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, number: int) -> None:
        rng, ids = random.Random(number), self._ids
        while not self._stop.wait(rng.expovariate(0.5)):  # a person looks at it for two seconds
            kind, method, path, body = rng.choice(
                [
                    ("table", "GET", f"/api/songs?offset={rng.randrange(90_000)}", None),
                    ("search", "GET", f"/api/songs?q=song+{rng.randrange(10_000)}", None),
                    ("similar", "POST", "/api/similar", {"song": rng.choice(ids)}),
                    ("station", "POST", "/api/station", {"seeds": [rng.choice(ids)]}),
                    ("song", "GET", f"/api/songs/{rng.choice(ids)}", None),
                ]
            )
            begin = time.perf_counter()
            try:
                status, answer = ask(method, path, body)
            except OSError as error:
                self._errors.append(f"{kind}: {error}")
                continue
            self._took[kind].append(time.perf_counter() - begin)
            if status != 200:
                self._errors.append(f"{kind}: {status} {answer[:100]!r}")

    def tell(self) -> None:
        """Print how long they waited, and what went wrong."""
        print(f"{'':44s}    p50      p95   ms")
        everything = [one for kind in self._took.values() for one in kind]
        for kind, each in [*sorted(self._took.items()), ("all", everything)]:
            print(f"{kind:35s} {len(each):8d} {percentiles(each)}")
        print(f"errors: {len(self._errors)} {self._errors[:3]}")


def measure_load(clients: int, seconds: float, ids: list[str]) -> None:
    """Let many clients ask while songs are added."""
    music = RUNS / "music"
    for rate in RATES_HZ:  # another rate is another song
        if not (music / rate).is_dir():
            pieces = [sys.executable, "-m", "songprint.pieces", "--rate", rate]
            subprocess.run([*pieces, "--out", str(music / rate)], check=True)
    job = json.loads(ask("POST", "/api/add", {"folders": [str(music)]})[1])
    with Crowd(clients, ids) as crowd:
        time.sleep(seconds)
        state = json.loads(ask("GET", f"/api/jobs/{job['id']}")[1])["state"]
    print(f"\n{clients} clients for {seconds:.0f} s while songs are added, which is {state}")
    crowd.tell()
    ask("DELETE", f"/api/jobs/{job['id']}")


def measure_growth(clients: int, ids: list[str], folder: Path) -> None:
    """Let many clients ask while the server reads a library anew that has grown."""
    before = json.loads(ask("GET", "/api/library")[1])["snapshot"]
    library = Library.open(folder)
    row = library.table("songs").search().limit(1).to_arrow().select(SONGS.names).cast(SONGS)
    place = SONGS.get_field_index("content_hash")
    row = row.set_column(place, SONGS.field(place), pa.array([secrets.token_hex(16)]))
    with library.writing() as writer:
        writer.put_songs(row)
    started = time.monotonic()
    with Crowd(clients, ids) as crowd:
        while time.monotonic() - started < PATIENCE_SECONDS:
            if json.loads(ask("GET", "/api/library")[1])["snapshot"] != before:
                print(f"\nread anew after {time.monotonic() - started:.0f} s, {clients} clients")
                break
            time.sleep(1.0)
        else:
            print(f"\nnot read anew after {PATIENCE_SECONDS} s")
        time.sleep(5.0)
    crowd.tell()


if __name__ == "__main__":
    main()
