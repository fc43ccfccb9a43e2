"""Errors as problem details, RFC 9457: one JSON document with a title, a status and a detail."""

from __future__ import annotations

import logging
import secrets
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from songprint.cli.text import printable
from songprint.errors import DecodeError, LibraryError, SongprintError
from songprint.web.refusal import Refusal

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.requests import Request

MEDIA_TYPE = "application/problem+json"
log = logging.getLogger("songprint.web")


class Fault(BaseModel):
    """A field that is at fault."""

    field: str
    message: str


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str = ""
    errors: list[Fault] = Field(default=[], description="Which fields are at fault.")


def problem(
    status: int,
    detail: str,
    *,
    errors: list[Fault] | None = None,
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    """Return the response that tells of a problem."""
    told = Problem(
        title=HTTPStatus(status).phrase, status=status, detail=detail, errors=errors or []
    )
    return JSONResponse(told.model_dump(), status, headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Let an application answer every error with problem details."""

    @app.exception_handler(Refusal)
    def refused(_: Request, error: Refusal) -> JSONResponse:
        return problem(error.status, error.detail, headers=error.headers)

    @app.exception_handler(SongprintError)
    def songprint_error(_: Request, error: SongprintError) -> JSONResponse:
        if isinstance(error, DecodeError):  # its path is that of a temporary file
            return problem(422, error.reason)
        return problem(409 if isinstance(error, LibraryError) else 422, printable(str(error)))

    @app.exception_handler(HTTPException)
    def http_error(_: Request, error: HTTPException) -> JSONResponse:
        headers = dict(error.headers) if error.headers else None
        return problem(error.status_code, str(error.detail), headers=headers)

    @app.exception_handler(RequestValidationError)
    def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        faults = [
            Fault(field=".".join(map(str, fault["loc"])), message=str(fault["msg"]))
            for fault in error.errors()
        ]
        named = "; ".join(f"{fault.field}: {fault.message}" for fault in faults[:3])
        return problem(422, printable(named), errors=faults)

    @app.exception_handler(Exception)
    def bug(request: Request, error: Exception) -> JSONResponse:
        reference = secrets.token_hex(4)
        log.error("internal error %s at %s", reference, request.url.path, exc_info=error)
        return problem(500, f"internal error {reference}; the server's log says more")


RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": description, "content": {MEDIA_TYPE: {}}}
    for status, description in (
        (400, "The request makes no sense"),
        (401, "The token is missing or wrong"),
        (403, "From another site, or not allowed"),
        (404, "There is no such thing"),
        (409, "The library is empty, or busy, or cannot be used now"),
        (413, "Too large"),
        (422, "A field is wrong, or the song cannot be heard"),
        (429, "Too many requests, or too many uploads at once"),
    )
}
"""What every route may answer beside its own."""
