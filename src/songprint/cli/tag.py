"""``songprint tag``: what was heard into the tags of files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from songprint.cli.options import LibraryOption
from songprint.cli.text import complain, count, printable
from songprint.errors import UsageError

if TYPE_CHECKING:
    from songprint.library.store import Library
    from songprint.library.tagging import TagChange, Tagged

EXAMPLES = """\b
Examples:
  songprint tag --genre --bpm --key                  # says what would be written
  songprint tag --genre --bpm --key --write          # writes it
  songprint tag --bpm --write --replace ~/Music/sets
  songprint tag --undo --write                       # takes the last writing back
  songprint tag --genre --json > changes.json

\b
Files of the library whose field is empty are written; the others only with --replace.
A file is replaced by a tagged copy that was seen to hold the same sound, bit by bit.
Needs mutagen, which is under the GPL: pip install 'songprint[tag]'.
"""


def tag(
    places: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PATH",
            help="Only files in these folders, and these files.  [default: the whole library]",
            show_default=False,
        ),
    ] = None,
    genre: Annotated[bool, typer.Option("--genre", help="The genre.")] = False,
    bpm: Annotated[bool, typer.Option("--bpm", help="The tempo in beats a minute.")] = False,
    key: Annotated[bool, typer.Option("--key", help="The key, such as F#m.")] = False,
    mood: Annotated[
        bool, typer.Option("--mood", help="The mood: an opinion that was never measured.")
    ] = False,
    write: Annotated[
        bool, typer.Option("--write", help="Write; without it nothing is changed.")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Also where a field says something else.")
    ] = False,
    unsure: Annotated[bool, typer.Option("--unsure", help="Also what is not sure.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Take back the last writing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    library: LibraryOption = None,
) -> None:
    """Write genre, tempo, key and mood into the tags of files."""
    from songprint.cli.progress import SongProgress
    from songprint.library.store import Library
    from songprint.library.tagfields import FIELDS
    from songprint.library.tagging import TagWishes, tag_files, untag_files

    asked = dict(zip(FIELDS, (genre, bpm, key, mood), strict=True))
    fields = tuple(name for name, wanted in asked.items() if wanted)
    if undo and (fields or replace or unsure or places):
        raise UsageError("--undo takes back all of the last writing: it goes with --write alone")
    if not undo and not fields:
        raise UsageError("name what to write: --genre, --bpm, --key, --mood")
    wishes = None if undo else TagWishes(fields, unsure=unsure, replace=replace)
    kept = Library.open(library)
    with SongProgress() as progress:
        if wishes is None:
            tagged = untag_files(kept, write=write, on_file=progress.show)
        else:
            tagged = tag_files(kept, wishes, places or (), write=write, on_file=progress.show)
    for found in tagged.failed:
        complain(f"{printable(found.path)}: {found.problem}")
    if as_json:
        _print_document(kept, tagged)
    else:
        _tell(tagged, undo=undo)
    if tagged.failed:
        raise typer.Exit(1)


def _print_document(library: Library, tagged: Tagged) -> None:
    from songprint.cli.listing import print_document

    print_document(
        {
            "library": str(library.path),
            "written": tagged.written,
            "changes": [
                {
                    "path": change.path,
                    "fields": {
                        name: {"before": change.before[name], "after": change.after[name]}
                        for name in change.after
                    },
                }
                for change in tagged.changes
            ],
            "same": tagged.same,
            "kept": tagged.kept,
            "unsure": tagged.unsure,
            "failed": [{"path": found.path, "error": found.problem} for found in tagged.failed],
        }
    )


def _tell(tagged: Tagged, *, undo: bool) -> None:
    for change in tagged.changes:
        typer.echo(f"{printable(change.path)}: {', '.join(map(printable, _fields(change)))}")
    for n, what in (
        (tagged.same, "as it should be already"),
        (tagged.kept, "says something else, left" + " (--replace)" * (not undo)),
        (tagged.unsure, "not sure, left out (--unsure)"),
    ):
        if n:
            typer.echo(f"{what}: {count(n, 'file')}")
    files = count(len(tagged.changes), "file")
    if not tagged.changes:
        typer.echo("nothing to write")
    elif not tagged.written:
        typer.echo(f"{files} would be written: --write does it")
    elif undo:
        typer.echo(f"{files} written as before")
    else:
        typer.echo(f"{files} written; songprint tag --undo --write takes it back")


def _fields(change: TagChange) -> list[str]:
    told = []
    for name, texts in change.after.items():
        before, after = ", ".join(change.before[name]), ", ".join(texts)
        told.append(f"{name} {before} -> {after or 'none'}" if before else f"{name} {after}")
    return told
