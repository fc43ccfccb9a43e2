"""``songprint gallery``: what it writes, where its genres come from, how it ends."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest

from support.drawing import command, document, is_svg, picture
from support.madeup import made_up

FILES = [
    "descriptors.csv",
    "descriptors.png",
    "effects.csv",
    "gallery.html",
    "gallery.md",
    "genres.png",
    "songs.csv",
    "spectra.png",
]


def gallery(*arguments: str | Path) -> Any:
    return command("gallery", *arguments, "--dpi", "60")


@pytest.fixture(scope="module")
def genres(tmp_path_factory: pytest.TempPathFactory, songs: list[Path]) -> Path:
    """Three genres of one song each."""
    folder = tmp_path_factory.mktemp("genres")
    for song, name in zip(songs, ("Blues", "Classical", "Country"), strict=True):
        (folder / name).mkdir()
        (folder / name / song.name).write_bytes(song.read_bytes())
    return folder


def test_a_folder_of_genres_becomes_a_folder_of_figures_and_tables(
    tmp_path: Path, genres: Path
) -> None:
    out = tmp_path / "new" / "gallery"
    done = gallery(genres, "--out", out, "--json")
    assert done.exit_code == 0
    assert sorted(path.name for path in out.iterdir()) == FILES
    for name in FILES:
        if name.endswith(".png"):
            assert picture((out / name).read_bytes()).size
    told = document("gallery", done.stdout)
    assert sorted(told["written"]) == [str(out / name) for name in FILES]
    assert told["genres_from"] == "labels"
    assert [genre["name"] for genre in told["genres"]] == ["blues", "classical", "country"]
    assert told["songs"] == 3
    assert "tempo_bpm" in {item["name"] for item in told["descriptors"]}
    assert "genres.png" in (out / "gallery.html").read_text()


@pytest.mark.parametrize("suffix", ["png", "svg", "html"])
def test_a_file_is_one_figure_or_one_page(tmp_path: Path, genres: Path, suffix: str) -> None:
    out = tmp_path / f"gallery.{suffix}"
    done = gallery(genres, "--out", out, "--genres", "Blues,country")
    assert (done.exit_code, done.stdout) == (0, "")
    data = out.read_bytes()
    if suffix == "png":
        assert picture(data).size
    elif suffix == "svg":
        assert is_svg(data)
    else:
        assert data.count(b"data:image/png;base64,") == 3
    assert list(tmp_path.iterdir()) == [out]


def test_a_plain_folder_is_sorted_by_songprint_itself(
    tmp_path: Path, songs: list[Path], pretend: Any
) -> None:
    pretend(lambda path: made_up(unsure=path.endswith(songs[0].name)))
    out = tmp_path / "gallery"
    done = gallery(songs[0].parent, "--out", out, "--json")
    assert done.exit_code == 0
    assert "the genres are what songprint hears" in done.stderr
    told = document("gallery", done.stdout)
    assert told["genres_from"] == "songprint"
    assert [genre["name"] for genre in told["genres"]] == ["reggae"]
    assert "1 left out: songprint is unsure of their genre" in told["notes"]
    assert "songprint's own opinion" in (out / "gallery.md").read_text()


def test_no_more_songs_of_a_genre_are_heard_than_wanted(tmp_path: Path, songs: list[Path]) -> None:
    rows = [f"{song},{label},{song.stem}" for song in songs for label in ["rock"]]
    table = tmp_path / "songs.csv"
    table.write_text("path,label,artist\n" + "\n".join(rows))
    done = gallery(table, "--per-genre", "2", "--out", tmp_path / "a.png", "--json")
    assert done.exit_code == 0
    told = document("gallery", done.stdout)
    assert [genre["songs"] for genre in told["genres"]] == [2]
    assert told["genres"][0]["artists"] == 2
    assert told["notes"][0].startswith("Of 3 songs 2 were heard")


def test_bad_files_get_a_line_and_the_others_are_drawn(tmp_path: Path, songs: list[Path]) -> None:
    folder = tmp_path / "rock"
    folder.mkdir()
    (folder / "good.flac").write_bytes(songs[0].read_bytes())
    (folder / "bad.mp3").write_text("no song")
    out = tmp_path / "a.png"
    done = gallery(tmp_path, "--out", out, "--json")
    assert done.exit_code == 1
    assert out.exists()
    told = document("gallery", done.stdout)
    assert [item["path"] for item in told["failed"]] == [str(folder / "bad.mp3")]
    assert f"songprint: {folder / 'bad.mp3'}: is not audio but text" in done.stderr.splitlines()


def test_nothing_is_written_if_no_song_can_be_heard(tmp_path: Path) -> None:
    (tmp_path / "rock").mkdir()
    (tmp_path / "rock" / "bad.mp3").write_text("no song")
    done = gallery(tmp_path, "--out", tmp_path / "out")
    assert done.exit_code == 1
    assert "nothing to draw" in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--out", "a.jpg"], ".html, .png, .svg, .pdf"),
        (["--out", "a", "--genres", "polka"], "there is blues, classical, country"),
        (["--out", "a", "--genres", ","], "names nothing"),
        (["--out", "a", "--heard", "--genres", "polka"], "it hears blues"),
        (["--out", "missing/a.png"], "there is no folder"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_heard(
    genres: Path, arguments: list[str], reason: str
) -> None:
    done = gallery(genres, *arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert reason in done.stderr


def test_too_many_genres_are_refused_with_a_way_out(tmp_path: Path) -> None:
    for i in range(25):
        (tmp_path / f"artist {i}").mkdir()
        (tmp_path / f"artist {i}" / "song.mp3").touch()
    done = gallery(tmp_path, "--out", tmp_path / "out")
    assert done.exit_code == 2
    assert "--heard" in done.stderr


def test_a_missing_source_is_refused(tmp_path: Path) -> None:
    for extra in ([], ["--heard"]):
        done = gallery(tmp_path / "missing", "--out", tmp_path / "out", *extra)
        assert done.exit_code == 2
        assert "there is no such file or folder" in done.stderr


def test_a_file_in_the_way_of_the_folder_is_refused(tmp_path: Path, genres: Path) -> None:
    (tmp_path / "file").touch()
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        done = gallery(genres, "--out", out)
        assert done.exit_code == 2
        assert "is a file, not a folder" in done.stderr


def test_a_full_disk_is_one_line(
    tmp_path: Path, genres: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_file: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    out = tmp_path / "a.png"
    done = gallery(genres, "--out", out)
    assert done.exit_code == 1
    assert done.stderr.splitlines()[-1].endswith("cannot be written: No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_real_songs_are_sorted_and_drawn(tmp_path: Path, shared_data: Path) -> None:
    paths = sorted((shared_data / "emotify").iterdir())[::40]
    rows = [f"{path},{path.name.split('-')[0]}" for path in paths]
    table = tmp_path / "emotify.csv"
    table.write_text("\n".join(["path,label", *rows]))
    out = tmp_path / "gallery"
    assert gallery(table, "--out", out).exit_code == 0
    assert sorted(path.name for path in out.iterdir()) == FILES
