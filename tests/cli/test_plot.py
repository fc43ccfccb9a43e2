"""``songprint plot``: what it writes, what it refuses, how it ends."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest

from songprint.views.kinds import KINDS
from support.badfiles import make_bad_files
from support.drawing import command, document, is_svg, picture


def plot(*arguments: str | Path) -> Any:
    return command("plot", *arguments)


def test_songs_are_drawn_into_a_picture(tmp_path: Path, songs: list[Path]) -> None:
    out = tmp_path / "songs.png"
    done = plot(*songs, "--out", out)
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == f"songprint: wrote {out}\n"
    one = plot(songs[0], "--out", tmp_path / "one.png")
    assert one.exit_code == 0
    tall, low = (picture(file.read_bytes()) for file in (out, tmp_path / "one.png"))
    assert tall.shape[0] > low.shape[0] + 300
    assert tall.shape[1] == low.shape[1]


@pytest.mark.parametrize("suffix", ["svg", "PDF"])
def test_the_suffix_chooses_the_format(tmp_path: Path, songs: list[Path], suffix: str) -> None:
    out = tmp_path / f"songs.{suffix}"
    assert plot(songs[0], "--kind", "waveform", "--out", out).exit_code == 0
    data = out.read_bytes()
    assert is_svg(data) if suffix == "svg" else data.startswith(b"%PDF-")


def test_the_document_tells_the_rows(tmp_path: Path, songs: list[Path]) -> None:
    out = tmp_path / "all.png"
    done = plot(songs[0].parent, "--kind", "all", "--dpi", "60", "--json", "--out", out)
    assert done.exit_code == 0
    told = document("plot", done.stdout)
    assert told["out"] == str(out)
    assert told["kinds"] == list(KINDS)
    assert [song["path"] for song in told["songs"]] == sorted(map(str, songs))
    assert [song["title"] for song in told["songs"]] == sorted(song.name for song in songs)


def test_bad_files_get_a_line_each_and_the_rest_is_drawn(tmp_path: Path, songs: list[Path]) -> None:
    bad = make_bad_files(tmp_path / "bad")[:6]
    out = tmp_path / "some.png"
    done = plot(*bad[:3], songs[0], *bad[3:], "--kind", "waveform", "--json", "--out", out)
    assert done.exit_code == 1
    assert out.exists()
    *lines, wrote = done.stderr.splitlines()
    assert len(lines) == len(bad)
    for line, path in zip(lines, bad, strict=True):
        assert line.startswith(f"songprint: {path}: ")
        assert "internal error" not in line
    assert wrote == f"songprint: wrote {out}"
    told = document("plot", done.stdout)
    assert len(told["songs"]) == 1
    assert [item["path"] for item in told["failed"]] == [str(path) for path in bad]


def test_no_file_is_written_if_nothing_can_be_drawn(tmp_path: Path) -> None:
    out = tmp_path / "none.png"
    done = plot(tmp_path / "missing.mp3", "--json", "--out", out)
    assert done.exit_code == 1
    assert not out.exists()
    assert done.stderr.splitlines()[-1] == "songprint: no song could be heard, so nothing is drawn"
    assert document("plot", done.stdout)["out"] is None


@pytest.mark.parametrize(
    ("arguments", "known"),
    [
        (["--kind", "waveform,cepstrum", "--out", "a.png"], ", ".join(KINDS)),
        (["--kind", ",", "--out", "a.png"], ", ".join(KINDS)),
        (["--out", "a.jpg"], ".png, .svg, .pdf"),
        (["--out", "a"], ".png, .svg, .pdf"),
    ],
)
def test_what_is_unknown_is_refused_with_what_is_known(arguments: list[str], known: str) -> None:
    done = plot("a.mp3", *arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert known in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_too_many_songs_are_refused_unheard(tmp_path: Path) -> None:
    for i in range(51):
        (tmp_path / f"{i}.mp3").touch()
    done = plot(tmp_path, "--out", tmp_path / "a.png")
    assert done.exit_code == 2
    assert "50 at most" in done.stderr


def test_a_place_that_cannot_be_written_is_refused_unheard(tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    for out in (tmp_path / "missing" / "a.png", tmp_path / "folder.png"):
        done = plot("missing.mp3", "--out", out)
        assert done.exit_code == 2
        assert done.stderr.startswith(f"songprint: {out}: ")
        assert len(done.stderr.splitlines()) == 1


def test_an_existing_picture_is_replaced_and_nothing_else_is_left(
    tmp_path: Path, songs: list[Path]
) -> None:
    out = tmp_path / "a.png"
    out.write_bytes(b"old")
    assert plot(songs[0], "--kind", "waveform", "--out", out).exit_code == 0
    assert picture(out.read_bytes()).size
    assert list(tmp_path.iterdir()) == [out]


def test_a_full_disk_is_one_line_and_leaves_the_old_picture(
    tmp_path: Path, songs: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "a.png"
    out.write_bytes(b"old")

    def full(_file: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    done = plot(songs[0], "--kind", "waveform", "--out", out)
    assert done.exit_code == 1
    assert done.stderr == f"songprint: {out}: cannot be written: No space left on device\n"
    assert out.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [out]


def test_a_name_that_no_font_draws_is_told(tmp_path: Path, songs: list[Path]) -> None:
    odd = tmp_path / "\U0010fffd\u202e.flac"
    odd.write_bytes(songs[0].read_bytes())
    out = tmp_path / "a.png"
    done = plot(odd, "--kind", "waveform", "--out", out)
    assert done.exit_code == 0
    assert picture(out.read_bytes()).size


def test_real_songs_are_drawn(tmp_path: Path, shared_data: Path) -> None:
    paths = sorted((shared_data / "emotify").iterdir())[::100]
    out = tmp_path / "a.png"
    assert plot(*paths, "--kind", "all", "--dpi", "60", "--out", out).exit_code == 0
    assert picture(out.read_bytes()).size
