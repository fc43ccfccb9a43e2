"""A request that is not met; apart from the rest, as the processes that hear songs need it too."""

from __future__ import annotations


class Refusal(Exception):  # noqa: N818 - an answer, not a fault
    """A request that is not met.

    Parameters
    ----------
    status
        The HTTP status.
    detail
        Why, in a line for a person.
    headers
        Of the response.
    """

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers or {}
