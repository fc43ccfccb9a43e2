"""``songprint doctor``: whether all that songprint needs is here, and the library is sound."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from songprint.cli.options import LibraryOption
from songprint.cli.text import count, first_of, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from songprint.cli.checks import Check
    from songprint.library.repair import Repaired

EXAMPLES = """\b
Examples:
  songprint doctor
  songprint doctor --json
  songprint doctor --repair

\b
--repair makes a sound library of a damaged one: what can be put right is, all that can
be read is saved, and what cannot is heard again by the next songprint add. The damaged
library is kept beside it. Stop songprint serve before.
"""

MOST_NAMED = 10
"""Restored files that are named; --json names all."""


def doctor(
    repair: Annotated[
        bool, typer.Option("--repair", help="Save all that can be read of a damaged library.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    library: LibraryOption = None,
) -> None:
    """Check that songprint is whole and works here.

    Looks at versions, the machine, decoders, the model, every byte of the library, and optional
    parts. Exits with 1 if something fails, or if --repair could not save everything; a warning is
    no failure.
    """
    from songprint.library.places import library_path

    place = library or library_path()
    if repair:
        _repair(place, as_json)
        return
    from songprint.cli.checks import examine

    checks = list(examine(place))
    healthy = all(check.status != "failure" for check in checks)
    if as_json:
        document = {"healthy": healthy, "checks": [asdict(check) for check in checks]}
        typer.echo(json.dumps(document, indent=1))
    else:
        _print_table(checks)
    if not healthy:
        raise typer.Exit(1)


def _repair(place: Path, as_json: bool) -> None:
    from songprint.library.repair import repair

    done = repair(place)
    if as_json:
        from songprint.cli.listing import print_document

        print_document(repair_document(done))
    else:
        _tell(done)
    if not done.is_whole:
        raise typer.Exit(1)


def repair_document(done: Repaired) -> dict[str, object]:
    """Return the JSON document of what a repair did; ``schemas/repair.json`` describes it."""
    return {
        "library": str(done.library),
        "aside": None if done.aside is None else str(done.aside),
        "restored": done.restored,
        "lost": done.lost,
        "set_back": done.set_back,
        "emptied": done.emptied,
        "songs": done.songs,
        "to_hear": done.to_hear,
    }


def _tell(done: Repaired) -> None:
    if done.aside is None:
        typer.echo("nothing has to be repaired")
    if done.restored:
        typer.echo(f"{count(len(done.restored), 'file')} restored to the byte:")
        for file in first_of([str(f) for f in done.restored], MOST_NAMED, "--json"):
            typer.echo(f"  {file}")
    for table, rows in done.lost.items():
        typer.echo(f"{count(rows, 'row')} of {table} lost")
    for table, commits in done.set_back.items():
        typer.echo(f"{table} set back by {count(commits, 'commit')}, which cannot be read")
    for table in done.emptied:
        typer.echo(f"{table} lost: nothing of it can be read")
    if done.to_hear:
        typer.echo(f"{count(done.to_hear, 'song')} to be heard again: songprint add")
    if "folders" in done.emptied or "files" in done.emptied:
        typer.echo("songprint add must be told all your folders again")
    if done.aside is not None:
        typer.echo(f"the library as it was: {printable(str(done.aside))}")
    typer.echo(f"{count(done.songs, 'song')} in {printable(str(done.library))}")


def _print_table(checks: Sequence[Check]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from songprint.cli.render import speaks_unicode

    console = Console(highlight=False)
    marks = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "failure": ("✗", "bold red")}
    if not speaks_unicode(console):
        marks |= {"ok": ("ok", "green"), "failure": ("FAILS", "bold red")}
    table = Table(box=None, show_header=False, pad_edge=False)
    for _ in range(3):
        table.add_column(overflow="fold")
    group = None
    for check in _compact(checks):
        if check.group != group:
            if group is not None:
                table.add_row()
            table.add_row("", Text(check.group, style="bold"))
            group = check.group
        found = Text(check.value)
        if check.advice:
            found.append(f"\n{check.advice}", style="dim" if check.status == "ok" else "yellow")
        table.add_row(Text(*marks[check.status]), Text(check.name), found)
    console.print(table)


def _compact(checks: Sequence[Check]) -> list[Check]:
    """Tell what is well with the decoders in one line, and keep each group together."""
    from songprint.cli.checks import Check

    present = [check.name for check in checks if check.group == "decoders" and check.status == "ok"]
    kept = [check for check in checks if check.group != "decoders" or check.status != "ok"]
    if present:
        kept.append(Check("decoders", "present", "ok", ", ".join(present)))
    order = list(dict.fromkeys(check.group for check in checks))
    return sorted(kept, key=lambda check: order.index(check.group))
