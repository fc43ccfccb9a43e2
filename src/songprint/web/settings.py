"""What the server is told when it starts."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8420


@dataclass(frozen=True)
class Settings:
    """How the page is served.

    Attributes
    ----------
    library : Path
        The library's folder; an empty one is made where there is none.
    host : str
        The address that is listened at.
    port : int
        The port; it is part of the hosts that a browser may name.
    token : str or None
        What a browser or program must know; needed at any address but the machine's own.
    names : tuple of str
        Host names under which the server may be reached, beside addresses and ``localhost``.
    music : tuple of Path
        Folders below which songs may be added; none for anywhere.
    upload_bytes : int
        The largest file that is heard.
    upload_seconds : float
        The longest that sending one may take, and again the hearing of it.
    request_bytes : int
        The largest other request.
    requests_a_second : float
        Of one address, in the long run.
    burst : int
        Of one address, at once.
    workers : int
        Songs that are heard at once while adding.
    """

    library: Path
    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    token: str | None = None
    names: tuple[str, ...] = ()
    music: tuple[Path, ...] = ()
    upload_bytes: int = 256 << 20
    upload_seconds: float = 120.0
    request_bytes: int = 8 << 20
    requests_a_second: float = 100.0
    burst: int = 400
    workers: int = 1

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach the server."""
        return is_own_address(self.host)


def is_own_address(host: str) -> bool:
    """Tell whether an address is that of the machine itself, which no other can reach.

    Examples
    --------
    >>> is_own_address("127.0.0.1"), is_own_address("0.0.0.0")
    (True, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
