"""The documents say what is so: commands parse, links and modules exist, genres are all there."""

import re
import shlex
from pathlib import Path

import pytest
import typer.main

from songprint.cli.app import app
from songprint.genre.taxonomy import GENRES

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = typer.main.get_command(app).commands
BLOCKS = re.findall(r"^```\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
LINES = re.findall(r"^(?:\$ )?(songprint .+)$", "\n".join(BLOCKS), re.MULTILINE)


def test_the_readme_shows_every_command():
    assert {shlex.split(line)[1] for line in LINES} == set(COMMANDS)


@pytest.mark.parametrize("line", LINES)
def test_commands_of_the_readme_parse(line):
    words = shlex.split(re.split(" > |#", line)[0])
    COMMANDS[words[1]].make_context(words[1], words[2:])


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "docs/accuracy.md"])
def test_links_lead_somewhere(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#:]+)\)", text)
    missing = [link for link in links if not ((ROOT / page).parent / link).exists()]
    assert not missing


def test_the_readme_names_the_genres_of_the_taxonomy():
    assert ", ".join(GENRES) in " ".join(README.split())


def test_make_targets_of_the_readme_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"make (\w+)", README)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


@pytest.mark.parametrize(
    "path", re.findall(r"`([\w/]+\.py)`", (ROOT / "docs/architecture.md").read_text("utf-8"))
)
def test_modules_on_the_map_exist(path):
    package = ROOT / "src" / "songprint"
    folders = [ROOT, package, *(f for f in package.iterdir() if f.is_dir())]
    assert any((folder / path).exists() for folder in folders)
