"""The developers' music as a catalogue: 237 labelled songs of Emotify and 792 open ones.

What ``stations.py`` and ``search.py`` measure on. Hearing the songs takes minutes, so the catalogue
is kept under ``runs/kinship/``, a file for each model version.

Run: python benchmarks/shared_songs.py
It hears the songs and writes the reference that kinship measures in, which is due whenever the
encoder, the genre head or a feature of kinship changes.
"""

from __future__ import annotations

import csv
import dataclasses
import json
import pickle
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from songprint.audio.decode import decode
from songprint.audio.mel import log_mel
from songprint.encoder.windows import cut_windows
from songprint.errors import DecodeError
from songprint.evaluate.representations import TEACHERS as TEACHER_NETWORKS
from songprint.evaluate.representations import has_teachers
from songprint.fingerprints import default_fingerprinter
from songprint.kinship.reference import FILE, fit_reference
from songprint.library.catalogue import Catalogue, catalogue_of

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared" / "data"
CACHE = ROOT / "runs" / "kinship"
TEACHERS = ROOT / "runs" / "teachers"
HELD_OUT = ROOT / "src" / "songprint" / "learn" / "held_out.txt"


@dataclass(frozen=True, eq=False)
class SharedSongs:
    """The songs, row by row: what was heard, and what people said of them.

    Attributes
    ----------
    catalogue : Catalogue
        n songs, those of Emotify first; their paths are ``source/id``.
    genres : ndarray of str [shape=(n,)]
        Emotify's label; empty for the open songs.
    held_out : ndarray of bool [shape=(n,)]
        By an artist whom the encoder never heard.
    """

    catalogue: Catalogue
    genres: NDArray[np.str_]
    held_out: NDArray[np.bool_]

    @property
    def labelled(self) -> NDArray[np.intp]:
        """Rows of Emotify."""
        return np.flatnonzero(self.genres != "")

    def take(self, rows: NDArray[np.intp]) -> SharedSongs:
        """Return some of the songs."""
        return SharedSongs(self.catalogue.take(rows), self.genres[rows], self.held_out[rows])


def shared_songs(data: Path = DATA, cache: Path = CACHE) -> SharedSongs:
    """Return the songs, from the cache if this model heard them before."""
    version = default_fingerprinter().model_version
    kept = cache / f"catalogue-{version}.pickle"
    if kept.exists():
        with kept.open("rb") as file:
            return SharedSongs(*pickle.load(file))
    songs = _hear(data)
    cache.mkdir(parents=True, exist_ok=True)
    with kept.open("wb") as file:
        pickle.dump((songs.catalogue, songs.genres, songs.held_out), file)
    return songs


def _hear(data: Path) -> SharedSongs:
    rows = []
    for source, album in (("emotify", "album"), ("open", "album_or_source")):
        with (data / f"{source}.csv").open(encoding="utf-8", newline="") as file:
            rows += [
                (source, row["id"], row["artist"], row["title"], row[album], row["genre"])
                for row in csv.DictReader(file)
            ]
    fingerprinter = default_fingerprinter()

    def hear(row: tuple[str, ...]) -> object:
        try:
            return fingerprinter.fingerprint(data / row[0] / f"{row[1]}.opus")
        except DecodeError as error:
            print(error)
            return None

    with ThreadPoolExecutor(2) as pool:
        heard = list(pool.map(hear, rows))
    good = [(row, song) for row, song in zip(rows, heard, strict=True) if song is not None]
    rows = [row for row, _ in good]
    _, _, artists, titles, albums, _ = zip(*rows, strict=True)
    catalogue = catalogue_of(
        [song for _, song in good],
        paths=[f"{row[0]}/{row[1]}" for row in rows],
        titles=titles,
        artists=[artist or None for artist in artists],
        albums=albums,
    )
    strangers = set(HELD_OUT.read_text(encoding="utf-8").splitlines())
    return SharedSongs(
        catalogue=catalogue,
        genres=np.array([row[5] if row[0] == "emotify" else "" for row in rows]),
        held_out=np.array([artist in strangers for artist in artists]),
    )


def teacher_embeddings(songs: SharedSongs, data: Path = DATA) -> NDArray[np.float32] | None:
    """Return what both MusiCNN networks make of songs [shape=(n, 400)], kept once computed.

    None without their weights in ``runs/teachers`` (CONTRIBUTING.md says how to get them).
    """
    kept = CACHE / "teacher.npz"
    known: dict[str, NDArray[np.float32]] = dict(np.load(kept)) if kept.exists() else {}
    missing = [path for path in songs.catalogue.paths if path not in known]
    if missing and not has_teachers(TEACHERS):
        return None
    if missing:
        known |= _teach(missing, data)
        np.savez(kept, **known)
    return np.stack([known[path] for path in songs.catalogue.paths])


def _teach(paths: list[str], data: Path) -> dict[str, NDArray[np.float32]]:
    import torch

    from songprint.learn.teacher import MusiCNN

    networks = [MusiCNN(TEACHERS / f"{name}.npz", torch.bfloat16) for name in TEACHER_NETWORKS]
    found = {}
    with torch.inference_mode():
        for path in paths:
            frames = log_mel(decode(data / f"{path}.opus"))
            windows = torch.from_numpy(np.concatenate([*cut_windows([frames])]))
            batches = torch.split(windows, 8)
            heard = [torch.cat([network(b)[0] for b in batches]).mean(0) for network in networks]
            found[path] = torch.cat(heard).numpy()
    return found


def main() -> None:
    songs = shared_songs()
    reference = fit_reference(songs.catalogue, default_fingerprinter().model_version)
    place = ROOT / "src" / "songprint" / "kinship" / FILE
    text = json.dumps(dataclasses.asdict(reference), indent=1)
    # One feature or tag a line.
    text = re.sub(r",\n\s+(?=[-\d])|\[\n\s+(?=[-\d])|(?<=\d)\n\s+(?=\])", _joined, text)
    place.write_text(text + "\n", encoding="utf-8")
    print(f"{len(songs.catalogue)} songs: wrote {place}")


def _joined(found: re.Match[str]) -> str:
    return {",": ", ", "[": "["}.get(found.group()[0], "")


if __name__ == "__main__":
    main()
