"""What is heard of a song in one pass: fingerprint, peaks, and what figures are drawn from."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from songprint.audio.container import Song
    from songprint.audio.peaks import Peaks
    from songprint.fingerprints import Fingerprint, Fingerprinter
    from songprint.views.signals import Signals


@dataclass(frozen=True)
class Wanted:
    """What is wanted of a song.

    Attributes
    ----------
    thorough : bool
        Whether all windows of a long song are to be heard.
    peaks : bool
        Whether the peaks are wanted that its recording is identified by.
    views : tuple of str
        Of ``songprint.views.kinds.KINDS``: what is to be drawn.
    genres : str or None
        A file of personal genres to judge by, instead of the shipped ones.
    """

    thorough: bool = False
    peaks: bool = False
    views: tuple[str, ...] = ()
    genres: str | None = None


@dataclass(frozen=True, eq=False)
class Sounds:
    """What was heard; what was not wanted is None."""

    fingerprint: Fingerprint
    peaks: Peaks | None = None
    signals: Signals | None = None


def listen(song: Song, content_hash: str, wanted: Wanted) -> Sounds:
    """Hear a song that is open, and has been read to be identified.

    Raises
    ------
    DecodeError
        If no song can be heard.
    """
    hear = _of_this_process(wanted.genres).fingerprint_song
    return _heard(partial(hear, song, content_hash), wanted)


def get_ready() -> None:
    """Load all that hearing takes; what cannot be loaded is told of when a song is to be heard."""
    with suppress(Exception):
        import av  # noqa: F401
        import numpy as np
        import soxr  # noqa: F401

        from songprint.audio.mel import SAMPLE_RATE_HZ

        second = np.zeros(SAMPLE_RATE_HZ, np.float32)
        _of_this_process(None).fingerprint_samples(second, "")


def listen_to(path: str, wanted: Wanted, fingerprinter: Fingerprinter) -> Sounds:
    """Hear a file by what :func:`fingerprinter_of` returned; see :func:`listen`."""
    return _heard(partial(fingerprinter.fingerprint, path), wanted)


def fingerprinter_of(genres: str | None) -> Fingerprinter:
    """Return who names the shipped genres, or those of a file that ``songprint train`` wrote.

    Raises
    ------
    UsageError
        If there is no such file.
    ModelError
        If it does not hold personal genres of the shipped encoder.
    """
    from songprint.fingerprints import default_fingerprinter

    shipped = default_fingerprinter()
    if genres is None:
        return shipped
    from songprint.genre.personal import load_with_encoder

    personal, encoder = load_with_encoder(Path(genres), shipped.encoder)
    return shipped.with_head(personal.head, personal.sha256, encoder)


# A process that hears songs ends with the command; one that asks for it may outlive the file.
_of_this_process = cache(fingerprinter_of)


def _heard(hear: Callable[..., Fingerprint], wanted: Wanted) -> Sounds:
    taps: dict[str, Any] = {}
    peaks = signals = None
    if wanted.views:
        from songprint.views.signals import SignalMeter

        signals = SignalMeter(wanted.views)
        taps |= {"on_samples": signals.add, "on_log_mel": signals.add_log_mel}
    if wanted.peaks:
        from songprint.audio.peaks import PeakMeter

        peaks = PeakMeter()
        taps["on_samples"] = _both(peaks.add, taps.get("on_samples"))
    fingerprint = hear(thorough=wanted.thorough, **taps)
    return Sounds(
        fingerprint, peaks.finish() if peaks else None, signals.finish() if signals else None
    )


def _both(
    one: Callable[[NDArray[np.float32]], None], other: Callable[[NDArray[np.float32]], None] | None
) -> Callable[[NDArray[np.float32]], None]:
    if other is None:
        return one

    def both(samples: NDArray[np.float32]) -> None:
        one(samples)
        other(samples)

    return both
