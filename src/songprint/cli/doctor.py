"""``songprint doctor``: whether everything that songprint needs is here and works."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from songprint.cli.checks import Check

EXAMPLES = """\b
Examples:
  songprint doctor
  songprint doctor --json
"""


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Check that songprint is whole and works here.

    Looks at versions, the machine, decoders, the model and optional parts. Exits with 1 if
    something fails; a warning is no failure.
    """
    from songprint.cli.checks import examine

    checks = list(examine())
    healthy = all(check.status != "failure" for check in checks)
    if as_json:
        document = {"healthy": healthy, "checks": [asdict(check) for check in checks]}
        typer.echo(json.dumps(document, indent=1))
    else:
        _print_table(checks)
    if not healthy:
        raise typer.Exit(1)


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
