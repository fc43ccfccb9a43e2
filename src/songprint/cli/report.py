"""``songprint report``: what is in the library, what is wrong with it, and what can be reached."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from songprint.cli.options import LibraryOption
from songprint.cli.text import count, first_of, lasting, printable, weighing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.console import Console
    from rich.text import Text

    from songprint.identify.recordings import Recordings
    from songprint.kinship.hubs import Reach
    from songprint.library.overview import Overview
    from songprint.library.schema import FileRow
    from songprint.library.store import Library

EXAMPLES = """\b
Examples:
  songprint report
  songprint report --all
  songprint report --json

\b
Reachable are songs that are among the ten nearest of some other song. Hubs are
songs that are among the ten nearest of very many; the skew is 0 where no song is
favoured, and grows with the hubs. Both are told before and after songprint corrects
for hubs, from 150 songs on: of fewer, ten are so many that chance has the say.
Recordings that are there more than once, in other encodings or lengths, are those
that songprint add and duplicates found; --all compares what is new before it tells.
"""

NEIGHBOURS = 10

FEWEST_FOR_HUBS = 150
"""Songs from which on hubs are told to people: six draws of so many from 1,029 were all less skewed
after correction, of a hundred three in six, of fifty one."""

FEWEST_FOR_BYTES = 1_000
"""Songs from which on bytes a song say something: the index of recordings has 8 MB for none."""

MOST_COMPARED = 20_000
"""Songs up to which all are compared with all unasked; it takes a minute for 50,000."""

MOST_NAMED = 5
BAR_COLUMNS = 40


def report(
    everything: Annotated[
        bool, typer.Option("--all", help="Name every file, and compare all songs however many.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    library: LibraryOption = None,
) -> None:
    """Say what is in the library, and what is wrong with it."""
    from songprint.library.overview import overview
    from songprint.library.store import Library

    kept = Library.open(library)
    seen = overview(kept)
    recordings = _recordings(kept, compare=everything)
    hubs = None
    if seen.songs > NEIGHBOURS and (everything or seen.songs <= MOST_COMPARED):
        hubs = _reach(kept)
    if as_json:
        from songprint.cli.listing import print_document

        print_document(report_document(kept, seen, hubs, recordings))
    else:
        from rich.console import Console

        console = Console(highlight=False)
        most_named = None if everything else MOST_NAMED
        for line in _lines(kept, seen, hubs, console, most_named):
            console.print(line, soft_wrap=True)
        for line in _recording_lines(kept, recordings, most_named):
            console.print(line, soft_wrap=True)


def _recordings(library: Library, *, compare: bool) -> Recordings:
    """Return which songs are known to be one recording; look for more if that is wished."""
    from songprint.cli.progress import CountProgress
    from songprint.identify.recordings import Recordings

    if not compare:
        return Recordings.known(library)
    with CountProgress(0, "songs") as progress:
        return Recordings.of(library, on_song=progress.move)


def _reach(library: Library) -> tuple[Reach, Reach]:
    """Measure hubs without and with the correction for them."""
    from songprint.kinship.neighbours import Kinship

    catalogue = library.catalogue()
    before, after = (
        Kinship(catalogue, correct_hubs=corrected).reach(NEIGHBOURS) for corrected in (False, True)
    )
    return before, after


def report_document(
    library: Library,
    seen: Overview,
    hubs: tuple[Reach, Reach] | None,
    recordings: Recordings | None = None,
) -> dict[str, Any]:
    """Return the JSON document; ``schemas/report.json`` describes it.

    It tells of the recordings that are known where none are given.
    """
    if recordings is None:
        recordings = _recordings(library, compare=False)
    compared, _ = _compared(library, recordings)
    unsure = [share for share in seen.genres if share.name is None]
    return {
        "library": library.place,
        "songs": seen.songs,
        "files": seen.files,
        "imported": seen.imported,
        "origins": [{"file": file, "songs": songs} for file, songs in seen.origins.items()],
        "hours": round(seen.hours, 4),
        "model": seen.model,
        "waiting": seen.waiting,
        "bytes": seen.n_bytes,
        "genres": [
            {"name": share.name, "songs": share.songs, "hours": round(share.hours, 4)}
            for share in seen.genres
            if share.name is not None
        ],
        "unsure": sum(share.songs for share in unsure),
        "failed": [{"path": file.path, "error": file.error} for file in seen.failed],
        "missing": [file.path for file in seen.missing],
        "duplicates": [
            {"content_hash": song, "paths": paths} for song, paths in seen.duplicates.items()
        ],
        "recordings": _groups(library, recordings),
        "compared": compared,
        "reachable_share": round(hubs[1].share, 4) if hubs else None,
        "hubs": None
        if hubs is None
        else {
            "neighbours": NEIGHBOURS,
            "before": _reach_document(hubs[0]),
            "after": _reach_document(hubs[1]),
        },
    }


def _reach_document(reach: Reach) -> dict[str, Any]:
    return {
        "reachable_share": round(reach.share, 4),
        "skew": round(reach.skew, 4),
        "unreached": reach.never,
        "most": reach.most,
    }


def _lines(
    library: Library,
    seen: Overview,
    hubs: tuple[Reach, Reach] | None,
    console: Console,
    most_named: int | None,
) -> Iterator[Text | str]:
    from rich.text import Text

    yield Text.assemble(
        (count(seen.songs, "song"), "bold"),
        f", {lasting(3600 * seen.hours)}, {count(seen.files, 'file')} in ",
        (printable(library.place), "bold"),
    )
    size = f"{weighing(seen.n_bytes)} on the disk"
    if seen.songs >= FEWEST_FOR_BYTES:
        size += f", {seen.n_bytes / seen.songs / 1000:,.1f} kB a song"
    yield Text(f"model {seen.model or 'none yet'}, {size}")
    for origin, songs in seen.origins.items():
        yield Text(f"{count(songs, 'song')} came without audio in {printable(origin)}")
    if seen.waiting:
        yield Text(
            f"only another model has heard {count(seen.waiting, 'song')}, left out here;"
            " songprint add renews those whose files are there",
            style="yellow",
        )
    yield from _genre_lines(seen, console)
    if hubs is not None and seen.songs >= FEWEST_FOR_HUBS:
        yield ""
        yield from _hub_lines(*hubs)
    yield from _file_lines("failed", seen.failed, most_named)
    yield from _file_lines("gone; songprint add --prune forgets them", seen.missing, most_named)
    yield from _duplicate_lines(seen, most_named)


def _genre_lines(seen: Overview, console: Console) -> Iterator[Text | str]:
    from rich.text import Text

    from songprint.cli.render import draw_bar, speaks_unicode
    from songprint.cli.timeline import genre_style

    if seen.genres:
        yield ""
    most = max((share.songs for share in seen.genres), default=1)
    width = max((len(share.name or "unsure") for share in seen.genres), default=0)
    columns = max(4, min(BAR_COLUMNS, console.width - width - 24))
    for share in seen.genres:
        bar = draw_bar(share.songs / most, columns, speaks_unicode(console))
        yield Text.assemble(
            f"  {share.name or 'unsure':<{width}}  ",
            (f"{bar:<{columns}}", genre_style(share.name or "")),
            f" {share.songs:>7,} {lasting(3600 * share.hours):>10}",
        )


def _hub_lines(before: Reach, after: Reach) -> Iterator[Text]:
    from rich.text import Text

    for when, reach in (("before", before), ("after", after)):
        yield Text(
            f"{when + ' correction':<17} {100 * reach.share:5.1f}% reachable, {reach.never:,} not;"
            f" hub skew {reach.skew:.2f}, the greatest hub is near {reach.most:,} songs"
        )
    yield Text("a hub is near to many songs; the skew is 0 where none is favoured", style="dim")


def _file_lines(what: str, files: list[FileRow], most: int | None) -> Iterator[Text | str]:
    from rich.text import Text

    if not files:
        return
    yield ""
    yield Text(f"{count(len(files), 'file')} {what}", style="bold")
    named = (printable(file.path) + (f": {file.error}" if file.error else "") for file in files)
    yield from _named(named, most)


def _duplicate_lines(seen: Overview, most: int | None) -> Iterator[Text | str]:
    from rich.text import Text

    if not seen.duplicates:
        return
    yield ""
    yield Text(f"{count(len(seen.duplicates), 'song')} in several files", style="bold")
    yield from _named(map(_same, seen.duplicates.values()), most)


def _compared(library: Library, recordings: Recordings) -> tuple[int, int]:
    """Count the songs that were compared with all others, and those with audio that were not."""
    import pyarrow as pa
    import pyarrow.compute as pc

    songs = library.read("songs", "content_hash", "imported").group_by("content_hash")
    songs = songs.aggregate([("imported", "min")])
    known = pa.array(recordings.compared, pa.string())
    compared = pc.is_in(songs["content_hash"], value_set=known)
    left = pc.and_not(pc.invert(compared), songs["imported_min"])
    return pc.sum(compared).as_py() or 0, pc.sum(left).as_py() or 0


def _groups(library: Library, recordings: Recordings) -> list[list[dict[str, str | None]]]:
    """Return the songs that are there as one recording, the largest groups first."""
    from songprint.library.schema import read_path

    groups = recordings.groups()
    columns = ("content_hash", "path", "title")
    read = library.read_songs({song for group in groups for song in group}, *columns)
    rows = {row["content_hash"]: row for row in read.to_pylist()}
    for row in rows.values():
        row["path"] = row["path"] and read_path(row["path"])
    found = [[rows[song] for song in group if song in rows] for group in groups]
    return [group for group in found if len(group) > 1]


def _excerpts(library: Library, recordings: Recordings) -> int:
    """Count the songs that are excerpts of another and too short for the groups."""
    from songprint.identify.recordings import WHOLE_ENOUGH

    short = [p for p in recordings.pairs if p.kind == "excerpt" and p.covered < WHOLE_ENOUGH]
    named = {song for pair in short for song in (pair.first, pair.second)}
    there = set(library.read_songs(named, "content_hash")["content_hash"].to_pylist())
    return len({pair.first for pair in short if {pair.first, pair.second} <= there})


def _recording_lines(
    library: Library, recordings: Recordings, most: int | None
) -> Iterator[Text | str]:
    from rich.text import Text

    compared, left = _compared(library, recordings)
    if not compared + left:
        return
    yield ""
    groups = _groups(library, recordings)
    if groups:
        yield Text(
            f"{count(len(groups), 'recording')} in several encodings, masters or lengths;"
            " songprint duplicates tells them apart",
            style="bold",
        )
    excerpts = _excerpts(library, recordings)
    if compared and not groups and not excerpts:
        yield "no recording is there in several encodings, masters or lengths"
    names = ([song["path"] or song["content_hash"] or "" for song in group] for group in groups)
    yield from _named(map(_same, names), most)
    if excerpts:
        yield f"{count(excerpts, 'excerpt')} of less than half a song: songprint duplicates tells"
    if left:
        were = "was" if left == 1 else "were"
        yield f"{count(left, 'song')} {were} not compared yet: songprint duplicates does that"


def _same(names: Iterable[str]) -> str:
    """Name what is one song, or one recording, a line each."""
    return "\n  and ".join(printable(name) for name in names)


def _named(names: Iterable[str], most: int | None) -> Iterator[Text]:
    from rich.text import Text

    for name in first_of(list(names), most, "songprint report --all"):
        yield Text(f"  {name}")
