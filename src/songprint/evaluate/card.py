"""The accuracy card: what was measured, as a page that a person can check.

:func:`render` returns Markdown; :func:`write` puts it where it belongs, with its figures.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from songprint.evaluate.intervals import Interval
from songprint.evaluate.leaks import REASONS, LeakReport
from songprint.evaluate.metrics import Share
from songprint.evaluate.results import (
    Card,
    Comparison,
    Cost,
    HeadScore,
    Neighbourhoods,
    SeedScore,
    Vote,
)
from songprint.genre.taxonomy import ERAS, GENRES, INSTRUMENTS, MOODS, STYLES

Lines = list[str]
NOTHING = ""
FEW_SONGS = 15


def write(card: Card, path: Path) -> list[Path]:
    """Write the card to `path` and its figures into ``figures/`` beside it.

    Parameters
    ----------
    card : Card
        What was found.
    path : Path
        A Markdown file; its folder is made.

    Returns
    -------
    list of Path
        What was written: the page first, then figures; none of these without matplotlib.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    figures = _draw(card, path.parent / "figures")
    text = render(card, [os.path.relpath(figure, path.parent) for figure in figures])
    path.write_text(text, encoding="utf-8")
    return [path, *figures]


def render(card: Card, figures: Sequence[str] = ()) -> str:
    """Return the card as Markdown.

    Parameters
    ----------
    card : Card
        What was found.
    figures : sequence of str
        Paths of pictures, relative to the page.
    """
    lines = [
        "# Accuracy card",
        "",
        f"Measured on {card.date} by `{card.command}`, which writes this page; do not edit it.",
        "",
        *_what(card),
        *_heading("Genre, judged from a fixed representation"),
        "A classifier is trained on top of what each system makes of a song; genres count alike, "
        "and nothing is chosen on the songs that it is measured on. Accuracy with its 95 % "
        "interval: songs of one artist are no independent trials, so it is Wilson's for as many "
        "independent songs as would tell as much; difference to the better of the two teachers in "
        "points, with a 95 % bootstrap interval over artists (GTZAN: over clips, and the p of "
        "McNemar's exact test).",
        "",
    ]
    for comparison in card.comparisons:
        lines += _comparison(comparison)
    lines += _heading("Genre among neighbours")
    lines += [
        "The ten nearest songs by cosine. P@10: share that has the query's genre; MAP: mean "
        "average precision of the whole ranking; 95 % bootstrap intervals over artists. *Other "
        "artists*: songs of the query's artist are no candidates. Hub skew: skewness of how often "
        "a song is among another's ten (all songs, then other artists' only); never reached: share "
        "of songs that are in nobody's ten.",
        "",
    ]
    for neighbourhoods in card.retrieval:
        lines += retrieval_table(neighbourhoods)
    lines += _head(card.head, figures)
    lines += _votes(card.votes)
    lines += _seed(card.seed)
    lines += leak_table(card.leaks)
    lines += _cost(card.cost)
    lines += _limits(card)
    return "\n".join(lines).rstrip() + "\n"


def table(header: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> Lines:
    """Return a Markdown table, its first `left` columns flush left, and an empty line."""
    rule = ["---"] * left + ["---:"] * (len(header) - left)
    return [f"| {' | '.join(cells)} |" for cells in (header, rule, *rows)] + [""]


def percent(share: Share | None) -> str:
    """Return a share with its interval, in percent."""
    if share is None:
        return NOTHING
    return f"{100 * share.value:.1f} ({100 * share.low:.1f}-{100 * share.high:.1f})"


def points(difference: Interval | None) -> str:
    """Return a difference of shares with its interval, in percentage points."""
    if difference is None:
        return NOTHING
    low, high = 100 * difference.low, 100 * difference.high
    return f"{100 * difference.value:+.1f} ({low:+.1f} to {high:+.1f})"


def decimals(interval: Interval) -> str:
    """Return a mean with its interval, to three decimals."""
    return f"{interval.value:.3f} ({interval.low:.3f}-{interval.high:.3f})"


def _p_value(p: float) -> str:
    return "< 0.01" if p < 0.01 else f"{p:.2f}"


def _heading(text: str) -> Lines:
    return [f"## {text}", ""]


def _what(card: Card) -> Lines:
    versions = ", ".join(f"{name} {version}" for name, version in card.versions.items())
    trained = card.model.get("trained", {})
    unheard = trained.get("held_out_artists", [])
    return [
        f"Versions: {versions}.",
        "",
        f"The encoder: {card.model.get('parameters', 0):,} parameters, "
        f"{card.model.get('macs_per_window', 0) / 1e6:.1f} M multiply-accumulates a window of "
        f"3 s, distilled from MusiCNN in {trained.get('steps', 0):,} steps on "
        f"{trained.get('windows', 0):,} windows.",
        "",
        "**The encoder has heard most of this music before.** It was distilled, without any genre "
        "label, on the audio of these songs but GTZAN's validation clips and the songs of "
        f"{len(unheard)} Emotify artists; so the figures on all of Emotify are transductive, and "
        "GTZAN's classifiers learn from clips that the encoder had heard and are measured on "
        "others. The rows on the artists that it never heard are free of that, and few. The "
        "teacher heard none of this music in its own training, as far as is known.",
        "",
    ]


def _comparison(comparison: Comparison) -> Lines:
    artists = f", {comparison.artists} artists" if comparison.artists else ""
    lines = [
        f"### {comparison.title}: {comparison.songs} songs{artists}",
        "",
        f"{sentence(comparison.split)}.",
        "",
    ]
    rows = []
    for row in comparison.rows:
        low, high = row.spread
        spread = f"{100 * low:.1f}-{100 * high:.1f}" if low != high else NOTHING
        p = _p_value(row.mcnemar.p) if row.mcnemar else NOTHING
        is_reference = row.system == comparison.reference
        difference = "reference" if is_reference else points(row.difference)
        cells = [row.system, row.classifier, percent(row.accuracy), spread]
        rows.append([*cells, f"{row.macro_f1:.3f}", difference, p])
    header = ["system", "judged by", "accuracy, %", "single draws", "macro-F1", "difference", "p"]
    return lines + table(header, rows, left=2)


def retrieval_table(neighbourhoods: Neighbourhoods) -> Lines:
    """Return one row a system, under a heading."""
    title = f"{neighbourhoods.title}: {neighbourhoods.songs} songs"
    rows = []
    for row in neighbourhoods.rows:
        is_reference = row.system == neighbourhoods.reference
        rows.append(
            [
                row.system,
                decimals(row.precision),
                "reference" if is_reference else points(row.difference),
                f"{row.precision_all:.3f}",
                f"{row.mean_average_precision.value:.3f}",
                f"{row.mean_average_precision_all:.3f}",
                f"{row.hub_skew:.2f}, {row.hub_skew_others:.2f}",
                f"{100 * row.never_reached:.1f}, {100 * row.never_reached_others:.1f}",
            ]
        )
    header = ["system", "P@10, other artists", "difference, points", "P@10, all"]
    header += ["MAP, other artists", "MAP, all", "hub skew", "never reached, %"]
    artists = f", {neighbourhoods.artists} artists" if neighbourhoods.artists else ""
    return [f"### {title}{artists}", "", *table(header, rows)]


def _head(scores: Sequence[HeadScore], figures: Sequence[str]) -> Lines:
    lines = [
        *_heading("The genre head"),
        "The head is fitted anew without the songs that it is measured on: Emotify in five folds "
        "of artists, GTZAN's validation clips in no fold; its temperature and its threshold are "
        "fitted without them too. Its accuracy is that of the most probable of all its genres. "
        "Macro-F1: the mean over the genres that the songs have. "
        "ECE: expected calibration error, ten bins of equal count; by chance: what a perfectly "
        "calibrated head would show on so few songs. Sure: where it does not say *unsure*. In "
        "intervals, ten neighbouring clips of GTZAN count as by one artist, as none is named.",
        "",
    ]
    lines += score_table(scores)
    lines += [f"![{Path(figure).stem.replace('-', ' ')}]({figure})\n" for figure in figures]
    widest = _widest(scores)
    if widest is None:
        return lines
    return lines + genre_tables(widest)


def _widest(scores: Sequence[HeadScore]) -> HeadScore | None:
    return max(scores, key=lambda score: score.accuracy.trials, default=None)


def score_table(scores: Sequence[HeadScore]) -> Lines:
    """Return one row a set of songs: accuracy, calibration, abstention."""
    rows = [
        [
            score.title,
            str(score.accuracy.trials),
            percent(score.accuracy),
            f"{score.macro_f1:.3f}",
            f"{score.ece:.3f}",
            f"{score.ece_chance:.3f}",
            percent(score.sure.coverage),
            percent(score.sure.accuracy),
        ]
        for score in scores
    ]
    header = ["songs", "n", "accuracy, %", "macro-F1", "ECE", "by chance"]
    return table([*header, "called sure, %", "accuracy where sure, %"], rows)


def genre_tables(score: HeadScore) -> Lines:
    """Return each genre's scores, the confusion matrix and the reliability table."""
    lines = [f"### Each genre ({score.title}, {score.accuracy.trials} songs)", ""]
    genres = [
        [
            genre.name,
            str(genre.songs),
            percent(genre.precision),
            percent(genre.recall),
            f"{genre.f1.value:.2f} ({genre.f1.low:.2f}-{genre.f1.high:.2f})",
        ]
        for genre in score.genres
    ]
    lines += table(["genre", "songs", "precision, %", "recall, %", "F1"], genres)
    lines += [f"### What is mistaken for what ({score.title}; row: label, column: head)", ""]
    counts = [
        [name, *(str(n) if n else "·" for n in row)]
        for name, row in zip(score.confusion_genres, score.confusion, strict=True)
    ]
    lines += table(["", *score.confusion_genres], counts)
    lines += [f"### Promised and kept ({score.title})", ""]
    bins = [
        [f"{100 * b.confidence:.1f}", percent(b.accuracy), str(b.count)] for b in score.reliability
    ]
    return lines + table(["mean confidence, %", "right, %", "songs"], bins, left=0)


def _votes(votes: Sequence[Vote]) -> Lines:
    if not votes:
        return []
    rows = [[vote.title, vote.way, percent(vote.accuracy)] for vote in votes]
    return [
        *_heading("From windows to a song"),
        "Linear probe of songprint's embedding, trained on song embeddings.",
        "",
        *table(["songs", "how", "accuracy, %"], rows, left=2),
    ]


def _seed(scores: Sequence[SeedScore]) -> Lines:
    if not scores:
        return []
    rows = [
        [s.split, percent(s.snippets), percent(s.songs), f"{100 * s.known_songs:.0f}"]
        for s in scores
    ]
    return [
        *_heading("How a leak flatters: the seed experiment"),
        "One convolution of four filters and a dense layer of 512 units on the spectrogram of "
        "ten-second snippets of Emotify, trained the same way under two splits. (The founder's "
        "network read raw magnitude spectrograms; here magnitudes come from the log-mel frames.) "
        "The first figure is no accuracy: the network has met the song that it is asked about.",
        "",
        *table(["split", "snippets right, %", "songs right, %", "songs met in training, %"], rows),
    ]


def leak_table(leaks: Mapping[str, LeakReport]) -> Lines:
    """Return one row a split, and the gravest pairs."""
    if not leaks:
        return []
    rows = []
    pairs: Lines = []
    for split, report in leaks.items():
        counts = report.counts()
        size = f"{report.train_songs} by {report.test_songs}"
        known = "yes" if report.artists_known else "no"
        by_peaks = "yes" if report.peaks_known else "no"
        threshold = f"{report.cosine_threshold:.3f}"
        found = (str(counts[reason]) for reason in REASONS)
        rows.append([split, size, threshold, by_peaks, known, *found])
        grave = [leak for leak in report.leaks if leak.reason in REASONS[:3]]
        for leak in grave[:10]:
            course = "" if leak.correlation is None else f", course {leak.correlation:.2f}"
            if leak.agreement is not None and leak.common_seconds is not None:
                course += f", {100 * leak.agreement:.0f} % of the peaks of the {leak.detail},"
                course += f" {leak.common_seconds:.0f} s"
            pairs.append(
                f"- {split}: {leak.train} and {leak.test}: {leak.reason} "
                f"(cosine {leak.cosine:.3f}{course})"
            )
    return [
        *_heading("Leak check"),
        "Pairs of a training and a test song. *Same recording*: by their spectral peaks one "
        "recording, or a part of it, in whatever encoding, as `songprint duplicates` finds them; "
        "or nearer than all but one in ten thousand pairs of different artists, and their windows "
        "take the same course. *Sounds the same*: as near, but neither peaks nor course agree. "
        "*By peaks*: whether every song was compared by its peaks, which takes its audio.",
        "",
        *table(["split", "songs", "cosine from", "by peaks", "artists known", *REASONS], rows),
        *pairs,
        *([""] if pairs else []),
    ]


def _cost(cost: Cost | None) -> Lines:
    if cost is None:
        return []
    rows = [
        ["songprint", f"{cost.ours_macs / 1e6:.1f}", f"{cost.ours_per_second:.1f}"],
        [
            "MusiCNN, one network",
            f"{cost.teacher_macs / 1e6:.1f}",
            f"{cost.teacher_per_second:.1f}",
        ],
    ]
    ratio = cost.ratio
    times = f"{ratio.value:.1f} times ({ratio.low:.1f}-{ratio.high:.1f})" if ratio else NOTHING
    return [
        *_heading("Cost"),
        f"ONNX Runtime, one thread, batches of {cost.batch_windows} windows, {cost.rounds} rounds "
        f"in turns; the teacher as {cost.teacher_form}, the faster of two ways. songprint is "
        f"{times} as fast as one of the two networks that it stands for; median (least-greatest).",
        "",
        *table(["", "M multiply-accumulates a window", "windows a second"], rows),
    ]


def _limits(card: Card) -> Lines:
    measured = sorted({g.name for score in card.head for g in score.genres if g.songs})
    unmeasured = [name for name in GENRES if name not in measured]
    widest = _widest(card.head)
    few = [g.name for g in widest.genres if 0 < g.songs < FEW_SONGS] if widest else []
    lines = [
        *_heading("What this card cannot say"),
        f"- Measured on labels: {', '.join(measured) or 'nothing'}."
        + (f" Not measured here: {', '.join(unmeasured)}." if unmeasured else ""),
        f"- Taught by the teacher's tags and never measured: eras ({', '.join(ERAS)}), moods "
        f"({', '.join(MOODS)}), styles ({', '.join(STYLES)}), instruments and voices "
        f"({', '.join(INSTRUMENTS)}). They are an opinion, not a measurement.",
    ]
    if few:
        lines.append(f"- Fewer than {FEW_SONGS} songs, so hardly measured: {', '.join(few)}.")
    lines += [
        "- GTZAN's labels are known to be faulty and its artists are not named here; the split "
        "that is used is filtered for both. Most of its clips here are 2 to 3 s long, so "
        "its figures are of short clips, not of songs.",
        "- Emotify's pop against rock is fuzzy: two people would not agree on all of it. Its songs "
        "are of one label, Magnatune.",
        "- Intervals are of these songs drawn again; they say nothing about music unlike them.",
        *(f"- {note}" for note in card.notes),
        "",
    ]
    return lines


def sentence(text: str) -> str:
    """Return the text with a capital first letter."""
    return text[:1].upper() + text[1:]


def _draw(card: Card, folder: Path) -> list[Path]:
    widest = _widest(card.head)
    if widest is None:
        return []
    try:
        from songprint.evaluate.figures import draw_confusion, draw_reliability
    except ImportError:  # matplotlib is optional
        return []
    folder.mkdir(parents=True, exist_ok=True)
    return [
        draw_confusion(widest, folder / "genre-confusion.png"),
        draw_reliability(widest, folder / "genre-reliability.png"),
    ]
