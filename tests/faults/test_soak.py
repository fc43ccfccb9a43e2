"""``benchmarks/soak.py``, for some seconds."""

from __future__ import annotations

from pathlib import Path

from support.soaking import soak

SECONDS = 5.0


def test_adding_serving_and_asking_at_once_never_fails(tmp_path: Path) -> None:
    found = soak(tmp_path, SECONDS)
    assert found.errors == []
    assert {"add", "similar", "station", "requests"} <= found.done.keys()
    assert found.songs > 12
