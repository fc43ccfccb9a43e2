"""A fingerprint is the audio's: not the name's, the tags', the level's or the block size's."""

import subprocess
import sys

import numpy as np
import pytest

import songprint
from songprint.audio.mel import WINDOW_SECONDS
from songprint.descriptors.core import describe
from songprint.descriptors.intensity import IntensityMeter
from songprint.encoder.inference import Encoder
from songprint.errors import DecodeError, ModelError
from songprint.fingerprints import Fingerprinter, default_fingerprinter
from songprint.genre.head import load_head
from songprint.genre.taxonomy import ERAS, GENRES, INSTRUMENTS, MOODS, STYLES
from songprint.pieces import PIECES, signals
from support.audiofiles import write_audio

RATE_HZ = 16_000


@pytest.fixture(scope="module")
def fingerprinter():
    return default_fingerprinter()


@pytest.fixture(scope="module")
def blues():
    return PIECES[0].render(sample_rate_hz=RATE_HZ).mean(axis=1).astype(np.float32)


@pytest.fixture(scope="module")
def heard(fingerprinter, blues):
    return fingerprinter.fingerprint_samples(blues, "hash")


def test_holds_what_the_contract_says(heard, blues, fingerprinter):
    assert heard.embedding.shape == (256,)
    assert np.linalg.norm(heard.embedding) == pytest.approx(1, abs=1e-5)
    assert {g.name for g in heard.genres} == set(GENRES)
    assert sum(g.p for g in heard.genres) == pytest.approx(1)
    assert [g.p for g in heard.genres] == sorted((g.p for g in heard.genres), reverse=True)
    assert {e.name for e in heard.era} == set(ERAS)
    assert {m.name for m in heard.moods} == set(MOODS)
    assert {s.name for s in heard.styles} == set(STYLES)
    assert {i.name for i in heard.instruments} == set(INSTRUMENTS)
    assert heard.seconds == pytest.approx(len(blues) / RATE_HZ)
    assert heard.content_hash == "hash"
    assert heard.model == fingerprinter.model_version


def test_timeline_covers_the_song_in_order(heard):
    assert heard.timeline[0].start_seconds == 0
    assert heard.timeline[-1].end_seconds == pytest.approx(heard.seconds)
    for before, after in zip(heard.timeline, heard.timeline[1:], strict=False):
        assert before.end_seconds == pytest.approx(after.start_seconds)


def test_a_third_of_a_long_song_tells_what_all_of_it_tells(fingerprinter, blues):
    song = np.resize(blues, 200 * RATE_HZ)
    third = fingerprinter.fingerprint_samples(song, "")
    whole = fingerprinter.fingerprint_samples(song, "", thorough=True)
    assert third.embedding @ whole.embedding > 0.99
    assert (third.embedding != whole.embedding).any()
    for heard, seconds in ((third, 3 * WINDOW_SECONDS), (whole, 2 * WINDOW_SECONDS)):
        starts = [segment.start_seconds for segment in heard.timeline]
        assert np.diff(starts) == pytest.approx(seconds)
        assert heard.timeline[-1].end_seconds == pytest.approx(200)
    assert third.descriptors.intensity == whole.descriptors.intensity


def test_timeline_levels_are_the_musics(fingerprinter):
    loud = signals.sine(440, 12, RATE_HZ, -10).astype(np.float32)
    soft = signals.sine(440, 12, RATE_HZ, -40).astype(np.float32)
    timeline = fingerprinter.fingerprint_samples(np.concatenate([loud, soft]), "").timeline
    assert timeline[0].level_dbfs == pytest.approx(-10, abs=0.5)
    assert timeline[-1].level_dbfs == pytest.approx(-40, abs=0.5)


def test_descriptors_are_those_of_the_samples(heard, blues):
    alone = describe(blues)
    assert heard.descriptors.beat.tempo_bpm == alone.beat.tempo_bpm
    assert heard.descriptors.intensity == alone.intensity
    assert heard.descriptors.timbre.brightness_hz == pytest.approx(alone.timbre.brightness_hz)
    assert heard.descriptors.tonality.key == alone.tonality.key


def test_loudness_and_width_are_those_of_the_file_s_own_channels(tmp_path, fingerprinter):
    music = PIECES[0].render(sample_rate_hz=44_100).astype(np.float32)
    path = write_audio(tmp_path / "blues.flac", music, 44_100)
    heard = fingerprinter.fingerprint(path).descriptors
    meter = IntensityMeter()
    meter.add(np.ascontiguousarray(music.T), 44_100, ("FL", "FR"))
    assert heard.intensity.loudness_lufs == pytest.approx(meter.finish().loudness_lufs, abs=0.01)
    left, right = music.T
    sides, both = np.sum((left - right) ** 2), 2 * np.sum(left**2 + right**2)
    assert heard.timbre.stereo_width == pytest.approx(sides / both, abs=1e-4)


def test_a_song_is_decoded_once_and_its_spectrum_taken_once(
    tmp_path, fingerprinter, blues, monkeypatch
):
    from songprint.audio import decode, mel

    taken, opened = [], []
    frames_of, frames = mel._frames_of, decode._frames
    monkeypatch.setattr(mel, "_frames_of", lambda x: taken.append(out := frames_of(x)) or out)
    monkeypatch.setattr(decode, "_frames", lambda *a: opened.append(a) or frames(*a))
    path = write_audio(tmp_path / "blues.wav", blues[:, None], RATE_HZ)
    fingerprinter.fingerprint(path)
    assert sum(map(len, taken)) == 1 + len(blues) // mel.HOP_SAMPLES
    assert len(opened) == 1


def test_file_and_samples_give_one_fingerprint(tmp_path, fingerprinter, blues, heard):
    path = write_audio(tmp_path / "blues.wav", blues[:, None], RATE_HZ)
    from_file = fingerprinter.fingerprint(path)
    assert from_file.descriptors.beat.tempo_bpm == heard.descriptors.beat.tempo_bpm
    np.testing.assert_allclose(from_file.embedding, heard.embedding, atol=1e-2)
    assert from_file.genres[0].name == heard.genres[0].name


def test_the_same_file_twice_gives_the_same_numbers(tmp_path, fingerprinter, blues):
    path = write_audio(tmp_path / "blues.flac", blues[:, None], RATE_HZ)
    first, second = (fingerprinter.fingerprint(path) for _ in range(2))
    np.testing.assert_array_equal(first.embedding, second.embedding)
    assert first.genres == second.genres


def test_an_mp3_of_the_same_music_is_close(tmp_path, fingerprinter):
    music = PIECES[0].render()
    lossless = write_audio(tmp_path / "blues.flac", music, 44_100)
    lossy = write_audio(tmp_path / "blues.mp3", music, 44_100, bit_rate=128_000)
    first, second = (fingerprinter.fingerprint(path) for path in (lossless, lossy))
    assert first.embedding @ second.embedding > 0.95
    assert first.content_hash != second.content_hash


@pytest.mark.parametrize(
    ("samples", "doubt"),
    [
        (signals.silence(10, RATE_HZ), "silence"),
        (signals.white_noise(10, RATE_HZ, -20, seed=5), "not music"),
        (signals.sine(440, 10, RATE_HZ, -12), "not music"),
    ],
    ids=["silence", "white noise", "sine"],
)
def test_what_is_not_music_is_unsure(fingerprinter, samples, doubt):
    heard = fingerprinter.fingerprint_samples(samples.astype(np.float32), "")
    assert (heard.unsure, heard.doubt) == (True, doubt)


@pytest.mark.parametrize("n_samples", [1, 100, 4_000, 16_000])
def test_the_shortest_sounds_have_a_fingerprint(fingerprinter, blues, n_samples):
    heard = fingerprinter.fingerprint_samples(blues[20_000 : 20_000 + n_samples], "")
    assert np.isfinite(heard.embedding).all()
    assert len(heard.timeline) == 1


def test_no_samples_are_refused(fingerprinter):
    with pytest.raises(ValueError, match="no samples"):
        fingerprinter.fingerprint_samples(np.empty(0, np.float32), "")


def test_a_missing_file_is_a_decode_error(tmp_path):
    with pytest.raises(DecodeError, match="no such file"):
        songprint.fingerprint(tmp_path / "missing.mp3")


def test_a_head_of_another_encoder_is_refused():
    head, sha256 = load_head()
    encoder = Encoder()
    encoder.sha256 = "another"
    with pytest.raises(ModelError, match="another encoder"):
        Fingerprinter(encoder, head, sha256)


def test_model_version_begins_with_that_of_the_format(fingerprinter):
    assert fingerprinter.model_version.startswith(f"{songprint.FORMAT_VERSION}-")


def test_model_version_changes_with_the_head():
    head, sha256 = load_head()
    versions = {Fingerprinter(Encoder(), head, s).model_version for s in (sha256, "other")}
    assert len(versions) == 2


def run(code):
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_importing_songprint_loads_nothing_heavy():
    code = (
        "import sys, songprint; songprint.__version__; "
        "print([m for m in ('numpy', 'scipy', 'av', 'onnxruntime', 'torch') if m in sys.modules])"
    )
    assert run(code) == "[]"


def test_hearing_a_song_never_imports_torch(tmp_path, blues):
    path = write_audio(tmp_path / "blues.wav", blues[:, None], RATE_HZ)
    code = (
        "import sys; from songprint import fingerprint; "
        f"fingerprint({str(path)!r}); print('torch' in sys.modules, 'sklearn' in sys.modules)"
    )
    assert run(code) == "False False"
