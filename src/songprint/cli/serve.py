"""``songprint serve``: the page, a music player that shows what it hears."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from songprint.cli.options import LibraryOption, Workers
from songprint.cli.text import complain, printable
from songprint.errors import SongprintError, UsageError

if TYPE_CHECKING:
    from songprint.web.settings import Settings

EXAMPLES = """\b
Examples:
  songprint serve
  songprint serve --no-browser --port 8500
  songprint serve --host 0.0.0.0 --music ~/Music
  SONGPRINT_TOKEN=... songprint serve --host 0.0.0.0 --allow-host nas.local

\b
Only this machine can reach the page, unless --host says otherwise; then whoever
opens it needs the token, which is printed, or taken from SONGPRINT_TOKEN. Other
machines can only add music from the folders named with --music. The API is
described at /docs.
"""

TOKEN_VARIABLE = "SONGPRINT_TOKEN"
SHORTEST_TOKEN = 16


def serve(
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Where to listen; 0.0.0.0 is everywhere.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, metavar="N", help="The port.")] = 8420,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A name under which browsers may reach the page."),
    ] = None,
    music: Annotated[
        list[Path] | None,
        typer.Option(metavar="FOLDER", help="Add music from below this folder only."),
    ] = None,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the page in the browser.")
    ] = True,
    workers: Workers = None,
    library: LibraryOption = None,
) -> None:
    """Open a page to listen to the library and see what is heard."""
    import logging
    import secrets

    from songprint.cli.hearing import usable_cores
    from songprint.library.places import library_path
    from songprint.web.settings import Settings, is_own_address

    token = os.environ.get(TOKEN_VARIABLE) or None
    if token is None and not is_own_address(host):
        token = secrets.token_urlsafe(24)
    if token is not None and len(token) < SHORTEST_TOKEN:
        raise UsageError(f"{TOKEN_VARIABLE}: a token has {SHORTEST_TOKEN} characters or more")
    settings = Settings(
        library=library or library_path(),
        host=host,
        port=port,
        token=token,
        names=tuple(name.lower() for name in allow_host or ()),
        music=tuple(music or ()),
        workers=workers or usable_cores(),
    )
    logging.basicConfig(format="songprint: %(message)s", level=logging.WARNING)
    _run(settings, browser=browser)


def _run(settings: Settings, *, browser: bool) -> None:
    import socket

    import uvicorn

    from songprint.web.heap import give_large_blocks_back, leave_pandas_out

    give_large_blocks_back()
    leave_pandas_out()

    from songprint.web.app import create_app

    app = create_app(settings)
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((settings.host, settings.port))
        except OSError as error:
            why = error.strerror or str(error)
            place = f"{settings.host}:{settings.port}"
            raise SongprintError(f"{place}: cannot listen: {why}") from error
        address = page_address(settings)
        complain(f"{printable(str(settings.library))} is at {address}; Ctrl-C ends it")
        if browser:
            _open_soon(address)
        # No access log: addresses of requests may hold what is private, such as titles.
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, timeout_graceful_shutdown=2, lifespan="on"
        )
        uvicorn.Server(config).run(sockets=[listening])


def page_address(settings: Settings) -> str:
    """Return where a browser finds the page.

    The token is behind a ``#``: browsers send that part to no server and it is in no log.
    """
    host = "localhost" if settings.host in ("127.0.0.1", "0.0.0.0", "::", "::1") else settings.host
    shown = f"[{host}]" if ":" in host else host
    token = f"#token={settings.token}" if settings.token is not None else ""
    return f"http://{shown}:{settings.port}/{token}"


def _open_soon(address: str) -> None:
    import threading
    import webbrowser

    timer = threading.Timer(0.5, webbrowser.open, (address,))
    timer.daemon = True
    timer.start()
