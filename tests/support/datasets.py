"""Tiny trees in the format of each data set, whose few files are sounds of a tenth of a second."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from support.audiofiles import sine, write_audio

RATE = 16_000
GTZAN_CLIPS = ("blues.00029", "blues.00000", "blues.00012", "hiphop.00010", "jazz.00054")
"""One of each part of the split, one of a genre that is spelt otherwise, and the corrupt one."""

FMA_COLUMNS = (
    ("album", "comments"),
    ("album", "id"),
    ("artist", "bio"),
    ("artist", "id"),
    ("set", "split"),
    ("set", "subset"),
    ("track", "genre_top"),
    ("track", "title"),
)
FMA_TRACKS = {
    2: ("1", "1", "training", "small", "Hip-Hop"),
    5: ("1", "1", "validation", "small", "Hip-Hop"),
    140: ("61", "54", "test", "medium", "Folk"),
    666: ("9", "8", "training", "small", ""),
    777: ("9", "8", "training", "small", "Rock"),
    98565: ("3", "3", "training", "small", "Pop"),
    99134: ("3", "3", "test", "small", "Rock"),
    150000: ("7", "", "training", "large", "Jazz"),
}
"""Album, artist, split, subset and top genre by track id; 777 has no file."""


def sound(path: Path, *, hz: float = 440.0, tags: Mapping[str, str] | None = None) -> Path:
    """Write a sound, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_audio(path, sine(0.1, RATE, hz=hz), RATE, metadata=dict(tags or {}))


def make_gtzan(folder: Path, layout: str = "genres", suffix: str = ".wav") -> Path:
    """Make a GTZAN of a few clips."""
    for clip in GTZAN_CLIPS:
        sound(folder / layout / clip.partition(".")[0] / f"{clip}.wav").rename(
            folder / layout / clip.partition(".")[0] / f"{clip}{suffix}"
        )
    return folder


def make_fma(folder: Path, subset: str = "small") -> Path:
    """Make an FMA of a few tracks, with its table's two rows of header and the index's name."""
    table = folder / "fma_metadata" / "tracks.csv"
    table.parent.mkdir(parents=True)
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["", *(group for group, _ in FMA_COLUMNS)])
        writer.writerow(["", *(name for _, name in FMA_COLUMNS)])
        writer.writerow(["track_id", *("" for _ in FMA_COLUMNS)])
        for number, (album, artist, split, of, genre) in FMA_TRACKS.items():
            bio = '<p>Of "many" words,\nin two lines.</p>'
            writer.writerow([number, 0, album, bio, artist, split, of, genre, "A title"])
    for number in FMA_TRACKS:
        if number != 777:
            sound(folder / f"fma_{subset}" / f"{number:06d}"[:3] / f"{number:06d}.mp3")
    return folder


def make_folder(folder: Path) -> Path:
    """Make a folder per genre, one of them with a folder for an artist."""
    sound(folder / "Hip Hop" / "one.wav")
    sound(folder / "Hip Hop" / "The Artist" / "An Album" / "two.flac")
    sound(folder / "grunge" / "three.mp3")
    (folder / "grunge" / "cover.jpg").write_bytes(b"\xff\xd8\xff")
    sound(folder / "grunge" / ".hidden.wav")
    sound(folder / "stray.wav")
    return folder


def make_table(folder: Path) -> Path:
    """Make a table of songs."""
    for name in ("a.wav", "b.wav", "sub/c.wav"):
        sound(folder / name)
    table = folder / "songs.csv"
    table.write_text(
        "path,label,artist,split\n"
        "a.wav,Hiphop,Somebody,train\n"
        "b.wav,grunge,,valid\n"
        "sub/c.wav,grunge,Else,\n"
        "d.wav,grunge,Else,test\n"
    )
    return table


def make_tags(folder: Path) -> Path:
    """Make songs with tags and without."""
    sound(folder / "a.mp3", tags={"genre": "Hip Hop", "artist": "Somebody"})
    sound(folder / "deep" / "b.flac", tags={"genre": "Rock; Grunge"})
    sound(folder / "c.flac")
    (folder / "broken.mp3").write_bytes(b"no song at all")
    return folder
