"""``songprint station``: songs grown from seeds that stay true to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from songprint.cli.options import LibraryOption
from songprint.cli.text import complain
from songprint.cli.wishes import (
    BeatWeight,
    GenreWeight,
    IntensityWeight,
    M3u,
    RhythmWeight,
    TimbreWeight,
    weights_of,
)
from songprint.errors import UsageError

if TYPE_CHECKING:
    from songprint.cli.asked import Shelf
    from songprint.kinship.station import Station, Wishes
    from songprint.library.catalogue import Catalogue

EXAMPLES = """\b
Examples:
  songprint station song.mp3 --m3u evening.m3u8
  songprint station one.mp3 two.mp3 --length 50 --same-genre
  songprint station "so what" --era 60s --unpopular 1 --seed 7
  songprint station one.mp3 two.mp3 --save evening
  songprint station evening --skip three.mp3
  songprint station evening --never four.mp3 --m3u evening.m3u8

\b
A SEED is a file, in the library or not, or words that mean one of its songs; a
station that was saved is named instead. A station keeps to the genres of its
seeds, as the audio tells them, and says so where it has to go beyond;
--same-genre, and --era, stop it there. --like, --dislike, --skip and --never are
remembered for a saved station; what is never to be played, for all of them.
"""

_VERDICTS = ("like", "dislike", "skip", "never")


def station(
    seeds: Annotated[
        list[str],
        typer.Argument(
            metavar="SEED", help="Songs, or the name of a saved station.", show_default=False
        ),
    ],
    length: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="How many songs.  [default: 25]")
    ] = None,
    beat: BeatWeight = None,
    intensity: IntensityWeight = None,
    rhythm: RhythmWeight = None,
    timbre: TimbreWeight = None,
    genre: GenreWeight = None,
    same_genre: Annotated[
        bool, typer.Option("--same-genre", help="Stop where no more songs are of the genre.")
    ] = False,
    any_genre: Annotated[
        bool, typer.Option("--any-genre", help="Let songs of all genres pass.")
    ] = False,
    era: Annotated[
        str | None,
        typer.Option(metavar="DECADE", help='Only songs that sound of a decade, such as "90s".'),
    ] = None,
    widen: Annotated[
        bool, typer.Option("--widen", help="Go on beyond --same-genre and --era, and say so.")
    ] = False,
    unpopular: Annotated[
        float | None,
        typer.Option(
            min=0, max=1, metavar="0..1", help="How much what is seldom played comes first."
        ),
    ] = None,
    plays: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Play counts, which the library remembers: a CSV, or an export of ListenBrainz"
            " or Last.fm.",
        ),
    ] = None,
    artist_cap: Annotated[
        int | None,
        typer.Option(
            min=0, metavar="N", help="The most songs of one artist; 0 for no cap.  [default: 2]"
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(metavar="N", help="Let chance in: another number, another station."),
    ] = None,
    like: Annotated[
        list[str] | None, typer.Option(metavar="SONG", help="More like this song.")
    ] = None,
    dislike: Annotated[
        list[str] | None, typer.Option(metavar="SONG", help="Nothing like this song.")
    ] = None,
    skip: Annotated[list[str] | None, typer.Option(metavar="SONG", help="Not this song.")] = None,
    never: Annotated[
        list[str] | None, typer.Option(metavar="SONG", help="Not this song, on any station.")
    ] = None,
    save: Annotated[
        str | None, typer.Option(metavar="NAME", help="Save the station under a name.")
    ] = None,
    m3u: M3u = None,
    with_seeds: Annotated[bool, typer.Option("--with-seeds", help="Play the seeds first.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    library: LibraryOption = None,
) -> None:
    """Grow a station from songs, of kin that stay true to them."""
    from songprint.cli.asked import Shelf
    from songprint.cli.m3u import write_playlist
    from songprint.kinship.distance import Weights
    from songprint.kinship.station import grow

    writer = write_playlist(m3u)
    weights = weights_of(beat, intensity, rhythm, timbre, genre)
    shelf = Shelf(library)
    asked = _asked(shelf, seeds)
    given: dict[str, Any] = {
        "length": length,
        "same_genre": same_genre or None,
        "any_genre": any_genre or None,
        "era": era,
        "widen": widen or None,
        "unpopular": unpopular,
        "artist_cap": artist_cap,
        "chance": seed,
        "weights": None if weights == Weights() else weights,
    }
    given = {name: value for name, value in given.items() if value is not None}
    wishes = replace(asked.wishes, **given)
    said = dict(zip(_VERDICTS, (like or [], dislike or [], skip or [], never or []), strict=True))
    wishes = _with_feedback(shelf, asked.name or save, said, wishes)
    if save is not None:
        _save(shelf, save, asked, wishes)
    if plays is not None:
        _remember_plays(shelf, plays)
    grown = grow(shelf.kinship, asked.seeds, wishes)
    first = [row for row in asked.rows if row is not None] if with_seeds else []
    rows = [*first, *(song.row for song in grown.songs)]
    writer(shelf.catalogue, rows, asked.name or save)
    _tell(shelf, asked, wishes, grown, save, m3u, as_json)


@dataclass(frozen=True, eq=False)
class _Asked:
    """What a station is grown from: its seeds, and what was wished when it was saved."""

    name: str | None
    seeds: Catalogue
    rows: list[int | None]
    wishes: Wishes


def _asked(shelf: Shelf, seeds: Sequence[str]) -> _Asked:
    from songprint.kinship.station import Wishes

    saved = shelf.library.station(seeds[0]) if len(seeds) == 1 else None
    if saved is None:
        try:
            named, catalogue = shelf.find_all(seeds)
        except UsageError as error:
            names = ", ".join(shelf.library.station_names())
            raise UsageError(f"{error}; saved stations: {names or 'none'}") from error
        return _Asked(None, catalogue, [one.row for one in named], Wishes())
    rows = [shelf.rows[content] for content in saved["seeds"] if content in shelf.rows]
    if not rows:
        raise UsageError(f"{seeds[0]}: none of the station's seeds is in the library any more")
    return _Asked(seeds[0], shelf.catalogue.take(rows), list(rows), _wishes_of(saved["wishes"]))


def _wishes_of(saved: Mapping[str, Any]) -> Wishes:
    from songprint.kinship.distance import Weights
    from songprint.kinship.station import Wishes

    known = {field.name for field in fields(Wishes)}
    wishes = {name: value for name, value in saved.items() if name in known}
    return Wishes(**{**wishes, "weights": Weights(**saved.get("weights", {}))})


def _save(shelf: Shelf, name: str, asked: _Asked, wishes: Wishes) -> None:
    if any(row is None for row in asked.rows):
        raise UsageError("--save: a seed is not in the library; songprint add puts it there")
    kept = asdict(wishes)
    for verdict in ("likes", "dislikes", "skips", "never"):
        del kept[verdict]  # these are the library's to remember, by song
    seeds = [str(content) for content in asked.seeds.hashes]
    shelf.library.save_station(name, {"seeds": seeds, "wishes": kept})
    complain(f'saved as "{name}"')


def _with_feedback(
    shelf: Shelf, name: str | None, said: Mapping[str, Sequence[str]], wishes: Wishes
) -> Wishes:
    """Remember what is said of songs, and add what was said before."""
    verdicts: dict[str, str] = {}
    for verdict, names in said.items():
        for row in shelf.find_own(names):
            content = str(shelf.catalogue.hashes[row])
            if name is not None or verdict == "never":
                shelf.library.add_feedback(name or "", content, verdict)  # type: ignore[arg-type]
            verdicts[content] = verdict
    # Of a station without a name only "never" is remembered, which holds for all.
    before = shelf.library.feedback(name or "")
    rows: dict[str, list[int]] = {verdict: [] for verdict in _VERDICTS}
    for content, verdict in {**before, **verdicts}.items():
        if content in shelf.rows:
            rows[verdict].append(shelf.rows[content])
    return replace(
        wishes,
        likes=tuple(rows["like"]),
        dislikes=tuple(rows["dislike"]),
        skips=tuple(rows["skip"]),
        never=tuple(rows["never"]),
    )


def _remember_plays(shelf: Shelf, file: Path) -> None:
    from songprint.cli.plays import plays_of, read_plays

    played = read_plays(file)
    found = plays_of(shelf.catalogue, played)
    complain(f"{file}: play counts of {len(found)} songs of the library")
    if not found:
        raise UsageError(f"{file}: names no song of the library")
    shelf.library.set_plays(found)
    shelf.set_plays(found)


def _tell(
    shelf: Shelf,
    asked: _Asked,
    wishes: Wishes,
    grown: Station,
    save: str | None,
    m3u: Path | None,
    as_json: bool,
) -> None:
    from songprint.cli.asked import joined
    from songprint.cli.listing import (
        neighbour_document,
        percent,
        print_document,
        print_songs,
        song_document,
    )
    from songprint.kinship.explain import say_why

    catalogue = shelf.catalogue
    for remark in grown.remarks:
        complain(remark)
    if not as_json:
        print_songs(
            catalogue,
            (
                (song.row, percent(song.kinship), _beyond(grown.widened.get(song.row, [])))
                for song in grown.songs
            ),
        )
        return
    wanted = joined([asked.seeds, catalogue.take(wishes.likes)])
    results = []
    for song in grown.songs:
        kin = wanted.take([grown.kin_of[song.row]])
        why = say_why(kin, catalogue.take([song.row]))
        document = neighbour_document(catalogue, song, why)
        results.append({**document, "beyond": grown.widened.get(song.row, [])})
    print_document(
        {
            "station": asked.name or save,
            "seeds": [
                {**song_document(asked.seeds, i), "in_library": row is not None}
                for i, row in enumerate(asked.rows)
            ],
            "guards": grown.guards,
            "results": results,
            "complete": grown.complete,
            "remarks": grown.remarks,
            "m3u": str(m3u) if m3u is not None else None,
        }
    )


def _beyond(guards: Sequence[str]) -> str:
    return f"beyond {', '.join(guards)}" if guards else ""
