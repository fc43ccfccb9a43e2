"""The application: the routes of the API, the page's static files, and the guard around all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import resources
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles

from songprint import __version__
from songprint.web import problems
from songprint.web.api import (
    adding,
    genres,
    identify,
    jobs,
    labelled,
    library,
    pictures,
    session,
    sharing,
    songs,
    stations,
    ways,
)
from songprint.web.api import map as maps
from songprint.web.page import Page
from songprint.web.security import Guard

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from songprint.web.settings import Settings

ROUTERS = (
    *(session, library, songs, pictures, stations, ways, adding, identify),
    *(sharing, jobs, genres, labelled, maps),
)

PAGES = ("/", "/song/{rest:path}", "/station", "/map", "/identify", "/add", "/genres", "/docs")
"""What a browser may be sent to; the page's own modules then show what the address says."""

DESCRIPTION = (
    "Everything that the page does, and what the command line does. Songs are named by content "
    "hash, errors are problem details (RFC 9457), long work is a job."
)


def create_app(settings: Settings) -> ASGIApp:
    """Return the application.

    Parameters
    ----------
    settings : Settings
        Library, address and limits.

    Raises
    ------
    LibraryError
        If the library cannot be opened or made.
    """
    page = Page.of(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        page.close()

    app = FastAPI(
        title="songprint",
        version=__version__,
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        responses=problems.RESPONSES,
    )
    app.state.page = page
    problems.install(app)
    for module in ROUTERS:
        app.include_router(module.router)
    static = resources.files("songprint.web") / "static"
    app.mount("/static", StaticFiles(directory=str(static)))

    def frame(rest: str = "") -> Response:
        del rest
        return FileResponse(str(static / "index.html"), media_type="text/html")

    for path in PAGES:
        app.add_api_route(path, frame, include_in_schema=False, methods=["GET"])
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return Guard(app, settings, page.sessions)


def _openapi(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document; problems have their own media type."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
        )
        for operations in document["paths"].values():
            for operation in operations.values():
                for status, response in operation["responses"].items():
                    if status.startswith(("4", "5")):
                        schema = {"$ref": "#/components/schemas/Problem"}
                        response["content"] = {problems.MEDIA_TYPE: {"schema": schema}}
        app.openapi_schema = document
    return app.openapi_schema
