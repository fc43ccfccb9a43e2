from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from scipy import signal

from songprint.errors import UsageError
from songprint.pieces import PIECES, Piece
from songprint.pieces.__main__ import COMMENT, main, write
from songprint.pieces.score import Session, chord, frequency_hz, line, pitch_class, pitch_of, scale

RATE = 16_000
GTZAN_GENRES = {
    "blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock",
}  # fmt: skip
HOP = 160
MINUS_1_DBFS = 10.0 ** (-1.0 / 20.0)

each_piece = pytest.mark.parametrize("piece", PIECES, ids=lambda piece: piece.name)
each_with_a_beat = pytest.mark.parametrize(
    "piece", [p for p in PIECES if p.has_beat], ids=lambda piece: piece.name
)


@lru_cache(maxsize=len(PIECES))
def rendered(name: str) -> NDArray[np.float32]:
    samples = named(name).render(sample_rate_hz=RATE)
    samples.setflags(write=False)
    return samples


def named(name: str) -> Piece:
    return next(piece for piece in PIECES if piece.name == name)


def magnitudes(mono: NDArray[np.float64], window: int, hop: int) -> NDArray[np.float64]:
    """``[bins, frames]``."""
    _, _, z = signal.stft(mono, RATE, nperseg=window, noverlap=window - hop, padded=False)
    return np.abs(z)


def pulse_autocorrelation(mono: NDArray[np.float64]) -> NDArray[np.float64]:
    """Autocorrelation of the onset envelope (spectral flux of log magnitudes), a lag a hop."""
    log = np.log1p(1000.0 * magnitudes(mono, 512, HOP))
    onsets = np.maximum(0.0, np.diff(log, axis=1)).sum(axis=0)
    onsets -= signal.savgol_filter(onsets, 101, 1)
    full = np.correlate(onsets, onsets, "full")[len(onsets) - 1 :]
    smooth = np.convolve(full, np.hanning(5) / np.hanning(5).sum(), "same")
    return smooth / full[0]


def chroma(mono: NDArray[np.float64]) -> NDArray[np.float64]:
    """Magnitude of the spectral peaks of each pitch class from 50 Hz to 1.5 kHz, ``[12]``."""
    spectra = magnitudes(mono, 8192, 1024)
    middle = spectra[1:-1]
    peaks = np.where((middle > spectra[:-2]) & (middle > spectra[2:]), middle, 0.0).sum(axis=1)
    hz = np.arange(1, len(spectra) - 1) * RATE / 8192
    heard = (hz > 50) & (hz < 1500)
    classes = np.round(69 + 12 * np.log2(hz[heard] / 440.0)).astype(int) % 12
    return np.bincount(classes, weights=peaks[heard], minlength=12)


def heard_key(mono: NDArray[np.float64]) -> tuple[int, str]:
    """Tonic and mode whose profile (Krumhansl and Kessler 1982) fits the chroma best."""
    profiles = {
        "major": (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
        "minor": (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
    }
    strength = chroma(mono)
    fits = {
        (tonic, mode): np.corrcoef(np.roll(profile, tonic), strength)[0, 1]
        for mode, profile in profiles.items()
        for tonic in range(12)
    }
    return max(fits, key=lambda key: float(fits[key]))


def test_every_gtzan_genre_has_a_piece() -> None:
    assert {piece.genre for piece in PIECES} >= GTZAN_GENRES


def test_names_are_unique_and_fit_for_files() -> None:
    names = [piece.name for piece in PIECES]
    assert len(set(names)) == len(names)
    assert all(name.replace("-", "").isalpha() and name.islower() for name in names)


@each_piece
def test_two_renders_are_the_same_bytes(piece: Piece) -> None:
    first = hashlib.sha256(rendered(piece.name).tobytes()).hexdigest()
    again = hashlib.sha256(piece.render(sample_rate_hz=RATE).tobytes()).hexdigest()
    assert first == again


@each_piece
def test_is_stereo_float32_of_its_length(piece: Piece) -> None:
    samples = rendered(piece.name)
    assert samples.dtype == np.float32
    assert samples.shape == (round(piece.seconds * RATE), 2)
    assert 12.0 <= piece.seconds <= 20.0


@each_piece
def test_is_finite_and_peaks_at_minus_1_dbfs_without_flat_tops(piece: Piece) -> None:
    samples = rendered(piece.name)
    assert np.isfinite(samples).all()
    peak = np.abs(samples).max()
    assert MINUS_1_DBFS - 1e-4 < peak <= MINUS_1_DBFS
    at_peak = np.abs(samples) >= peak - 1e-6
    assert not (at_peak[1:] & at_peak[:-1]).all(axis=1).any()
    assert at_peak.sum() <= 4


@each_piece
def test_lies_on_the_grid_of_16_bit_audio(piece: Piece) -> None:
    steps = rendered(piece.name).astype(np.float64) * 32768
    np.testing.assert_array_equal(steps, np.round(steps))
    assert not np.signbit(steps[steps == 0]).any()


@each_piece
def test_is_as_loud_as_music(piece: Piece) -> None:
    samples = rendered(piece.name).astype(np.float64)
    level_dbfs = 10 * np.log10(np.mean(samples**2))
    assert -22.0 < level_dbfs < -6.0
    assert abs(samples.mean()) < 1e-3


@each_piece
def test_the_two_sides_differ_and_neither_is_empty(piece: Piece) -> None:
    left, right = rendered(piece.name).astype(np.float64).T
    assert 0.5 < np.std(left) / np.std(right) < 2.0
    assert 0.1 < np.corrcoef(left, right)[0, 1] < 0.999


@each_piece
def test_sounds_from_the_start_and_is_silent_at_the_end(piece: Piece) -> None:
    mono = rendered(piece.name).astype(np.float64).mean(axis=1)
    assert np.abs(mono[:RATE]).max() > 0.02
    assert np.abs(mono[-80:]).max() < 1e-3


@each_with_a_beat
def test_the_pulse_repeats_at_the_tempo(piece: Piece) -> None:
    pulse = pulse_autocorrelation(rendered(piece.name).astype(np.float64).mean(axis=1))
    beat_hops = 60.0 / piece.tempo_bpm * RATE / HOP
    first, last = round(0.2 * RATE / HOP), round(1.25 * piece.meter * beat_hops)
    best = first + int(np.argmax(pulse[first:last]))
    ratio = best / beat_hops
    whole = round(ratio) if ratio > 0.75 else 0.5
    assert abs(best - whole * beat_hops) <= 2.0, f"peak at {ratio:.3f} beats"
    at_beat = pulse[round(beat_hops) - 1 : round(beat_hops) + 2].max()
    for wrong in (0.8, 0.9, 1.1, 1.2):
        assert at_beat > pulse[round(wrong * beat_hops)]


@each_piece
def test_the_tonic_is_heard(piece: Piece) -> None:
    strength = chroma(rendered(piece.name).astype(np.float64).mean(axis=1))
    assert strength[pitch_class(piece.key)] > np.median(strength)
    assert heard_key(rendered(piece.name).astype(np.float64).mean(axis=1))[0] == pitch_class(
        piece.key
    )


# The fifth partials of distorted power chords put a major third into the rock piece.
@pytest.mark.parametrize(
    "piece", [p for p in PIECES if p.name != "rock-backbeat"], ids=lambda piece: piece.name
)
def test_the_mode_is_heard(piece: Piece) -> None:
    assert heard_key(rendered(piece.name).astype(np.float64).mean(axis=1))[1] == piece.mode


def test_metal_is_brighter_than_the_chorale_and_techno_busier_than_ambient() -> None:
    def centroid_hz(name: str) -> float:
        spectrum = magnitudes(rendered(name).mean(axis=1).astype(np.float64), 1024, 512)
        hz = np.arange(len(spectrum)) * RATE / 1024
        return float((hz @ spectrum.mean(axis=1)) / spectrum.mean(axis=1).sum())

    def flux(name: str) -> float:
        mono = rendered(name).mean(axis=1).astype(np.float64)
        log = np.log1p(1000.0 * magnitudes(mono, 512, HOP))
        return float(np.maximum(0.0, np.diff(log, axis=1)).mean())

    assert centroid_hz("metal-gallop") > 1.5 * centroid_hz("string-chorale")
    assert flux("techno-acid") > 2.0 * flux("ambient-drift")


def test_a_rate_too_low_for_music_is_refused() -> None:
    with pytest.raises(UsageError, match="4000 Hz"):
        PIECES[0].render(sample_rate_hz=4000)


def test_a_file_holds_the_render_exactly_and_says_what_it_is(tmp_path: Path) -> None:
    piece = named("piano-waltz")
    path = write(piece, tmp_path, sample_rate_hz=RATE)
    assert path.name == "piano-waltz.flac"
    samples, rate = soundfile.read(path, dtype="float32")
    assert rate == RATE
    np.testing.assert_array_equal(samples, rendered(piece.name))
    with soundfile.SoundFile(path) as file:
        assert (file.format, file.subtype) == ("FLAC", "PCM_16")
        assert (file.title, file.genre, file.comment) == ("Piano waltz", "classical", COMMENT)


def test_the_command_writes_every_piece_and_says_that_they_are_synthetic(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "new" / "folder"
    assert main(["--out", str(folder), "--rate", "8000"]) == 0
    assert {path.stem for path in folder.iterdir()} == {piece.name for piece in PIECES}
    printed = capsys.readouterr().out
    assert printed.count("\n") == 1
    assert "synthetic" in printed


def test_names_of_notes_are_read() -> None:
    assert [pitch_of(name) for name in ("C4", "A4", "Bb3", "F#2", "Cb4", "B#3")] == [
        60, 69, 58, 42, 59, 60,
    ]  # fmt: skip
    assert frequency_hz(69) == 440.0
    assert [pitch_class(name) for name in ("C", "Bb", "B", "F#")] == [0, 10, 11, 6]
    assert scale("A", "minor", 3) == (57, 59, 60, 62, 64, 65, 67)


@pytest.mark.parametrize("name", ["H4", "", "C", "c4"])
def test_what_is_no_pitch_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        pitch_of(name)


def test_chords_are_spelt_and_inverted() -> None:
    assert chord("Am", 3) == (57, 60, 64)
    assert chord("Bbmaj7", 2) == (46, 50, 53, 57)
    assert chord("C", 4, inversion=1) == (64, 67, 72)
    with pytest.raises(UsageError, match="Cfoo"):
        chord("Cfoo")


def test_a_line_carries_lengths_rests_chords_and_accents() -> None:
    notes = line("C4:0.5 - E4+G4:2!", start=4.0, velocity=0.6)
    assert [(n.beat, n.beats, n.pitch) for n in notes] == [(4, 0.5, 60), (5, 2, 64), (5, 2, 67)]
    assert [n.velocity for n in notes] == pytest.approx([0.6, 0.75, 0.75])


def test_swing_delays_the_second_of_a_pair_and_leaves_the_beat_alone() -> None:
    session = Session(tempo_bpm=60.0, seconds=4.0, sample_rate_hz=RATE, seed=0, swing=2 / 3)
    assert [session.seconds_at(beat) for beat in (0, 1, 2)] == [0, 1, 2]
    assert session.seconds_at(1.5) == pytest.approx(1 + 2 / 3)
