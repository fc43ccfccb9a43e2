from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from songprint import Library
from songprint.library.ingest import add_folders
from support.shelves import small_song

pytest.importorskip("ray")
SONGS = 70


@pytest.mark.timeout(240)
def test_a_node_that_is_killed_costs_no_song(tmp_path: Path) -> None:
    music = tmp_path / "music"
    for number in range(SONGS):
        small_song(music / f"{number}.flac", number)
    # Without a peak, but a song.
    soundfile.write(music / "silent.flac", np.zeros(3 * 16_000), 16_000)
    (music / "bad.mp3").write_bytes(b"no music " * 99)
    (music / "copy.flac").write_bytes((music / "0.flac").read_bytes())
    script = Path(__file__).with_name("killed_node.py")
    told = subprocess.run(
        [sys.executable, str(script), str(music), str(tmp_path / "cluster")],
        env=os.environ | {"RAY_USAGE_STATS_ENABLED": "0"},
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert told.returncode == 1, told.stderr  # a file failed
    document = json.loads(told.stdout)
    assert (document["added"], document["duplicates"]) == (SONGS + 1, 1)
    bad = document["failed"]
    assert [one["path"] for one in bad] == [str(music / "bad.mp3")]
    rays = re.compile(r"\[|\d{4}-\d\d-\d\d ")  # its core, and its log of other clusters
    said = [line for line in told.stderr.splitlines() if not rays.match(line)]
    assert said == [f"songprint: {bad[0]['path']}: {bad[0]['error']}"]
    local = Library.open(tmp_path / "local", create=True)
    add_folders(local, [str(music)], workers=1)
    cluster = Library.open(tmp_path / "cluster")
    for table, key in (("songs", "content_hash"), ("landmarks", "content_hash"), ("files", "path")):
        rows = [one.read(table).sort_by(key).to_pylist() for one in (local, cluster)]
        for row in rows[0] + rows[1]:
            for time in ("added", "changed"):
                row.pop(time, None)
        assert rows[0] == rows[1]
