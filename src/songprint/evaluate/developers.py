"""All of the developers' protocols in one run, on the training corpus: what the card is made of."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import metadata, resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from songprint.audio.peaks import Peaks
from songprint.encoder.inference import Encoder
from songprint.evaluate.cost import measure_cost
from songprint.evaluate.head_check import check_head
from songprint.evaluate.leaks import Item, LeakReport, find_leaks, find_leaks_across
from songprint.evaluate.metrics import Labels, accuracy
from songprint.evaluate.probe import artist_folds
from songprint.evaluate.protocols import (
    FOLDS,
    SHUFFLES,
    Outcome,
    Songs,
    compare,
    measure_retrieval,
    measure_votes,
    on_folds,
    on_split,
    only,
)
from songprint.evaluate.recordings import PEAKS_CACHE, cached_peaks
from songprint.evaluate.representations import (
    CACHE_NAME,
    Representation,
    encode_songs,
    has_teachers,
    mfcc_representation,
    our_representation,
    teacher_representations,
    teacher_songs,
)
from songprint.evaluate.results import Card, Comparison, Cost, Neighbourhoods, SeedScore, Vote
from songprint.evaluate.seed_network import (
    SeedConfig,
    SnippetSet,
    fit_predict,
    judge_folds,
    song_labels,
)
from songprint.learn.corpus import Corpus, Song

SEED_NAME = "seed network"
SEED_CLASSIFIER = "itself"
SEED_FOLDS = 5

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Options:
    """What a run may cost and where its parts are.

    Attributes
    ----------
    corpus : Path
        Folder of the training corpus; the teacher's cache lies beside it.
    teachers : Path or None
        Folder of the teacher's weights.
    speech : Path or None
        Recordings of speech, a folder a voice, for what the genre head must not call music.
    shuffles : int
        Draws of Emotify's folds.
    seed : SeedConfig
        Training of the seed network.
    cost : bool
        Whether to time the encoder, which wants an idle machine.
    data : Path or None
        The audio that the corpus was made of, for the leak check; without it songs are not
        compared by their spectral peaks.
    """

    corpus: Path
    teachers: Path | None = None
    speech: Path | None = None
    shuffles: int = SHUFFLES
    seed: SeedConfig = field(default_factory=SeedConfig)
    cost: bool = True
    data: Path | None = None


@dataclass(frozen=True, eq=False)
class _Set:
    """One source of the corpus: its songs, row by row with what hears them."""

    corpus: Corpus
    entries: list[Song]
    songs: Songs
    windows: list[NDArray[np.float32]]
    systems: list[Representation]
    references: tuple[str, ...]

    def items(self, peaks: Mapping[str, Peaks], *, artists: bool) -> list[Item]:
        return [
            Item(
                song.name,
                embedding,
                artist=song.artist if artists else "",
                course=windows,
                peaks=peaks.get(song.name),
            )
            for song, embedding, windows in zip(
                self.entries, self.systems[0].features, self.windows, strict=True
            )
        ]


def run(options: Options, *, date: str, command: str, tell: Tell) -> Card:
    """Run every protocol.

    Parameters
    ----------
    options : Options
        What to run on.
    date, command : str
        Told on the card.
    tell : callable
        Told of progress, in a few words.

    Returns
    -------
    Card
        What was found, and in its notes what was left out.

    Raises
    ------
    UsageError
        If there is no corpus.
    ModelError
        If the encoder cannot be loaded.
    """
    corpus = Corpus(options.corpus)
    encoder = Encoder()
    unheard = frozenset[str](encoder.card.get("trained", {}).get("held_out_artists", []))
    notes: list[str] = []
    emotify = _gather("emotify", corpus, encoder, options, notes, tell)
    gtzan = _gather("gtzan", corpus, encoder, options, notes, tell)

    emotify_comparisons, seed = _emotify(emotify, unheard, options, tell)
    gtzan_comparison = _gtzan(gtzan, options, tell)
    tell("measuring neighbourhoods")
    retrieval = [_retrieval("Emotify", emotify, np.ones(len(emotify.entries), bool))]
    if (chosen := np.isin(emotify.songs.artists, sorted(unheard))).any():
        retrieval.append(
            _retrieval("Emotify, artists that the encoder never heard", emotify, chosen)
        )
    from songprint.learn.heads import gather

    if options.speech is None:
        notes.append(
            "The genre head was fitted without recordings of speech (`--speech`), unlike the "
            "shipped one."
        )
    tell("gathering what the genre head learns from")
    head = check_head(gather(encoder, corpus, options.speech), unheard, tell)
    return Card(
        date=date,
        command=command,
        versions=_versions(encoder),
        model={name: value for name, value in encoder.card.items() if name != "tags"},
        comparisons=(gtzan_comparison, *emotify_comparisons),
        retrieval=tuple(retrieval),
        head=tuple(head),
        votes=tuple(_votes(gtzan, emotify, tell)),
        seed=tuple(seed),
        leaks=_leaks(gtzan, emotify, options, tell),
        cost=_cost(options, notes, tell),
        notes=tuple(dict.fromkeys(notes)),
    )


def _gather(
    source: str, corpus: Corpus, encoder: Encoder, options: Options, notes: list[str], tell: Tell
) -> _Set:
    entries = [song for song in corpus.songs if song.source == source and song.genre]
    tell(f"hearing {len(entries)} songs of {source}")
    windows = encode_songs(encoder, corpus, entries, tell)
    systems = [our_representation(windows), mfcc_representation(corpus, entries)]
    cache = options.corpus.parent / CACHE_NAME
    taught = teacher_songs(corpus, entries, options.teachers, cache, tell)
    references: tuple[str, ...] = ()
    if taught is None:
        notes.append("The teacher was left out: its weights were not given (`--teachers`).")
    else:
        teachers = teacher_representations(taught)
        references = tuple(teacher.name for teacher in teachers)
        systems += teachers
    songs = Songs(
        np.array([song.genre for song in entries]), np.array([song.artist for song in entries])
    )
    return _Set(corpus, entries, songs, windows, systems, references)


def _gtzan(data: _Set, options: Options, tell: Tell) -> Comparison:
    train = _gtzan_train(data)
    outcomes = []
    for system in data.systems:
        tell(f"GTZAN: {system.name}")
        outcomes += on_split(system, data.songs.labels, train)
    tell(f"GTZAN: {SEED_NAME}")
    outcomes.append(_seed_on_gtzan(data, train, options.seed))
    return compare(
        outcomes,
        data.songs.rows(~train),
        title="GTZAN, validation clips",
        split=(
            f"trained on the {int(train.sum())} training clips of the fault-filtered split that "
            "are at hand, measured on its validation clips; the split keeps artists apart"
        ),
        references=data.references,
        artists_known=False,
    )


def _gtzan_train(data: _Set) -> NDArray[np.bool_]:
    return np.array([song.split == "train" for song in data.entries])


def _seed_on_gtzan(data: _Set, train: NDArray[np.bool_], config: SeedConfig) -> Outcome:
    snippets = _snippets(data)
    trained = train[snippets.songs]
    classes = [str(name) for name in np.unique(data.songs.labels)]
    labels = data.songs.labels[snippets.songs]
    judged = fit_predict(
        snippets.snippets[trained], labels[trained], snippets.snippets[~trained], classes, config
    )
    called = song_labels(judged, snippets.songs[~trained], classes)[np.flatnonzero(~train)]
    return Outcome(SEED_NAME, SEED_CLASSIFIER, called[None])


def _snippets(data: _Set) -> SnippetSet:
    frames = [data.corpus.frames(song) for song in data.entries]
    return SnippetSet.of(frames, data.songs.labels, data.songs.artists)


def _emotify(
    data: _Set, unheard: frozenset[str], options: Options, tell: Tell
) -> tuple[list[Comparison], list[SeedScore]]:
    outcomes = []
    for system in data.systems:
        tell(f"Emotify: {system.name}, {options.shuffles} times {FOLDS} folds")
        outcomes += on_folds(system, data.songs, options.shuffles)
    seed_outcome, seed = _seed_experiment(data, options, tell)
    outcomes.append(seed_outcome)
    split = (
        f"{FOLDS} folds that share no artist, drawn {options.shuffles} times (the seed network: "
        f"{SEED_FOLDS} folds, once)"
    )
    comparisons = [
        compare(outcomes, data.songs, title="Emotify", split=split, references=data.references)
    ]
    chosen = np.isin(data.songs.artists, sorted(unheard))
    if chosen.any():
        comparisons.append(
            compare(
                only(outcomes, chosen),
                data.songs.rows(chosen),
                title="Emotify, artists that the encoder never heard",
                split="the same predictions, of the artists left out of the distillation",
                references=data.references,
            )
        )
    return comparisons, seed


def _seed_experiment(data: _Set, options: Options, tell: Tell) -> tuple[Outcome, list[SeedScore]]:
    snippets = _snippets(data)
    truth = data.songs.labels[snippets.songs]
    scores = []
    for by_artist in (False, True):
        tell(f"{SEED_NAME}, snippets split {'by artist' if by_artist else 'at random'}")
        judged = judge_folds(snippets, by_artist=by_artist, folds=SEED_FOLDS, config=options.seed)
        called: Labels = np.array(judged.classes)[judged.probabilities.argmax(axis=1)]
        songs = song_labels(judged.probabilities, snippets.songs, judged.classes)
        name = "artists kept apart" if by_artist else "snippets at random (leaks)"
        scores.append(
            SeedScore(
                name,
                accuracy(truth, called, data.songs.artists[snippets.songs]),
                accuracy(data.songs.labels, songs, data.songs.artists),
                judged.known_songs,
            )
        )
    return Outcome(SEED_NAME, SEED_CLASSIFIER, songs[None]), scores


def _retrieval(title: str, data: _Set, chosen: NDArray[np.bool_]) -> Neighbourhoods:
    systems = [system.rows(chosen) for system in data.systems]
    return measure_retrieval(title, systems, data.songs.rows(chosen), data.references)


def _votes(gtzan: _Set, emotify: _Set, tell: Tell) -> list[Vote]:
    tell("comparing ways from windows to songs")
    train = _gtzan_train(gtzan)
    official = [(np.flatnonzero(train), np.flatnonzero(~train))]
    folds = list(artist_folds(emotify.songs.labels, emotify.songs.artists, FOLDS))
    return [
        *measure_votes(
            "GTZAN valid", gtzan.windows, gtzan.systems[0].features, gtzan.songs.labels, official
        ),
        *measure_votes(
            "Emotify",
            emotify.windows,
            emotify.systems[0].features,
            emotify.songs.labels,
            folds,
            emotify.songs.artists,
        ),
    ]


def _leaks(gtzan: _Set, emotify: _Set, options: Options, tell: Tell) -> dict[str, LeakReport]:
    tell("looking for leaks")
    train = _gtzan_train(gtzan)
    clips = gtzan.items({}, artists=False)
    files = (
        {song.name: options.data / "emotify" / f"{song.name}.opus" for song in emotify.entries}
        if options.data
        else {}
    )
    peaks = cached_peaks(files, options.corpus.parent / PEAKS_CACHE, tell)
    songs = emotify.items(peaks, artists=True)
    order = np.random.default_rng(0).permutation(len(songs))
    tenth = len(songs) // 10
    return {
        "GTZAN, train against valid (log-mels, no audio)": find_leaks(
            [clip for clip, known in zip(clips, train, strict=True) if known],
            [clip for clip, known in zip(clips, train, strict=True) if not known],
        ),
        "Emotify, every song against every artist's": find_leaks_across(
            emotify.songs.artists.tolist(), songs
        ),
        "Emotify, a random tenth (not used: the check at work)": find_leaks(
            [songs[i] for i in order[tenth:]], [songs[i] for i in order[:tenth]]
        ),
    }


def _cost(options: Options, notes: list[str], tell: Tell) -> Cost | None:
    if not options.cost:
        notes.append("Cost was not measured.")
        return None
    if options.teachers is None or not has_teachers(options.teachers):
        notes.append("Cost was not measured: the teacher's weights were not given (`--teachers`).")
        return None
    folder = resources.files("songprint.encoder") / "weights"
    return measure_cost((folder / "encoder.onnx").read_bytes(), options.teachers, tell)


def _versions(encoder: Encoder) -> dict[str, str]:
    from songprint import __version__

    libraries = ("numpy", "scikit-learn", "onnxruntime", "torch")
    return {
        "songprint": __version__,
        "encoder": encoder.sha256[:12],
        "Python": platform.python_version(),
        **{name: metadata.version(name) for name in libraries},
        "machine": platform.machine(),
    }
