"""All that the routes work with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Self

from fastapi import Depends
from starlette.requests import Request

from songprint.web.cache import Cache
from songprint.web.hearing import Hearer
from songprint.web.jobs import Jobs
from songprint.web.playable import MOST_FILE_BYTES, Playable
from songprint.web.security import Sessions
from songprint.web.settings import Settings
from songprint.web.shelf import Shelf
from songprint.web.uploads import Uploads

INDEX_BYTES = 4 << 30
"""The largest file of the index by which clips are identified."""


@dataclass
class Page:
    """The library and what serves it.

    Attributes
    ----------
    settings : Settings
        What was told at the start.
    shelf : Shelf
        The library.
    sessions : Sessions
        Who has shown the token.
    uploads : Uploads
        Files that are sent.
    jobs : Jobs
        Work in the background.
    pictures : Cache
        Waveforms, spectrograms and timelines.
    playable : Playable
        Songs as browsers can play them.
    own, strange, ears, copier : Hearer
        The processes that hear songs of the library, files that were sent, that know which
        recording clips are of, and that convert songs.
    """

    settings: Settings
    shelf: Shelf
    sessions: Sessions
    uploads: Uploads
    pictures: Cache
    playable: Playable
    jobs: Jobs = field(default_factory=Jobs)
    own: Hearer = field(default_factory=Hearer)
    strange: Hearer = field(default_factory=Hearer)
    ears: Hearer = field(default_factory=lambda: Hearer(300.0, file_bytes=INDEX_BYTES))
    copier: Hearer = field(default_factory=lambda: Hearer(file_bytes=MOST_FILE_BYTES))

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Open what the settings name.

        Raises
        ------
        LibraryError
            If the library cannot be opened or made.
        """
        shelf = Shelf(settings.library)
        return cls(
            settings=settings,
            shelf=shelf,
            sessions=Sessions(settings.token),
            uploads=Uploads(settings.upload_bytes, settings.upload_seconds),
            pictures=Cache(shelf.cache / "pictures"),
            playable=Playable(shelf.cache / "playable"),
        )

    def close(self) -> None:
        """End all processes and jobs."""
        self.jobs.close()
        self.own.close()
        self.strange.close()
        self.ears.close()
        self.copier.close()


def _page(request: Request) -> Page:
    page: Page = request.app.state.page
    return page


OfPage = Annotated[Page, Depends(_page)]
"""A route's parameter that is given the page."""
