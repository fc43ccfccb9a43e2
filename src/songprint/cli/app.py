"""The ``songprint`` command: its sub-commands, and what becomes of their errors."""

from __future__ import annotations

import errno
import os
import sys
import threading
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from songprint import __version__
from songprint.cli import (
    add,
    classify,
    cluster,
    doctor,
    duplicates,
    evaluate,
    export,
    find,
    gallery,
    identify,
    import_,
    mix,
    path,
    plot,
    report,
    serve,
    similar,
    station,
    tag,
    train,
)
from songprint.cli.ctrl_c import INTERRUPTED, quit_when_interrupted, raise_when_interrupted
from songprint.cli.text import complain
from songprint.errors import SongprintError, UsageError
from songprint.threads import prefer_one_thread

OK, SOME_FAILED, BAD_USAGE = 0, 1, 2
"""Exit codes."""


class _Group(TyperGroup):
    """Turns errors that are nobody's bug into one line and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            raise_when_interrupted()
            return super().invoke(ctx)
        except SongprintError as error:
            complain(str(error))
            raise typer.Exit(BAD_USAGE if isinstance(error, UsageError) else SOME_FAILED) from error
        except KeyboardInterrupt as interrupt:
            raise typer.Exit(INTERRUPTED) from interrupt
        except OSError as error:
            if error.errno == errno.EPIPE:  # whoever read our output has seen enough
                raise
            complain(error.strerror or str(error))
            raise typer.Exit(SOME_FAILED) from error


# Typer's Rich help takes twice the time of the whole start-up, and its tracebacks hide the line.
app = typer.Typer(
    name="songprint",
    cls=_Group,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"songprint {__version__}")
        raise typer.Exit


@app.callback(epilog="\b\nExample:\n  songprint classify song.mp3")
def songprint(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Hear what songs are, from their audio alone.

    Exit codes: 0 all good, 1 some items failed (each named on stderr), 2 bad usage,
    130 interrupted.
    """


app.command(epilog=classify.EXAMPLES)(classify.classify)
app.command(epilog=add.EXAMPLES)(add.add)
app.command(epilog=similar.EXAMPLES)(similar.similar)
app.command(epilog=station.EXAMPLES)(station.station)
app.command(epilog=path.EXAMPLES)(path.path)
app.command(epilog=mix.EXAMPLES)(mix.mix)
app.command(epilog=find.EXAMPLES)(find.find)
app.command(epilog=cluster.EXAMPLES)(cluster.cluster)
app.command(epilog=identify.EXAMPLES)(identify.identify)
app.command(epilog=duplicates.EXAMPLES)(duplicates.duplicates)
app.command(epilog=report.EXAMPLES)(report.report)
app.command(epilog=tag.EXAMPLES)(tag.tag)
app.command(epilog=export.EXAMPLES)(export.export)
app.command(name="import", epilog=import_.EXAMPLES)(import_.import_)
app.command(epilog=serve.EXAMPLES)(serve.serve)
app.command(epilog=plot.EXAMPLES)(plot.plot)
app.command(epilog=gallery.EXAMPLES)(gallery.gallery)
app.command(epilog=train.EXAMPLES)(train.train)
app.command(epilog=evaluate.EXAMPLES)(evaluate.evaluate)
app.command(epilog=doctor.EXAMPLES)(doctor.doctor)


def main() -> NoReturn:
    """Run the command line and end the process."""
    if hasattr(sys.stdout, "reconfigure"):  # a name may hold what the terminal cannot show
        sys.stdout.reconfigure(errors="backslashreplace")
    prefer_one_thread()
    try:
        app(prog_name="songprint")
        status = OK
    except SystemExit as stop:
        status = stop.code if isinstance(stop.code, int) else OK
    quit_when_interrupted()
    sys.exit(_close(status))


def _close(status: int) -> int:
    """Flush, so that Python need not fail to at its exit; return the exit code."""
    try:
        if sys.stdout is not None:  # it is where the shell closed it: ">&-"
            sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = status or SOME_FAILED
    if status != OK and threading.active_count() > 1:
        # Stopped midway: songs are still being heard, and Python would wait for them.
        os._exit(status)
    return status
