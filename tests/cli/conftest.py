from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from songprint.audio.decode import stream
from songprint.fingerprints import Fingerprint, default_fingerprinter
from songprint.library.store import Library
from songprint.pieces import PIECES
from songprint.pieces.__main__ import write
from support.kin import kin_library

Tap = Callable[[np.ndarray], None] | None


@pytest.fixture(scope="session")
def songs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three pieces of songprint's own, as files."""
    folder = tmp_path_factory.mktemp("songs")
    return [write(piece, folder, sample_rate_hz=16_000) for piece in PIECES[:3]]


@pytest.fixture
def pretend(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[str], Fingerprint]], None]:
    """Let a function stand in for the model."""

    def install(fingerprint: Callable[[str], Fingerprint]) -> None:
        class Pretender:
            def fingerprint(self, path: str, on_samples: Tap = None, **_: object) -> Fingerprint:
                if on_samples is not None:
                    for block in stream(path):
                        on_samples(block)
                return fingerprint(path)

        # Another process would have the real one.
        monkeypatch.setattr("songprint.cli.hearing.MANY_SONGS", sys.maxsize)
        monkeypatch.setattr("songprint.fingerprints.default_fingerprinter", Pretender)

    return install


@pytest.fixture(scope="session")
def kin_shelf(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """A library of sixty songs of four kinds, for commands that only read it."""
    return kin_library(
        tmp_path_factory.mktemp("kin") / "library", model=default_fingerprinter().model_version
    )
