from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

from songprint.cli.timeline import draw_timeline, to_columns
from songprint.fingerprints import Fingerprint, Probability, Segment
from support.classifying import classify
from support.madeup import made_up


def timeline_lines(fingerprint: Fingerprint, columns: int, **options: bool) -> list[str]:
    settings = {"colour": False, "unicode": True, **options}
    drawn = draw_timeline(fingerprint.timeline, columns=columns, **settings)
    return [line.plain.rstrip() for line in drawn]


def test_the_timeline_shows_levels_genres_and_times(pretend: Any) -> None:
    pretend(lambda _path: made_up())
    *_, bars, letters, times, legend = classify("a.mp3", "--timeline").stdout.splitlines()
    assert re.fullmatch(r"  [▁▂▃▄▅▆▇█]{31}", bars)
    assert bars[2] == "▁"
    assert bars[-1] == "█"
    assert letters == "  " + 16 * "A" + 15 * "B"
    assert times.split() == ["0:00", "1:00", "2:00", "3:05"]
    assert legend == "  A reggae  B jazz"


def test_the_timeline_tells_genres_by_colour_where_it_can() -> None:
    bars, _times, legend = timeline_lines(made_up(), 80, colour=True)
    assert len(bars) == 33
    assert legend == "  ■ reggae  ■ jazz"


def test_a_long_song_is_drawn_as_wide_as_the_terminal() -> None:
    bars, letters, times, _legend = timeline_lines(made_up(seconds=7200, n=1203), 76)
    assert len(bars) == len(letters) == 78
    assert len(times) <= 78
    assert times.split()[0] == "0:00"
    assert times.split()[-1] == "2:00:00"


def test_columns_cover_the_whole_song_without_gaps() -> None:
    columns = to_columns(made_up(n=100).timeline, 7)
    assert len(columns) == 7
    assert columns[0].start_seconds == 0
    assert columns[-1].end_seconds == 185
    for left, right in pairwise(columns):
        assert left.end_seconds == right.start_seconds


def test_a_mostly_unsure_column_says_so() -> None:
    genres = made_up().genres
    segments = [Segment(i, i + 1, -20, genres, unsure=i < 2) for i in range(3)]
    (column,) = to_columns(segments, 1)
    assert column.genre == "unsure"


def test_a_steady_song_is_drawn_flat() -> None:
    genres = made_up().genres
    steady = [Segment(i, i + 1, -12 + 0.1 * (i % 2), genres, False) for i in range(20)]
    first, *_ = (
        line.plain for line in draw_timeline(steady, columns=80, colour=True, unicode=True)
    )
    assert set(first.strip()) == {"█"}


def test_a_song_of_one_short_segment_has_a_timeline() -> None:
    assert timeline_lines(made_up(seconds=0.5, n=1), 80)


def test_genres_of_the_user_s_own_are_told_apart() -> None:
    names = [f"own {i}" for i in range(30)]
    segments = [
        Segment(i, i + 1, -20, (Probability(name, 0.9),), False) for i, name in enumerate(names)
    ]
    lines = list(draw_timeline(segments, columns=80, colour=False, unicode=True))
    assert len(set(lines[1].plain.strip())) == 30
    bars, *_ = draw_timeline(segments[:5], columns=80, colour=True, unicode=True)
    assert len({str(span.style) for span in bars.spans}) == 5
