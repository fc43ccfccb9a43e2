"""Spectral peaks are found once, and anew where a file has changed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from songprint.audio.peaks import song_peaks
from songprint.evaluate.recordings import cached_peaks
from support.audiofiles import write_audio
from support.clips import tune

RATE_HZ = 16_000


def test_peaks_are_found_once_and_kept(tmp_path: Path) -> None:
    files = {"a": write_audio(tmp_path / "a.wav", tune(1, 4.0), RATE_HZ)}
    told: list[str] = []
    first = cached_peaks(files, tmp_path / "peaks.npz", told.append)
    again = cached_peaks(files, tmp_path / "peaks.npz", told.append)
    assert told == ["finding the spectral peaks of 1 songs"]
    np.testing.assert_array_equal(first["a"].packed(), again["a"].packed())
    assert len(again["a"]) > 50


def test_another_file_in_its_place_is_heard_anew(tmp_path: Path) -> None:
    files = {"a": write_audio(tmp_path / "a.wav", tune(1, 4.0), RATE_HZ)}
    cached_peaks(files, tmp_path / "peaks.npz", lambda _: None)
    write_audio(tmp_path / "a.wav", tune(2, 3.0), RATE_HZ)
    renewed = cached_peaks(files, tmp_path / "peaks.npz", lambda _: None)
    assert len(renewed["a"]) == len(song_peaks(tune(2, 3.0)))


def test_what_cannot_be_heard_is_told_and_left_out(tmp_path: Path) -> None:
    (tmp_path / "bad.wav").write_bytes(b"no audio")
    files = {"bad": tmp_path / "bad.wav", "gone": tmp_path / "gone.wav"}
    told: list[str] = []
    assert cached_peaks(files, tmp_path / "peaks.npz", told.append) == {}
    assert any("bad is not compared" in line for line in told)
