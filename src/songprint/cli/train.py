"""``songprint train``: genres of one's own, learnt from songs that one has labelled."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from songprint.cli.options import Workers
from songprint.cli.text import complain, first_of
from songprint.errors import UsageError

if TYPE_CHECKING:
    from songprint.cli.labelled import LabelledSongs
    from songprint.datasets.core import Dataset
    from songprint.genre.personal import Examples

EXAMPLES = """\b
Examples:
  songprint train ~/my-genres
  songprint train songs.csv --name moods --out moods.json
  songprint train --from-tags ~/Music
  songprint train ~/my-genres --against ~/Music --json
  songprint train ~/my-genres --finetune

\b
FOLDER holds one folder for each genre, with its songs or with one folder for
each artist in it; the folders of GTZAN and FMA serve as well. TABLE is a CSV
file with the header path,label or path,label,artist,split. Each genre needs
8 songs by 2 artists; a dozen by as many artists is a fair start.
"""

MOST_SET_ASIDE = 10
"""Genres of tags that are named one by one as too rare to be learnt."""


def train(
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="FOLDER|TABLE", help="The songs and their genres.", show_default=False
        ),
    ] = None,
    from_tags: Annotated[
        str | None,
        typer.Option("--from-tags", metavar="FOLDER", help="Songs whose tags name their genres."),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER",
            help='Songs of other kinds, which become the genre "other"; a genre that is learnt '
            "alone needs them. Songs that have a genre may be among them.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Where to store it.  [default: NAME.json beside the library]"
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="What to call it.  [default: as FOLDER or TABLE]"),
    ] = None,
    finetune: Annotated[
        bool,
        typer.Option(
            "--finetune",
            help="Train the whole encoder, not only a head, and keep it if it is better on artists "
            "that it did not learn from. Takes minutes to hours; needs songprint[train].",
        ),
    ] = False,
    workers: Workers = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Learn genres of your own, and measure how well they are told.

    The accuracy is that on artists whose songs were not learnt from. Exits with 1 if some songs
    could not be used, with 2 and one line if there are too few to learn from.
    """
    from songprint.cli.finetuning import finetune_songs, remove_unused, trainable
    from songprint.cli.hearing import usable_cores
    from songprint.cli.labelled import hear_background, hear_dataset
    from songprint.cli.learnt import Learnt, print_json, print_people
    from songprint.cli.places import personal_head_path
    from songprint.fingerprints import default_fingerprinter
    from songprint.genre.personal import learn

    fingerprinter = default_fingerprinter()
    network = trainable(fingerprinter.encoder) if finetune else None
    dataset = _open(source, from_tags)
    name = name or dataset.path.resolve().stem or "genres"
    place = out or personal_head_path(name)
    if place.is_dir():
        raise UsageError(f"{place}: is a folder; --out takes the name of a file")
    heard = hear_dataset(dataset, workers or usable_cores())
    if against is not None:
        hear_background(heard, Path(against), workers or usable_cores())
    sha256 = fingerprinter.encoder.sha256
    examples = _learnable(heard.examples(), sha256, drop=from_tags is not None)
    personal, held_out = learn(examples, name, sha256)
    learnt, finetuned = Learnt.measure(personal, examples, held_out), None
    if network is not None:
        paths, cores = _paths(heard, examples), workers or usable_cores()
        finetuned = finetune_songs(network, learnt, examples, paths, place, cores)
        learnt = finetuned.learnt
    _store(place, learnt.personal.to_json())
    remove_unused(place, learnt.personal.encoder)
    (print_json if as_json else print_people)(learnt, heard, place, finetuned)
    if heard.failed:
        raise typer.Exit(1)


def _open(source: str | None, from_tags: str | None) -> Dataset:
    from songprint.datasets.opening import open_dataset

    if from_tags is not None and source is None:
        return open_dataset(from_tags, kind="tags")
    if source is None or from_tags is not None:
        raise UsageError("name a FOLDER or a TABLE of labelled songs, or use --from-tags FOLDER")
    dataset = open_dataset(source)
    if dataset.note:
        complain(dataset.note)
    return dataset


def _learnable(examples: Examples, encoder_sha256: str, *, drop: bool) -> Examples:
    """Return the examples; from tags without the genres that are too rare to be learnt."""
    import numpy as np

    from songprint.genre.background import load_background
    from songprint.genre.personal import OTHER, Examples, shortcomings

    if drop and (lacks := shortcomings(examples)):
        told = [f"{label}: set aside: {lack}" for label, lack in lacks.items()]
        for line in first_of(told, MOST_SET_ASIDE):
            complain(line)
        examples = examples.select(~np.isin(examples.labels, list(lacks)))
        if not examples.classes:
            raise UsageError("no genre has enough songs, by enough artists, to be learnt")
    if len(examples.classes) > 1 or OTHER in examples.classes:
        return examples
    background = load_background(encoder_sha256)
    if background is None:
        raise UsageError(
            f"{examples.classes[0]}: one genre alone cannot be told from others: add another, or "
            "name a folder of other music with --against FOLDER"
        )
    return Examples(
        np.concatenate([examples.embeddings, background.embeddings]),
        np.concatenate([examples.labels, background.labels]),
        np.concatenate([examples.artists, background.artists]),
    )


def _paths(heard: LabelledSongs, examples: Examples) -> list[str]:
    """Return the files of the examples, which are those songs whose genre is not set aside."""
    songs = [song for song in heard.songs.values() if song.label in examples.classes]
    if len(songs) < len(examples.labels):
        raise UsageError(
            "one genre alone can be fine-tuned only against songs that can be heard: name a folder "
            "of other music with --against FOLDER"
        )
    return [song.path for song in songs]


def _store(place: Path, text: str) -> None:
    """Write a file whole or not at all."""
    part = place.with_name(f"{place.name}.part")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, encoding="utf-8", newline="\n")
        part.replace(place)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise UsageError(f"{place}: cannot be written: {error.strerror or error}") from error
