"""Who may ask: this machine's own browser, or whoever knows the token; never another web site.

A web site that a person visits can make their browser send requests here. It cannot forge these
headers, which are therefore checked on every request:

- ``Host`` must be an address or a known name, so that a stranger's name that was made to lead to
  127.0.0.1 (DNS rebinding) is refused; an attack needs a name, an address cannot be rebound.
- ``Origin``, which browsers send with whatever changes something, must be that host (CSRF), and
  ``Sec-Fetch-Site`` must not name another site.

The token is compared in constant time. A browser hands it in once and gets a cookie that scripts
cannot read; what the server keeps of it is a hash.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
import time
from collections import OrderedDict
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders

from songprint.web.problems import problem
from songprint.web.refusal import Refusal

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from songprint.web.settings import Settings

COOKIE = "songprint_session"
MOST_SESSIONS = 100
MOST_ADDRESSES = 10_000
WRONG_TOKENS_A_MINUTE = 10

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "media-src 'self'",
        "connect-src 'self'",
        "font-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
"""Nothing but the server's own files: no inline script or style, no ``eval``, no other host."""

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(self)",
}

WRONG = "the token is missing or wrong"

OPEN_PATHS = ("/api/session", "/static/")
"""What can be had without the token, beside the page's empty frame."""

UPLOADS = ("/api/classify", "/api/identify", "/api/import")
"""What takes whole files."""


class Sessions:
    """Who has shown the token.

    Parameters
    ----------
    token : str or None
        The token; None if everybody may come in.
    """

    def __init__(self, token: str | None) -> None:
        self._token = token
        self._known: OrderedDict[bytes, None] = OrderedDict()
        self._tries = Buckets(WRONG_TOKENS_A_MINUTE / 60, WRONG_TOKENS_A_MINUTE)

    @property
    def needed(self) -> bool:
        """Whether a token is asked for."""
        return self._token is not None

    def check(self, told: str, address: str) -> None:
        """Make sure that it is the token, in a time that does not depend on how much is right.

        Parameters
        ----------
        told
            What is claimed to be the token.
        address
            Who claims it; after some wrong ones it has to wait.

        Raises
        ------
        Refusal
            If it is not, or there were too many wrong ones.
        """
        if self._token is None:
            return
        waits = self._tries.take(address)
        if waits:
            raise Refusal(429, "too many wrong tokens", {"Retry-After": str(max(1, round(waits)))})
        if not hmac.compare_digest(_digest(told), _digest(self._token)):
            raise Refusal(401, WRONG, {"WWW-Authenticate": "Bearer"})
        self._tries.give_back(address)

    def begin(self) -> str:
        """Return the cookie of a new session."""
        cookie = secrets.token_urlsafe(32)
        self._known[_digest(cookie)] = None
        while len(self._known) > MOST_SESSIONS:
            self._known.popitem(last=False)
        return cookie

    def end(self, cookie: str) -> None:
        """Forget a session."""
        self._known.pop(_digest(cookie), None)

    def admit(self, headers: Headers, address: str) -> None:
        """Make sure that a request carries the token or a session's cookie.

        Raises
        ------
        Refusal
            If it does not.
        """
        if self._token is None:
            return
        scheme, _, told = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            self.check(told.strip(), address)
            return
        cookie = cookie_of(headers)
        if cookie is None or _digest(cookie) not in self._known:
            raise Refusal(401, WRONG, {"WWW-Authenticate": "Bearer"})


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def cookie_of(headers: Headers) -> str | None:
    """Return the session's cookie."""
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return None
    return found.value if found else None


class Buckets:
    """So many requests an address and second, and a few at once.

    Parameters
    ----------
    a_second : float
        In the long run.
    burst : float
        At once.
    """

    def __init__(self, a_second: float, burst: float) -> None:
        self._a_second = a_second
        self._burst = burst
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, address: str, now: float | None = None) -> float:
        """Take one; return 0, or in how many seconds there will be one."""
        now = time.monotonic() if now is None else now
        left, since = self._left.pop(address, (self._burst, now))
        left = min(self._burst, left + (now - since) * self._a_second)
        waits = 0.0 if left >= 1 else (1 - left) / self._a_second
        self._left[address] = (left if waits else left - 1, now)
        while len(self._left) > MOST_ADDRESSES:
            self._left.popitem(last=False)
        return waits

    def give_back(self, address: str) -> None:
        """Give one back that was taken."""
        left, since = self._left[address]
        self._left[address] = (left + 1, since)


class Guard:
    """The outermost layer of the application: lets a request in, or answers it with a problem.

    Parameters
    ----------
    app
        What is guarded.
    settings : Settings
        Hosts and limits.
    sessions : Sessions
        Who has shown the token.
    """

    def __init__(self, app: ASGIApp, settings: Settings, sessions: Sessions) -> None:
        self._app = app
        self._settings = settings
        self._sessions = sessions
        self._requests = Buckets(settings.requests_a_second, settings.burst)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # there are no websockets here
            return
        try:
            self._let_in(scope, Headers(scope=scope))
        except Refusal as refusal:
            answer = problem(refusal.status, refusal.detail, headers=refusal.headers)
            await answer(scope, receive, _with_headers(send))
        else:
            await self._app(scope, self._bounded(scope, receive), _with_headers(send))

    def _let_in(self, scope: Scope, headers: Headers) -> None:
        address = scope["client"][0] if scope.get("client") else ""
        waits = self._requests.take(address)
        if waits:
            raise Refusal(429, "too many requests", {"Retry-After": str(max(1, round(waits)))})
        if not self._is_host(headers.get("host", "")):
            raise Refusal(403, "this server is not known under that name; see --allow-host")
        if self._is_from_elsewhere(scope["method"], headers):
            raise Refusal(403, "the request came from another web site")
        if self._is_too_large(scope["path"], headers):
            raise Refusal(413, "the request is too large")
        if not self._is_open(scope["path"]):
            self._sessions.admit(headers, address)

    def _is_open(self, path: str) -> bool:
        """Whether no token is needed: the frame of the page holds nothing of the library."""
        return path.startswith(OPEN_PATHS) or not path.startswith(("/api", "/openapi"))

    def _is_host(self, host: str) -> bool:
        try:
            parts = urlsplit(f"//{host}")
            name, port = parts.hostname, parts.port
        except ValueError:
            return False
        if not name or parts.username is not None or (port or 80) != self._settings.port:
            return False
        if name in ("localhost", self._settings.host, *self._settings.names):
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return address.is_loopback or not self._settings.is_local

    def _is_from_elsewhere(self, method: str, headers: Headers) -> bool:
        site = headers.get("sec-fetch-site")
        if site not in (None, "same-origin", "none"):
            # A link on another page may lead here; nothing of the page may be used there.
            link = headers.get("sec-fetch-mode") == "navigate" and method in SAFE_METHODS
            return not (link and headers.get("sec-fetch-dest") == "document")
        origin = headers.get("origin")
        if origin is None or (method in SAFE_METHODS and origin == "null"):
            return False
        parts = urlsplit(origin)
        return parts.scheme not in ("http", "https") or parts.netloc != headers.get("host")

    def _is_too_large(self, path: str, headers: Headers) -> bool:
        length = headers.get("content-length", "0")
        return not length.isdigit() or int(length) > self._most_bytes(path)

    def _most_bytes(self, path: str) -> int:
        if path in UPLOADS:
            return self._settings.upload_bytes
        return self._settings.request_bytes

    def _bounded(self, scope: Scope, receive: Receive) -> Receive:
        """Cut a request off that is longer than it said; it then counts as broken."""
        left = self._most_bytes(scope["path"])

        async def bounded() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                return {"type": "http.disconnect"}
            return message

        return bounded


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
            if "cache-control" not in headers:
                headers["Cache-Control"] = "no-store"
        await send(message)

    return sending
