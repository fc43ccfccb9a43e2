"""A gallery as files: a page for a browser, Markdown, and CSV for other programs."""

from __future__ import annotations

import base64
import csv
import html
import io
import math
from collections.abc import Iterable, Mapping, Sequence

from songprint.views.effects import Contrast
from songprint.views.gallery import Compared, Gallery, Member
from songprint.views.numbers import NUMBERS
from songprint.views.report import Page, Table

_CSS = """
body { font: 16px/1.5 system-ui, sans-serif; color: #222; background: #fff;
       max-width: 1200px; margin: 2rem auto; padding: 0 1rem }
h1, h2 { line-height: 1.2 }
figure { margin: 1rem 0; overflow-x: auto }
img { max-width: 100%; height: auto }
.wide { overflow-x: auto }
table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums }
th, td { padding: .25rem .6rem; text-align: right; border-bottom: 1px solid #ddd;
         white-space: nowrap }
th.words, td.words { text-align: left }
small { color: #666 }
"""


def to_markdown(page: Page) -> str:
    """Write a page as Markdown; its figures lie beside it."""
    parts = [f"# {_md(page.title)}", *map(_md, page.summary)]
    for name, (title, description) in page.figures.items():
        parts += [f"## {_md(title)}", f"![{_md(description)}]({name})"]
    for table in page.tables:
        lines = [_md_row(table.header), _md_rule(table)]
        lines += [_md_row(row) for row in table.rows]
        parts += [f"## {_md(table.title)}", "\n".join(lines)]
        if table.note:
            parts.append(_md(table.note))
    return "\n\n".join(parts) + "\n"


def _md(text: str) -> str:
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>|#" else letter for letter in text)


def _md_row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(_md(cell) for cell in cells) + " |"


def _md_rule(table: Table) -> str:
    return (
        "|" + "|".join(":--" if i in table.words else "--:" for i in range(len(table.header))) + "|"
    )


def to_html(page: Page, pictures: Mapping[str, bytes] | None = None) -> str:
    """Write a page for a browser.

    Parameters
    ----------
    page : Page
        What it says.
    pictures : mapping of str to bytes, optional
        PNG files by name, to be put into the page itself; else they lie beside it.
    """
    parts = [f"<h1>{html.escape(page.title)}</h1>"]
    parts += [f"<p>{html.escape(text)}</p>" for text in page.summary]
    for name, (title, description) in page.figures.items():
        source = name
        if pictures is not None:
            source = f"data:image/png;base64,{base64.b64encode(pictures[name]).decode()}"
        parts.append(
            f"<h2>{html.escape(title)}</h2>\n"
            f'<figure><img src="{source}" alt="{html.escape(description)}"></figure>'
        )
    for table in page.tables:
        parts.append(f"<h2>{html.escape(table.title)}</h2>\n{_html_table(table)}")
        if table.note:
            parts.append(f"<p><small>{html.escape(table.note)}</small></p>")
    body = "\n".join(parts)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{html.escape(page.title)}</title>\n<style>{_CSS}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def _html_table(table: Table) -> str:
    def row(cells: Iterable[str], tag: str) -> str:
        marks = (' class="words"' if i in table.words else "" for i in range(len(table.header)))
        written = (
            f"<{tag}{mark}>{html.escape(cell)}</{tag}>"
            for cell, mark in zip(cells, marks, strict=True)
        )
        return f"<tr>{''.join(written)}</tr>"

    head = row(table.header, "th")
    body = "\n".join(row(cells, "td") for cells in table.rows)
    table_html = f"<table>\n<thead>{head}</thead>\n<tbody>\n{body}\n</tbody>\n</table>"
    return f'<div class="wide">{table_html}</div>'


def songs_csv(gallery: Gallery, chosen: Mapping[str, Member]) -> str:
    """Write a line a song: its genre, what songprint heard, and its descriptors."""
    header = ["path", "genre", "artist", "heard_genre", "heard_p", "drawn", "level_dbfs"]
    rows = []
    for genre in gallery.genres:
        for member in genre.members:
            heard = member.fingerprint.genres[0]
            values = [number.of(member.fingerprint) for number in NUMBERS]
            tonality = member.fingerprint.descriptors.tonality
            rows.append(
                [
                    member.path, genre.name, member.artist or "", heard.name, f"{heard.p:.4f}",
                    "yes" if member is chosen[genre.name] else "no", f"{member.level_dbfs:.2f}",
                    *("" if value is None else f"{value:.6g}" for value in values),
                    tonality.key or "", tonality.mode or "",
                ]
            )  # fmt: skip
    return _csv([*header, *(number.key for number in NUMBERS), "key", "mode"], rows)


def descriptors_csv(compared: Sequence[Compared]) -> str:
    """Write a line a descriptor and genre: its quartiles, and its contrast to the rest."""
    header = ["descriptor", "genre", "songs", "quartile_1", "median", "quartile_3"]
    header += ["delta_to_rest", "delta_low", "delta_high"]
    rows = []
    for item in compared:
        for name, spread in item.spreads.items():
            contrast = item.to_rest.get(name)
            deltas = ["", "", ""] if contrast is None else _signed(contrast, name)
            values = (spread.low, spread.median, spread.high)
            known = ["" if math.isnan(value) else f"{value:.6g}" for value in values]
            rows.append([item.number.key, name, str(spread.songs), *known, *deltas])
    return _csv(header, rows)


def _signed(contrast: Contrast, genre: str) -> list[str]:
    values = [contrast.delta, contrast.low, contrast.high]
    if contrast.more != genre:
        values = [-contrast.delta, -contrast.high, -contrast.low]
    return [f"{value:.4f}" for value in values]


def effects_csv(compared: Sequence[Compared]) -> str:
    """Write a line a descriptor: how much the genres differ in it."""
    header = ["descriptor", "songs", "genres", "kruskal_wallis_h", "p_holm", "eta_squared"]
    header += ["more", "less", "cliffs_delta", "delta_low", "delta_high"]
    rows = []
    for item in compared:
        effect = item.effect
        if effect is None:
            continue
        far = effect.furthest
        numbers = (effect.h, item.p_adjusted, effect.eta_squared)
        deltas = (far.delta, far.low, far.high)
        rows.append(
            [
                item.number.key, str(effect.songs), str(effect.genres),
                *(f"{value:.6g}" for value in numbers), far.more, far.less,
                *(f"{value:.4f}" for value in deltas),
            ]
        )  # fmt: skip
    return _csv(header, rows)


def _csv(header: list[str], rows: Iterable[list[str]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
