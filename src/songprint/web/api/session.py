"""Coming in, where a token is needed."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from pydantic import Field

from songprint.web.api.models import Model
from songprint.web.page import OfPage
from songprint.web.refusal import Refusal
from songprint.web.security import COOKIE, cookie_of

router = APIRouter(tags=["session"])

SESSION_SECONDS = 30 * 24 * 3600


class Session(Model):
    """Whether a token is needed, and was shown."""

    needed: bool
    known: bool


class Token(Model):
    """What the server printed when it started."""

    token: str = Field(max_length=500)


@router.get("/api/session")
def session(page: OfPage, request: Request) -> Session:
    """Tell whether a token is needed."""
    try:
        page.sessions.admit(request.headers, _address(request))
        known = True
    except Refusal:
        known = False
    return Session(needed=page.sessions.needed, known=known)


@router.post("/api/session", status_code=204)
def begin(page: OfPage, request: Request, told: Token) -> Response:
    """Show the token and get a cookie."""
    page.sessions.check(told.token, _address(request))
    response = Response(status_code=204)
    response.set_cookie(
        COOKIE,
        page.sessions.begin(),
        max_age=SESSION_SECONDS,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return response


@router.delete("/api/session", status_code=204)
def end(page: OfPage, request: Request) -> Response:
    """Forget the cookie, here and in the browser."""
    cookie = cookie_of(request.headers)
    if cookie is not None:
        page.sessions.end(cookie)
    response = Response(status_code=204)
    response.delete_cookie(COOKIE)
    return response


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
