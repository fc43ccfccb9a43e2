"""``songprint evaluate``: what it prints and how it ends."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import typer
from typer.testing import CliRunner

from songprint.cli import evaluate as command
from songprint.cli.app import _Group
from songprint.errors import DecodeError
from support.drawing import document
from support.evaluating import small_card, song

app = typer.Typer(cls=_Group)
app.command(epilog=command.EXAMPLES)(command.evaluate)


@app.callback()
def main() -> None:
    """A group, as the real command line is."""


def evaluate(*words):
    return CliRunner().invoke(app, ["evaluate", *map(str, words)], env={"COLUMNS": "140"})


@pytest.fixture
def table(tmp_path) -> Path:
    rows = ["path,label,artist"]
    for i in range(24):
        soundfile.write(tmp_path / f"{i}.wav", np.zeros(1600), 16_000)
        rows.append(f"{i}.wav,{('jazz', 'rock')[i % 2]},artist {i // 4}-{i % 2}")
    file = tmp_path / "songs.csv"
    file.write_text("\n".join(rows) + "\n")
    return file


@pytest.fixture
def _model(monkeypatch):
    def fingerprint(path, **_):
        number = Path(path).stem
        if not number.isdigit():
            raise DecodeError(path, "is no song")
        heard = song(int(number)).fingerprint
        return replace(heard, doubt="no genre") if Path(path).parent.name == "unsure" else heard

    pretender = SimpleNamespace(fingerprint=fingerprint)
    # Another process would have the real one.
    monkeypatch.setattr("songprint.cli.hearing.MANY_SONGS", sys.maxsize)
    monkeypatch.setattr("songprint.fingerprints.default_fingerprinter", lambda: pretender)


@pytest.mark.usefixtures("_model")
def test_it_prints_a_report_for_people(table):
    result = evaluate(f"table:{table}")
    assert result.exit_code == 0, result.output
    for words in ("24 songs", "genre head, as shipped", "probe of the embedding", "Leak check"):
        assert words in result.stdout
    assert "100.0" in result.stdout


@pytest.mark.usefixtures("_model")
def test_it_prints_one_json_document(table):
    told = document("evaluate", evaluate(f"table:{table}", "--json").stdout)
    assert list(told) == [
        "dataset", "model", "songs", "genres", "artists_known", "split", "head", "probe",
        "neighbours", "leaks", "notes", "failed",
    ]  # fmt: skip
    assert told["head"]["accuracy"]["value"] == 1
    assert told["failed"] == []


@pytest.mark.usefixtures("_model")
def test_songs_that_are_all_unsure_are_a_document(table):
    unsure = table.parent / "unsure"
    unsure.mkdir()
    for file in [*table.parent.glob("*.wav"), table]:
        file.rename(unsure / file.name)
    told = document("evaluate", evaluate(f"table:{unsure / table.name}", "--json").stdout)
    assert told["head"]["sure"]["coverage"]["successes"] == 0
    assert told["head"]["sure"]["accuracy"] is None


@pytest.mark.usefixtures("_model")
def test_it_writes_a_page(table, tmp_path):
    out = tmp_path / "page.md"
    result = evaluate(f"table:{table}", "--out", out)
    assert out.read_text("utf-8").startswith("# Accuracy on ")
    assert f"wrote {out}" in result.stderr


@pytest.mark.usefixtures("_model")
def test_a_song_that_cannot_be_heard_is_named_and_the_rest_is_measured(table):
    bad = table.parent / "bad.wav"
    bad.write_bytes(b"no song")
    with table.open("a") as file:
        file.write("bad.wav,jazz,somebody\n")
    result = evaluate(f"table:{table}", "--json")
    assert result.exit_code == 1
    assert f"{bad}: is no song" in result.stderr
    told = document("evaluate", result.stdout)
    assert [failure["error"] for failure in told["failed"]] == ["is no song"]
    assert told["songs"] == 24


@pytest.mark.usefixtures("_model")
def test_no_song_at_all_is_one_line_and_exit_code_1(tmp_path):
    (tmp_path / "bad.wav").write_bytes(b"no song")
    (tmp_path / "songs.csv").write_text("path,label\nbad.wav,jazz\n")
    result = evaluate(f"table:{tmp_path / 'songs.csv'}")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith("songprint: no song could be heard")
    assert result.stdout == ""


@pytest.mark.parametrize("spec", ["no/such/place", "gtzan:no/such/place"])
def test_a_data_set_that_is_not_there_is_bad_usage(spec):
    result = evaluate(spec)
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1


def test_a_corpus_that_is_not_there_is_bad_usage(tmp_path):
    pytest.importorskip("torch")
    result = evaluate("developers", "--corpus", tmp_path, "--out", tmp_path / "card.md")
    assert result.exit_code == 2
    assert "no training corpus here" in result.stderr
    assert not (tmp_path / "card.md").exists()


def test_teachers_that_are_not_there_are_bad_usage(tmp_path):
    pytest.importorskip("torch")
    result = evaluate("developers", "--teachers", tmp_path)
    assert result.exit_code == 2
    assert "weights are not here" in result.stderr


def test_the_developers_card_is_written_and_told(tmp_path, monkeypatch):
    pytest.importorskip("torch")
    asked = {}

    def run(options, **facts):
        asked.update(facts, corpus=options.corpus)
        return small_card()

    monkeypatch.setattr("songprint.evaluate.developers.run", run)
    out = tmp_path / "docs" / "accuracy.md"
    result = evaluate("developers", "--corpus", "some where", "--out", out)
    assert result.exit_code == 0, result.output
    assert asked["command"] == "songprint evaluate developers --corpus 'some where'"
    assert len(asked["date"]) == 10
    assert out.exists()
    assert "GTZAN valid: 109 songs" in result.stdout
    card = json.loads(evaluate("developers", "--json", "--out", out).stdout)
    assert card["retrieval"][0]["songs"] == 237
