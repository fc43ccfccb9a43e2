from __future__ import annotations

from pathlib import Path

import mutagen
import numpy as np
import pytest
from mutagen.apev2 import APEv2
from mutagen.id3 import ID3, TIT2
from mutagen.mp4 import MP4

from songprint.audio import container
from songprint.audio.container import DecodeLimits, open_song, reread
from songprint.audio.decode import decode, stream_song
from songprint.audio.hash import content_hash, song_hash
from songprint.errors import DecodeError
from support.audiofiles import music, with_cover, write_audio, write_video
from support.badfiles import make_bad_files, png_bytes

RATE = 48_000
ID3V1 = b"TAG" + b"A title".ljust(125, b"\0")
FORMATS = [".aac", ".aiff", ".flac", ".m4a", ".mka", ".mp3", ".ogg", ".opus", ".wav", ".wma", ".wv"]

UNPLAYABLE = {
    "60_channels.wav",
    "infinite.wav",
    "no_channels.wav",
    "not_a_number.wav",
    "rate_1.wav",
    "rate_2_billion.wav",
    "scrap.mp3",
}
"""Bad files that do hold packets: only decoding them shows the fault."""


@pytest.fixture(scope="module")
def songs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("songs")
    samples = music(1.5, RATE)
    return {suffix: write_audio(folder / f"song{suffix}", samples, RATE) for suffix in FORMATS}


def copy_of(song: Path, folder: Path, *, behind: bytes = b"") -> Path:
    copy = folder / f"another name{song.suffix}"
    copy.write_bytes(song.read_bytes() + behind)
    return copy


@pytest.mark.parametrize("suffix", FORMATS)
def test_it_is_32_hexadecimal_digits_and_the_same_again(
    songs: dict[str, Path], suffix: str, tmp_path: Path
) -> None:
    identity = content_hash(songs[suffix])
    assert len(bytes.fromhex(identity)) == 16
    assert content_hash(copy_of(songs[suffix], tmp_path)) == identity


@pytest.mark.parametrize("suffix", FORMATS)
def test_another_song_has_another_hash(songs: dict[str, Path], suffix: str, tmp_path: Path) -> None:
    other = write_audio(tmp_path / f"other{suffix}", music(1.5, RATE, seed=1), RATE)
    assert content_hash(other) != content_hash(songs[suffix])


@pytest.mark.parametrize("suffix", [".flac", ".m4a", ".ogg", ".opus", ".wv"])
def test_tags_change_nothing(songs: dict[str, Path], suffix: str, tmp_path: Path) -> None:
    tagged = copy_of(songs[suffix], tmp_path)
    for title in ["Short", "A much longer title " * 1_000]:
        file = mutagen.File(tagged)
        if file.tags is None:
            file.add_tags()
        file.tags["\xa9nam" if isinstance(file, MP4) else "TITLE"] = title
        file.save()
        assert content_hash(tagged) == content_hash(songs[suffix])


@pytest.mark.parametrize("suffix", [".aiff", ".mp3", ".wav"])
def test_id3_tags_change_nothing(songs: dict[str, Path], suffix: str, tmp_path: Path) -> None:
    tagged = copy_of(songs[suffix], tmp_path)
    file = mutagen.File(tagged)
    if file.tags is None:
        file.add_tags()
    file.tags.add(TIT2(text="A title " * 1_000))
    file.save()
    assert tagged.stat().st_size > songs[suffix].stat().st_size + 5_000
    assert content_hash(tagged) == content_hash(songs[suffix])


def test_an_mp3_may_lose_its_tags_or_have_them_at_both_ends(
    songs: dict[str, Path], tmp_path: Path
) -> None:
    identity = content_hash(songs[".mp3"])
    path = copy_of(songs[".mp3"], tmp_path)
    ID3(path).delete(path)
    assert content_hash(path) == identity
    path.write_bytes(path.read_bytes() + ID3V1)
    assert content_hash(path) == identity
    tags = APEv2()
    tags["TITLE"] = "x" * 3_000
    tags.save(path)
    assert content_hash(path) == identity
    front = ID3()
    front.add(TIT2(text="y" * 3_000))
    front.save(path, v1=2)
    assert content_hash(path) == identity


@pytest.mark.parametrize("suffix", [".flac", ".m4a", ".mp3"])
def test_cover_art_changes_nothing(songs: dict[str, Path], suffix: str, tmp_path: Path) -> None:
    covered = with_cover(songs[suffix], tmp_path / f"covered{suffix}", png_bytes())
    assert content_hash(covered) == content_hash(songs[suffix])


def test_the_picture_of_a_video_is_not_part_of_it(tmp_path: Path) -> None:
    samples = music(1, RATE)
    short = write_video(tmp_path / "short.mp4", samples, RATE, seconds=0.5)
    long = write_video(tmp_path / "long.mp4", samples, RATE, seconds=1)
    assert content_hash(short) == content_hash(long)


def test_one_changed_packet_changes_it(songs: dict[str, Path], tmp_path: Path) -> None:
    song = bytearray(songs[".mp3"].read_bytes())
    song[len(song) // 2] ^= 1
    (tmp_path / "changed.mp3").write_bytes(song)
    assert content_hash(tmp_path / "changed.mp3") != content_hash(songs[".mp3"])


def test_a_bad_file_has_no_hash(tmp_path: Path) -> None:
    for path in make_bad_files(tmp_path / "bad"):
        if path.name in UNPLAYABLE:
            assert content_hash(path)
        else:
            with pytest.raises(DecodeError):
                content_hash(path)


def test_it_is_given_up_when_it_takes_too_long(songs: dict[str, Path]) -> None:
    with pytest.raises(DecodeError, match="gave up"):
        content_hash(songs[".wav"], limits=DecodeLimits(max_decode_seconds=0))


def test_a_song_that_was_identified_is_heard_from_the_packets_that_were_kept(
    songs: dict[str, Path],
) -> None:
    for path in songs.values():
        with open_song(path) as song:
            assert song_hash(song, keep=True) == content_hash(path)
            with reread(song) as again:
                assert again is song
                heard = np.concatenate(list(stream_song(again)))
        np.testing.assert_array_equal(heard, decode(path))


def test_a_song_of_too_many_packets_is_read_from_the_file_again(
    songs: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = songs[".mp3"]
    with open_song(path) as song:
        packets = sum(1 for _ in song.packets())
    monkeypatch.setattr(container, "KEPT_BYTES", (packets - 1) * container.PACKET_BYTES)
    with open_song(path) as song:
        song_hash(song, keep=True)
        with reread(song) as again:
            assert again is not song
            heard = np.concatenate(list(stream_song(again)))
    np.testing.assert_array_equal(heard, decode(path))
