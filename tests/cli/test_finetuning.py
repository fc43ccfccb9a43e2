from __future__ import annotations

import json
import shutil
import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from songprint.cli.app import app
from songprint.encoder.inference import Encoder
from songprint.errors import ModelError
from songprint.fingerprints import Fingerprinter
from songprint.genre.background import write_background
from songprint.genre.head import GenreHead
from songprint.genre.personal import load_personal
from songprint.genre.taxonomy import GENRES, NOT_MUSIC
from songprint.learn import finetune
from songprint.learn.export import export_encoder
from support.drawing import document
from support.encoders import TINY, tiny_encoder

RATE = 16_000


@pytest.fixture(scope="session")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hums and hisses, of three artists each."""
    folder = tmp_path_factory.mktemp("labelled")
    rng = np.random.default_rng(0)
    time = np.arange(4 * RATE) / RATE
    for artist in ("a", "b", "c"):
        for i in range(3):
            hum = 0.3 * np.sin(2 * np.pi * rng.uniform(100, 900) * time)
            hiss = 0.1 * rng.standard_normal(len(time))
            for genre, samples in (("hum", hum + 0.01 * hiss), ("hiss", hiss)):
                place = folder / genre / f"{genre} {artist}"
                place.mkdir(parents=True, exist_ok=True)
                soundfile.write(place / f"{i}.flac", samples, RATE)
    return folder


@pytest.fixture(scope="session")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two encoders, as two versions of the package might ship them."""
    folders = [tmp_path_factory.mktemp("encoder") for _ in range(2)]
    for seed, folder in enumerate(folders):
        export_encoder(tiny_encoder(seed), folder, {"network": asdict(TINY)})
    return folders


def ship(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Fingerprinter:
    encoder = Encoder(folder)
    classes = (*GENRES, NOT_MUSIC)
    head = GenreHead(
        classes, np.zeros((256, len(classes))), np.zeros(len(classes)), 1, 0, encoder.sha256
    )
    fingerprinter = Fingerprinter(encoder, head, "0" * 64)
    monkeypatch.setattr("songprint.fingerprints.default_fingerprinter", lambda: fingerprinter)
    return fingerprinter


@pytest.fixture(autouse=True)
def fingerprinter(monkeypatch: pytest.MonkeyPatch, shipped: list[Path]) -> Fingerprinter:
    """A package with a tiny encoder, fine-tuned in a second."""
    quick = partial(finetune.FinetuneConfig, epochs=1, batch_windows=8)
    monkeypatch.setattr(finetune, "FinetuneConfig", quick)
    return ship(monkeypatch, shipped[0])


def run(*arguments: str | Path) -> Any:
    words = [*map(str, arguments), "--workers", "1"]
    return CliRunner().invoke(app, words, env={"COLUMNS": "100"})


def decide(monkeypatch: pytest.MonkeyPatch, *, kept: bool) -> None:
    monkeypatch.setattr(finetune.Comparison, "kept", kept)


def test_a_better_encoder_is_stored_and_used(
    labelled: Path,
    shipped: list[Path],
    tmp_path: Path,
    fingerprinter: Fingerprinter,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    decide(monkeypatch, kept=True)
    monkeypatch.setenv("SONGPRINT_LIBRARY", str(tmp_path / "library"))
    result = run("train", labelled, "--finetune", "--name", "mine", "--json")
    assert result.exit_code == 0, result.stderr
    assert "fine-tuning on 18 windows of 18 songs: 1 epochs for each of 3 groups" in result.stderr
    learnt = document("train", result.stdout)
    told = learnt["finetuning"]
    assert told["kept"]
    assert told["frozen"]["songs"] == told["finetuned"]["songs"] == 18
    assert learnt["accuracy"]["right"] == told["finetuned"]["right"]

    place = tmp_path / "genres" / "mine.json"
    encoder = Encoder(place.parent / told["encoder"])
    assert told["encoder"] == f"mine.encoder/{encoder.sha256[:8]}"
    assert encoder.sha256 == learnt["encoder_sha256"] != fingerprinter.encoder.sha256
    assert encoder.card["finetuned_from"] == fingerprinter.encoder.sha256

    song = labelled / "hum" / "hum a" / "0.flac"
    heard = run("classify", "--json", "--genres", "mine", song)
    assert heard.exit_code == 0, heard.stderr
    assert {genre["name"] for genre in json.loads(heard.stdout)[0]["genres"]} == {
        "hum",
        "hiss",
    }
    with pytest.raises(ModelError, match="encoder of its own"):
        load_personal(place, fingerprinter.encoder.sha256)

    again = json.loads(run("train", labelled, "--finetune", "--name", "mine", "--json").stdout)
    assert again["finetuning"] == told
    assert [path.name for path in (tmp_path / "genres" / "mine.encoder").iterdir()] == [
        encoder.sha256[:8]
    ]

    ship(monkeypatch, shipped[1])
    outdated = run("classify", "--genres", "mine", song)
    assert outdated.exit_code == 1
    assert "train it again" in outdated.stderr

    assert run("train", labelled, "--name", "mine").exit_code == 0
    assert [path.name for path in place.parent.iterdir()] == ["mine.json"]


def test_one_that_is_no_better_is_declined(
    labelled: Path, tmp_path: Path, fingerprinter: Fingerprinter, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide(monkeypatch, kept=False)
    nobody, everybody = np.zeros(18, np.bool_), np.ones(18, np.bool_)
    monkeypatch.setattr(finetune.Comparison, "right", (nobody, everybody))
    result = run("train", labelled, "--finetune", "--out", tmp_path / "mine.json")
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    assert "fine-tuning is not better: the frozen encoder is kept" in lines
    (compared,) = [line for line in lines if line.startswith("on the same artists")]
    assert "frozen 100.0 % [" in compared
    assert "fine-tuned 0.0 % [" in compared
    assert [path.name for path in tmp_path.iterdir()] == ["mine.json"]
    load_personal(tmp_path / "mine.json", fingerprinter.encoder.sha256)


def test_stopped_midway_it_leaves_all_as_it_was(
    labelled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide(monkeypatch, kept=True)
    place = tmp_path / "mine.json"
    assert run("train", labelled, "--finetune", "--out", place).exit_code == 0
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("songprint.learn.export.parity", stop)
    monkeypatch.setattr("songprint.learn.restore.parity", lambda *_: 0.0)
    assert run("train", labelled, "--finetune", "--out", place).exit_code == 130
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_an_encoder_is_not_looked_for_elsewhere(
    labelled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide(monkeypatch, kept=True)
    place = tmp_path / "mine.json"
    assert run("train", labelled, "--finetune", "--out", place).exit_code == 0
    named = json.loads(place.read_text())["encoder"]
    for other, complaint in ((f"../{named}", "beside it"), ("gone", "cannot be read")):
        place.write_text(place.read_text().replace(json.dumps(named), json.dumps(other)))
        result = run("classify", "--genres", place, labelled / "hum" / "hum a" / "0.flac")
        assert result.exit_code == 1
        assert complaint in result.stderr
        named = other


def test_what_belongs_to_others_is_not_removed(labelled: Path, tmp_path: Path) -> None:
    note = tmp_path / "mine.encoder" / "deep" / "note.txt"
    note.parent.mkdir(parents=True)
    note.write_text("mine")
    assert run("train", labelled, "--out", tmp_path / "mine.json").exit_code == 0
    assert note.read_text() == "mine"


def test_one_genre_needs_others_that_can_be_heard(
    labelled: Path, tmp_path: Path, fingerprinter: Fingerprinter, monkeypatch: pytest.MonkeyPatch
) -> None:
    from songprint.genre import background

    embeddings = np.random.default_rng(0).standard_normal((20, 256)).astype(np.float32)
    artists = np.array([str(i) for i in range(20)])
    file = tmp_path / background.FILE
    write_background(file, embeddings, artists, fingerprinter.encoder.sha256)
    load = partial(background.load_background, folder=tmp_path)
    monkeypatch.setattr(background, "load_background", load)
    shutil.copytree(labelled / "hum", tmp_path / "alone" / "hum")
    result = run("train", f"folder:{tmp_path / 'alone'}", "--finetune", "--out", tmp_path / "x")
    assert result.exit_code == 2
    assert "--against FOLDER" in result.stderr
    assert not (tmp_path / "x").exists()


def test_without_torch_it_is_refused_in_one_line(
    labelled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    result = run("train", labelled, "--finetune")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        "songprint: --finetune needs PyTorch, which is not installed: "
        "pip install 'songprint[train]'\n"
    )
