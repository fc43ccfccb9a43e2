"""The fingerprint: everything songprint knows of a song, and how it is made from a file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from songprint.errors import ModelError

if TYPE_CHECKING:
    from songprint.audio.container import DecodeLimits, Song
    from songprint.descriptors.core import Descriptors, Listener
    from songprint.encoder.inference import Encoder
    from songprint.genre.head import GenreHead

FORMAT_VERSION = 4
"""Changes when a fingerprint's fields, or the way its numbers are made, change."""

SILENCE_DBFS = -70.0
"""Songs whose loudest window is softer than this are silence, not music."""

Doubt = Literal["silence", "not music", "no genre"]
"""Why the genre head abstains: nothing sounds, it is hardly music, or no genre is likely enough."""

_SEGMENT_WINDOWS = 2


@dataclass(frozen=True)
class Probability:
    """A name and how probable it is, 0 to 1."""

    name: str
    p: float


@dataclass(frozen=True)
class Segment:
    """A stretch of a song on its timeline.

    Attributes
    ----------
    start_seconds, end_seconds : float
        Where it lies.
    level_dbfs : float
        Root-mean-square level; 0 is a full-scale square wave, -120 stands for silence.
    genres : tuple of Probability
        All genres of the taxonomy, most probable first.
    unsure : bool
        Whether the head abstains on this stretch alone.
    """

    start_seconds: float
    end_seconds: float
    level_dbfs: float
    genres: tuple[Probability, ...]
    unsure: bool


@dataclass(frozen=True, eq=False)
class Fingerprint:
    """What songprint knows of a song, from its audio alone.

    Attributes
    ----------
    embedding : ndarray [shape=(256,)]
        Unit-length float32 song embedding.
    genres : tuple of Probability
        The whole taxonomy, most probable first; sums to one.
    doubt : Doubt or None
        Why the head abstains, if it does.
    era, moods, styles, instruments : tuple of Probability
        Most probable first; the tagger's opinion, not calibrated, each tag for itself.
    descriptors : Descriptors
        Beat, intensity, rhythm, timbre and tonality, as numbers.
    seconds : float
        Duration of the audio that was heard.
    content_hash : str
        Identity of the compressed audio, whatever the file's tags and place.
    model : str
        The model version that made it; fingerprints of two versions are not comparable.
    timeline : tuple of Segment
        The song in stretches of six seconds, of nine where a third of it is heard, in order.
    """

    embedding: NDArray[np.float32]
    genres: tuple[Probability, ...]
    doubt: Doubt | None
    era: tuple[Probability, ...]
    moods: tuple[Probability, ...]
    styles: tuple[Probability, ...]
    instruments: tuple[Probability, ...]
    descriptors: Descriptors
    seconds: float
    content_hash: str
    model: str
    timeline: tuple[Segment, ...]

    @property
    def unsure(self) -> bool:
        """Whether the head abstains."""
        return self.doubt is not None


class Fingerprinter:
    """Makes fingerprints with one model; safe to share between threads.

    Parameters
    ----------
    encoder : Encoder
        Hears windows.
    head : GenreHead
        Names genres.
    head_sha256 : str
        Checksum of the head's file; part of the model version.
    music_head : GenreHead, optional
        Tells music from other sounds where `head` has no class for them.

    Raises
    ------
    ModelError
        If the head was fitted on another encoder's embeddings.
    """

    def __init__(
        self,
        encoder: Encoder,
        head: GenreHead,
        head_sha256: str,
        music_head: GenreHead | None = None,
    ) -> None:
        if head.encoder_sha256 != encoder.sha256:
            raise ModelError("the genre head was fitted on another encoder")
        self.encoder = encoder
        self.head = head
        self._music_head = music_head
        digest = hashlib.sha256(f"{encoder.sha256} {head_sha256}".encode()).hexdigest()
        self.model_version = f"{FORMAT_VERSION}-{digest[:8]}"

    def with_head(
        self, head: GenreHead, head_sha256: str, encoder: Encoder | None = None
    ) -> Fingerprinter:
        """Return one that names another head's genres and still knows what is not music.

        Parameters
        ----------
        head : GenreHead
            Names genres.
        head_sha256 : str
            Checksum of its file.
        encoder : Encoder, optional
            This one's encoder, fine-tuned, if the head belongs to such. Its embeddings lie near
            those that it started from, so what tells music from other sounds stays as it is.
        """
        music_head = self._music_head or self.head
        return Fingerprinter(encoder or self.encoder, head, head_sha256, music_head)

    def fingerprint(
        self,
        path: str | Path,
        *,
        limits: DecodeLimits | None = None,
        known_hash: str | None = None,
        on_samples: Callable[[NDArray[np.float32]], None] | None = None,
        on_log_mel: Callable[[NDArray[np.float32]], None] | None = None,
        thorough: bool = False,
    ) -> Fingerprint:
        """Hear a file.

        Parameters
        ----------
        path : str or Path
            Any audio file, or a video with a sound track.
        limits : DecodeLimits, optional
            What the file may cost.
        known_hash : str, optional
            Its content hash, if it was computed before.
        on_samples : callable, optional
            Is given the mono samples at 16 kHz, block by block [shape=(n,)], for what else is
            measured in the same pass.
        on_log_mel : callable, optional
            Likewise, is given the log-mel frames [shape=(m, 96)].
        thorough : bool
            Whether the encoder hears all windows, and not a third of a long song's
            (:func:`songprint.encoder.windows.cover`).

        Returns
        -------
        Fingerprint
            What the file sounds like.

        Raises
        ------
        DecodeError
            If no song can be heard in the file.
        """
        from songprint.audio.container import DEFAULT_LIMITS, open_song
        from songprint.audio.hash import song_hash

        with open_song(path, limits or DEFAULT_LIMITS) as song:
            content_hash = song_hash(song, keep=True) if known_hash is None else known_hash
            return self.fingerprint_song(
                song,
                content_hash,
                on_samples=on_samples,
                on_log_mel=on_log_mel,
                thorough=thorough,
            )

    def fingerprint_song(
        self,
        song: Song,
        content_hash: str,
        *,
        on_samples: Callable[[NDArray[np.float32]], None] | None = None,
        on_log_mel: Callable[[NDArray[np.float32]], None] | None = None,
        thorough: bool = False,
    ) -> Fingerprint:
        """Hear a song that is open, and perhaps has been read to be identified.

        See :meth:`fingerprint`.
        """
        from songprint.audio.container import reread
        from songprint.audio.decode import stream_song
        from songprint.descriptors.core import Listener

        listener = Listener(native=True)
        with reread(song) as unread:
            blocks = stream_song(unread, listener.add_channels)
            if on_samples:
                blocks = _tapped(blocks, on_samples)
            heard = self._hear(blocks, listener, thorough, on_log_mel)
            return self._conclude(heard, content_hash)

    def fingerprint_samples(
        self, samples: NDArray[np.float32], content_hash: str, *, thorough: bool = False
    ) -> Fingerprint:
        """Fingerprint mono float32 samples [shape=(n,)], n ≥ 1, at 16 kHz.

        Loudness and dynamics are those of these samples; they have no stereo width.

        Raises
        ------
        ValueError
            If there are no samples or they are of another shape or type.
        """
        from songprint.descriptors.core import Listener

        if len(samples) == 0:
            raise ValueError("no samples to hear")
        return self._conclude(self._hear([samples], Listener(), thorough), content_hash)

    def _hear(
        self,
        blocks: Iterable[NDArray[np.float32]],
        listener: Listener,
        thorough: bool,
        on_log_mel: Callable[[NDArray[np.float32]], None] | None = None,
    ) -> _Heard:
        from songprint.audio.mel import stream_log_mel
        from songprint.encoder.windows import COVERAGE_STEP, cover, cut_windows

        meter = _LevelMeter()
        samples = _tapped(meter.watch(blocks), listener.add)
        frames = _tapped(stream_log_mel(samples), listener.add_log_mel)
        if on_log_mel:
            frames = _tapped(frames, on_log_mel)
        places, embeddings, tags = [], [], []
        for heard, windows in cover(cut_windows(frames), 1 if thorough else COVERAGE_STEP):
            encoded = self.encoder.encode(windows)
            places.append(heard)
            embeddings.append(encoded.embeddings)
            tags.append(encoded.tags)
        order = np.argsort(np.concatenate(places))
        return _Heard(
            places=np.concatenate(places)[order],
            embeddings=np.concatenate(embeddings)[order],
            tags=np.concatenate(tags),
            descriptors=listener.finish(),
            samples=meter.samples,
            levels_dbfs=meter.levels_dbfs(),
        )

    def _conclude(self, heard: _Heard, content_hash: str) -> Fingerprint:
        from songprint.audio.mel import SAMPLE_RATE_HZ
        from songprint.encoder.windows import pool_embeddings
        from songprint.genre.taxonomy import ERAS, INSTRUMENTS, MOODS, STYLES

        embedding = pool_embeddings(heard.embeddings)
        genres, doubt = self._judge(embedding, len(heard.embeddings))
        tags = dict(zip(self.encoder.tag_names, heard.tags.mean(axis=0).tolist(), strict=True))
        return Fingerprint(
            embedding=embedding,
            genres=genres,
            doubt="silence" if heard.levels_dbfs.max() < SILENCE_DBFS else doubt,
            era=_ranked((name, tags[f"msd/{name}"]) for name in ERAS),
            moods=_ranked((name, tags[f"msd/{name}"]) for name in MOODS),
            styles=_ranked((name, tags[tag]) for name, tag in STYLES.items()),
            instruments=_ranked((name, tags[tag]) for name, tag in INSTRUMENTS.items()),
            descriptors=heard.descriptors,
            seconds=heard.samples / SAMPLE_RATE_HZ,
            content_hash=content_hash,
            model=self.model_version,
            timeline=tuple(self._timeline(heard)),
        )

    def _judge(
        self, embedding: NDArray[np.float32], windows: int
    ) -> tuple[tuple[Probability, ...], Doubt | None]:
        from songprint.genre.head import LEAST_MUSIC

        verdict = self.head.judge(embedding, windows)
        genres = _ranked(zip(self.head.genres, verdict.probabilities.tolist(), strict=True))
        music = verdict.music
        if self._music_head is not None:
            music = min(music, self._music_head.judge(embedding, windows).music)
        if music < LEAST_MUSIC:
            return genres, "not music"
        return genres, "no genre" if verdict.unsure else None

    def _timeline(self, heard: _Heard) -> Iterator[Segment]:
        from songprint.audio.mel import SAMPLE_RATE_HZ, WINDOW_SECONDS
        from songprint.encoder.windows import pool_embeddings

        duration = heard.samples / SAMPLE_RATE_HZ
        starts = _segment_starts(heard.places.tolist())
        for start, stop in pairwise([*starts, len(heard.places)]):
            first = int(heard.places[start])
            # The last segment also has the end of the song that fills no window.
            end = int(heard.places[stop]) if stop < len(heard.places) else None
            levels = heard.levels_dbfs[first:end]
            level = 10 * np.log10(np.mean(10 ** (levels / 10)))
            stretch = heard.embeddings[start:stop]
            genres, doubt = self._judge(pool_embeddings(stretch), len(stretch))
            yield Segment(
                start_seconds=first * WINDOW_SECONDS,
                end_seconds=duration if end is None else end * WINDOW_SECONDS,
                level_dbfs=float(level),
                genres=genres,
                unsure=doubt is not None or bool(level < SILENCE_DBFS),
            )


def _segment_starts(places: list[int]) -> list[int]:
    """Return which of the windows that were heard begin a segment."""
    starts: list[int] = []
    for row, place in enumerate(places):
        if not starts or place - places[starts[-1]] >= _SEGMENT_WINDOWS:
            starts.append(row)
    return starts


@dataclass(frozen=True)
class _Heard:
    places: NDArray[np.intp]  # of the windows that were heard, in the song
    embeddings: NDArray[np.float32]
    tags: NDArray[np.float32]
    descriptors: Descriptors
    samples: int
    levels_dbfs: NDArray[np.float64]


class _LevelMeter:
    """Measures the level of each window's samples as they pass."""

    FLOOR = 1e-12

    def __init__(self) -> None:
        from songprint.audio.mel import HOP_SAMPLES, WINDOW_FRAMES

        self.samples = 0
        self._window_samples = HOP_SAMPLES * WINDOW_FRAMES
        self._energies: list[float] = []

    def watch(self, blocks: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
        """Pass blocks on, unchanged."""
        for block in blocks:
            self._measure(block)
            yield block

    def _measure(self, block: NDArray[np.float32]) -> None:
        position = 0
        while position < len(block):
            window, filled = divmod(self.samples, self._window_samples)
            piece = block[position : position + self._window_samples - filled]
            if window == len(self._energies):
                self._energies.append(0.0)
            self._energies[window] += float(np.dot(piece, piece))
            position += len(piece)
            self.samples += len(piece)

    def levels_dbfs(self) -> NDArray[np.float64]:
        """Return the level of each window, the last of which may be short [shape=(n,)]."""
        lengths = np.full(len(self._energies), self._window_samples)
        lengths[-1] = self.samples - (len(lengths) - 1) * self._window_samples
        power = np.array(self._energies) / lengths
        levels: NDArray[np.float64] = 10 * np.log10(np.maximum(power, self.FLOOR))
        return levels


def _tapped(
    pieces: Iterable[NDArray[np.float32]], tap: Callable[[NDArray[np.float32]], None]
) -> Iterator[NDArray[np.float32]]:
    for piece in pieces:
        tap(piece)
        yield piece


def _ranked(pairs: Iterable[tuple[str, float]]) -> tuple[Probability, ...]:
    ranked = sorted(pairs, key=lambda pair: -pair[1])
    return tuple(Probability(name, float(p)) for name, p in ranked)


@cache
def default_fingerprinter() -> Fingerprinter:
    """Return the fingerprinter of the model that ships with the package.

    Raises
    ------
    ModelError
        If the package's weights are missing or damaged.
    """
    from songprint.encoder.inference import Encoder
    from songprint.genre.head import load_head

    head, sha256 = load_head()
    return Fingerprinter(Encoder(), head, sha256)


def fingerprint(
    path: str | Path, *, limits: DecodeLimits | None = None, thorough: bool = False
) -> Fingerprint:
    """Hear a file with the model that ships with the package.

    See :meth:`Fingerprinter.fingerprint`.

    Examples
    --------
    >>> from songprint import fingerprint
    >>> heard = fingerprint("song.mp3")  # doctest: +SKIP
    >>> heard.genres[0].name  # doctest: +SKIP
    'reggae'
    """
    return default_fingerprinter().fingerprint(path, limits=limits, thorough=thorough)
