"""The accuracy card as data: parsed from the page that ``songprint evaluate`` writes."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from pathlib import Path

from pydantic import BaseModel, Field

from songprint.web.refusal import Refusal

FILE = "accuracy.md"


class CardTable(BaseModel):
    """A table of the card."""

    columns: list[str]
    rows: list[list[str]]


class CardSection(BaseModel):
    """A section of the card."""

    title: str
    level: int = Field(description="1 for a chapter, 2 for a section in it.")
    text: list[str]
    tables: list[CardTable]


class Card(BaseModel):
    """What was measured, by whom, and on what."""

    measured: str
    sections: list[CardSection]


@cache
def accuracy_card() -> Card:
    """Return the card that ships with the package.

    Raises
    ------
    Refusal
        If it is not there.
    """
    # In the wheel it lies beside this module; in a checkout it is the document itself.
    places = (
        resources.files("songprint.web") / FILE,
        Path(__file__).parents[3] / "docs" / FILE,
    )
    for place in places:
        if place.is_file():
            return parse(place.read_text(encoding="utf-8"))
    raise Refusal(404, "the accuracy card is not installed")


def parse(markdown: str) -> Card:
    """Return a card from its Markdown: headings, paragraphs and tables."""
    sections = [CardSection(title="", level=0, text=[], tables=[])]
    table: CardTable | None = None
    for line in markdown.splitlines():
        if heading := re.match(r"(#+) (.*)", line):
            title, level = heading[2], len(heading[1]) - 1
            sections.append(CardSection(title=title, level=level, text=[], tables=[]))
            table = None
        elif line.startswith("|"):
            cells = [_plain(cell) for cell in line.strip().strip("|").split("|")]
            if table is None:
                table = CardTable(columns=cells, rows=[])
                sections[-1].tables.append(table)
            elif not re.fullmatch(r"[|:\- ]+", line.strip()):
                table.rows.append(cells)
        else:
            table = None
            if line.strip() and not line.startswith("!["):
                sections[-1].text.append(_plain(line))
    first = sections[1] if len(sections) > 1 else sections[0]
    measured = first.text[0].split(" by ")[0] if first.text else ""  # the command is of no use here
    return Card(measured=measured, sections=sections[2:])


def _plain(text: str) -> str:
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text.strip())
    return (
        text.replace("**", "")
        .replace("`", "")
        .replace("\\|", "|")
        .replace("*", "")
        .removeprefix("- ")
    )
